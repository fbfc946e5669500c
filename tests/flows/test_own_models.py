"""From a folder of pictures to a model of one's own, and pictures that name the record of its training."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from generators.energy import Counter, Meter, Rates
from generators.gan_conditions import read_conditions
from generators.registry import load
from generators.request import GenerationRequest
from generators.training import checkpoints, own_gan
from generators.training.orders import METHODS, Example, TrainingOrder, run_digest
from generators.training.own_words import ids_of, vocabulary
from guard.generate import approve, generate
from guard.ingredients import training_ingredients
from guard.training import _examples, approve_lesson, run_lesson
from guard.training_outputs import PRIVATE
from provenance.canonical import canonical_bytes
from provenance.errors import ConfigurationError, InputError, IntegrityError


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


def everything(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """Bytes, time and inode of every file below ``folder``."""
    files = [(p, p.stat()) for p in folder.rglob("*") if p.is_file()]
    return {str(p): (p.read_bytes(), stat.st_mtime_ns, stat.st_ino) for p, stat in files}


@pytest.mark.parametrize("method", ["ldm", "gan"])
def test_a_model_of_ones_own_is_drawn_from_and_names_its_record(method, data, tools, tmp_path):
    lesson = approve_lesson(data, order(method), tools, model=f"own:{method}")
    weights = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        finished = run_lesson(lesson, None, tools, folder=tmp_path / name)
        weights.append(finished.record.weights_sha256)
    assert weights[0] == weights[1]
    before = everything(tmp_path / "a")
    again = run_lesson(lesson, None, tools, folder=tmp_path / "a")
    assert (again.resumed_at, again.record.weights_sha256) == (5, weights[0])
    assert again.unchanged
    assert everything(tmp_path / "a") == before
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


@pytest.mark.parametrize("method", ["ldm", "gan"])
def test_a_model_of_others_is_kept_and_what_is_made_is_private(method, data, tools, tmp_path):
    """Also one that takes the place of the run's own model, whose checkpoint is still there."""
    lesson = approve_lesson(data, order(method, steps=2), tools, model=f"own:{method}")
    model = tmp_path / "model"
    model.mkdir()
    (model / "mine.txt").write_text("mine")
    for _ in range(2):
        with pytest.raises(InputError) as refused:
            run_lesson(lesson, None, tools, folder=tmp_path)
        assert refused.value.code == "output.exists"
        assert [p.name for p in model.iterdir()] == ["mine.txt"]
        finished = run_lesson(lesson, None, tools, folder=tmp_path, force=True)
        assert not (model / "mine.txt").exists()
        shutil.rmtree(model)
        model.mkdir()
        (model / "mine.txt").write_text("mine")
    shutil.rmtree(model)
    run_lesson(lesson, None, tools, folder=tmp_path)
    made = [model, *(p for p in tmp_path.rglob("*") if p.is_relative_to(model)), *tmp_path.glob("*.s*")]
    assert {p.stat().st_mode & 0o777 for p in made if p.is_dir()} == {0o700}
    assert {p.stat().st_mode & 0o777 for p in made if p.is_file()} == {0o600}
    assert not list(tmp_path.glob(".guard-*"))
    assert finished.record.energy["method"] in ("measured", "estimated")
    examples = _examples(lesson)
    digest = run_digest(lesson.order, examples, "").encode()
    holding = [p for p in tmp_path.rglob("*") if p.is_file() and digest in p.read_bytes()]
    assert [(p.name, p.stat().st_mode & 0o777) for p in holding] == [(METHODS[method].checkpoint, 0o600)]


def test_what_another_run_keeps_private_is_kept(data, tools, tmp_path):
    """Two methods go on from files of other names, so that neither sees the other's checkpoint."""
    (tmp_path / PRIVATE).write_text("mine")
    lesson = approve_lesson(data, order("gan", size=8, steps=1), tools, model="own:gan")
    with pytest.raises(InputError) as refused:
        run_lesson(lesson, None, tools, folder=tmp_path)
    assert (refused.value.code, refused.value.where) == ("output.exists", str(tmp_path / PRIVATE))
    assert (tmp_path / PRIVATE).read_text() == "mine"
    assert not (tmp_path / "state.safetensors").exists()
    run_lesson(lesson, None, tools, folder=tmp_path, force=True)
    assert "a red sheet" in (tmp_path / PRIVATE).read_text()


def test_a_full_disk_is_an_error_with_a_code_and_loses_no_model(data, tools, tmp_path, monkeypatch):
    aside = tmp_path / ".guard-0.partial"
    aside.mkdir()
    (aside / "mine.txt").write_text("mine")  # of a run that was killed between two renames
    lesson = approve_lesson(data, order("gan", size=8, steps=1), tools, model="own:gan")

    def full(*_):
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    with monkeypatch.context() as patched:
        patched.setattr(own_gan, "save_file", full)
        with pytest.raises(ConfigurationError) as failed:
            run_lesson(lesson, None, tools, folder=tmp_path)
    assert failed.value.code == "disk.full"
    assert not (tmp_path / "model").exists()
    assert [p.name for p in tmp_path.glob(".guard-*/*")] == ["mine.txt"]
    run_lesson(lesson, None, tools, folder=tmp_path)
    assert (tmp_path / "model" / "generator.safetensors").is_file()
    assert not aside.exists()


def test_a_gan_learns_at_the_rate_that_was_asked_for_and_saves_as_often(data, tools, tmp_path):
    found = []
    for rate in (None, 1e-4):
        folder = tmp_path / str(rate)
        folder.mkdir()
        seen: list[bool] = []

        def heard(_step, _loss, folder=folder, seen=seen):
            seen.append((folder / "state.safetensors").exists())

        lesson = approve_lesson(data, order("gan", size=8, rate=rate), tools, model="own:gan")
        run_lesson(lesson, None, tools, folder=folder, heard=heard)
        assert seen == [False, False, True, True, True]
        found.append(load_file(folder / "model" / "generator.safetensors"))
    usual, slow = found
    name = next(name for name in usual if name.endswith("affine.weight"))
    assert (usual[name] - slow[name]).abs().max() > 1e-3


@pytest.mark.parametrize("method", ["ldm", "gan"])
def test_a_device_that_the_method_cannot_use_is_refused(method):
    assert order(method, device="cpu").device == "cpu"
    with pytest.raises(InputError) as refused:
        order(method, device="cuda")
    assert refused.value.code == "train.device"


@pytest.mark.parametrize("method", ["ldm", "gan"])
def test_energy_is_that_of_all_sessions(method, data, tools, tmp_path):
    counted = iter(range(100, 100_000, 100))
    meter = Meter(counters=(Counter(read=lambda: float(next(counted))),))
    lesson = approve_lesson(data, order(method, steps=4, save_every=2), tools, model=f"own:{method}")

    def stop(step, _loss):
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_lesson(lesson, None, tools, folder=tmp_path, heard=stop, meter=meter)
    checkpoint = tmp_path / METHODS[method].checkpoint
    _, progress = checkpoints.read(checkpoint, run_digest(lesson.order, _examples(lesson), ""))
    finished = run_lesson(lesson, None, tools, folder=tmp_path, meter=Meter(rates=Rates(watts_per_core=0)))
    assert progress.energy["joules"] > 0
    assert finished.record.energy["joules"] == progress.energy["joules"]
    assert finished.record.energy["method"] == "estimated"


def test_captions_in_any_script_are_words_and_prompts_are_read_alike(data, tools, tmp_path):
    said = json.loads((data / "data.json").read_text())
    captions = ["красный Лист", "一张红纸", "हरा पत्ता", "Cafe\u0301 ２ می\u200cخواهم"]
    said["files"] = {f"secret-{i}.png": {"caption": text} for i, text in enumerate(captions)}
    (data / "data.json").write_text(json.dumps(said))
    lesson = approve_lesson(data, order("ldm", steps=1), tools, model="own:ldm")
    run_lesson(lesson, None, tools, folder=tmp_path)
    generator = load(f"dir:{tmp_path}/model", threads=1)
    tokenizer = generator.pipeline.tokenizer
    read = [tokenizer.convert_ids_to_tokens(tokenizer(text).input_ids)[1:-1] for text in captions]
    assert read == [
        ["красный", "лист"],
        ["一", "张", "红", "纸"],
        ["हरा", "पत्ता"],
        ["café", "2", "می\u200cخواهم"],
    ]
    table = vocabulary(captions)
    for text in captions:
        assert tokenizer(text, padding="max_length").input_ids == ids_of(text, table)
    request = GenerationRequest(prompt="КРАСНЫЙ лист", seeds=(3,), num_inference_steps=1)
    assert next(iter(generator.generate(request))).warnings == ()
    for symbols in ("🍎", "- -"):
        with pytest.raises(InputError) as nothing:
            vocabulary(["a red sheet", symbols])
        assert nothing.value.code == "train.no-caption"


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


@pytest.mark.parametrize("written", [canonical_bytes, lambda told: json.dumps(told, indent=1).encode()])
def test_a_record_that_was_edited_is_refused_by_what_the_weights_name(written, data, tools, tmp_path):
    lesson = approve_lesson(data, order("gan", size=8, steps=1), tools, model="own:gan")
    run_lesson(lesson, None, tools, folder=tmp_path)
    record = tmp_path / "model" / "training.json"
    told = json.loads(record.read_bytes())
    edited = {**told, "data": [{**one, "licence": "CC-BY-4.0", "consent": "given"} for one in told["data"]]}
    record.write_bytes(written(edited))  # weights_sha256 as it was
    with pytest.raises(IntegrityError, match="edited") as differs:
        load(f"dir:{record.parent}")
    assert differs.value.code == "model.record-differs"
    with pytest.raises(InputError) as refused:  # nor does it stand as the result of the run that made it
        run_lesson(lesson, None, tools, folder=tmp_path)
    assert refused.value.code == "output.exists"


@pytest.mark.parametrize("method", ["ldm", "gan"])
def test_a_record_that_is_gone_or_none_is_missed(method, data, tools, tmp_path):
    lesson = approve_lesson(data, order(method, steps=1), tools, model=f"own:{method}")
    run_lesson(lesson, None, tools, folder=tmp_path)
    model = tmp_path / "model"
    record = model / "training.json"
    refs = [model] if method == "ldm" else [model, model / "generator.safetensors"]
    for ref in refs:
        assert load(f"dir:{ref}").info.training_sha256 == hashlib.sha256(record.read_bytes()).hexdigest()
    for said in ("", "{}", "[]", '{"of another": "program"}', None):
        record.unlink()
        if said is not None:
            record.write_text(said)
        for ref in refs:
            with pytest.raises(IntegrityError) as differs:
                load(f"dir:{ref}")
            assert differs.value.code == "model.record-differs"


def test_weights_of_before_that_name_no_record_are_drawn_from_without_one(data, tools, tmp_path):
    lesson = approve_lesson(data, order("gan", size=8, steps=1), tools, model="own:gan")
    run_lesson(lesson, None, tools, folder=tmp_path)
    model = tmp_path / "model"
    save_file(load_file(model / "generator.safetensors"), model / "generator.safetensors")
    (model / "training.json").write_text('{"of another": "program"}')
    for ref in (model, model / "generator.safetensors"):
        assert load(f"dir:{ref}").info.training_sha256 is None


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


@pytest.mark.parametrize("method", ["ldm", "gan"])
def test_libraries_say_nothing_while_a_model_is_made(method, home, data, guard_process):
    """A process of its own, which imports them anew."""
    done = guard_process(
        "train", method, str(data), "--steps", "1", "--size", "16", "--threads", "1", "-o", "own"
    )
    assert (done.code, done.err) == (0, "data: 4 pictures; policy: allowed to train\n")


def test_the_command_makes_one(home, data, guard_cli):
    asked = ["train", "gan", str(data), "--steps", "1", "--size", "8", "--threads", "1", "-o", "own"]
    done = guard_cli(*asked)
    assert done.code == 0, done.err
    assert "--model dir:" in done.out
    (grams,) = re.findall(r"energy   .*\d J, ([\d,.]+) g CO2e \(", done.out)
    assert 0 < len(grams.replace(".", "").strip("0")) <= 2


@pytest.mark.parametrize("method", ["ldm", "gan"])
@pytest.mark.parametrize("base", [("--model", "bundled:emoji"), ("--online",)])
def test_options_about_a_base_are_refused_where_there_is_none(method, base, home, data, tmp_path, guard_cli):
    small = ("--steps", "1", "--size", "16", "--threads", "1")
    refused = guard_cli("train", method, str(data), *small, "-o", str(tmp_path / "own"), *base)
    assert refused.code == 2
    assert f"it takes no {base[0]}" in refused.err
    assert not (tmp_path / "own").exists()


@pytest.mark.parametrize(("longest", "classes"), [(200, 2), (201, 0)])
def test_a_caption_longer_than_a_card_may_name_is_no_class(longest, classes):
    blank = np.zeros((8, 8, 3), np.uint8)
    examples = [Example(pixels=blank, caption="c" * n, sha256="00" * 32) for n in (1, longest)]
    conditions = own_gan.pictures(examples, 8).conditions
    assert conditions.length == classes
    assert not classes or read_conditions(conditions.to_json()) == conditions
