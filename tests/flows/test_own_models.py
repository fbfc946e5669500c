"""From a folder of pictures to a model of one's own, and pictures that name the record of its training."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from generators.registry import load
from generators.request import GenerationRequest
from generators.training.orders import TrainingOrder
from guard.generate import approve, generate
from guard.ingredients import training_ingredients
from guard.training import PRIVATE, approve_lesson, run_lesson
from provenance.errors import InputError, IntegrityError


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    files = {}
    for i, colour in enumerate([(200, 30, 30), (30, 30, 200), (210, 40, 20), (20, 40, 210)]):
        Image.fromarray(np.full((24, 30, 3), colour, np.uint8)).save(folder / f"secret-{i}.png")
        files[f"secret-{i}.png"] = {"caption": "a blue sheet" if i % 2 else "a red sheet"}
    said = {"licence": "CC0-1.0", "consent": "not-needed", "files": files}
    (folder / "data.json").write_text(json.dumps(said))
    return folder


def order(method: str, **changes) -> TrainingOrder:
    return TrainingOrder(**{"method": method, "steps": 5, "size": 16, "batch": 2, "save_every": 2, **changes})


@pytest.mark.parametrize("method", ["ldm", "gan"])
def test_a_model_of_ones_own_is_drawn_from_and_names_its_record(method, data, tools, tmp_path):
    lesson = approve_lesson(data, order(method), tools, model=f"own:{method}")
    weights = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        finished = run_lesson(lesson, None, tools, folder=tmp_path / name)
        weights.append(finished.record.weights_sha256)
    assert weights[0] == weights[1]
    again = run_lesson(lesson, None, tools, folder=tmp_path / "a")
    assert (again.resumed_at, again.record.weights_sha256) == (5, weights[0])
    model = tmp_path / "b" / "model"
    written = (model / "training.json").read_bytes()
    assert b"secret" not in written
    assert b"sheet" not in written
    assert json.loads(written)["base"] == "none"
    assert (tmp_path / "b" / PRIVATE).stat().st_mode & 0o777 == 0o600
    generator = load(f"dir:{model}", threads=1)
    assert generator.info.weights_sha256 == weights[1]
    assert generator.info.data_licence == "CC0-1.0"
    (ingredient,) = training_ingredients(generator.info)
    assert ingredient.sha256 == hashlib.sha256(written).hexdigest() == finished.record.sha256
    steps = 2 if method == "ldm" else None
    request = GenerationRequest(prompt="a red sheet", seeds=(3,), num_inference_steps=steps)
    (made,) = generator.generate(request)
    assert made.frames.pixels.shape == (1, 16, 16, 3)
    assert "red sheet" in made.prompt_used
    (released,) = generate(approve(request, tools), generator, tools, folder=tmp_path)
    assert "training record" in [one.title for one in released.signed.reading.ingredients]


def test_a_record_of_other_weights_is_refused(data, tools, tmp_path):
    (tmp_path / "run").mkdir()
    lesson = approve_lesson(data, order("gan", steps=1), tools, model="own:gan")
    run_lesson(lesson, None, tools, folder=tmp_path / "run")
    record = tmp_path / "run" / "model" / "training.json"
    told = json.loads(record.read_text())
    record.write_text(json.dumps({**told, "weights_sha256": "00" * 32}))
    with pytest.raises(IntegrityError) as differs:
        load(f"dir:{record.parent}")
    assert differs.value.code == "model.record-differs"
    record.write_text('{"of another": "program"}')
    assert load(f"dir:{record.parent}").info.training_sha256 is None


@pytest.mark.parametrize(("method", "size"), [("ldm", 24), ("gan", 24), ("gan", 512)])
def test_sizes_that_no_network_has_are_refused(method, size, data, tools, tmp_path):
    lesson = approve_lesson(data, order(method, size=size), tools, model=f"own:{method}")
    with pytest.raises(InputError) as refused:
        run_lesson(lesson, None, tools, folder=tmp_path)
    assert refused.value.code == "train.bad-order"


def test_pictures_of_one_kind_need_no_classes(data, tools, tmp_path):
    (data / "data.json").write_text('{"licence": "CC0-1.0", "consent": "not-needed"}')
    lesson = approve_lesson(data, order("gan", size=8), tools, model="own:gan", prompt="a sheet")
    run_lesson(lesson, None, tools, folder=tmp_path)
    generator = load(f"dir:{tmp_path}/model", threads=1)
    (made,) = generator.generate(GenerationRequest(prompt="", seeds=(3,)))
    assert made.frames.pixels.shape == (1, 8, 8, 3)
    with pytest.raises(InputError):
        list(generator.generate(GenerationRequest(prompt="a sheet", seeds=(3,))))


def test_another_run_is_not_continued(data, tools, tmp_path):
    for seed in (0, 1):
        lesson = approve_lesson(data, order("gan", steps=1, seed=seed), tools, model="own:gan")
        if seed:
            with pytest.raises(InputError) as other:
                run_lesson(lesson, None, tools, folder=tmp_path)
            assert other.value.code == "train.other-run"
        else:
            run_lesson(lesson, None, tools, folder=tmp_path)


def test_the_command_makes_one_and_takes_no_base(home, data, guard_cli):
    asked = ["train", "gan", str(data), "--steps", "1", "--size", "8", "--threads", "1", "-o", "own"]
    done = guard_cli(*asked)
    assert done.code == 0, done.err
    assert "--model dir:" in done.out
    refused = guard_cli(*asked, "--model", "bundled:emoji")
    assert refused.code == 2
    assert "no --model" in refused.err
