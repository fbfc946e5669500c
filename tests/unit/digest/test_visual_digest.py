"""The digest as a value: what it holds, what it refuses, and that every change of its carrier is seen."""

from __future__ import annotations

import base64
import json
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from provenance.digest import COARSE, Shape, VisualDigest
from provenance.digest_code import CHROMA_STEP, CODE_BYTES, decode_planes, encode_planes, step_of
from provenance.digest_compare import altered_heatmap, compare, visual_digest
from provenance.digest_grid import Canvas, Placement, View, area_means, to_lab, to_rgb
from provenance.digest_planes import Reference
from provenance.errors import IntegrityError
from provenance.evidence import Outcome
from provenance.media import Frames

GOOD = VisualDigest(width=640, height=480, code=bytes(100)).to_assertion()


def frames(pixels, alpha=None) -> Frames:
    pixels = np.array(pixels)
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    return Frames(pixels=pixels[None], alpha=None if alpha is None else np.array(alpha)[None])


def test_it_survives_json_and_is_small(photograph) -> None:
    digest = visual_digest(frames(photograph))
    text = json.dumps(digest.to_assertion())
    assert len(text) < 4000
    assert VisualDigest.from_assertion(json.loads(text)) == digest


@pytest.mark.parametrize(
    "change",
    [
        {"version": 1},
        {"version": True},
        {"width": 0},
        {"width": 2**40},
        {"height": -1},
        {"height": 480.0},
        {"code": 7},
        {"code": "!!"},
        {"code": ""},
        {"code": base64.b64encode(bytes(3000)).decode()},
        {"code": "A" * 10_000},
        {"extra": 1},
    ],
)
def test_anything_else_is_refused(change) -> None:
    with pytest.raises(IntegrityError) as refused:
        VisualDigest.from_assertion({**GOOD, **change})
    assert refused.value.code == "digest.malformed"


@pytest.mark.parametrize("data", [None, [], "code", {}, {"code": GOOD["code"]}])
def test_other_shapes_are_refused(data) -> None:
    with pytest.raises(IntegrityError):
        VisualDigest.from_assertion(data)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_colours_come_back_from_lab(seed) -> None:
    rgb = np.random.default_rng(seed).uniform(size=(COARSE, COARSE, 3))
    assert np.abs(to_rgb(to_lab(rgb)) - rgb).max() < 1e-6


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
    assert hidden.code == visual_digest(frames(np.full_like(photograph, 128))).code
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
    assert heat.shape == (COARSE, COARSE)
    assert 0 <= heat.min() <= heat.max() <= 1
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    assert 100 / 16 - 1 <= row <= 220 / 16
    assert 200 / 16 - 1 <= column <= 320 / 16


@given(st.integers(1, 4000), st.integers(1, 4000))
@settings(max_examples=60, deadline=None)
def test_every_size_has_about_as_many_cells(width, height) -> None:
    shape = Shape.of(width, height)
    assert 3200 <= shape.rows * shape.columns <= 5120
    assert shape.rows % 8 == shape.columns % 8 == 0
    if 1 / 4 < width / height < 4:
        assert abs((width / shape.columns) / (height / shape.rows) - 1) < 0.2


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.3, 3.0, 20.0, 90.0]), st.integers(20, 2000))
@settings(max_examples=40, deadline=None)
def test_planes_come_back_within_the_budget_and_to_about_a_step(seed, contrast, width) -> None:
    random, shape = np.random.default_rng(seed), Shape.of(width, 512)
    planes = [
        np.clip(random.normal(40 * (k == 0), contrast, sides), 0 if k == 0 else -100, 99)
        for k, sides in enumerate(shape.planes)
    ]
    code = encode_planes(planes, shape)
    assert len(code) <= CODE_BYTES
    for index, (plane, back) in enumerate(zip(planes, decode_planes(code, shape), strict=True)):
        step = step_of(code) * (1 if index == 0 else CHROMA_STEP)
        assert np.sqrt(((plane - back) ** 2).mean()) <= 0.6 * step


@given(st.binary(max_size=2900), st.integers(1, 3000), st.integers(1, 3000))
@settings(max_examples=200, deadline=None)
def test_hostile_codes_are_refused_or_decoded_to_colours(code, width, height) -> None:
    shape = Shape.of(width, height)
    try:
        lightness, a, b = decode_planes(code, shape)
    except ValueError:
        return
    assert (lightness.shape, a.shape, b.shape) == shape.planes
    assert 0 <= lightness.min() <= lightness.max() <= 100
    assert np.abs([a, b]).max() <= 128


@given(data=st.data())
@settings(max_examples=80, deadline=None)
def test_a_changed_code_is_refused_or_decoded(data, photograph) -> None:
    """Flipped, cut and lengthened codes of a real picture, which reach deeper than noise does."""
    digest = visual_digest(frames(photograph))
    code = bytearray(digest.code)
    for _ in range(data.draw(st.integers(1, 4))):
        code[data.draw(st.integers(0, len(code) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    code = code[: data.draw(st.integers(1, len(code)))]
    changed = VisualDigest(width=digest.width, height=digest.height, code=bytes(code))
    with suppress(IntegrityError):
        fine = Reference.of(changed).fine
        assert 0 <= fine.min() <= fine.max() <= 1


def test_every_field_of_a_code_counts(photograph) -> None:
    digest = visual_digest(frames(photograph))
    other_grid = bytes([digest.code[0] ^ 0x80]) + digest.code[1:]
    for code in (digest.code[:-1], digest.code + b"\xff", other_grid):
        changed = VisualDigest(width=digest.width, height=digest.height, code=code)
        with pytest.raises(IntegrityError, match="code"):
            Reference.of(changed)


def test_a_plain_picture_is_kept_on_a_finer_grid(photograph) -> None:
    ramp = np.linspace(40, 200, 512)[:, None, None] * np.ones((1, 512, 3))
    plain = visual_digest(frames(ramp.astype(np.uint8)))
    assert plain.shape == Shape(rows=96, columns=96)
    assert step_of(plain.code) <= 1.2
    assert visual_digest(frames(photograph)).shape == Shape(rows=64, columns=64)


def test_cells_are_the_means_of_what_they_cover_wherever_they_lie() -> None:
    """Boxes that end between pixels, for a crop and a scale that are no multiple of anything."""
    random = np.random.default_rng(8)
    pixels = random.uniform(size=(90, 120, 3)).astype(np.float32)
    placement = Placement(linear=np.diag([1.3, 1.7]), shift=np.array([2.2, 3.1]))
    placed = Canvas(View(rgb=pixels, size=(120, 90)), (160, 150), placement.linear, grid=(20, 16)).place(
        placement
    )
    fine = 120  # points to a cell's side: midpoint sums come as close as that allows
    y, x = ((np.arange(count * fine) + 0.5) / (count * fine) for count in (20, 16))
    across = np.floor((x * 160 - 0.5 - 2.2) / 1.3 + 0.5).astype(int)
    down = np.floor((y * 150 - 0.5 - 3.1) / 1.7 + 0.5).astype(int)
    sampled = pixels[np.clip(down, 0, 89)][:, np.clip(across, 0, 119)]
    wanted = sampled.reshape(20, fine, 16, fine, 3).mean(axis=(1, 3))
    inside = (slice(1, -1), slice(1, -1))
    assert placed.covered[inside].all()
    assert np.abs(placed.rgb - wanted)[inside].max() < 0.01


def test_a_copy_of_another_size_has_the_same_cells(photograph) -> None:
    """No moiré: a quarter less of the size changes cells by less than compression does."""
    view = View(rgb=photograph.astype(np.float32) / 255, size=(512, 512))
    smaller = np.asarray(Image.fromarray(photograph).resize((384, 384), Image.Resampling.LANCZOS))
    other = View(rgb=smaller.astype(np.float32) / 255, size=(384, 384))
    cells = [
        Canvas(one, (512, 512), np.eye(2) * scale, grid=(64, 64))
        .place(Placement(linear=np.eye(2) * scale, shift=np.full(2, (scale - 1) / 2)))
        .rgb
        for one, scale in ((view, 1.0), (other, 512 / 384))
    ]
    assert np.sqrt(((cells[0] - cells[1]) ** 2).mean()) < 0.003


@pytest.mark.parametrize("power", [0.6, 0.7, 1.4, 1.7])
def test_a_gamma_is_fitted(photograph, power) -> None:
    bent = np.rint(255 * (photograph / 255.0) ** power).astype(np.uint8)
    answer = compare(visual_digest(frames(photograph)), frames(bent), None)
    assert answer.outcome is Outcome.SUPPORTS
    assert answer.detail.regions == ()
