"""dwtDct and dwtDctSvd against the package whose format they are."""

from __future__ import annotations

import importlib
import sys

import cv2
import numpy as np
import pytest

from provenance.errors import InputError
from provenance.watermark import legacy_plane
from provenance.watermark.legacy import RULES, decode, embed
from provenance.watermark.methods import method

BITS = np.random.default_rng(11).integers(0, 2, 64).astype(bool)
rules = pytest.mark.parametrize("rule", sorted(RULES))


@pytest.fixture(scope="module")
def reference():
    """The package's own encoder and decoder, on RGB."""
    pytest.importorskip("pywt")
    package = pytest.importorskip("imwatermark")

    def write(pixels, bits, rule):
        encoder = package.WatermarkEncoder()
        encoder.set_watermark("bits", bits.astype(int).tolist())
        return encoder.encode(pixels[..., ::-1].copy(), rule)[..., ::-1].copy()

    def read(pixels, n, rule):
        return np.asarray(package.WatermarkDecoder("bits", n).decode(pixels[..., ::-1].copy(), rule), bool)

    return write, read


def psnr(one, other) -> float:
    return float(10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2)))


@rules
@pytest.mark.parametrize("n", [1, 31, 48, 64, 136])
@pytest.mark.parametrize("shape", [(256, 256), (259, 261), (400, 509)])
def test_bits_come_back_at_any_size_and_length(photographs, rule, n, shape) -> None:
    pixels = photographs["coffee"][: shape[0], : shape[1]]
    bits = np.random.default_rng(n).integers(0, 2, n).astype(bool)
    marked = embed(pixels, bits, rule)
    assert (decode(marked, n, rule) == bits).all()
    assert marked.shape == pixels.shape
    rest = np.ones(shape, bool)
    rest[: shape[0] // 8 * 8, : shape[1] // 8 * 8] = False
    assert (marked[rest] == pixels[rest]).all()
    assert (marked[..., 0] == pixels[..., 0]).all(), "red carries nothing"


@rules
def test_the_package_reads_our_marks(photographs, reference, rule) -> None:
    for pixels in photographs.values():
        assert (reference[1](embed(pixels, BITS, rule), 64, rule) == BITS).all()


@rules
def test_we_read_its_marks_with_the_same_bits_marked_or_not(photographs, reference, rule) -> None:
    write, read = reference
    for pixels in photographs.values():
        for seen in (write(pixels, BITS, rule), pixels):
            assert (decode(seen, 64, rule) == read(seen, 64, rule)).all()


def test_exact_ties_fall_as_in_the_package(reference) -> None:
    """Two-colour noise puts a third of all blocks in the very middle or at the very edge of a step."""
    random = np.random.default_rng(3)
    for low, high in ((0, 255), (120, 129), (37, 200)):
        pixels = random.choice(np.array([low, high], np.uint8), (256, 320, 3))
        pixels[:, 160:] = low
        for n in (1, 7, 40, 1000):
            assert (decode(pixels, n, "dwtDct") == reference[1](pixels, n, "dwtDct")).all()


@rules
def test_quality_is_better_than_the_package_s(photographs, reference, rule) -> None:
    for pixels in photographs.values():
        ours, theirs = embed(pixels, BITS, rule), reference[0](pixels, BITS, rule)
        assert psnr(pixels, ours) > psnr(pixels, theirs) + 0.5


@rules
def test_saturated_colours_are_clipped_and_not_wrapped(rule) -> None:
    pixels = np.zeros((256, 256, 3), np.uint8)
    pixels[:, :128, 2] = 255
    pixels[128:] = 255
    marked = embed(pixels, BITS, rule)
    assert np.abs(marked.astype(int) - pixels).max() < 60


@rules
def test_a_mild_jpeg_in_full_colour_is_survived_and_half_colour_is_not_by_dwt_dct(photographs, rule) -> None:
    marked = embed(photographs["coffee"], BITS, rule)

    def after(sampling):
        flags = [cv2.IMWRITE_JPEG_QUALITY, 90, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
        copy = cv2.imdecode(cv2.imencode(".jpg", marked[..., ::-1], flags)[1], cv2.IMREAD_COLOR)
        return float((decode(copy[..., ::-1].copy(), 64, rule) == BITS).mean())

    assert after(cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444) > 0.95
    assert (after(cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420) > 0.95) == (rule == "dwtDctSvd")


@rules
@pytest.mark.parametrize(
    ("pixels", "code"),
    [
        (np.zeros((255, 256, 3), np.uint8), "watermark.capacity-exceeded"),
        (np.zeros((300, 300), np.uint8), "watermark.legacy-picture"),
        (np.zeros((300, 300, 1), np.uint8), "watermark.legacy-picture"),
        (np.zeros((300, 300, 4), np.uint8), "watermark.legacy-picture"),
        (np.zeros((300, 300, 3), np.uint16), "watermark.legacy-picture"),
        (np.zeros((4, 40_000, 3), np.uint8), "watermark.capacity-exceeded"),
    ],
)
def test_what_cannot_carry_it_is_refused(pixels, code, rule) -> None:
    for call in (lambda: embed(pixels, BITS, rule), lambda: decode(pixels, 64, rule)):
        with pytest.raises(InputError) as raised:
            call()
        assert raised.value.code == code


@rules
def test_more_bits_than_blocks_are_refused(rule) -> None:
    with pytest.raises(InputError) as raised:
        embed(np.zeros((256, 256, 3), np.uint8), np.zeros(1025, bool), rule)
    assert raised.value.code == "watermark.capacity-exceeded"


@rules
def test_as_a_method(photographs, rule) -> None:
    one = method(rule)
    marked = one.embed(photographs["flower"], BITS)
    read = one.decode(marked)
    assert one.name == rule
    assert read.bits is not None
    assert (read.bits == BITS).all()
    assert read.present is None
    assert one.decode(marked[:64, :64]).bits is None


def test_the_package_is_not_loaded_for_these(photographs) -> None:
    before = {name for name in sys.modules if name.partition(".")[0] in {"imwatermark", "pywt"}}
    importlib.reload(importlib.import_module("provenance.watermark.legacy"))
    method("dwtDct").decode(photographs["coffee"])
    assert {name for name in sys.modules if name.partition(".")[0] in {"imwatermark", "pywt"}} == before


@rules
def test_large_pictures_are_marked_in_bands_as_if_at_once(photographs, rule, monkeypatch) -> None:
    pixels = photographs["coffee"]
    whole = embed(pixels, BITS[:37], rule)
    monkeypatch.setattr(legacy_plane, "_BAND_PIXELS", 20_000)
    assert (embed(pixels, BITS[:37], rule) == whole).all()
    assert (decode(whole, 37, rule) == BITS[:37]).all()
