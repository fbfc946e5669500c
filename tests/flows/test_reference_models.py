"""Pictures of a reference model leave as any others: reviewed, marked, signed, logged, and drawn again."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import save_file

from generators.reference import ddpm, vae
from generators.reference_files import Settings
from generators.registry import load
from generators.replay import Likeness
from guard.cli.main import run
from guard.repeatable import find
from guard.replay import deciding, replay

DDPM = Settings(kind="ddpm", shape=(1, 8, 8), depth=17, classes=("chef", "judge"), steps=3, scale=2.0)
VAE = Settings(kind="vae", shape=(3, 8, 8), data_licence="CC0-1.0")


@pytest.fixture
def models(tmp_path):
    for module, settings in ((ddpm, DDPM), (vae, VAE)):
        torch.manual_seed(0)
        (folder := tmp_path / settings.kind).mkdir()
        save_file(module.blank(settings).state_dict(), folder / "model.safetensors")
        (folder / "config.json").write_text(json.dumps(settings.to_json()))
    return tmp_path


def test_a_class_is_drawn_released_and_drawn_again(home, models, tmp_path, capsys):
    told = ["--model", f"dir:{models / 'ddpm'}", "-n", "2", "--seed", "4", "-o", str(tmp_path / "out")]
    assert run(["generate", "judge", *told]) == 0
    released = sorted((tmp_path / "out").glob("*.png"))
    assert len(released) == 2
    assert "decoded back" in capsys.readouterr().err
    for path in released:
        assert run(["verify", str(path)]) == 0
        done = replay(
            find(str(path), home.records()),
            deciding(home),
            load=lambda ref, threads: load(ref, threads=threads),
        )
        assert (done.likeness, done.changes) == (Likeness.EXACT, ())
        assert b"judge" not in path.read_bytes()
    for prompt in ("", "a cat"):
        assert run(["generate", prompt, *told[:-1], str(tmp_path / "none")]) == 2
        assert "its classes are chef, judge" in capsys.readouterr().err
    assert not list((tmp_path / "none").glob("*"))


def test_a_model_without_words_takes_an_empty_prompt_and_no_other(home, models, tmp_path, capsys):
    told = ["--model", f"dir:{models / 'vae'}", "--seed", "4", "-o", str(tmp_path / "out")]
    assert run(["generate", "", *told, "--include-prompt"]) == 0
    (path,) = (tmp_path / "out").glob("*.png")
    capsys.readouterr()
    assert run(["replay", str(path)]) == 0
    assert capsys.readouterr().out.startswith("EXACT")
    assert run(["generate", "a cat", *told]) == 2
    assert 'give "" as the prompt' in capsys.readouterr().err
    assert [path] == list((tmp_path / "out").glob("*.png"))
