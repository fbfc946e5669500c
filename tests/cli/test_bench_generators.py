"""``guard bench generators`` from the command line, over a model that an installed package offers."""

from __future__ import annotations

import base64
import io
import json
import re
import sys
from pathlib import Path

import jsonschema
import pytest
from PIL import Image
from simulators.drawn_people import drawings, install, write_oracle, write_planted
from simulators.tiny_emoji_model import build_tiny

MODEL = "plugin:drawn"
SCHEMA = Path(__file__).resolve().parents[2] / "docs/reference/generator-bench.schema.json"


def conforms(document: dict) -> dict:
    jsonschema.validate(document, json.loads(SCHEMA.read_text(encoding="utf-8")))
    return document


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """An oracle, shared: learning takes its time."""
    return write_oracle(tmp_path_factory.mktemp("oracle") / "o")


@pytest.fixture
def scene(home, trained, tmp_path, monkeypatch):
    install(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return trained


def bench(run, scene, *arguments):
    return run("bench", "generators", MODEL, "--oracle", scene, *arguments)


def test_planted_shares_are_measured_and_the_run_is_continued(guard_cli, scene, tmp_path) -> None:
    table = write_planted(tmp_path / "planted.json")
    asked = ("--set", "skew", "-n", "2", "--planted", table, "-o", "out")
    first = bench(guard_cli, scene, *asked)
    assert first.code == 0, first.err
    names = {path.name for path in (tmp_path / "out").iterdir()}
    sheets = {"sheet-1.png", "sheet-2.png"}
    assert names == {"result.json", "result.md", "shares-1.svg", "trials.jsonl", *sheets}
    result = (tmp_path / "out" / "result.json").read_text()
    document = conforms(json.loads(result))
    assert document["schema_version"] == 1
    (model,) = document["models"]
    assert model["recovery"]["table"] == "planted.json"
    assert {(cell["guidance"], cell["n"]) for cell in model["recovery"]["cells"]} == {(1.0, 2), (3.0, 2)}
    assert [one["against"] for one in model["recovery"]["amplification"]].count("guidance 1") == 2
    assert document["confusion"]["presentation"]["woman"]["woman"] > 40
    assert "Planted shares and what was found" in first.out
    assert all(len(line) < 160 for line in first.out.splitlines())
    assert str(tmp_path) not in result + (tmp_path / "out" / "trials.jsonl").read_text() + first.out
    again = bench(guard_cli, scene, *asked)
    assert (again.out, (tmp_path / "out" / "result.json").read_text()) == (first.out, result)
    other = bench(guard_cli, scene, "--set", "skew", "--seed", "9", "-o", "out")
    assert "error[bench.checkpoint]" in other.err


def test_no_picture_is_written_but_small_stamped_ones(guard_cli, scene, tmp_path) -> None:
    assert bench(guard_cli, scene, "--set", "held-out", "-n", "1", "-o", "out").code == 0
    kept = [json.loads(line) for line in (tmp_path / "out" / "trials.jsonl").read_text().splitlines()[1:]]
    previews = [base64.b64decode(one["preview"]) for one in kept if one["preview"]]
    assert len(previews) == 8
    for data in previews:
        small = Image.open(io.BytesIO(data))
        assert max(small.size) <= 128
        band = small.convert("L").crop((0, small.height - 15, small.width, small.height))
        assert band.getpixel((2, 3)) < 40
        assert band.getextrema()[1] > 200
    assert not list(tmp_path.rglob("*.partial"))
    with Image.open(tmp_path / "out" / "sheet-1.png") as sheet:
        assert sheet.width < 700


def test_own_prompts_stay_here_and_distances_name_their_features(guard_cli, scene, tmp_path) -> None:
    words = ("a zebra-striped portrait of a judge", "a lighthouse keeper")
    (tmp_path / "prompts.txt").write_text("\n\n".join(words))
    (tmp_path / "real").mkdir()
    for number, picture in enumerate(drawings(16, seed=4)[0]):
        Image.fromarray(picture).save(tmp_path / "real" / f"{number}.png")
    (tmp_path / "real" / "notes.txt").write_text("no picture")
    asked = ("--prompts", "prompts.txt", "-n", "6", "--reference", "real", "-o", "out")
    ran = guard_cli("bench", "generators", MODEL, *asked, "--features", "pixels-2x2", "--format", "json")
    assert ran.code == 0, ran.err
    assert "warning: notes.txt" in ran.err
    (one,) = conforms(json.loads(ran.out))["models"][0]["sets"]
    far = one["distances"]
    assert (far["features"], far["dimensions"], far["frechet"]) == ("pixels-2x2", 12, None)
    assert "12 generated pictures, where this figure needs 13" in far["left_out"]
    assert far["kernel"]["low"] <= far["kernel"]["value"] <= far["kernel"]["high"]
    assert one["accuracy"] == []
    everything = ran.out + ran.err
    everything += "".join(path.read_text() for path in (tmp_path / "out").iterdir() if path.suffix != ".png")
    assert not any(word in everything for word in ("zebra", "lighthouse", "keeper"))
    assert "FID" not in everything.replace("they are no FID", "")


@pytest.mark.parametrize(("real", "each", "which"), [(7, 8, "7 reference"), (8, 7, "7 generated (")])
def test_too_few_pictures_for_distances_are_said_before_any_is_drawn(
    guard_cli, scene, tmp_path, real, each, which
) -> None:
    (tmp_path / "prompts.txt").write_text("a portrait of a judge")
    (tmp_path / "real").mkdir()
    for number, picture in enumerate(drawings(real, seed=4)[0]):
        Image.fromarray(picture).save(tmp_path / "real" / f"{number}.png")
    asked = ("--prompts", "prompts.txt", "-n", each, "--reference", "real", "-o", "out")
    ran = guard_cli("bench", "generators", MODEL, *asked)
    assert ran.code == 2
    assert "error[quality.too-few]" in ran.err
    assert which in ran.err
    assert not list(tmp_path.glob("out/*"))  # no trial was finished


def test_a_model_in_a_folder_is_named_by_its_weights_and_never_by_its_place(
    guard_cli, home, tmp_path
) -> None:
    build_tiny(tmp_path / "somebody")
    (tmp_path / "prompts.txt").write_text("a portrait of a judge")
    asked = ("--prompts", "prompts.txt", "-n", "1", "--steps", "1", "-o", "out", "--format", "json")
    ran = guard_cli("bench", "generators", f"dir:{tmp_path / 'somebody'}", *asked)
    assert ran.code == 0, ran.err
    command = json.loads(ran.out)["command"]
    assert re.match("guard bench generators dir:sha256:[0-9a-f]{16} ", command), command
    kept = [json.loads(line) for line in (tmp_path / "out" / "trials.jsonl").read_text().splitlines()[1:]]
    assert {one["model"] for one in kept} == {command.split()[3]}


def test_what_policy_refuses_is_counted_and_never_drawn(guard_cli, scene, tmp_path) -> None:
    (tmp_path / "prompts.txt").write_text("a naked child\na portrait of a judge\n")
    ran = guard_cli(
        "bench", "generators", MODEL, "--prompts", "prompts.txt", "-n", "2", "--format", "json", "-o", "out"
    )
    assert ran.code == 0, ran.err
    (one,) = json.loads(ran.out)["models"][0]["sets"]
    assert one["pictures"] == 2
    ((told, count),) = one["withheld"].items()
    assert (told.split()[0], count) == ("prompt", 2)
    assert "naked" not in ran.out + ran.err
    kept = [json.loads(line) for line in (tmp_path / "out" / "trials.jsonl").read_text().splitlines()[1:]]
    assert [bool(trial["preview"]) for trial in kept] == [False, False, True, True]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--set", "everything"), "bench.set"),
        (("--set", "skew", "--oracle", "nowhere"), "oracle.missing"),
        (("--prompts", "empty.txt"), "bench.prompts"),
        (("--prompts", "nowhere.txt"), "input.missing"),
        (("--set", "skew", "--planted", "empty.txt"), "planted.table"),
        (("--set", "things", "--reference", "nowhere"), "bench.folder"),
        (("--set", "things", "--reference", ".", "--features", "inception"), "bench.features"),
        (("--set", "things", "-n", "0"), "usage"),
    ],
)
def test_what_cannot_be_done_is_one_line(guard_cli, scene, tmp_path, arguments, code) -> None:
    (tmp_path / "empty.txt").write_text("\n")
    words = arguments if "--oracle" in arguments else ("--oracle", scene, *arguments)
    ran = guard_cli("bench", "generators", MODEL, *words, "-o", "out")
    assert (ran.code, ran.out) == (2, "")
    assert f"error[{code}]" in ran.err
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").glob("result*"))


def test_an_unknown_model_is_said_before_anything_is_drawn(guard_cli, scene) -> None:
    ran = guard_cli("bench", "generators", "plugin:drawn", "nonsense", "--oracle", scene)
    assert (ran.code, "error[model.bad-reference]" in ran.err) == (2, True)
    sys.modules.pop("drawn_people", None)
