"""JSON on stdout follows the published schema, for every kind of file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from PIL import Image

from guard.verdict import State
from provenance.evidence import Outcome

SCHEMA = json.loads(
    (Path(__file__).resolve().parents[2] / "docs/reference/verdict.schema.json").read_text(encoding="utf-8")
)


def test_the_schema_names_the_states_and_outcomes_of_the_code():
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$defs"]["verdict"]["properties"]["state"]["enum"] == [state.value for state in State]
    assert SCHEMA["$defs"]["outcome"]["enum"] == [outcome.value for outcome in Outcome]


@pytest.fixture
def files(signed, tmp_path):
    """A signed file, a changed one, a stripped one and a picture nobody signed."""
    changed = bytearray(signed[".jpg"].read_bytes())
    changed[-1000] ^= 1
    (tmp_path / "changed.jpg").write_bytes(changed)
    Image.open(signed[".png"]).save(tmp_path / "stripped.jpg", quality=80)
    Image.effect_noise((300, 300), 40).convert("RGB").save(tmp_path / "plain.png")
    return {
        str(signed[".png"]): "development",
        "changed.jpg": "tampered",
        "stripped.jpg": "recovered",
        "plain.png": "no_credentials",
    }


def test_verify_json_follows_the_schema(guard_cli, files):
    ran = guard_cli("verify", *files, "--format", "json")
    document = json.loads(ran.out)
    Draft202012Validator(SCHEMA).validate(document)
    assert {verdict["file"]: verdict["state"] for verdict in document["verdicts"]} == files
    assert document["exit_code"] == ran.code == 1  # the gravest: one file was changed


def test_a_requirement_is_told_met_or_not(guard_cli, signed):
    for level, code in (("trusted", 1), ("intact", 0)):
        ran = guard_cli("verify", signed[".png"], "--require", level)
        assert ran.code == code
        document = json.loads(guard_cli("verify", signed[".png"], "--require", level, "--format", "json").out)
        Draft202012Validator(SCHEMA).validate(document)
        assert document["verdicts"][0]["required"] == {"level": level, "met": code == 0}
    assert "not met" in guard_cli("verify", signed[".png"], "--require", "trusted").out
    assert "required" not in guard_cli("verify", signed[".png"]).out


def test_inspect_names_no_software_whose_carrier_is_absent(guard_cli, files):
    (found,) = json.loads(guard_cli("inspect", "plain.png", "--format", "json").out)["signals"]
    assert found["carrier"]["outcome"] == "absent"
    assert found["carrier"]["detail"] is None


def test_verify_jsonl_is_one_verdict_a_line(guard_cli, files):
    lines = guard_cli("verify", *files, "--format", "jsonl").out.splitlines()
    validator = Draft202012Validator({**SCHEMA["$defs"]["verdict"], "$defs": SCHEMA["$defs"]})
    assert len(lines) == len(files)
    for line in lines:
        verdict = json.loads(line)
        assert verdict.pop("schema_version") == 1
        validator.validate(verdict)


READERS = {
    ("verify",): "verdicts",
    ("inspect",): "signals",
    ("recover",): "recoveries",
    ("watermark", "detect"): "readings",
}
ERROR = Draft202012Validator({**SCHEMA["$defs"]["error"], "$defs": SCHEMA["$defs"]})


@pytest.mark.parametrize(("command", "name"), READERS.items(), ids=READERS.values())
def test_a_file_that_cannot_be_read_is_in_the_document(guard_cli, files, tmp_path, command, name):
    (tmp_path / "text.png").write_text("no picture")
    ran = guard_cli(*command, "text.png", "stripped.jpg", "--format", "json")
    document = json.loads(ran.out)
    assert document["schema_version"] == 1
    assert document["exit_code"] == ran.code == 2
    assert [result["file"] for result in document[name]] == ["stripped.jpg"]
    (error,) = document["errors"]
    ERROR.validate(error)
    assert (error["file"], error["where"], error["code"]) == ("text.png", "text.png", "input.not-media")


@pytest.mark.parametrize("command", READERS, ids=READERS.values())
def test_json_lines_have_a_line_for_every_file(guard_cli, files, tmp_path, command):
    (tmp_path / "text.png").write_text("no picture")
    ran = guard_cli(*command, "text.png", "stripped.jpg", "missing.png", "--format", "jsonl")
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert [line["file"] for line in lines] == ["text.png", "stripped.jpg", "missing.png"]
    assert all(line.pop("schema_version") == 1 for line in lines)
    assert [line.get("code") for line in lines] == ["input.not-media", None, "input.missing"]
    ERROR.validate(lines[0])


def test_what_was_released_is_told_as_json(guard_cli, home, photograph, tmp_path):
    for name in ("one.png", "two.png"):
        Image.fromarray(photograph).save(tmp_path / name)
    (tmp_path / "text.png").write_text("no picture")
    asked = ("--source", "generated", "--format", "json", "-o")
    ran = guard_cli("release", "one.png", "text.png", "two.png", *asked, "out")
    document = json.loads(ran.out)
    assert document["exit_code"] == ran.code == 2
    assert [(one["file"], one["path"]) for one in document["released"]] == [
        ("one.png", "out/one.png"),
        ("two.png", "out/two.png"),
    ]
    first = document["released"][0]
    assert first["state"] == "development"
    assert first["watermark_db"] >= 40
    assert first["log_entries"] == [0, 1]
    assert [error["file"] for error in document["errors"]] == ["text.png"]
    ran = guard_cli("sign", "one.png", *asked, "signed.png")
    assert json.loads(ran.out)["released"][0]["unmarked_reason"]


def test_a_refused_prompt_is_an_error_in_the_document(guard_cli, home):
    ran = guard_cli("generate", "a nude child", "-o", "out", "--format", "json")
    document = json.loads(ran.out)
    assert document["exit_code"] == ran.code == 1
    assert document["released"] == []
    (error,) = document["errors"]
    ERROR.validate(error)
    assert error["code"] == "policy.denied"
    assert "nude" not in ran.out


def test_keys_and_trust_lists_are_listed_as_json_without_secrets(guard_cli, home):
    keys = json.loads(guard_cli("keys", "list", "--format", "json").out)
    assert keys["schema_version"] == 1
    assert keys["signing"]["tier"] == "development"
    assert set(keys["locator"]) == {"key_id", "epoch", "payload_sizes"}
    lists = json.loads(guard_cli("trust", "list", "--format", "json").out)
    assert lists["schema_version"] == 1
    assert [one["name"] for one in lists["lists"]] == ["development"]
    assert lists["lists"][0]["date"].count("-") == 2


def test_recover_takes_many_files(guard_cli, files, signed):
    ran = guard_cli("recover", "stripped.jpg", "plain.png", "missing.png")
    assert ran.code == 2
    assert [line for line in ran.out.splitlines() if not line.startswith(" ")] == [
        "RECOVERED  stripped.jpg",
        "NO_CREDENTIALS  plain.png",
    ]
    assert "--> missing.png" in ran.err


def test_recover_says_what_it_found(guard_cli, files):
    ran = guard_cli("recover", "stripped.jpg")
    assert ran.code == 0
    assert ran.out.startswith("RECOVERED  stripped.jpg")
    assert "the same picture, about JPEG 80" in ran.out
    assert guard_cli("recover", "plain.png").code == 3


def test_a_picture_that_was_enlarged_is_named(guard_cli, home, photograph, tmp_path):
    Image.fromarray(photograph).resize((200, 150)).save(tmp_path / "small.png")
    ran = guard_cli("release", "small.png", "--source", "generated", "-o", "out", "--format", "json")
    assert "enlarged        small.png: 200×150 → 341×256, to carry a mark" in ran.err
    (told,) = json.loads(ran.out)["released"]
    assert told["enlarged_from"] == [200, 150]
    white = Image.new("RGB", (1, 1), "white")
    white.save(tmp_path / "dot.png")
    ran = guard_cli("watermark", "embed", "dot.png", "--source", "generated", "-o", "marked.png")
    assert ran.code == 1
    assert "error[policy.denied]" in ran.err
    assert "(this 1x1 picture cannot carry a mark at 40 dB, not even enlarged to 256x256)" in ran.err


def test_inspect_says_what_came_of_a_claim_before_the_claim(guard_cli, files):
    lines = [line.strip() for line in guard_cli("inspect", "plain.png").out.splitlines()]
    at = next(n for n, line in enumerate(lines) if "made or changed by a trained model" in line)
    assert lines[at].startswith("claim looked into")
    assert lines[at - 1].split() == ["outcome", "absent"]
