"""How much of a file its binding leaves out is told in bytes and percent, and warned of where it is much."""

from __future__ import annotations

import importlib
import json
import struct
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from guard.cli._verdict_text import print_verdict
from guard.note import Circumstances, Exhibit
from guard.note_page import page
from guard.serialise import to_json
from guard.statements import warnings
from guard.verdict import State
from guard.verify import verify
from provenance.manifest.containers import Embedded, find_store
from provenance.manifest.containers.embedded import OpenRange
from provenance.manifest.reading import TrustTier
from provenance.manifest.sign import sign
from provenance.manifest.trust import TrustLists
from provenance.manifest.uncovered import how_much, share
from provenance.media import Asset

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = json.loads((ROOT / "docs/reference/verdict.schema.json").read_text(encoding="utf-8"))
RANGES = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 60)), max_size=12)


@pytest.fixture(scope="module")
def made():
    """A clip of a trusted signer with a free box of this many bytes behind it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        one_of = importlib.import_module("_every_format").one_of
        signer, trust, spec = importlib.import_module("verifying").parties()
    lists = TrustLists(lists=tuple(replace(one, tier=TrustTier.OWN) for one in trust.lists))

    def signed(mime: str, free: int = 0):
        data = one_of(mime).data + (struct.pack(">I4s", 8 + free, b"free") + bytes(free) if free else b"")
        return sign(Asset.of(data, mime), spec, signer, trust=lists).asset, lists

    return signed


def judged(asset, lists):
    return verify(asset, trust=lists, at=datetime.now(UTC))


@given(RANGES, st.integers(1, 500))
def test_every_byte_counts_once_and_none_outside_the_file(ranges, size):
    parts = [OpenRange(low, low + more + 1, "left out of the hash by the signer") for low, more in ranges]
    covered = {at for low, more in ranges for at in range(low, low + more + 1) if at < size}
    found = share(parts, size)
    assert (0 if found is None else found.bytes) == len(covered)
    if found is not None:
        assert found.exact
        assert found.at_least == found.bytes
        assert found.percent == round(100 * len(covered) / size, 2)
        assert found.wide == (found.percent > 5)


def test_bytes_of_the_manifest_are_none_of_the_file():
    span = OpenRange(100, 102, "number of the JPEG box instance")
    found = Embedded(store=bytes(700), pieces=(), spans=((100, 800),), open=(span,))
    hashes = {"c2pa.hash.data": {"exclusions": [{"start": 100, "length": 700}]}}
    assert how_much(hashes, found._replace(open=()), 1000) is None
    assert how_much(hashes, found, 1000).bytes == 2
    assert how_much(hashes, found, None) is None


def test_what_cannot_be_told_to_the_byte_is_no_figure():
    part = OpenRange(0, 1000, "bound part by part, which leaves out whatever follows", exact=False)
    found = share([part], 1000)
    assert (found.bytes, found.exact, found.wide) == (1000, False, False)


def test_what_cannot_be_told_hides_nothing_of_what_can():
    """A signer who names boxes that are not there does not get rid of the warning so."""
    found = share([OpenRange(0, 400, "free box"), OpenRange(0, 1000, "moov/pssh", exact=False)], 1000)
    assert (found.bytes, found.at_least, found.exact, found.wide) == (1000, 400, False, True)
    (said,) = warnings(found)
    assert said.startswith("at least 400 of 1,000 bytes (40 %) can be changed")
    same = share([OpenRange(0, 400, "free box"), OpenRange(100, 200, "moov/pssh", exact=False)], 1000)
    assert (same.bytes, same.exact) == (400, True)


def test_a_box_inside_another_is_an_upper_bound(made):
    """No box ``pssh`` is in the clip; that cannot be told from the boxes of the file alone."""
    found = find_store(made("video/mp4")[0].data)
    size = len(made("video/mp4")[0].data)
    for exclusion in ({"xpath": "/moov/pssh"}, {"xpath": "/moov", "subset": [{"offset": 8, "length": 1}]}):
        told = how_much({"c2pa.hash.bmff.v3": {"exclusions": [exclusion]}}, found, size)
        assert (told.at_least, told.exact, told.wide) == (0, False, False)
        assert told.bytes > 500
    plain = how_much({"c2pa.hash.bmff.v3": {"exclusions": [{"xpath": "/moov"}]}}, found, size)
    assert (plain.bytes, plain.exact) == (told.bytes, True)


def test_very_many_exclusions_count_to_the_byte():
    gaps = [{"start": 1000 + 700 * n, "length": 1} for n in range(400)]
    found = Embedded(store=b"", pieces=(), spans=())
    told = how_much({"c2pa.hash.data": {"exclusions": gaps}}, found, 800_000)
    assert (told.bytes, told.exact, told.wide, told.percent) == (400, True, False, 0.05)


def test_a_wide_gap_of_a_trusted_signer_is_warned_of_everywhere(made, tmp_path, capsys):
    asset, lists = made("video/mp4", free=4000)
    changed = bytearray(asset.data)
    changed[-3000:] = b"E" * 3000
    for data in (asset.data, bytes(changed)):
        verdict = judged(Asset.of(data, "video/mp4"), lists)
        assert verdict.state is State.TRUSTED
        told = verdict.left_out
        assert told.size == len(data)
        assert 4000 < told.bytes < 4200
        assert told.percent == round(100 * told.bytes / len(data), 2)
        figures = f"{told.bytes:,} of {len(data):,} bytes ({told.percent:g} %)"
        assert figures in verdict.answers[0].text
        assert verdict.warnings == (
            f"{figures} can be changed without anybody noticing: its binding leaves them out",
        )
        print_verdict(tmp_path / "a.mp4", verdict, 0)
        assert f"    warning   {verdict.warnings[0]}" in capsys.readouterr().out
        now = datetime.now(UTC)
        note = page([Exhibit(name="a.mp4", verdict=verdict)], Circumstances(made=now, at=now, trust=lists))
        assert verdict.warnings[0] in note
        body = {"file": "a.mp4", "exit_code": 0, **to_json(verdict)}
        Draft202012Validator({**SCHEMA["$defs"]["verdict"], "$defs": SCHEMA["$defs"]}).validate(body)
        assert body["left_out"]["percent"] == told.percent


@pytest.mark.parametrize(("mime", "some"), [("image/png", False), ("video/mp4", True)])
def test_headers_are_told_and_not_warned_of(made, mime, some):
    verdict = judged(*made(mime))
    assert (verdict.left_out is not None) == some
    assert verdict.warnings == ()
    expected = "exactly as they were signed; not covered, and listed as not checked: " if some else ""
    assert verdict.answers[0].text.startswith(expected or "exactly as they were signed")
    changed = bytearray(made(mime)[0].data)
    changed[-3] ^= 1
    broken = judged(Asset.of(bytes(changed), mime), made(mime)[1])
    assert broken.left_out is None, "nothing is said of what the binding covers where it does not hold"
