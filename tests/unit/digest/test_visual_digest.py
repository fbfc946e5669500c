"""The digest as a value: what it holds, what it refuses, and that every change of its carrier is seen."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.digest import GRID, VisualDigest
from provenance.digest_compare import altered_heatmap, compare, visual_digest
from provenance.digest_grid import area_means, dequantise, quantise, to_lab, to_rgb
from provenance.errors import IntegrityError
from provenance.evidence import Outcome
from provenance.media import Frames

GOOD = VisualDigest(width=640, height=480, lab=bytes(GRID * GRID * 3)).to_assertion()


def frames(pixels, alpha=None) -> Frames:
    pixels = np.array(pixels)
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    return Frames(pixels=pixels[None], alpha=None if alpha is None else np.array(alpha)[None])


def test_it_survives_json_and_is_small(photograph) -> None:
    digest = visual_digest(frames(photograph))
    text = json.dumps(digest.to_assertion())
    assert len(text) < 4200
    assert VisualDigest.from_assertion(json.loads(text)) == digest


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"version": True},
        {"width": 0},
        {"width": 2**40},
        {"height": -1},
        {"height": 480.0},
        {"lab": 7},
        {"lab": "!!"},
        {"lab": base64.b64encode(b"short").decode()},
        {"lab": "A" * 10_000},
        {"extra": 1},
    ],
)
def test_anything_else_is_refused(change) -> None:
    with pytest.raises(IntegrityError) as refused:
        VisualDigest.from_assertion({**GOOD, **change})
    assert refused.value.code == "digest.malformed"


@pytest.mark.parametrize("data", [None, [], "lab", {}, {"lab": GOOD["lab"]}])
def test_other_shapes_are_refused(data) -> None:
    with pytest.raises(IntegrityError):
        VisualDigest.from_assertion(data)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_colours_come_back_from_the_bytes(seed) -> None:
    rgb = np.random.default_rng(seed).uniform(size=(GRID, GRID, 3))
    lab = to_lab(rgb)
    assert np.abs(to_rgb(lab) - rgb).max() < 1e-6
    assert np.abs(dequantise(quantise(lab)) - lab).max() <= 0.51


def test_known_colours_have_their_lab_values() -> None:
    lab = to_lab(np.array([[1.0, 1, 1], [0, 0, 0], [1, 0, 0]]))
    assert np.abs(lab - [[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20]]).max() < 0.05


@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 40), st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_area_means_keep_the_mean(height, width, rows, columns) -> None:
    rgb = np.random.default_rng(height).uniform(size=(height, width, 3)).astype(np.float32)
    means = area_means(rgb, rows, columns)
    assert means.shape == (rows, columns, 3)
    assert np.allclose(means.mean(axis=(0, 1)), rgb.mean(axis=(0, 1)), atol=1e-4)


def test_depth_and_gray_and_alpha_are_seen_alike(photograph) -> None:
    plain = visual_digest(frames(photograph))
    assert visual_digest(frames(photograph.astype(np.uint16) * 257)) == plain
    opaque = np.full(photograph.shape[:2], 255, np.uint8)
    assert visual_digest(frames(photograph, opaque)) == plain
    hidden = visual_digest(frames(photograph, np.zeros_like(opaque)))
    assert hidden == visual_digest(frames(np.full_like(photograph, 128)))
    gray = visual_digest(frames(photograph[..., 0]))
    assert gray == visual_digest(frames(photograph[..., :1].repeat(3, 2)))


def test_a_plain_picture_decides_nothing() -> None:
    digest = visual_digest(frames(np.full((300, 300, 3), 200, np.uint8)))
    answer = compare(digest, frames(np.full((300, 300, 3), 200, np.uint8)), None)
    assert answer.outcome is Outcome.INCONCLUSIVE
    assert answer.reason


def test_the_heat_map_has_the_grid_and_the_unit_range(photograph) -> None:
    edited = photograph.copy()
    edited[100:220, 200:320] = 255 - edited[100:220, 200:320]
    answer = compare(visual_digest(frames(photograph)), frames(edited), None)
    heat = altered_heatmap(answer.detail)
    assert heat.shape == (GRID, GRID)
    assert 0 <= heat.min() <= heat.max() <= 1
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    assert 100 / 16 - 1 <= row <= 220 / 16
    assert 200 / 16 - 1 <= column <= 320 / 16
