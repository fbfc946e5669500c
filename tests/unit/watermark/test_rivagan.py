"""RivaGAN from the package's weights, without the package's code."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest

from provenance.errors import ConfigurationError, InputError
from provenance.watermark import rivagan
from provenance.watermark.methods import method

BITS = np.random.default_rng(2).integers(0, 2, 32).astype(bool)
FOLDER = Path(str(find_spec("imwatermark").submodule_search_locations[0]))


@pytest.fixture(scope="module")
def riva():
    return method("rivaGan")


@pytest.fixture(scope="module")
def small(photographs):
    return cv2.resize(photographs["astronaut"], (192, 160), interpolation=cv2.INTER_AREA)


def test_bits_come_back_after_a_jpeg(riva, small) -> None:
    marked = riva.embed(small, BITS)
    copy = cv2.imdecode(cv2.imencode(".jpg", marked[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1], 1)
    assert marked.dtype == np.uint8
    assert (riva.decode(marked).bits == BITS).mean() > 0.95
    assert (riva.decode(copy[..., ::-1]).bits == BITS).mean() > 0.9
    assert riva.decode(marked).present is None
    assert 10 * np.log10(255**2 / np.mean((marked.astype(float) - small) ** 2)) > 38


@pytest.mark.slow
def test_the_same_as_the_package_to_a_rounding(riva, small) -> None:
    package = pytest.importorskip("imwatermark")
    package.WatermarkEncoder.loadModel()
    encoder = package.WatermarkEncoder()
    encoder.set_watermark("bits", BITS.astype(int).tolist())
    picture = cv2.resize(small, (300, 260))  # it takes no smaller one
    theirs = encoder.encode(picture[..., ::-1].copy(), "rivaGan")[..., ::-1]
    ours = riva.embed(picture, BITS)
    assert np.abs(ours.astype(int) - theirs).max() <= 1
    read = package.WatermarkDecoder("bits", 32)
    assert (read.decode(ours[..., ::-1].copy(), "rivaGan") == riva.decode(ours).bits).all()


def test_the_same_input_gives_the_same_pixels(riva, small) -> None:
    again = method("rivaGan", threads=1)
    assert (riva.embed(small, BITS) == again.embed(small, BITS)).all()
    assert rivagan._FILES["rivagan_encoder.onnx"][:16] in riva.identity


def test_weights_from_a_folder_are_checked(tmp_path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        method(f"rivaGan:{tmp_path}")
    assert raised.value.code == "weights.missing"
    for name in rivagan._FILES:
        shutil.copy(FOLDER / name, tmp_path / name)
    assert method(f"rivaGan:{tmp_path}").payload_bits == 32
    changed = bytearray((tmp_path / "rivagan_decoder.onnx").read_bytes())
    changed[5000] ^= 1
    (tmp_path / "rivagan_decoder.onnx").write_bytes(changed)
    with pytest.raises(ConfigurationError) as raised:
        method(f"rivaGan:{tmp_path}")
    assert raised.value.code == "weights.digest"


def test_a_missing_package_is_named_with_the_command_that_helps(monkeypatch) -> None:
    monkeypatch.setattr(rivagan, "find_spec", lambda name: None)
    with pytest.raises(ConfigurationError) as raised:
        method("rivaGan")
    assert raised.value.code == "weights.missing"
    assert "pip install --no-deps invisible-watermark" in str(raised.value.hint)


@pytest.mark.parametrize(
    ("pixels", "code"),
    [
        (np.zeros((64, 64, 4), np.uint8), "watermark.legacy-picture"),
        (np.zeros((64, 64, 3), np.uint16), "watermark.legacy-picture"),
        (np.zeros((64, 8, 3), np.uint8), "watermark.capacity-exceeded"),
    ],
)
def test_what_cannot_carry_it_is_refused(riva, pixels, code) -> None:
    for call in (lambda: riva.embed(pixels, BITS), lambda: riva.decode(pixels)):
        with pytest.raises(InputError) as raised:
            call()
        assert raised.value.code == code


def test_the_package_s_code_and_torch_are_not_loaded() -> None:
    code = (
        "from provenance.watermark.methods import method; method('rivaGan'); import sys; print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"imwatermark", "torch", "pywt", "cv2"} & set(done.stdout.split())
