"""A training command given twice, interrupted, or into a folder where something stands."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from generators.registry import load
from generators.training.orders import TrainingOrder
from guard.training import approve_lesson, run_lesson
from guard.training_data import keep_apart
from provenance.errors import InputError


@pytest.fixture
def data(tmp_path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(2):
        Image.fromarray(rng.integers(0, 255, (64, 64, 3), np.uint8)).save(folder / f"{i}.png")
    (folder / "data.json").write_text('{"licence": "CC0-1.0", "consent": "not-needed"}')
    return folder


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.iterdir()}


def test_a_finished_run_stays_as_it_is_and_the_files_of_others_are_kept(data, tools, tmp_path):
    model, out = load("bundled:emoji", threads=1), tmp_path / "out"
    out.mkdir()

    def run(steps: int, **how):
        order = TrainingOrder(method="lora", steps=steps, rank=1)
        lesson = approve_lesson(data, order, tools, model="bundled:emoji", prompt="a chef")
        return run_lesson(lesson, model, tools, folder=out, **how)

    (out / "training.json").write_text("mine")
    with pytest.raises(InputError) as refused:
        run(1)
    assert refused.value.code == "output.exists"
    assert (out / "training.json").read_text() == "mine"
    first = run(1, force=True)
    before = files(out)
    again = run(1)
    assert files(out) == before
    assert again.unchanged
    assert not first.unchanged
    assert again.record == first.record
    longer = run(2)
    assert (longer.resumed_at, longer.unchanged) == (1, False)
    assert (out / f"training.{first.record.sha256[:16]}.json").read_bytes() == before["training.json"][0]
    with pytest.raises(InputError) as shrunk:
        run(1)
    assert shrunk.value.code == "train.other-run"
    (out / "checkpoint.safetensors").unlink()
    before = files(out)
    with pytest.raises(InputError) as unknown:
        run(2)
    assert unknown.value.code == "output.exists"
    assert files(out) == before


@pytest.mark.parametrize("output", ["pictures", "pictures/out", ".", "link"])
def test_outputs_do_not_lie_among_the_pictures(output, data, tmp_path):
    (tmp_path / "link").symlink_to(data)
    with pytest.raises(InputError) as refused:
        keep_apart(data, tmp_path / output)
    assert refused.value.code == "train.output-in-data"
    keep_apart(data, tmp_path / "pictures-out")


@pytest.mark.parametrize("checkpoint", ["checkpoint.safetensors", "state.safetensors"])
def test_an_interruption_is_one_line_that_says_what_the_same_command_does(
    checkpoint, monkeypatch, tmp_path, capsys
):
    from guard.cli import main, train

    def interrupted(**_asked):
        with train._going_on(tmp_path):
            raise KeyboardInterrupt

    monkeypatch.setattr(main.cli, "main", interrupted)
    assert main.run(["train"]) == 130
    (tmp_path / checkpoint).touch()
    main.run(["train"])
    first, second = capsys.readouterr().err.splitlines()
    assert first == "interrupted; the same command begins again: there is no checkpoint yet"
    assert second == "interrupted; the same command goes on from the last checkpoint"


def test_the_command_refuses_to_write_among_the_pictures(home, data, guard_cli):
    among = guard_cli("train", "lora", "pictures", "--prompt", "chef", "-o", "pictures/out")
    assert among.code == 2
    assert "train.output-in-data" in among.err
    assert not (data / "out").exists()


@pytest.mark.slow
def test_an_interrupted_run_says_how_it_goes_on(home, data, tmp_path):
    asked = "train lora pictures --prompt chef --rank 1 --steps 1000 --save-every 1 --threads 1 -o out"
    words = [sys.executable, "-m", "guard", *asked.split()]
    with subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as run:
        while not (tmp_path / "out" / "checkpoint.safetensors").exists():
            assert run.poll() is None
            time.sleep(0.02)
        run.send_signal(signal.SIGINT)
        said = run.communicate()[1]
    assert run.returncode == 130
    assert said.splitlines()[-1] == "interrupted; the same command goes on from the last checkpoint"
    reached = tmp_path / "out" / "checkpoint.safetensors"
    assert reached.exists()
    assert not (tmp_path / "out" / ".lock").exists()
