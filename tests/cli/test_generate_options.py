"""Every field of a request has an option, for pictures and clips; what cannot be honoured is one line."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from simulators.tiny_pipelines import save

from guard.cli._request import request_of
from guard.starting import Start
from provenance.codecs import read_asset
from provenance.errors import InputError
from provenance.video.reader import ClipReader

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
GUIDE = (Path(__file__).resolve().parents[2] / "docs/guide/generate.md").read_text(encoding="utf-8")
LINES = re.findall(
    r"^(guard .*)$", "".join(re.findall(r"```sh\n(.*?)```", GUIDE, flags=re.DOTALL)), flags=re.M
)
CLIPS = ("--width", 64, "--height", 64, "--frames", 6, "--steps", 2)


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for name in ("AnimateDiffPipeline", "StableDiffusionInpaintPipeline"):
        save(name, folder / name)
    return folder


@pytest.fixture
def made(guard_cli, models):
    """``guard generate`` with a tiny model of a class; the document, and what it said."""

    def run(name, *arguments, prompt="portrait of a judge", code=0):
        model = f"dir:{models / name}"
        ran = guard_cli("generate", prompt, "--model", model, *arguments, "-o", "out", "--format", "json")
        assert ran.code == code, ran.err
        return json.loads(ran.out), ran.err

    return run


def test_a_clip_from_the_command_line_and_again(made, guard_cli, home, tmp_path) -> None:
    how = ("--fps", 6, "--scheduler", "euler", "--option", "decode_chunk_size=3", "-n", 2, "--seed", 5)
    document, said = made("AnimateDiffPipeline", *CLIPS, *how, "--video-codec", "vp9")
    assert "2 of 2, 64×64, 6 frames at 6 a second, seed 5–6" in said
    assert " CO2e a clip (" in said
    assert len(document["released"]) == 2
    for one in document["released"]:
        assert (one["state"], one["enlarged_from"]) == ("development", [64, 64])
        assert one["watermark_db"] > 39
        asset = read_asset(tmp_path / one["path"])
        with ClipReader(asset.content, asset.mime) as reader:
            assert (reader.clip.codec, reader.clip.frames, reader.clip.rate) == ("vp9", 6, 6)
    paths = [one["path"] for one in document["released"]]
    assert all(path.endswith(".mp4") for path in paths)
    record = json.loads(next((home.folder / "records").glob("*.json")).read_text())
    recipe = json.loads(record["recipe"])
    assert (recipe["scheduler"]["name"], recipe["options"]) == (
        "EulerDiscreteScheduler",
        {"decode_chunk_size": 3},
    )
    assert guard_cli("verify", *paths).code == 0
    again = guard_cli("replay", *paths, "--strict")
    assert again.code == 0, again.out
    assert again.out.count("EXACT  out/") == 2


def test_a_part_of_a_picture_is_repainted_and_the_replay_needs_both_files(
    made, guard_cli, home, photograph, tmp_path
) -> None:
    Image.fromarray(photograph[:64, :64]).save(tmp_path / "start.png")
    Image.fromarray(np.kron(np.eye(2, dtype=np.uint8) * 255, np.ones((32, 32), np.uint8))).save(
        tmp_path / "mask.png"
    )
    files = ("--init", "start.png", "--mask", "mask.png")
    how = ("--steps", 4, "--option", "strength=0.5")
    document, _ = made("StableDiffusionInpaintPipeline", *files, *how)
    (one,) = document["released"]
    tree = guard_cli("verify", "--tree", one["path"]).out
    assert "input" in tree
    assert "start.png" not in tree
    assert guard_cli("replay", one["path"], "--strict", *files).code == 0
    swapped = ("--init", "mask.png", "--mask", "mask.png")
    for given, said in (((), "drawn from init"), (files[:2], "drawn from mask"), (swapped, "not the one")):
        ran = guard_cli("replay", one["path"], *given)
        assert ran.code == 2
        assert "error[replay.inputs]" in ran.err
        assert said in ran.err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--frames", "40"), "request.frames"),
        (("--scheduler", "flow-euler"), "request.scheduler"),
        (("--option", "eta"), "request.option"),
        (("--option", "eta=half"), "request.option"),
        (("--option", "eta=NaN"), "request.option"),
        (("--option", "eta=1", "--option", "eta=0"), "request.option"),
        (("--option", "nothing_known=1"), "request.unsupported"),
        (("--init", "nothing.png"), "input.missing"),
        (("--mask", "words.txt"), "input.not-media"),
        (("--latent-mark",), "latent.clip"),
        (("--width", "8192", "--height", "8192"), "video.too-large"),
    ],
    ids=lambda one: one if isinstance(one, str) else " ".join(one),
)
def test_what_cannot_be_honoured_is_one_line_and_leaves_nothing(
    made, home, tmp_path, arguments, code
) -> None:
    (tmp_path / "words.txt").write_text("no picture")
    document, said = made("AnimateDiffPipeline", *arguments, code=2)
    assert [one["code"] for one in document["errors"]] == [code]
    assert document["released"] == []
    assert said.count("error[") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--width", 8192, "--height", 8192, "--frames", 2), "video.too-large"),
        (("--width", 4096, "--height", 4096, "--frames", 4096, "--fps", 24), "weights.no-model"),
        (("--frames", 1801, "--fps", 1), "video.too-large"),
        (("--width", 8192, "--height", 8192), "weights.no-model"),  # of pictures it is no limit
    ],
)
def test_a_clip_too_large_to_release_is_refused_before_a_model_is_looked_for(
    arguments, code, guard_cli, home
) -> None:
    ran = guard_cli("generate", "a judge", "--model", "dir:nowhere", *arguments, "-o", "out")
    assert (ran.code, ran.out) == (2, "")
    assert f"error[{code}]" in ran.err


def test_every_command_of_the_guide_runs(models, guard_cli, home, photograph, tmp_path) -> None:
    (tmp_path / "models").mkdir()
    for called, name in (("animatediff", "AnimateDiff"), ("inpaint", "StableDiffusionInpaint")):
        (tmp_path / "models" / called).symlink_to(models / f"{name}Pipeline")
    Image.fromarray(photograph[:64, :64]).save(tmp_path / "start.png")
    Image.fromarray(np.eye(64, dtype=np.uint8) * 255).save(tmp_path / "mask.png")
    for line in LINES:
        words = [
            name
            for word in shlex.split(line)[1:]
            for name in (sorted(map(str, tmp_path.glob(word))) if "*" in word else [word])
        ]
        ran = guard_cli(*words)
        assert ran.code == 0, (line, ran.err)
    assert len(list(tmp_path.glob("clips/*.mp4"))) == 1


def test_what_went_otherwise_than_asked_is_said_once_and_stands_in_the_document(made, home) -> None:
    document, said = made("AnimateDiffPipeline", *CLIPS, prompt="portrait of a judge " * 9)
    (one,) = document["released"]
    (cut,) = [message for message in one["warnings"] if "too long for this model" in message]
    assert said.count(cut) == 1


def test_options_are_json_by_name(home) -> None:
    fields = {"prompt": "a judge", "count": 2, "seed": 3, "model": "dir:m", "adapters": ["a:0.5", "b"]}
    words = ["a=0.5", "b=true", 'c="x=y"', "d=[1, null]"]
    request = request_of(home, Start(), options=words, **fields)
    assert request.options == {"a": 0.5, "b": True, "c": "x=y", "d": [1, None]}
    assert (request.seeds, [one.scale for one in request.adapters]) == ((3, 4), [0.5, 1.0])
    for word in ("a", "=1", "a b=1", "a={", "a=" + "[" * 70_000):
        with pytest.raises(InputError) as caught:
            request_of(home, Start(), options=[word], **fields)
        assert caught.value.code == "request.option"
        assert len(caught.value.where) <= 100


def test_a_model_without_words_needs_none(guard_cli, home) -> None:
    ran = guard_cli("generate", "--model", "dir:nothing", "-o", "out")
    assert (ran.code, "error[usage]" in ran.err) == (2, False)
    assert "it has no words" in guard_cli("generate", "-o", "out").err


def test_a_model_that_reads_words_needs_some(guard_cli, home, models) -> None:
    model = f"dir:{models / 'AnimateDiffPipeline'}"
    for prompt in ((), ("",), (" ",)):
        ran = guard_cli("generate", *prompt, "--model", model, "-o", "out", *CLIPS)
        assert (ran.code, "error[request.no-words]" in ran.err) == (2, True)
        assert 'help: guard generate "' in ran.err


def test_ctrl_c_in_a_batch_keeps_what_is_finished_and_says_so(models, home, tmp_path) -> None:
    model = f"dir:{models / 'AnimateDiffPipeline'}"
    line = ["generate", "a judge", "--model", model, "-n", 64, "-o", "out", *CLIPS]
    program = subprocess.Popen(
        [sys.executable, "-m", "guard", *map(str, line), "--format", "json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    began = time.monotonic()
    while len(list((tmp_path / "out").glob("[!.]*"))) < 2 and time.monotonic() - began < 240:
        assert program.poll() is None
        time.sleep(0.02)
    program.send_signal(signal.SIGINT)
    out, err = program.communicate(timeout=120)
    assert program.returncode == 130, err
    assert "Traceback" not in err
    kept = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert 2 <= len(kept) < 64
    assert f"interrupted; {len(kept)} finished before it, kept; nothing was left half-written" in err
    document = json.loads(out)
    assert sorted(Path(one["path"]).name for one in document["released"]) == kept
    assert [one["code"] for one in document["errors"]] == ["command.interrupted"]
    assert document["exit_code"] == 130
    assert home.log().verify().ok
    assert home.registry().pending() == ()
