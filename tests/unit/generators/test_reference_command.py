"""The command: weights, samples, card; says what is wrong in one line; the same again is the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from generators.reference import MODELS, data, ddpm, outputs
from generators.reference.__main__ import main


@pytest.fixture
def icon(tmp_path) -> Path:
    rgba = np.zeros((24, 20, 4), np.uint8)
    rgba[6:18, 5:15] = (200, 40, 30, 255)
    rgba[10:14, 8:12] = (20, 60, 200, 255)
    Image.fromarray(rgba).save(path := tmp_path / "icon.png")
    return path


@pytest.fixture
def shapes(tmp_path) -> Path:
    rng = np.random.default_rng(0)
    for name in ("dark", "light"):
        (folder := tmp_path / "shapes" / name).mkdir(parents=True)
        for i in range(6):
            pixels = rng.integers(0, 90, (20, 30, 3), np.uint8) + (120 if name == "light" else 0)
            Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{i}.png")
    return tmp_path / "shapes"


@pytest.mark.parametrize("name", ["realnvp", "vae", "ddpm"])
def test_a_folder_of_pictures_becomes_model_samples_and_card(name, shapes, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(ddpm, "_NOISE_STEPS", 4)
    out = tmp_path / "out"
    told = ["--data", str(shapes), "--size", "8", "--steps", "2", "--licence", "CC0-1.0", "--samples", "3"]
    assert main([name, *told, "--out", str(out)]) == 0
    first = load_file(out / "samples.safetensors")["pixels"]
    assert first.shape == (3, 8, 8, 3)
    text = (out / "MODEL_CARD.md").read_text()
    assert "licence of the data: CC0-1.0" in text
    assert "neither marked nor signed" in text
    assert str(tmp_path) not in text, "no paths of this machine"
    assert load_file(out / "model.safetensors")
    assert sorted(p.suffix for p in out.rglob("*") if p.is_file() and p.suffix not in {".json", ".md"}) == [
        ".png", *[".safetensors"] * (4 if name == "ddpm" else 3)
    ]  # fmt: skip
    assert main([name, *told, "--out", str(out)]) == 0  # the run is over: sampled again from the checkpoint
    assert torch.equal(load_file(out / "samples.safetensors")["pixels"], first)


@pytest.mark.parametrize("name", ["gpnn", "nca"])
def test_one_picture_becomes_samples_and_card(name: str, icon, tmp_path) -> None:
    out = tmp_path / "out"
    told = ["--data", str(icon), "--steps", "1", "--size", "16", "--samples", "2", "--out", str(out)]
    assert main([name, *told]) == 0
    assert "not stated by whoever trained it" in (out / "MODEL_CARD.md").read_text()
    assert (out / "model.safetensors").exists() == (name == "nca")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["gpnn", "--data", "digits"], "reference.data"),
        (["vae", "--data", "{icon}"], "reference.data"),
        (["vae", "--data", "{empty}"], "reference.data"),
        (["gpnn", "--data", "{text}"], ""),
        (["nca", "--data", "{missing}"], ""),
    ],
)
def test_wrong_data_is_one_line(arguments, code, icon, tmp_path, capsys) -> None:
    (empty := tmp_path / "empty").mkdir()
    (text := tmp_path / "text.png").write_text("no picture")
    places = {"icon": icon, "empty": empty, "text": text, "missing": tmp_path / "gone.png"}
    told = [argument.format(**places) for argument in arguments]
    assert main([*told, "--out", str(tmp_path / "out"), "--steps", "1"]) == 2
    said = capsys.readouterr().err
    assert f"error[{code}" in said
    assert "Traceback" not in said


def test_another_run_is_not_continued(icon, tmp_path, capsys) -> None:
    told = [
        "--data",
        str(icon),
        "--steps",
        "1",
        "--size",
        "16",
        "--out",
        str(tmp_path / "out"),
        "--samples",
        "2",
    ]
    assert main(["nca", *told]) == 0
    assert main(["nca", *told, "--seed", "1"]) == 2
    assert "reference.other-run" in capsys.readouterr().err


def test_a_damaged_checkpoint_and_a_file_in_the_way_are_said(icon, tmp_path, capsys) -> None:
    told = ["nca", "--data", str(icon), "--steps", "1", "--size", "16", "--samples", "2", "--out"]
    assert main([*told, str(tmp_path / "out")]) == 0
    (tmp_path / "out/checkpoint/nca/state.safetensors").write_bytes(b"no tensors")
    assert main([*told, str(tmp_path / "out")]) == 2
    assert "reference.checkpoint" in capsys.readouterr().err
    assert main([*told, str(icon)]) == 2
    assert "reference.out" in capsys.readouterr().err


def test_digits_are_whole_numbers_and_a_fifth_is_held_out() -> None:
    pictures = data.digits()
    assert pictures.values.shape == (1797, 1, 8, 8)
    assert pictures.values.max() == pictures.depth - 1 == 16
    assert int(pictures.held_out.sum()) == 359
    assert pictures.signed.min() == -1
    assert pictures.signed.max() == 1


@pytest.mark.parametrize(
    "shape", [(16, 8, 8, 1), (9, 30, 20, 4), (3, 200, 300, 3), (1, 128, 3, 3), (40, 50, 50, 3)]
)
def test_previews_are_small(shape) -> None:
    sheet = outputs.preview(np.zeros(shape, np.uint8))
    assert max(sheet.shape[:2]) <= outputs.PREVIEW


def test_every_model_is_where_the_table_says() -> None:
    from importlib import import_module

    for module in map(import_module, MODELS.values()):
        assert {"make", "NEEDS", "SIZE", "STEPS"} <= set(dir(module))
