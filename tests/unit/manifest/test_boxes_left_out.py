"""Boxes that the binding of an MP4 leaves out are listed, also those that a stranger chose."""

from __future__ import annotations

import struct

from provenance.manifest.containers import find_store
from provenance.manifest.uncovered import left_out
from provenance.metadata import bmff

STORE = struct.pack(">I", 16) + b"jumb" + bytes(8)


def box(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


CLIP = (
    box(b"ftyp", b"isom\0\0\2\0isom")
    + box(b"uuid", bmff.C2PA + bytes(4) + b"manifest\0" + bytes(8) + STORE)
    + box(b"uuid", bmff.XMP + b"<x/>")
    + box(b"mdat", b"frames")
    + box(b"moov", b"tables")
)


def listed(*exclusions: dict[str, object], **more: object) -> list[str]:
    embedded = find_store(CLIP)
    found = {"c2pa.hash.bmff.v3": {"exclusions": list(exclusions), **more}}
    assert embedded is not None
    return [text.split(": ")[1].split(",")[0] for text in left_out(found, embedded, len(CLIP))]


def test_the_usual_ones() -> None:
    ours = {"xpath": "/uuid", "data": [{"offset": 8, "value": bmff.C2PA}]}
    assert listed(ours, {"xpath": "/ftyp"}, {"xpath": "/mfra"}) == ["ftyp box"]


def test_whatever_a_signer_chose() -> None:
    assert listed({"xpath": "/uuid"}) == ["uuid box"]
    assert listed({"xpath": "/uuid", "data": [{"offset": 8, "value": bmff.XMP}]}) == ["uuid box"]
    assert listed({"xpath": "/uuid", "data": [{"offset": 500, "value": b"unseen"}]}) == ["uuid box"]
    assert listed({"xpath": "/mdat"}) == ["mdat box"]
    assert listed({"xpath": "/moov/udta"}) == ["moov/udta in this box"]
    assert listed({"xpath": 7}, {}, "not a map", {"xpath": "/moov", "data": "no list"}) == ["moov box"]  # type: ignore[arg-type]


def test_frames_hashed_piece_by_piece_are_not_left_out() -> None:
    assert listed({"xpath": "/mdat"}, merkle=[{"hashes": []}]) == []
