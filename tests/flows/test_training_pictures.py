"""What is read of a folder of training pictures, how much of it is kept, and which words go with it."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from generators.training.orders import TrainingOrder
from guard.errors import Denied
from guard.training import approve_lesson
from guard.training_data import MOST_SIDE, read_data
from provenance.errors import InputError

LORA = TrainingOrder(method="lora", steps=1)


@pytest.fixture
def folder(tmp_path) -> Path:
    made = tmp_path / "pictures"
    made.mkdir()
    Image.new("RGB", (40, 30), (200, 10, 10)).save(made / "a.png")
    Image.new("RGB", (40, 30), (10, 10, 200)).save(made / "b.png")
    return made


def refused(folder: Path, **how) -> InputError:
    with pytest.raises(InputError) as error:
        read_data(folder, **how)
    return error.value


def test_only_the_middle_square_is_kept_and_never_more_than_training_can_use(folder):
    wide = np.zeros((1500, 2500, 4), np.uint8)
    wide[:, 500:2000] = (0, 255, 0, 255)
    Image.fromarray(wide).save(folder / "c.png")
    small, _, large = read_data(folder)
    assert small.pixels.shape == (30, 30, 3)
    assert small.pixels.base is None
    assert large.pixels.shape == (MOST_SIDE, MOST_SIDE, 3)
    assert (large.pixels == (0, 255, 0)).all()


def test_pictures_are_refused_before_the_memory_is_gone(folder):
    assert len(read_data(folder, most_bytes=2 * 30 * 30 * 3)) == 2
    assert refused(folder, most_bytes=2 * 30 * 30 * 3 - 1).code == "train.too-large"


def test_an_animation_is_said_to_be_one_before_anything_is_decoded(folder):
    rng = np.random.default_rng(0)
    frames = [Image.fromarray(rng.integers(0, 255, (1000, 1000), np.uint8)) for _ in range(12)]
    frames[0].save(folder / "z.gif", save_all=True, append_images=frames[1:])
    (folder / "a.png").write_bytes((folder / "b.png").read_bytes()[:80])  # its pixels would be refused first
    error = refused(folder)
    assert error.code == "input.animated"
    assert error.where == str(folder / "z.gif")


def test_files_that_cannot_be_read_are_never_left_out_without_a_word(folder):
    (folder / "c.png").symlink_to(folder / "gone.png")
    error = refused(folder)
    assert (error.code, error.where) == ("input.missing", str(folder / "c.png"))
    (folder / "c.png").unlink()
    os.mkfifo(folder / "c.png")
    assert refused(folder).code == "input.not-media"
    (folder / "c.png").unlink()
    (folder / "thing.exe").write_bytes(b"MZ" + bytes(100))
    error = refused(folder)
    assert (error.code, error.where) == ("input.not-media", str(folder / "thing.exe"))
    assert "take it out of the folder" in error.hint
    (folder / "thing.exe").unlink()
    for name in ("data.json", "a.png.json"):
        (folder / name).symlink_to("/dev/zero")
        assert refused(folder).code == "input.not-media"
        (folder / name).unlink()


def test_every_text_is_reviewed_and_all_warnings_are_told(folder, tools):
    said = {"licence": "MIT", "consent": "given", "files": {"b.png": {"caption": "a \u202echef"}}}
    (folder / "data.json").write_text(json.dumps(said))
    lesson = approve_lesson(folder, LORA, tools, model="bundled:emoji", prompt="a judge")
    assert [one.rule for one in lesson.warnings] == ["default.hidden-characters"]
    said["files"]["b.png"]["caption"] = "a\x07chef"
    (folder / "data.json").write_text(json.dumps(said))
    with pytest.raises(InputError) as control:
        approve_lesson(folder, LORA, tools, model="bundled:emoji", prompt="a judge")
    assert control.value.code == "prompt.control-characters"


def test_what_is_trained_on_are_the_reviewed_words(folder, tools, monkeypatch):
    """No pack edits words yet; what a review changes is what the model gets to read."""
    from guard import training
    from guard.prompt.review import review

    def edited(text: str):
        found = review(text)
        return dataclasses.replace(found, prompt=text.replace("judge", "pilot"))

    monkeypatch.setattr(training, "review", edited)
    order = TrainingOrder(method="dreambooth", class_prompt="judge", class_pictures=1)
    lesson = approve_lesson(folder, order, tools, model="bundled:emoji", prompt="a judge")
    assert lesson.captions == ("a pilot", "a pilot")
    assert lesson.order.class_prompt == "pilot"


def test_the_word_that_a_new_one_starts_from_is_reviewed(folder, tools):
    order = TrainingOrder(method="textual-inversion", token="<pet>", start_from="nude child")
    with pytest.raises(Denied):
        approve_lesson(folder, order, tools, model="bundled:emoji")
