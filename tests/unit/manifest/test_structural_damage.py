"""Bytes put into a manifest store in the place of padding: nothing is flipped, and every length is right."""

from __future__ import annotations

import importlib
import random
import re
from dataclasses import replace
from pathlib import Path

import pytest

from provenance.manifest import jumbf
from provenance.manifest.cbor import byte_string
from provenance.manifest.ingredient import Ingredient, Kind
from provenance.manifest.read import read_manifest
from provenance.manifest.sign import sign
from provenance.manifest.unbound import unbound

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
LISTED = re.compile(r"bytes (\d+)-(\d+) of the manifest beside the file: ")
MARK = b"HIDDEN-DATA-" * 5
WAYS = ("field", "content", "box", "header", "chunks", "long")


@pytest.fixture(scope="module")
def structural():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield importlib.import_module("_structural")


@pytest.fixture(scope="module")
def opened(picture, spec, signer, trust, signed):
    """A picture with another one and its manifest in it."""
    init = Ingredient(kind=Kind.PICTURE, title="sketch.png", asset=signed().asset)
    return sign(picture(), replace(spec, ingredients=(init,)), signer, trust=trust)


def told(reading, start: int, end: int) -> bool:
    """Whether the file is not intact, or every one of the bytes is listed."""
    ranges = [(int(one[1]), int(one[2])) for one in map(LISTED.match, reading.uncovered) if one]
    return not reading.intact or all(
        any(low <= at <= high for low, high in ranges) for at in range(start, end)
    )


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("which", ["one manifest", "a history"])
def test_whatever_is_put_in_the_place_of_padding_is_noticed_or_listed(
    structural, signed, opened, trust, way, which
):
    made = signed() if which == "one manifest" else opened
    rng, count = random.Random(f"{way} {which}"), 0
    for _ in range(25):
        if (moved := structural.moved(rng, made.manifest, way)) is None:
            continue
        count += 1
        assert len(moved.store) == len(made.manifest)
        reading = read_manifest(made.asset, trust, sidecar=moved.store)
        assert told(reading, moved.start, moved.end), (way, moved.start, moved.end, reading.uncovered)
    assert count > 10


@pytest.mark.parametrize("mime", ["image/jpeg", "video/mp4"])
def test_a_verdict_lists_it_as_well(structural, mime):
    """Short form of ``benchmarks/damage.py --only structural``, whose results are committed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        damage = importlib.import_module("damage")
    assert set(structural.WAYS) == set(WAYS)
    done = [outcome for _, outcome in damage.structural(mime, 36, seed=3)]
    assert len(done) > 18
    assert not [outcome for outcome in done if outcome.wrong]


def test_an_honest_manifest_has_nothing_of_the_kind(signed, opened, trust):
    for made in (signed(), opened):
        assert read_manifest(made.asset, trust).intact
        assert read_manifest(made.asset, trust).uncovered == ()


def changed(structural, store: bytes, change) -> tuple[bytes, int]:
    """A store after ``change`` to its boxes, at the cost of padding, and where the mark stands in it."""
    tree = structural._parse(store)
    change(tree)
    assert structural._shrunk(tree, len(structural._written(tree)) - len(store))
    out = structural._written(tree)
    assert len(out) == len(store)
    return out, out.index(MARK)


PARTS = {
    "store": jumbf.STORE,
    "manifest": jumbf.MANIFEST,
    "assertions": jumbf.ASSERTIONS,
    "claim": b"c2cl" + jumbf.CLAIM[4:],
    "signature": jumbf.SIGNATURE,
}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(("toggle", "mark"), [(0x10, MARK), (0x04, MARK[:4]), (0x08, MARK[:32])])
def test_fields_of_descriptions_that_nothing_hashes_are_listed(structural, signed, trust, part, toggle, mark):
    def describe(tree):
        found = next(box for box in structural._supers(tree) if box[1][0][1][:16] == PARTS[part])
        raw = found[1][0][1]
        field = structural._box(b"c2sh", MARK) if toggle == 0x10 else mark
        found[1][0][1] = raw[:16] + bytes([raw[16] | toggle]) + raw[17:] + field

    tree = structural._parse(signed().manifest)
    describe(tree)
    grown = len(structural._written(tree)) - len(signed().manifest)
    assert structural._shrunk(tree, grown)
    store = structural._written(tree)
    at = store.index(mark)
    reading = read_manifest(signed().asset, trust, sidecar=store)
    assert reading.intact
    assert told(reading, at, at + len(mark))


@pytest.mark.parametrize("kind", [b"c2vc" + jumbf.STORE[4:], bytes(range(16))])
@pytest.mark.parametrize("place", [1, 99])
def test_other_boxes_in_the_store_are_listed_or_refused(structural, signed, trust, kind, place):
    box = [b"jumb", [[b"jumd", kind + b"\x03evil\0"], [b"json", MARK]]]
    store, at = changed(structural, signed().manifest, lambda tree: tree[0][1].insert(place, box))
    reading = read_manifest(signed().asset, trust, sidecar=store)
    assert reading.intact is (place == 1)
    assert told(reading, at, at + len(MARK))


@pytest.mark.parametrize("kind", [jumbf.SIGNATURE, jumbf.MANIFEST, bytes(range(16))])
def test_a_box_behind_the_signature_is_refused(structural, signed, trust, kind):
    box = [b"jumb", [[b"jumd", kind + b"\x03c2pa.signature\0"], [b"cbor", MARK]]]

    def append(tree):
        boxes = next(box[1] for box in structural._supers(tree) if box[1][0][1][:16] == jumbf.SIGNATURE)
        boxes.append(box)

    store, _ = changed(structural, signed().manifest, append)
    reading = read_manifest(signed().asset, trust, sidecar=store)
    assert reading.state == "malformed"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (b"\x65rVals", "revocation answer"),
        (b"\x71temp_signing_time", "unsigned header"),
        (b"\x18\x21", "certificates"),
        (b"\x65hello", "unsigned header"),
        (b"\x66sigTst", "time-stamp"),
    ],
)
def test_every_unsigned_header_is_listed(structural, signed, trust, name, said):
    def put(tree):
        content = structural._active(tree)
        start, first, count = structural._unprotected(content[1])
        head = bytes([0xA0 | (count + 1)])
        content[1] = content[1][:start] + head + name + byte_string(MARK) + content[1][first:]

    store, at = changed(structural, signed().manifest, put)
    reading = read_manifest(signed().asset, trust, sidecar=store)
    assert reading.intact
    assert told(reading, at, at + len(MARK))
    assert f"{said} beside the signature" in reading.uncovered[0]
    silent = not any(code.code == "timeStamp.malformed" for code in reading.codes)
    assert silent is (said != "time-stamp")


def test_lengths_that_could_be_shorter_are_listed(structural, signed, trust):
    def lengthen(tree):
        content = structural._active(tree)
        start, first, count = structural._unprotected(content[1])
        protected = content[1][2:start]
        size = int.from_bytes(protected[1:3], "big")
        assert protected[0] == 0x59
        long = b"\x5b" + size.to_bytes(8, "big") + protected[3:]
        head = b"\xbb" + count.to_bytes(8, "big")
        content[1] = content[1][:2] + long + head + content[1][first:]

    tree = structural._parse(signed().manifest)
    lengthen(tree)
    assert structural._shrunk(tree, len(structural._written(tree)) - len(signed().manifest))
    reading = read_manifest(signed().asset, trust, sidecar=structural._written(tree))
    assert not reading.intact or sum("unusual form" in line for line in reading.uncovered) >= 2


def test_five_megabytes_beside_a_picture_are_listed(structural, signed, trust):
    tree = structural._parse(signed().manifest)
    description = tree[0][1][0]
    raw = description[1]
    description[1] = raw[:16] + b"\x13" + raw[17:] + structural._box(b"c2sh", b"EVIL" * 1_250_000)
    store = structural._written(tree)
    reading = read_manifest(signed().asset, trust, sidecar=store)
    at = store.index(b"EVIL")
    assert told(reading, at, at + 5_000_000)


def test_the_label_that_tells_the_version_of_a_claim_is_bound_by_its_shape(signed):
    store = signed().manifest
    tree = jumbf.parse_store(store)
    assert unbound(store, tree, ()).ranges == ()
    manifest = tree.boxes[-1]
    claim = manifest.only(jumbf.CLAIM)
    at = store.index(b"c2pa.claim.v2\0", claim.inner)
    changed = bytearray(store[:at] + b"c2pa.claim\0" + store[at + 14 :])
    for start in (tree.start, manifest.start, claim.start, claim.inner):
        length = int.from_bytes(changed[start : start + 4]) - 3
        changed[start : start + 4] = length.to_bytes(4)
    ((low, high),) = unbound(bytes(changed), jumbf.parse_store(bytes(changed)), ()).ranges
    assert (low, high) == (claim.inner, claim.described - 3)
