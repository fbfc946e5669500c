"""``guard train motion``: clips in, a motion model or an adapter out, with its record."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from simulators.clips import clip_of

from generators.registry import load
from generators.request import AdapterRef, GenerationRequest
from generators.training.orders import TrainingOrder
from guard.training import PRIVATE, approve_lesson, run_lesson
from guard.training_data import read_data
from provenance.errors import Error, InputError

ORDER = TrainingOrder(method="motion", steps=2, rank=2, frames=4, save_every=1)
ASKED = GenerationRequest(prompt="a cook", seeds=(1,), num_frames=4, num_inference_steps=1)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two clips of blocks of colour, with what is said of them."""
    folder = tmp_path_factory.mktemp("clips") / "my clips"
    folder.mkdir()
    blocks = np.kron(np.random.default_rng(0).integers(0, 255, (8, 8, 3)), np.ones((64, 64, 1))).astype(
        np.uint8
    )
    for name, step in (("secret-a.mp4", 2), ("secret-b.mp4", 6)):
        (folder / name).write_bytes(clip_of(blocks, frames=8, sound=None, step=step))
    said = {"licence": "CC0-1.0", "consent": "not-needed", "caption": "a cook running"}
    (folder / "data.json").write_text(json.dumps(said))
    return folder


def trained(data: Path, tools, model: str, folder: Path, order: TrainingOrder = ORDER):
    lesson = approve_lesson(data, order, tools, model=model)
    folder.mkdir(exist_ok=True)
    return run_lesson(lesson, load(model, threads=1), tools, folder=folder)


def test_frames_are_taken_evenly_from_clips(data: Path) -> None:
    clips = read_data(data, frames=4)
    assert [one.pixels.shape for one in clips] == [(4, 144, 192, 3)] * 2
    assert clips[0].pixels.dtype == np.uint8
    assert np.abs(clips[0].pixels[0].astype(int) - clips[0].pixels[-1]).max() > 40


def test_a_picture_model_learns_to_move_and_names_its_record(data, tools, tiny_folder, tmp_path) -> None:
    base = f"dir:{tiny_folder}"
    out = tmp_path / "moves"
    finished = trained(data, tools, base, out)
    record = (out / "training.json").read_bytes()
    assert finished.modules
    assert json.loads(record)["method"] == "motion"
    assert json.loads(record)["settings"]["frames"] == 4
    for text in (b"secret", b"running", str(tiny_folder.parent).encode()):
        assert text not in record + (out / "card.json").read_bytes()
    assert (out / PRIVATE).stat().st_mode & 0o777 == 0o600
    model = load(f"dir:{out}", threads=1)
    made = next(iter(model.generate(ASKED)))
    assert made.frames.pixels.shape == (4, 32, 32, 3)
    (adapter,) = made.recipe.adapters
    assert (adapter.method, adapter.training_sha256) == ("motion", hashlib.sha256(record).hexdigest())
    (out / PRIVATE).unlink()
    again = trained(data, tools, base, out)
    assert (again.unchanged, again.modules) == (True, True)
    assert (out / "training.json").read_bytes() == record
    assert (out / PRIVATE).exists()
    (out / PRIVATE).unlink()
    with pytest.raises(InputError) as caught:
        load(f"dir:{out}")
    assert caught.value.code == "motion.base-unknown"


def test_an_interrupted_run_ends_as_an_uninterrupted_one(data, tools, tiny_folder, tmp_path) -> None:
    base = f"dir:{tiny_folder}"
    trained(data, tools, base, tmp_path / "a", replace(ORDER, steps=1))
    again = trained(data, tools, base, tmp_path / "a")
    whole = trained(data, tools, base, tmp_path / "b")
    assert again.resumed_at == 1
    assert again.record.weights_sha256 == whole.record.weights_sha256
    assert whole.record.loss_before == again.record.loss_before


def test_a_model_that_moves_gets_an_adapter(data, tools, tiny_folder, tmp_path) -> None:
    first = tmp_path / "moves"
    trained(data, tools, f"dir:{tiny_folder}", first)
    out = tmp_path / "adapter"
    finished = trained(data, tools, f"dir:{first}", out, replace(ORDER, rate=0.05))
    assert not finished.modules
    model = load(f"dir:{first}", threads=1)
    plain = next(iter(model.generate(ASKED)))
    adapted = next(iter(model.generate(replace(ASKED, adapters=(AdapterRef(ref=str(out)),)))))
    assert not np.array_equal(plain.frames.pixels, adapted.frames.pixels)
    assert [one.method for one in adapted.recipe.adapters] == ["motion", "motion"]
    after = next(iter(model.generate(ASKED)))
    assert np.array_equal(plain.frames.pixels, after.frames.pixels)


def test_what_is_no_clip_or_too_short_is_said(data: Path, tmp_path: Path) -> None:
    with pytest.raises(Error) as caught:
        read_data(data, frames=16)
    assert caught.value.code == "train.short-clip"
    from PIL import Image

    Image.new("RGB", (32, 32)).save(tmp_path / "a.png")
    with pytest.raises(InputError) as caught:
        read_data(tmp_path, frames=4)
    assert caught.value.code == "train.not-a-clip"
    with pytest.raises(InputError) as caught:
        TrainingOrder(method="motion")
    assert caught.value.code == "train.bad-order"
    with pytest.raises(InputError):
        TrainingOrder(method="lora", frames=4)
