"""Large pictures are worked on in strips: nothing is held several times over, and nothing changes by it."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from provenance.codecs import decode, encode
from provenance.media import Frames
from provenance.watermark.carriers_reading import _eight_bit
from provenance.watermark.front_end import luma_of


@pytest.fixture(scope="module")
def tall():
    """More rows than a strip has, and not a multiple of it: 16 bits, with alpha."""
    random = np.random.default_rng(7)
    samples = random.integers(0, 65536, (1, 1500, 700, 4), np.uint16)
    return Frames(pixels=samples[..., :3].copy(), alpha=samples[..., 3].copy())


def most_bytes(work) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("mime", ["image/png", "image/tiff"])
def test_sixteen_bits_are_written_strip_by_strip(tall, mime) -> None:
    assert decode(encode(tall, mime)).shows(tall)
    flat = Frames(pixels=np.full_like(tall.pixels, 999), alpha=tall.alpha * 0)
    assert most_bytes(lambda: encode(flat, mime)) < 1.5 * flat.pixels.nbytes


def test_what_is_read_of_sixteen_bits_is_read_strip_by_strip(tall) -> None:
    pixels = tall.pixels[0]
    assert np.array_equal(_eight_bit(tall), np.rint(pixels / 257).astype(np.uint8))
    opaque = Frames(pixels=tall.pixels)
    luma = pixels.astype(np.float64) @ [0.299, 0.587, 0.114] / 257
    assert np.allclose(luma_of(opaque), luma, atol=1e-3)
    for work in (_eight_bit, luma_of):
        assert most_bytes(lambda work=work: work(opaque)) < 1.5 * pixels.nbytes
