"""One protocol over every marking method."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from provenance.errors import InputError
from provenance.watermark.methods import method

BITS = np.random.default_rng(5).integers(0, 2, 64).astype(bool)


def test_tile_returns_the_bits_it_was_given(photographs, key) -> None:
    tile = method("tile", key=key)
    pixels = photographs["astronaut"]
    before = pixels.copy()
    marked = tile.embed(pixels, BITS)
    read = tile.decode(marked)
    assert (pixels == before).all()
    assert marked.dtype == np.uint8
    assert marked.shape == pixels.shape
    assert read.bits is not None
    assert (read.bits == BITS).all()
    assert read.present
    assert read.score is not None
    assert read.score > 6


def test_tile_sees_nothing_in_an_unmarked_picture(photographs, key) -> None:
    read = method("tile", key=key).decode(photographs["astronaut"])
    assert read.bits is None
    assert read.present is False


@pytest.mark.parametrize("wrong", ["nothing-of-this-name", "", ":file"])
def test_unknown_names_list_the_known_ones(wrong) -> None:
    with pytest.raises(InputError, match="no marking method") as raised:
        method(wrong)
    assert raised.value.code == "watermark.method"
    assert "tile" in str(raised.value.hint)


def test_tile_needs_a_key() -> None:
    with pytest.raises(InputError, match="key"):
        method("tile")


def test_the_table_itself_loads_nothing_heavy() -> None:
    code = "import provenance.watermark.methods, sys; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numpy", "cv2", "scipy", "onnxruntime", "torch"} & set(done.stdout.split())
