"""Whatever can change while a file stays intact lies in the ranges that the reading lists."""

from __future__ import annotations

import importlib
import io
import random
import re
import struct
from pathlib import Path

import c2pa
import pytest

from provenance.errors import Error
from provenance.manifest import jumbf
from provenance.manifest.build import manifest_definition
from provenance.manifest.containers import find_store
from provenance.manifest.containers.embedded import Embedded, Piece
from provenance.manifest.formats import MIMES
from provenance.manifest.read import read_manifest
from provenance.manifest.reading import ManifestReading, ManifestState
from provenance.manifest.settings import settings_json
from provenance.manifest.sign import sign
from provenance.manifest.uncovered import left_out
from provenance.media import Asset
from provenance.metadata import bmff

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
BOXED = ("image/avif", "image/heic", "audio/mp4", "video/mp4", "video/quicktime")
CHANGES = 40


@pytest.fixture(scope="module")
def sample():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield importlib.import_module("_every_format").one_of


def open_ranges(reading: ManifestReading) -> list[tuple[int, int]]:
    """Of the file; those of a manifest beside it are said to be of that."""
    found = (re.match(r"bytes (\d+)-(\d+):", text) for text in reading.uncovered)
    return [(int(one[1]), int(one[2])) for one in found if one]


def hidden(reading: ManifestReading, changed: range) -> bool:
    """Whether the file counts as intact although something changed that is not listed."""
    if not reading.intact:
        return False
    ranges = open_ranges(reading)
    return not all(any(low <= at <= high for low, high in ranges) for at in changed)


def altered(data: bytes, rng: random.Random) -> tuple[bytes, range]:
    """A change of some bytes, half of them near the beginning, where the boxes that are left out stand."""
    at = rng.randrange(len(data) if rng.random() < 0.5 else min(len(data), 200))
    many = min(rng.choice((1, 4, 40)), len(data) - at)
    new = bytes(byte ^ rng.randrange(1, 256) for byte in data[at : at + many])
    return data[:at] + new + data[at + many :], range(at, at + many)


def read(data: bytes, mime: str, trust, sidecar: bytes | None) -> ManifestReading | None:
    try:
        return read_manifest(Asset.of(data, mime), trust, sidecar=sidecar)
    except Error:
        return None


def without_manifest(data: bytes) -> bytes:
    """The same file with free space where its manifest was."""
    low, high = find_store(data).spans[0]
    return data[:low] + struct.pack(">I4s", high - low, b"free") + b"E" * (high - low - 8) + data[high:]


@pytest.mark.parametrize("mime", MIMES)
def test_beside_a_file_every_change_is_noticed_or_listed(sample, spec, signer, trust, mime):
    made = sign(sample(mime), spec, signer, trust=trust, embed=False)
    data, rng = made.asset.data, random.Random(mime)
    for _ in range(CHANGES):
        changed, where = altered(data, rng)
        reading = read(changed, mime, trust, made.manifest)
        assert reading is None or not hidden(reading, where), (where, reading.uncovered)
    reading = read(data + b"more", mime, trust, made.manifest)
    assert reading is None or not hidden(reading, range(len(data), len(data) + 4))


@pytest.mark.parametrize("mime", BOXED)
def test_of_a_manifest_taken_out_the_boxes_it_never_covered_are_listed(sample, spec, signer, trust, mime):
    made = sign(sample(mime), spec, signer, trust=trust)
    data = without_manifest(made.asset.data)
    low, high = find_store(made.asset.data).spans[0]
    reading = read(data, mime, trust, made.manifest)
    assert not hidden(reading, range(low, high))
    rng = random.Random(mime)
    for _ in range(CHANGES):
        changed, where = altered(data, rng)
        reading = read(changed, mime, trust, made.manifest)
        assert reading is None or not hidden(reading, where), (where, reading.uncovered)


@pytest.mark.parametrize("mime", BOXED)
@pytest.mark.parametrize("kind", [b"free", b"skip", b"uuid", b"udta", b"mfra", b"ftyp", b"moof"])
def test_a_new_box_is_noticed_or_listed(sample, spec, signer, trust, mime, kind):
    box = struct.pack(">I4s", 40, kind) + (bmff.C2PA + bytes(4) + b"merkle\0" + b"E" * 5)
    inside = sign(sample(mime), spec, signer, trust=trust)
    beside = sign(sample(mime), spec, signer, trust=trust, embed=False)
    for made, sidecar in ((inside, None), (beside, beside.manifest)):
        data = made.asset.data
        for at in sorted({part.end for part in bmff.boxes(data)}):
            reading = read(data[:at] + box + data[at:], mime, trust, sidecar)
            assert reading is None or not hidden(reading, range(at, at + len(box))), reading.uncovered


def test_an_honest_manifest_beside_a_clip_says_that_its_file_type_is_open(sample, spec, signer, trust):
    made = sign(sample("video/mp4"), spec, signer, trust=trust, embed=False)
    assert made.reading.intact
    assert any("ftyp box" in text for text in made.reading.uncovered)


def updated(made, mime: str, spec, signer, trust) -> tuple[bytes, bytes]:
    """A signed file with an update manifest of the library's, and the store with both."""
    definition = {key: manifest_definition(spec)[key] for key in ("claim_generator_info", "title")}
    info = c2pa.C2paSignerInfo(b"es256", signer.chain, signer.private_pem(), None)
    out, context = io.BytesIO(), c2pa.Context.from_json(settings_json(trust))
    with c2pa.Builder(definition, context=context) as builder:
        builder.set_intent(c2pa.C2paBuilderIntent.UPDATE)
        store = builder.sign(c2pa.Signer.from_info(info), mime, io.BytesIO(made.asset.data), out)
    return out.getvalue(), bytes(store)


@pytest.mark.parametrize("mime", ["image/png", "video/mp4"])
def test_an_update_manifest_leaves_out_what_the_binding_below_it_does(sample, spec, signer, trust, mime):
    made = sign(sample(mime), spec, signer, trust=trust)
    data, store = updated(made, mime, spec, signer, trust)
    # The library puts an update of a clip into boxes of its own, which are refused: it is read from beside.
    sidecar = None
    if mime == "video/mp4":
        assert read(data, mime, trust, None).state is ManifestState.MALFORMED
        data, sidecar = made.asset.data, store
    reading = read(data, mime, trust, sidecar)
    assert reading.intact, reading.reason
    assert any("ftyp box" in text for text in reading.uncovered) is (mime == "video/mp4")
    rng = random.Random(mime)
    for _ in range(CHANGES):
        changed, where = altered(data, rng)
        found = read(changed, mime, trust, sidecar)
        assert found is None or not hidden(found, where), (where, found.uncovered)


def test_pieces_of_a_clip_are_all_bound(sample, spec, signer, trust):
    import json

    settings = json.loads(settings_json(trust))
    settings["core"]["merkle_tree_chunk_size_in_kb"] = 1
    info = c2pa.C2paSignerInfo(b"es256", signer.chain, signer.private_pem(), None)
    out, clip = io.BytesIO(), sample("video/mp4").data
    with c2pa.Builder(manifest_definition(spec), context=c2pa.Context.from_dict(settings)) as builder:
        builder.sign(c2pa.Signer.from_info(info), "video/mp4", io.BytesIO(clip), out)
    data, rng = out.getvalue(), random.Random(5)
    reading = read(data, "video/mp4", trust, None)
    assert reading.intact, reading.reason
    assert not any("mdat" in text for text in reading.uncovered)
    frames = next(box for box in bmff.boxes(data) if box.kind == b"mdat")
    places = [frames.data, frames.end - 1, *rng.sample(range(frames.start, frames.end), CHANGES)]
    for at in places:
        changed = data[:at] + bytes([data[at] ^ 0x41]) + data[at + 1 :]
        found = read(changed, "video/mp4", trust, None)
        assert found is None or not hidden(found, range(at, at + 1)), at
    second = struct.pack(">I4s", 40, b"mdat") + b"E" * 32
    for at in (frames.start, frames.end, len(data)):
        found = read(data[:at] + second + data[at:], "video/mp4", trust, None)
        assert found is None or not hidden(found, range(at, at + 40)), at


ALONE = Embedded(store=b"", pieces=(Piece(file=0, store=0, length=0),), spans=((100, 200),))


def test_a_signer_who_leaves_out_half_the_file_is_told_of():
    hashes = {"c2pa.hash.data": {"exclusions": [{"start": 50, "length": 500}]}}
    assert [text.split(":")[0] for text in left_out(hashes, ALONE, 1000)] == ["bytes 50-99", "bytes 200-549"]


def test_behind_very_many_exclusions_none_is_forgotten():
    hashes = {"c2pa.hash.data": {"exclusions": [{"start": 1000 + 4 * n, "length": 2} for n in range(300)]}}
    found = left_out(hashes, ALONE, 10_000)
    assert len(found) == 257
    assert found[-1].startswith("bytes 2024-2197: 44 ranges")


@pytest.mark.parametrize(
    ("hashes", "what"),
    [
        ({}, "no binding"),
        ({"c2pa.hash.boxes": {"boxes": [{"names": ["IHDR"]}]}}, "whatever follows the last part"),
        ({"c2pa.hash.boxes": {"boxes": [{"names": ["tEXt"], "excluded": True}]}}, "all or some of tEXt"),
        ({"c2pa.hash.multi-asset": {"parts": []}}, "not followed here"),
        ({"c2pa.hash.bmff.v3": {"exclusions": []}}, "not followed here"),
    ],
)
def test_where_it_cannot_be_told_the_whole_file_is_listed(hashes, what):
    (found,) = left_out(hashes, ALONE, 1000)
    assert found.startswith("bytes 0-999: ")
    assert what in found
    assert left_out(hashes, ALONE, None) == ()


def test_a_box_that_is_no_text_is_found_by_the_name_the_library_gives_it():
    data = struct.pack(">I4s", 8, b"ftyp") + struct.pack(">I4s", 12, b"\xa9nam") + b"text"
    boxes = tuple((box, data[box.start : box.end]) for box in bmff.boxes(data))
    embedded = Embedded(store=b"", pieces=ALONE.pieces, spans=(), boxes=boxes)
    hashes = {"c2pa.hash.bmff.v3": {"exclusions": [{"xpath": "/\ufffdnam"}]}}
    assert left_out(hashes, embedded, len(data))[0].startswith("bytes 8-19: ")


def test_a_manifest_that_nothing_leads_to_is_listed(sample, spec, signer, trust):
    made, other = (sign(sample("image/png", seed), spec, signer, trust=trust, embed=False) for seed in (0, 1))
    first = jumbf.parse_store(made.manifest).boxes[0].start
    store = made.manifest[:first] + other.manifest[first:] + made.manifest[first:]
    reading = read(made.asset.data, "image/png", trust, struct.pack(">I", len(store)) + store[4:])
    assert reading.intact
    where = f"bytes {first}-{len(other.manifest) - 1} of the manifest beside the file"
    assert reading.uncovered == (f"{where}: a manifest that nothing leads to",)
