"""The command: weights, card, no pictures; says what is wrong in one line; the same again is the same."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from generators.interface import Generation
from generators.reference import MODELS, data, ddpm, gpnn, nca
from generators.reference.__main__ import main
from generators.reference_files import LARGEST, NAMES
from generators.registry import load
from generators.request import GenerationRequest


@pytest.fixture(autouse=True)
def _short(monkeypatch) -> None:
    """What is measured here is the command: as few steps and pictures as there can be."""
    monkeypatch.setattr(ddpm, "_NOISE_STEPS", 4)
    monkeypatch.setattr(ddpm, "_JUDGED", 2)
    monkeypatch.setattr(nca, "GROWN", 6)
    monkeypatch.setattr(gpnn, "_MEASURED", 2)


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


def left(out: Path) -> list[str]:
    """Files but those of the checkpoint."""
    return sorted(path.name for path in out.iterdir() if path.is_file())


@pytest.mark.parametrize("name", ["realnvp", "vae", "ddpm"])
def test_a_folder_of_pictures_becomes_model_and_card_and_no_picture(name, shapes, tmp_path, capsys) -> None:
    out = tmp_path / "out"
    told = ["--data", str(shapes), "--size", "8", "--steps", "2", "--licence", "CC0-1.0"]
    assert main([name, *told, "--out", str(out)]) == 0
    assert left(out) == ["MODEL_CARD.md", "config.json", "model.safetensors"]
    made = {path.suffix for path in out.rglob("*") if path.is_file()}
    assert made == {".json", ".md", ".safetensors"}
    text = (out / "MODEL_CARD.md").read_text()
    assert "licence of the data: CC0-1.0" in text
    assert "which marks and signs them" in text
    for file in left(out):
        assert str(tmp_path).encode() not in (out / file).read_bytes(), "no paths of this machine"
    (drawn,) = draw(out, prompt="dark" if name == "ddpm" else "")
    assert drawn.frames.pixels.shape == (1, 512, 512, 3)
    *_, last = capsys.readouterr().out.splitlines()
    said = "dark" if name == "ddpm" else "''"
    assert last == f"guard generate {said} --model dir:{out} -n 4 -o pictures"
    first = (out / "model.safetensors").read_bytes()
    assert main([name, *told, "--out", str(out)]) == 0  # the run is over: the same from its checkpoint
    assert (out / "model.safetensors").read_bytes() == first


@pytest.mark.parametrize("name", ["gpnn", "nca"])
def test_one_picture_becomes_a_model_and_card_and_no_picture(name: str, icon, tmp_path) -> None:
    out = tmp_path / "out"
    told = ["--data", str(icon), "--steps", "1", "--size", "16", "--out", str(out)]
    assert main([name, *told, "--weights-licence", "MIT"]) == 0
    assert left(out) == ["MODEL_CARD.md", "config.json", "model.safetensors"]
    card = (out / "MODEL_CARD.md").read_text()
    assert "licence of the data: not stated by whoever trained it" in card
    assert "licence of the weights: MIT" in card
    assert ("nothing is trained" in card) == (name == "gpnn")
    (drawn,) = draw(out)
    assert drawn.frames.pixels.shape[0::3] == (1, 3)


def draw(folder: Path, prompt: str = "") -> list[Generation]:
    return list(load(f"dir:{folder}", threads=1).generate(GenerationRequest(prompt=prompt, seeds=(3,))))


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
    told = ["--data", str(icon), "--steps", "1", "--size", "16", "--out", str(tmp_path / "out")]
    assert main(["nca", *told]) == 0
    assert main(["nca", *told, "--seed", "1"]) == 2
    assert "reference.other-run" in capsys.readouterr().err


def test_a_damaged_checkpoint_and_a_file_in_the_way_are_said(icon, tmp_path, capsys) -> None:
    told = ["nca", "--data", str(icon), "--steps", "1", "--size", "16", "--out"]
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


def test_the_licence_of_the_digits_is_an_identifier_and_the_card_says_whose_word_it_is(tmp_path) -> None:
    assert main(["realnvp", "--data", "digits", "--steps", "1", "--out", str(tmp_path)]) == 0
    assert json.loads((tmp_path / "config.json").read_text())["data_licence"] == "CC-BY-4.0"
    (line,) = (s for s in (tmp_path / "MODEL_CARD.md").read_text().splitlines() if "licence of the data" in s)
    assert "CC-BY-4.0, by the UCI repository's donation policy" in line
    assert "names no licence" in line
    assert "licen" not in load_digits().DESCR.lower()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["vae", "--data", "{shapes}", "--size", "65"], "at most 64"),
        (["ddpm", "--data", "{shapes}", "--size", "12"], "power of two"),
        (["gpnn", "--data", "{icon}", "--size", "129"], "at most 128"),
        (["gpnn", "--data", "{icon}", "--size", "6"], "shape"),
        (["gpnn", "--data", "{icon}", "--steps", "51"], "rounds"),
        (["nca", "--data", "{icon}", "--licence", "x" * 201], "data_licence"),
    ],
)
def test_what_nobody_could_draw_from_is_refused_before_training(
    arguments, said, icon, shapes, tmp_path, capsys
) -> None:
    told = [argument.format(icon=icon, shapes=shapes) for argument in arguments]
    assert main([*told, "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert "error[reference.data]" in told
    assert said in told
    assert not (tmp_path / "out").exists()


def test_every_model_is_where_the_table_says() -> None:
    from importlib import import_module

    for module in map(import_module, MODELS.values()):
        assert {"make", "NEEDS", "SIZE", "STEPS", "settings", "blank", "draw"} <= set(dir(module))
    assert MODELS.keys() == NAMES.keys() == LARGEST.keys()
