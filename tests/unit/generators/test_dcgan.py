"""DCGAN weights: converted from a wheel without importing it, drawn from, refused when they are not that."""

from __future__ import annotations

import hashlib
import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from generators.dcgan_adapter import DCGAN, DcganShape, build
from generators.registry import load
from generators.request import GenerationRequest
from generators.training.dcgan_convert import convert
from provenance.errors import InputError

SHAPE = DcganShape(channels=(5, 8, 4, 3))


def saved(content: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def wheel(folder: Path, weights: bytes) -> tuple[Path, str]:
    path = folder / "gan_face_generate-0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("gan_face_generate/weights.tar", weights)
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return DCGAN(SHAPE).state_dict()


def test_a_wheel_becomes_a_model_that_says_its_data_licence_is_unclear(tmp_path: Path) -> None:
    path, sha256 = wheel(tmp_path, saved({"netG_state_dict": state()}))
    convert(path, sha256, tmp_path / "faces")
    generator = load(f"dir:{tmp_path / 'faces'}", threads=1)
    assert generator.info.data_licence.startswith("unclear")
    one, two = generator.generate(GenerationRequest(prompt="", seeds=(1, 2)))
    (again,) = generator.generate(GenerationRequest(prompt="", seeds=(2,)))
    assert one.frames.pixels.shape == (1, 16, 16, 3)
    assert np.array_equal(two.frames.pixels, again.frames.pixels)
    for changes in ({"prompt": "a face"}, {"prompt": "", "options": {"truncation": 0.5}}):
        with pytest.raises(InputError) as caught:
            list(generator.generate(GenerationRequest(seeds=(1,), **changes)))
        assert caught.value.code == "request.unsupported"


class Hostile:
    def __reduce__(self):
        return (Path("ran").touch, ())


@pytest.mark.parametrize(
    "weights",
    [
        pickle.dumps(Hostile()),
        saved({"netG_state_dict": Hostile()}),
        saved({"other": 1}),
        saved([1, 2]),
        b"not torch at all",
    ],
)
def test_what_is_no_dcgan_is_refused_and_nothing_runs(tmp_path: Path, monkeypatch, weights: bytes) -> None:
    monkeypatch.chdir(tmp_path)
    path, sha256 = wheel(tmp_path, weights)
    with pytest.raises(InputError) as caught:
        convert(path, sha256, tmp_path / "faces")
    assert caught.value.code == "weights.contract"
    assert not (tmp_path / "ran").exists()


def test_another_wheel_than_the_one_asked_for_is_refused(tmp_path: Path) -> None:
    path, _ = wheel(tmp_path, saved({"netG_state_dict": state()}))
    for given in (path, tmp_path / "absent.whl"):
        with pytest.raises(InputError) as caught:
            convert(given, "0" * 64, tmp_path / "faces")
        assert caught.value.code == "weights.digest"


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda t: t.pop("main.1.running_var"), "main.1.running_var"),
        (lambda t: t.update({"main.4.bias": torch.zeros(7)}), "main.4.bias"),
        (lambda t: t.update({"extra": torch.zeros(1)}), "extra"),
        (lambda t: t.clear(), "main.0.weight"),
    ],
)
def test_other_tensors_are_refused_by_name(change, where: str) -> None:
    tensors = state()
    change(tensors)
    with pytest.raises(InputError) as caught:
        build(tensors)
    assert (caught.value.code, caught.value.where) == ("gan.layout", where)
