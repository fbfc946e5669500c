"""Fingerprints: what is alike is found, the nearest first."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from provenance.digest_compare import visual_digest
from provenance.media import Frames
from provenance.registry_fingerprints import (
    RADIUS,
    Fingerprints,
    distance,
    fingerprint_of_digest,
    fingerprint_of_frames,
)


def test_neighbours_are_found_in_every_block_the_nearest_first():
    random = np.random.default_rng(3)
    values = random.integers(0, 2**63, 140_000, dtype=np.uint64)
    for at in range(0, 400, 2):  # neighbours at every distance
        value = int(values[at])
        for bit in random.choice(64, int(random.integers(0, 14)), replace=False):
            value ^= 1 << int(bit)
        values[at + 1] = value
    known = Fingerprints(values)
    for at in range(0, 400, 8):
        wanted = int(values[at]).to_bytes(8, "big")
        bits = [distance(wanted, int(value).to_bytes(8, "big")) for value in values[:400]]
        expected = {number for number, count in enumerate(bits) if count <= RADIUS}
        found = known.look_up(wanted, most=10_000)
        assert {one.number for one in found if one.number < 400} == expected
        assert [one.distance for one in found] == sorted(one.distance for one in found)


@given(st.binary(min_size=8, max_size=8), st.sets(st.integers(0, 63), max_size=RADIUS))
def test_within_the_radius_nothing_is_missed(kept, flipped):
    known = Fingerprints([bytes(8), kept])
    wanted = int.from_bytes(kept, "big")
    for bit in flipped:
        wanted ^= 1 << bit
    assert any(
        one.number == 1 and one.distance == len(flipped) for one in known.look_up(wanted.to_bytes(8, "big"))
    )


def test_nothing_known_finds_nothing_and_wrong_questions_are_refused():
    known = Fingerprints([])
    assert len(known) == 0
    assert known.look_up(bytes(8)) == ()
    for wanted, radius in ((b"short", 3), (bytes(8), 65), (bytes(8), -1)):
        with pytest.raises(ValueError, match="8 bytes"):
            known.look_up(wanted, radius=radius)


def test_a_recompressed_copy_looks_like_the_signed_digest(photographs):
    looks = []
    for pixels in photographs:
        looks.append(fingerprint_of_digest(visual_digest(Frames(pixels=pixels[None])).to_assertion()))
        small = Image.fromarray(pixels).resize((320, 240)).quantize(64).convert("RGB")
        copy = fingerprint_of_frames(Frames(pixels=np.asarray(small)[None]))
        assert distance(looks[-1], copy) <= RADIUS
    assert min(distance(a, b) for at, a in enumerate(looks) for b in looks[:at]) > RADIUS


@pytest.mark.parametrize("assertion", [None, {}, {"version": 1}, "x"])
def test_what_is_no_picture_has_no_fingerprint(assertion):
    assert fingerprint_of_digest(assertion) is None
