"""From a folder of pictures to an adapter, its record, and pictures that name both."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import shlex
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open
from simulators.tiny_emoji_model import build_tiny

from generators.energy import Meter, Rates
from generators.registry import load
from generators.training.orders import TrainingOrder
from guard.errors import Denied
from guard.policy.pack import load_packs
from guard.training import PRIVATE, approve_lesson, run_lesson
from provenance.errors import InputError

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "training.md"
SAID = {"licence": "CC0-1.0", "consent": "not-needed"}


@pytest.fixture(scope="module")
def tiny_folder(tmp_path_factory) -> Path:
    return build_tiny(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def data(tmp_path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(4):
        blocks = np.kron(rng.integers(0, 255, (4, 4, 3)), np.ones((40, 40, 1))).astype(np.uint8)
        Image.fromarray(blocks).save(folder / f"secret-name-{i}.png")
    (folder / "data.json").write_text(json.dumps(SAID))
    return folder


def order(**changes) -> TrainingOrder:
    return TrainingOrder(**{"method": "lora", "steps": 2, "rank": 2, **changes})


def test_the_record_is_bound_both_ways_and_holds_no_names_or_words(data, tools, tiny_folder, tmp_path):
    tools = dataclasses.replace(tools, clock=lambda: datetime(2026, 1, 2, tzinfo=UTC))
    lesson = approve_lesson(data, order(), tools, model=f"dir:{tiny_folder}", prompt="a chef")
    model, out = load(f"dir:{tiny_folder}", threads=1), [tmp_path / "a", tmp_path / "b"]
    for folder in out:
        folder.mkdir()
        still = Meter(
            rates=Rates(watts_per_core=0), counters=()
        )  # energy, as the clock, is never twice the same
        finished = run_lesson(lesson, model, tools, folder=folder, meter=still)
    written = (out[1] / "training.json").read_bytes()
    record = json.loads(written)
    files = [hashlib.sha256(p.read_bytes()).hexdigest() for p in data.glob("*.png")]
    assert [one["sha256"] for one in record["data"]] == sorted(files)
    assert {one["licence"] for one in record["data"]} == {"CC0-1.0"}
    assert record["base_weights_sha256"] == model.info.weights_sha256
    assert set(record["energy"]) == {"joules", "grams", "method", "assumptions"}
    assert record["energy"]["method"] == "estimated"
    assert {p.stat().st_mode & 0o777 for p in out[1].iterdir()} == {0o600}
    with safe_open(out[1] / "adapter.safetensors", framework="np") as adapter:
        assert adapter.metadata()["mediaguard.training"] == hashlib.sha256(written).hexdigest()
    assert finished.record.sha256 == hashlib.sha256(written).hexdigest()
    assert b"secret" not in written
    assert b"chef" not in written
    assert str(tiny_folder).encode() not in written
    assert (out[1] / PRIVATE).stat().st_mode & 0o777 == 0o600
    first, second = ((folder / "adapter.safetensors").read_bytes() for folder in out)
    assert first == second


def test_a_strict_pack_refuses_data_without_licence_or_consent(data, tools):
    strict = dataclasses.replace(tools, packs=(*tools.packs, *load_packs("strict")))
    unlicensed = [{"consent": "given"}, {"consent": "given", "licence": "Unknown"}]
    for said, rule in (*((one, "licence") for one in unlicensed), ({"licence": "MIT"}, "consent")):
        (data / "data.json").write_text(json.dumps(said))
        with pytest.raises(Denied) as denied:
            approve_lesson(data, order(), strict, model="bundled:emoji", prompt="a chef")
        assert f"strict.training-{rule}" in [reason.rule for reason in denied.value.decision.reasons]
        lesson = approve_lesson(data, order(), tools, model="bundled:emoji", prompt="a chef")
        assert f"default.training-{rule}" in [warned.rule for warned in lesson.warnings]


def test_a_caption_that_no_picture_may_be_made_of_is_not_taught(data, tools):
    with pytest.raises(Denied):
        approve_lesson(data, order(), tools, model="bundled:emoji", prompt="a nude child")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("[]", "train.bad-statement"),
        ('{"license": "MIT"}', "train.bad-statement"),
        ('{"consent": "surely"}', "train.bad-statement"),
        ('{"files": {"other.png": {}}}', "train.bad-statement"),
        ("{", "train.bad-statement"),
        ('{"licence": "\\u200b"}', "train.bad-statement"),
        ("[" * 100_000, "train.bad-statement"),
    ],
)
def test_statements_that_say_nothing_are_refused(said, code, data, tools):
    (data / "data.json").write_text(said)
    with pytest.raises(InputError) as refused:
        approve_lesson(data, order(), tools, model="bundled:emoji", prompt="a chef")
    assert refused.value.code == code


def test_single_files_speak_for_themselves(data, tools):
    said = {**SAID, "files": {"secret-name-1.png": {"licence": "MIT", "caption": "a judge"}}}
    (data / "data.json").write_text(json.dumps(said))
    (data / "secret-name-2.png.json").write_text('{"consent": "given"}')
    lesson = approve_lesson(data, order(), tools, model="bundled:emoji", prompt="a chef")
    assert [one.licence for one in lesson.pictures] == ["CC0-1.0", "MIT", "CC0-1.0", "CC0-1.0"]
    assert [one.consent for one in lesson.pictures] == ["not-needed", "not-needed", "given", "not-needed"]
    assert lesson.captions == ("a chef", "a judge", "a chef", "a chef")


def test_hostile_pictures_meet_the_limits_of_everything_from_outside(data, tools):
    (data / "z.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 64)
    with pytest.raises(InputError):
        approve_lesson(data, order(), tools, model="bundled:emoji", prompt="a chef")
    (data / "z.png").write_bytes(b"no picture")
    with pytest.raises(InputError) as refused:
        approve_lesson(data, order(), tools, model="bundled:emoji", prompt="a chef")
    assert refused.value.code == "input.not-media"


def test_a_killed_run_goes_on_and_ends_as_if_nothing_had_happened(
    home, data, guard_cli, tiny_folder, tmp_path
):
    asked = "train lora pictures --prompt chef --rank 2 --steps 12 --save-every 1 --threads 1 --format json"
    asked += f" --model dir:{tiny_folder} -o"
    words = [sys.executable, "-m", "guard", *asked.split(), "killed"]
    with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        while not (tmp_path / "killed" / "checkpoint.safetensors").exists():
            assert run.poll() is None
            time.sleep(0.02)
        run.send_signal(signal.SIGKILL)
    went_on, whole = guard_cli(*asked.split(), "killed"), guard_cli(*asked.split(), "whole")
    assert went_on.code == whole.code == 0
    first, second = json.loads(went_on.out), json.loads(whole.out)
    assert first["resumed_at"] >= 1
    assert second["resumed_at"] == 0
    assert first["record"]["weights_sha256"] == second["record"]["weights_sha256"]


@pytest.mark.slow
def test_the_commands_of_the_guide_run(home, data, guard_cli, tmp_path):
    """Each with few steps; the last pictures name adapter and record in their manifests."""
    lines = re.findall(r"^(guard (?:train|generate) .*)$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(lines) >= 5
    for line in lines:
        words = shlex.split(line)[1:]
        few = ["--class-pictures", "1"] if "--class-prompt" in words else []
        few += ["--save-every", "1"] if words[0] == "train" else []
        ran = guard_cli(*words, "--steps", "2", *few)
        assert ran.code == 0, (line, ran.err)
    (drawn, *_) = sorted((tmp_path / "out").glob("*.png"))
    tree = guard_cli("verify", "--tree", drawn).out
    assert "adapter" in tree
    assert "training record" in tree
