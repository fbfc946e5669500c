"""Promises 8, 9, 10 and 12: changed bytes, separate keys, the witness of the log, same in same out."""

from __future__ import annotations

import json
import random
import secrets
from datetime import UTC, datetime

from guard.serialise import to_json
from guard.setup import new_identity
from guard.verdict import State
from guard.verify import verify
from provenance.canonical import canonical_bytes
from provenance.codecs import read_asset
from provenance.errors import Error
from provenance.media import Asset

INTACT = {State.TRUSTED, State.DEVELOPMENT, State.UNKNOWN_SIGNER, State.EXPIRED}
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


def test_the_same_bytes_at_the_same_time_give_the_same_verdict(home, signed):
    for path in signed.values():
        verdicts = {
            canonical_bytes(to_json(verify(read_asset(path), trust=home.trust(), at=NOON))) for _ in range(3)
        }
        assert len(verdicts) == 1


def test_certificates_are_judged_at_the_time_given(home, signed):
    asset = read_asset(signed[".png"])
    assert verify(asset, trust=home.trust(), at=NOON).state is State.DEVELOPMENT
    assert verify(asset, trust=home.trust(), at=NOON.replace(year=2031)).state is State.EXPIRED


def test_no_changed_pixel_byte_is_intact(home, signed):
    """The picture's own bytes; manifests and their padding are fuzzed in tests/unit/manifest."""
    for path in signed.values():
        asset = read_asset(path)
        start = len(asset.data) // 2  # past the manifest, inside the image data
        for position in random.Random(1).sample(range(start, len(asset.data)), 25):
            data = bytearray(asset.data)
            data[position] ^= 0x10
            try:
                state = verify(Asset.of(bytes(data), asset.mime), trust=home.trust(), at=NOON).state
            except Error:
                continue
            assert state not in INTACT, position


def test_keys_share_nothing(home):
    locator, log_key = (json.loads(p.read_text()) for p in (home.locator_path, home.log_key_path))
    pem = (home.signing_folder / "key.pem").read_text()
    values = [str(v) for kept in (locator, log_key) for v in kept.values() if len(str(v)) > 20]
    assert len(set(values)) == len(values)
    assert not any(value in pem for value in values)


def test_files_signed_before_a_renewal_stay_verifiable(home, signed):
    new_identity(home, now=datetime.now(UTC), random=secrets.token_bytes)
    for path in signed.values():
        assert verify(read_asset(path), trust=home.trust(), at=datetime.now(UTC)).state is State.DEVELOPMENT


def test_a_log_on_ones_own_disk_says_that_nobody_else_saw_it(guard_cli, signed):
    ran = guard_cli("log", "verify")
    assert ran.code == 0
    assert "local, no outside witness" in ran.out
