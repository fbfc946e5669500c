"""What a program is told when a whole command fails, and a person who names no command."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from PIL import Image

from guard.cli._batch import RESULTS
from guard.cli.main import COMMANDS, run

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SCHEMA = json.loads((ROOT / "docs/reference/verdict.schema.json").read_text(encoding="utf-8"))
ERROR = Draft202012Validator({**SCHEMA["$defs"]["error"], "$defs": SCHEMA["$defs"]})
MADE = ("--source", "generated", "-o", "out")
LINES = {
    "generate": ("a cook", "-o", "out"),
    "release": ("a.png", *MADE),
    "sign": ("a.png", *MADE),
    "watermark embed": ("a.png", *MADE),
    "watermark detect": ("a.png",),
    "recover": ("a.png",),
}


@pytest.mark.parametrize("format_", ["json", "jsonl"])
@pytest.mark.parametrize("command", LINES)
def test_a_command_that_fails_as_a_whole_is_told_on_stdout_too(capsys, command, format_):
    """There is no home, so none of these can begin."""
    code = run([*command.split(), *LINES[command], "--format", format_])
    told = capsys.readouterr()
    document = json.loads(told.out)
    assert "error[home.missing]" in told.err
    assert document.pop("schema_version") == 1
    if format_ == "json":
        assert document == {"exit_code": code, RESULTS[command]: [], "errors": document["errors"]}
        (document,) = document["errors"]
    ERROR.validate(document)
    assert (document["code"], document["exit_code"]) == ("home.missing", code) == ("home.missing", 2)


@pytest.mark.parametrize("arguments", [["--format=json", "--nope"], ["--format", "json"]], ids=" ".join)
def test_wrong_usage_is_told_as_json_where_json_is_asked_for(capsys, arguments):
    assert run(["verify", *arguments]) == 2
    document = json.loads(capsys.readouterr().out)
    Draft202012Validator(SCHEMA).validate(document)
    assert [error["code"] for error in document["errors"]] == ["usage"]


def test_a_file_named_like_the_option_asks_for_nothing(capsys):
    assert run(["verify", "--", "--format", "json"]) == 2
    assert capsys.readouterr().out == ""


def test_a_lost_log_is_in_the_document(guard_cli, home, tmp_path):
    document = json.loads(guard_cli("log", "verify", "--format", "json").out)
    assert (document["ok"], document["exit_code"], document["errors"]) == (True, 0, [])
    (home.log_folder / "checkpoint").unlink()
    document = json.loads(guard_cli("log", "verify", "--format", "json").out)
    assert document["exit_code"] == 2
    assert document["errors"][0]["hint"]


def test_a_bug_is_told_beside_what_was_done_before(capsys, photograph, tmp_path, monkeypatch):
    def surprise(path, **_):
        if path.name == "b.png":
            raise ZeroDivisionError("surprise")
        return verify_file(path)

    from guard.api import verify_file

    monkeypatch.setattr("guard.api.verify_file", surprise)
    for name in ("a.png", "b.png"):
        Image.fromarray(photograph).save(tmp_path / name)
    assert run(["verify", str(tmp_path / "a.png"), str(tmp_path / "b.png"), "--format", "json"]) == 70
    document = json.loads(capsys.readouterr().out)
    Draft202012Validator(SCHEMA).validate(document)
    assert [verdict["state"] for verdict in document["verdicts"]] == ["no_credentials"]
    assert (document["exit_code"], document["errors"][0]["code"]) == (70, "bug")


def test_the_readme_names_what_each_command_calls_its_results():
    (told,) = re.findall(r"The results are called (.*?)\n", README)
    named = {}
    for key, commands in re.findall(r"`(\w+)` \(([^)]*)", told):
        named |= dict.fromkeys(re.findall(r"`([a-z ]+)`", commands), key)
    assert named == RESULTS


GROUPS = ["", *(name for name in COMMANDS if name in {"watermark", "keys", "trust", "log"})]


@pytest.mark.parametrize("group", GROUPS)
def test_without_a_command_the_help_is_shown_and_nothing_succeeds(capsys, group):
    words = group.split()
    assert run([*words, "--help"]) == 0
    asked = capsys.readouterr()
    assert run(words) == 2
    assert capsys.readouterr() == asked
    assert asked.out.startswith(" ".join(["Usage: guard", *words]))
