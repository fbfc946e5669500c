"""Clip digests: sums over time, the values they are kept in, and hostile assertions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.errors import IntegrityError
from provenance.video.clip_digest import MOST_SLOTS, ClipDigest, ClipDigester


def digest_of(count, fps=10.0, size=(64, 36), seed=1, slot_seconds=1.0):
    random = np.random.default_rng(seed)
    digester = ClipDigester(size, slot_seconds=slot_seconds)
    for index in range(count):
        digester.add(random.integers(0, 256, (size[1], size[0], 3)).astype(np.uint8), index / fps)
    return digester.result()


@given(count=st.integers(1, 40), wide=st.integers(1, 70), high=st.integers(1, 70))
def test_what_is_written_is_read(count, wide, high):
    digest = digest_of(count, size=(wide, high))
    assert ClipDigest.from_assertion(digest.to_assertion()) == digest
    assert digest.pictures().shape == (digest.slots, *digest.grid, 3)
    assert digest.slots == -(-count // 10)


def test_a_slot_is_the_mean_of_its_second_in_order():
    digester = ClipDigester((64, 36))
    for index, level in enumerate([0, 100, 200, 40]):
        for frame in range(5):
            digester.add(np.full((36, 64, 3), level, np.uint8), index + frame / 5)
    light = digester.result().pictures()[..., 0].mean(axis=(1, 2))
    assert light == pytest.approx([0, 42.4, 80.6, 16.4], abs=0.7)  # CIE L* of these grays


def test_half_a_kilobyte_a_second_and_a_bound_for_hours():
    assert len(digest_of(10, size=(854, 480)).lab) == 480
    digester = ClipDigester((64, 36))
    gray = np.full((36, 64, 3), 90, np.uint8)
    for second in range(0, 3600, 2):
        digester.add(gray, float(second))
    hour = digester.result()
    assert hour.slot_seconds == 8
    assert hour.slots == 450 <= MOST_SLOTS
    assert hour.seconds == 3600


def test_a_gap_in_time_shows_what_was_shown_last():
    digester = ClipDigester((64, 36))
    digester.add(np.zeros((36, 64, 3), np.uint8), 5.0)
    digester.add(np.full((36, 64, 3), 255, np.uint8), 8.5)
    light = digester.result().pictures()[..., 0].mean(axis=(1, 2))
    assert light[:3] == pytest.approx([0, 0, 0])
    assert light[3] == pytest.approx(53.4, abs=0.3)  # CIE L* of half of white


@pytest.mark.parametrize(
    "change",
    [
        {"version": 1},
        {"version": 3},
        {"version": True},
        {"width": 0},
        {"height": 1 << 30},
        {"seconds": -1.0},
        {"seconds": float("nan")},
        {"seconds": float("inf")},
        {"seconds": 10**400},
        {"seconds": "3"},
        {"slot_seconds": 0.0},
        {"slot_seconds": 1e-9},
        {"seconds": 1e6, "slot_seconds": 0.1},
        {"lab": ""},
        {"lab": "!!!"},
        {"lab": 5},
        {"lab": "A" * 10_000_000},
        {"extra": 1},
    ],
)
def test_hostile_assertions_are_refused(change):
    with pytest.raises(IntegrityError) as refused:
        ClipDigest.from_assertion({**digest_of(25).to_assertion(), **change})
    assert refused.value.code == "digest.malformed"


@given(st.recursive(st.none() | st.integers() | st.text() | st.floats(), st.lists))
def test_anything_else_is_refused(data):
    with pytest.raises(IntegrityError):
        ClipDigest.from_assertion(data)


def test_a_digest_without_frames_or_with_a_time_that_is_none_is_an_error():
    with pytest.raises(ValueError, match="no frame"):
        ClipDigester((64, 36)).result()
    with pytest.raises(ValueError, match="finite"):
        ClipDigester((64, 36)).add(np.zeros((36, 64, 3), np.uint8), float("nan"))
