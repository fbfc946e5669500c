"""The public C2PA test files of 2022: each has to get the class of verdict its name announces.

They are not part of this repository: ``MEDIAGUARD_PUBLIC_C2PA`` names a folder with ``public/*.jpg`` and
``trust/c2pa_rs_test_roots.pem``. In the names C is a claim, A a parent, I an ingredient, X a
hash that does not match, E-… an error; an error behind the first C sits in the history.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from provenance.manifest.read import read_manifest
from provenance.manifest.reading import ManifestState, TrustTier
from provenance.manifest.trust import DEFAULT_EKUS, TrustList, TrustLists
from provenance.media import Asset

FOLDER = os.environ.get("MEDIAGUARD_PUBLIC_C2PA", "")
FILES = sorted((Path(FOLDER) / "public").glob("*.jpg")) if FOLDER else []
pytestmark = pytest.mark.skipif(
    not FILES, reason="MEDIAGUARD_PUBLIC_C2PA names no folder of public C2PA files"
)


def announced(stem: str) -> ManifestState:
    name = stem.split("-", 2)[2]
    if "C" not in name:
        return ManifestState.ABSENT
    if name.startswith(("E-", "X")):
        return ManifestState.TAMPERED
    return ManifestState.HISTORY_PROBLEM if "E-" in name else ManifestState.TRUSTED


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_file_gets_the_verdict_its_name_announces(path):
    pem = (Path(FOLDER) / "trust" / "c2pa_rs_test_roots.pem").read_bytes()
    roots = TrustList.of(name="test-roots", tier=TrustTier.INTERIM, pem=pem, date=date(2022, 1, 1))
    asset = Asset.of(path.read_bytes(), "image/jpeg")
    at = datetime(2026, 1, 1, tzinfo=UTC)
    expected = announced(path.stem)
    assert read_manifest(asset, TrustLists(lists=(roots,), ekus=DEFAULT_EKUS), at=at).state is expected
    if expected is ManifestState.TRUSTED:
        assert read_manifest(asset, TrustLists(), at=at).state is ManifestState.UNKNOWN_SIGNER


def test_a_label_that_its_claim_does_not_say_is_listed():
    """Claims before version 2 may name their parts in short, and then nothing signed holds the label."""
    (path,) = (path for path in FILES if path.stem.endswith("-C"))
    data = bytearray(path.read_bytes())
    label = read_manifest(Asset.of(bytes(data), "image/jpeg"), TrustLists()).label
    at = data.index(label.encode() + b"\0")
    data[at + len(label) - 1] ^= 1
    changed = read_manifest(Asset.of(bytes(data), "image/jpeg"), TrustLists())
    ranges = [re.match(r"bytes (\d+)-(\d+): a part", text) for text in changed.uncovered]
    assert any(int(one[1]) <= at and at + len(label) <= int(one[2]) for one in ranges if one)
