"""A digest knows the very pixels it was made of, whatever they show, and no others like them."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from provenance.digest_compare import compare, recognises, visual_digest
from provenance.evidence import Outcome
from provenance.media import Frames

PURE = np.array([[r, g, b] for r in (0, 255) for g in (0, 255) for b in (0, 255)], np.uint8)
SIDES = st.sampled_from([(192, 192), (256, 256), (288, 288), (170, 350), (301, 211)])
LARGE = st.sampled_from([(512, 512), (576, 576), (340, 700)])


def enlarged(cells: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    height, width = size
    rows, columns = np.arange(height) * len(cells) // height, np.arange(width) * cells.shape[1] // width
    return cells[rows[:, None], columns[None]]


def blocks(rng: np.random.Generator, count: int, size: tuple[int, int]) -> np.ndarray:
    return enlarged(PURE[rng.integers(0, 8, (count, count))], size)


def pixel_art(rng: np.random.Generator, count: int, size: tuple[int, int]) -> np.ndarray:
    return enlarged(rng.integers(0, 256, (4, 3), np.uint8)[rng.integers(0, 4, (count, count))], size)


def noise(rng: np.random.Generator, count: int, size: tuple[int, int]) -> np.ndarray:
    return enlarged(rng.integers(0, 256, (count, count, 3), np.uint8), size)


CROWDED = (blocks, pixel_art, noise)


def gradient(rng: np.random.Generator, _count: int, size: tuple[int, int]) -> np.ndarray:
    corners = Image.fromarray(rng.integers(0, 256, (2, 2, 3), np.uint8))
    return np.asarray(corners.resize(size[::-1], Image.Resampling.BICUBIC))


def stripes(rng: np.random.Generator, count: int, size: tuple[int, int]) -> np.ndarray:
    colours = rng.integers(0, 256, (2, 3), np.uint8)
    along = np.arange(size[count % 2]) // max(1, count // 32) % 2
    return np.broadcast_to(colours[along] if count % 2 else colours[along][:, None], (*size, 3))


ALL = (*CROWDED, gradient, stripes)


def frames(pixels: np.ndarray) -> Frames:
    return Frames(pixels=np.array(pixels)[None])


def as_jpeg(pixels: np.ndarray, quality: int) -> Frames:
    held = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(held, "JPEG", quality=quality)
    return frames(np.asarray(Image.open(held)))


def holds_for_the_very_pixels(draw, seed, count, size) -> None:
    shown = frames(draw(np.random.default_rng(seed), count, size))
    digest = visual_digest(shown)
    held = compare(digest, shown, None)
    assert held.outcome is not Outcome.CONTRADICTS
    assert recognises(digest, shown) is (held.outcome is Outcome.SUPPORTS)
    assert digest.undecided is (held.outcome is not Outcome.SUPPORTS)
    if draw in CROWDED:
        assert held.outcome is Outcome.SUPPORTS


def holds_for_jpeg_copies(draw, seed, count, size, quality) -> None:
    pixels = draw(np.random.default_rng(seed), count, size)
    held = compare(visual_digest(frames(pixels)), as_jpeg(pixels, quality), None)
    assert held.outcome is not Outcome.CONTRADICTS


def holds_for_others(draw, seed, count, size) -> None:
    one, other = (frames(draw(np.random.default_rng(seed + more), count, size)) for more in (0, 1))
    assert compare(visual_digest(one), other, None).outcome is not Outcome.SUPPORTS


SEEDS, COUNTS, QUALITIES = st.integers(0, 2**31), st.integers(8, 140), st.sampled_from([95, 75])


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(ALL), SEEDS, COUNTS, SIDES)
def test_the_very_pixels_are_never_another_picture(draw, seed, count, size) -> None:
    holds_for_the_very_pixels(draw, seed, count, size)


@settings(max_examples=10, deadline=None)
@given(st.sampled_from(ALL), SEEDS, st.integers(8, 100), SIDES, QUALITIES)
def test_nor_are_their_jpeg_copies(draw, seed, count, size, quality) -> None:
    holds_for_jpeg_copies(draw, seed, count, size, quality)


@settings(max_examples=8, deadline=None)
@given(st.sampled_from(CROWDED), SEEDS, COUNTS, SIDES)
def test_another_picture_of_the_same_kind_is_another(draw, seed, count, size) -> None:
    holds_for_others(draw, seed, count, size)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ALL), st.sampled_from(CROWDED), SEEDS, COUNTS, st.one_of(SIDES, LARGE), QUALITIES)
def test_all_that_of_more_and_larger_ones(draw, crowded, seed, count, size, quality) -> None:
    holds_for_the_very_pixels(draw, seed, count, size)
    holds_for_jpeg_copies(draw, seed, count, size, quality)
    holds_for_others(crowded, seed, count, size)


@pytest.mark.parametrize("colours", [[(110, 121, 77), (87, 3, 126)], [(17, 110, 58), (181, 22, 129)]])
@pytest.mark.parametrize("width", [1, 2])
def test_stripes_as_fine_as_what_jpeg_does_to_colours_decide_nothing_against_it(colours, width) -> None:
    row = np.array(colours, np.uint8)[np.arange(256) // width % 2]
    pixels = np.broadcast_to(row[:, None], (256, 256, 3))
    held = compare(visual_digest(frames(pixels)), as_jpeg(pixels, 90), None)
    assert held.outcome is not Outcome.CONTRADICTS


@pytest.mark.parametrize("draw", CROWDED)
@pytest.mark.parametrize("count", [16, 32, 64])
def test_jpeg_copies_of_crowded_pictures_are_recognised(draw, count) -> None:
    pixels = draw(np.random.default_rng(count), count, (512, 512))
    held = compare(visual_digest(frames(pixels)), as_jpeg(pixels, 75), None)
    assert held.outcome is Outcome.SUPPORTS
    assert held.detail.altered_fraction < 0.1


def test_a_digest_that_cannot_tell_contradicts_nothing() -> None:
    plain = visual_digest(frames(np.full((256, 256, 3), 90, np.uint8)))
    assert plain.undecided
    assert type(plain).from_assertion(plain.to_assertion()) == plain
    other = frames(noise(np.random.default_rng(3), 16, (256, 256)))
    held = compare(plain, other, None)
    assert held.outcome is Outcome.INCONCLUSIVE
    assert "cannot tell" in held.reason
