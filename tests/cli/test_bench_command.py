"""``guard bench watermark`` from the command line."""

from __future__ import annotations

import json

import pytest
from PIL import Image

QUICK = ("--methods", "dwtDct", "--attacks", "sweep-erasing", "--decoys", "4")


@pytest.fixture
def pictures(photograph, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    Image.fromarray(photograph[:300, :600]).save(folder / "one.png")
    (folder / "notes.txt").write_text("no picture")
    return folder


def bench(guard_cli, *arguments):
    return guard_cli("bench", "watermark", "--images", "pictures", *QUICK, *arguments)


def test_a_run_writes_its_result_and_continues_in_the_same_folder(guard_cli, pictures, tmp_path) -> None:
    first = bench(guard_cli, "-o", "lab")
    assert first.code == 0
    assert "warning: notes.txt" in first.err
    assert "dwtDct" in first.out
    names = {"result.json", "result.md", "exact.svg", "quality.svg", "sweeps.svg", "trials.jsonl"}
    assert {path.name for path in (tmp_path / "lab").iterdir()} == names
    before = (tmp_path / "lab" / "result.json").read_bytes()
    again = bench(guard_cli, "-o", "lab")
    assert "measured        1 of 1" in again.err
    assert "0 of 1" not in again.err
    assert again.out == first.out
    assert (tmp_path / "lab" / "result.json").read_bytes() == before
    text = before.decode()
    assert str(tmp_path) not in text
    assert "--images DIR" in text
    other = bench(guard_cli, "-o", "lab", "--seed", "2")
    assert (other.code, other.out) == (2, "")
    assert "error[bench.checkpoint]" in other.err
    assert bench(guard_cli, "-o", "lab", "--seed", "2", "--force").code == 0
    (tmp_path / "lab" / "trials.jsonl").unlink()
    kept = bench(guard_cli, "-o", "lab")
    assert "error[output.exists]" in kept.err


def test_json_and_baseline(guard_cli, guard_process, pictures, tmp_path) -> None:
    ran = bench(guard_process, "--format", "json")
    document = json.loads(ran.out)
    assert (document["schema_version"], document["exit_code"], document["worse"]) == (1, 0, [])
    assert [one["name"] for one in document["refused"]] == ["notes.txt"]
    (method,) = document["methods"]
    for row in (*method["rows"], method["overall"]):
        row["exact"] |= {"successes": 500, "n": 500, "low": 0.99, "high": 1.0}
    (tmp_path / "before.json").write_text(json.dumps(document))
    worse = bench(guard_cli, "--format", "json", "--baseline", "before.json")
    assert worse.code == json.loads(worse.out)["exit_code"] == 1
    assert any("erasing:0.6" in line for line in json.loads(worse.out)["worse"])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--images", "nowhere"), "bench.folder"),
        (("--images", "pictures", "--attacks", "none"), "bench.attacks"),
        (("--images", "pictures", "--methods", "tile,"), "watermark.method"),
        (("--images", "pictures", "--baseline", "pictures/notes.txt"), "bench.baseline"),
        (("--images", "empty"), "bench.no-pictures"),
        ((), "usage"),
    ],
)
def test_what_cannot_be_done_is_one_line(guard_cli, pictures, tmp_path, arguments, code) -> None:
    (tmp_path / "empty").mkdir()
    before = sorted(tmp_path.rglob("*"))
    ran = guard_cli("bench", "watermark", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert f"error[{code}]" in ran.err
    assert "  help: " in ran.err
    assert sorted(tmp_path.rglob("*")) == before
