"""The fixed messages of published generators: found when written by their own code, and not otherwise."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from provenance.evidence import Outcome
from provenance.media import Frames
from provenance.watermark.carriers import CARRIERS, FOUND, TRACE, UNMARKED_CROPS, Route, look
from provenance.watermark.legacy import embed

BY_NAME = {carrier.software: carrier for carrier in CARRIERS}


def bits_of(carrier) -> np.ndarray:
    return np.array([bit == "1" for bit in carrier.message])


def written_by_reference(pixels, carrier, route):
    """With the package's own encoder, on the pixels that such a program hands it."""
    package = pytest.importorskip("imwatermark")
    encoder = package.WatermarkEncoder()
    encoder.set_watermark("bits", bits_of(carrier).astype(int).tolist())
    if route is Route.EIGHT_BIT:
        return encoder.encode(pixels[..., ::-1].copy(), "dwtDct")[..., ::-1]
    given = pixels.astype(np.float32)
    given = given if route is Route.SWAPPED else given[..., ::-1].copy()
    made = encoder.encode(given, "dwtDct")
    made = made if route is Route.SWAPPED else made[..., ::-1]
    return np.clip(np.rint(made), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("software", "route"), [(carrier.software, route) for carrier in CARRIERS for route in carrier.routes]
)
def test_each_is_found_as_its_program_writes_it(photographs, as_frames, software, route) -> None:
    for name, pixels in photographs.items():
        found = look(as_frames(written_by_reference(pixels, BY_NAME[software], route)))
        assert found.outcome is Outcome.SUPPORTS, (name, found)
        assert found.detail.software == software
        assert found.detail.route is route
        assert "proves nothing" in found.reason


@pytest.mark.slow
def test_what_diffusers_writes_is_found(photographs, as_frames) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("imwatermark")
    from diffusers.pipelines.stable_diffusion_xl.watermark import StableDiffusionXLWatermarker

    latent = torch.from_numpy(photographs["coffee"].astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]
    made = StableDiffusionXLWatermarker().apply_watermark(latent)
    pixels = ((made[0].permute(1, 2, 0).numpy() / 2 + 0.5) * 255).round().astype(np.uint8)
    found = look(as_frames(pixels))
    assert found.outcome is Outcome.SUPPORTS
    assert found.detail.software.startswith("Stable Diffusion XL")


def test_our_encoder_writes_them_too_and_a_mild_jpeg_leaves_them(photographs, as_frames) -> None:
    carrier = BY_NAME["Stable Diffusion 1"]
    marked = embed(photographs["coffee"], bits_of(carrier), "dwtDct")
    sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
    flags = [cv2.IMWRITE_JPEG_QUALITY, 90, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    copy = cv2.imdecode(cv2.imencode(".jpg", marked[..., ::-1], flags)[1], 1)[..., ::-1]
    assert look(as_frames(copy)).outcome is Outcome.SUPPORTS
    smaller = cv2.resize(marked, None, fx=0.9, fy=0.9)
    gone = look(as_frames(smaller))
    assert gone.outcome is Outcome.ABSENT
    assert "absence says nothing" in gone.reason


def test_photographs_and_drawings_hold_none(photographs, as_frames, art) -> None:
    for pixels in (*photographs.values(), *(art(seed) for seed in range(5))):
        found = look(as_frames(pixels))
        assert found.outcome is Outcome.ABSENT
        assert found.detail.statistic < 4.5


@pytest.mark.parametrize("period", [8, 16, 64, 128, 384])
def test_periodic_patterns_hold_none(as_frames, period) -> None:
    """Stripes and tiles give shares that repeat, as a message does."""
    random = np.random.default_rng(period)
    tile = random.integers(0, 256, (period, period, 3)).astype(np.uint8)
    times = -(-768 // period)
    assert look(as_frames(np.tile(tile, (times, times, 1))[:768, :768])).outcome is Outcome.ABSENT


def test_sixteen_bits_and_transparency_change_nothing(photographs, as_frames) -> None:
    carrier = BY_NAME["InvokeAI"]
    marked = embed(photographs["flower"], bits_of(carrier), "dwtDct")
    deep = marked.astype(np.uint16) * 257
    alpha = np.full(deep.shape[:2], 65535, np.uint16)
    assert look(as_frames(deep, alpha)).outcome is Outcome.SUPPORTS


def test_what_cannot_hold_one(as_frames) -> None:
    small = as_frames(np.zeros((255, 256, 3), np.uint8))
    assert look(small).outcome is Outcome.NOT_CHECKED
    gray = as_frames(np.zeros((300, 300), np.uint8))
    assert look(gray).outcome is Outcome.ABSENT
    clip = Frames(pixels=np.zeros((2, 300, 300, 3), np.uint8), fps=5.0)
    assert look(clip).outcome is Outcome.NOT_CHECKED
    flat = as_frames(np.full((300, 4000, 3), 126, np.uint8))
    assert look(flat).outcome is Outcome.ABSENT
    for rows in (7, 8):
        narrow = as_frames(np.zeros((rows, 9_000, 3), np.uint8))
        assert look(narrow).outcome is (Outcome.NOT_CHECKED if rows == 7 else Outcome.ABSENT)


def test_the_chance_told_is_the_one_measured() -> None:
    results = Path(__file__).parents[3] / "benchmarks" / "results" / "carriers.json"
    measured = json.loads(results.read_text())
    assert measured["unmarked"]["crops"] == UNMARKED_CROPS
    assert measured["unmarked"]["found"]["successes"] == measured["unmarked"]["decoys"]["found"] == 0
    assert measured["thresholds"] == {"found": FOUND, "trace": TRACE}


def test_messages_are_as_published() -> None:
    assert [len(carrier.message) for carrier in CARRIERS] == [136, 224, 32, 48, 46, 64]
    assert BY_NAME["FLUX"].message == bin(0b001010101111111010000111100111001111010100101110)[2:]
    xl = BY_NAME["Stable Diffusion XL or Stable Video Diffusion"]
    assert xl.message == bin(0b101100111110110010010000011110111011000110011110)[2:]


def test_inspect_tells_and_says_what_it_is_worth(photographs, guard_cli, tmp_path) -> None:
    path = tmp_path / "made.png"
    Image.fromarray(embed(photographs["coffee"], bits_of(BY_NAME["FLUX"]), "dwtDct")).save(path)
    shown = guard_cli("inspect", path)
    assert "carrier of FLUX found (by chance < 1/560 measured)" in shown.out
    assert "this can be copied and proves nothing" in shown.out
    told = json.loads(guard_cli("inspect", path, "--format", "json").out)["signals"][0]["carrier"]
    assert told["outcome"] == "supports"
    assert told["detail"]["software"] == "FLUX"
