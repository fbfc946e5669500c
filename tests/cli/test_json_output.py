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


def test_verify_jsonl_is_one_verdict_a_line(guard_cli, files):
    lines = guard_cli("verify", *files, "--format", "jsonl").out.splitlines()
    validator = Draft202012Validator({**SCHEMA["$defs"]["verdict"], "$defs": SCHEMA["$defs"]})
    assert len(lines) == len(files)
    for line in lines:
        verdict = json.loads(line)
        assert verdict.pop("schema_version") == 1
        validator.validate(verdict)


@pytest.mark.parametrize("command", ["inspect", "recover"])
def test_other_commands_print_one_versioned_document(guard_cli, files, command):
    document = json.loads(guard_cli(command, "stripped.jpg", "--format", "json").out)
    assert document["schema_version"] == 1
    assert document["file"] == "stripped.jpg"


def test_recover_says_what_it_found(guard_cli, files):
    ran = guard_cli("recover", "stripped.jpg")
    assert ran.code == 0
    assert ran.out.startswith("RECOVERED  stripped.jpg")
    assert "the same picture, about JPEG 80" in ran.out
    assert guard_cli("recover", "plain.png").code == 3
