"""Folders, patterns, lists and standard input; exactly the trust lists named; the tree; the short forms."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from jsonschema import Draft202012Validator

from guard.verdict import QUESTIONS

SCHEMA = json.loads(
    (Path(__file__).resolve().parents[2] / "docs/reference/verdict.schema.json").read_text(encoding="utf-8")
)


def root_pem() -> bytes:
    """An authority that signed nothing here."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Another Root")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, now, now + timedelta(days=9))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def document(ran) -> dict:
    found = json.loads(ran.out)
    Draft202012Validator(SCHEMA).validate(found)
    assert found["exit_code"] == ran.code
    return found


def test_a_folder_is_judged_whole_and_what_was_left_out_is_counted(guard_cli, signed, tmp_path):
    (tmp_path / "out" / "notes.txt").write_text("no media")
    (tmp_path / "out" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    ran = guard_cli("verify", "-r", "out", "--json")
    told = document(ran)
    assert [verdict["file"] for verdict in told["verdicts"]] == ["out/picture.jpg", "out/picture.png"]
    assert told["skipped"] == [{"file": "out/notes.txt", "skipped": "no media known here"}]
    assert [error["file"] for error in told["errors"]] == ["out/broken.png"]
    assert ran.code == 2
    assert "no media known here: 1 (out/notes.txt)" in ran.err


def test_a_changed_first_byte_takes_no_file_out_of_a_folder(guard_cli, signed, tmp_path):
    """A gate that a folder has to pass fails where a file in it is no media any more."""
    for suffix, path in signed.items():
        data = path.read_bytes()
        (tmp_path / "out" / f"changed{suffix}").write_bytes(bytes([data[0] ^ 1]) + data[1:])
        (tmp_path / "out" / f"renamed-{suffix[1:]}.txt").write_bytes(b" " + data)
    (tmp_path / "out" / "emptied.png").touch()
    ran = guard_cli("verify", "-r", "out", "--require", "intact", "--json")
    told = document(ran)
    assert ran.code == 2
    assert [one["file"] for one in told["errors"]] == [
        *("out/changed.jpg", "out/changed.png", "out/emptied.png"),
        *("out/renamed-jpg.txt", "out/renamed-png.txt"),
    ]
    assert "skipped" not in told


def test_json_lines_have_a_line_for_what_was_left_out(guard_cli, signed, tmp_path):
    (tmp_path / "out" / "notes.txt").write_text("no media")
    lines = [
        json.loads(line) for line in guard_cli("verify", "-r", "out", "--format", "jsonl").out.splitlines()
    ]
    assert {line["file"]: line.get("skipped") for line in lines}["out/notes.txt"] == "no media known here"
    assert len(lines) == 3


def test_the_short_forms_of_json_are_the_long_one(guard_cli, signed):
    at = "--validation-time", "2027-01-01"
    asked = [guard_cli("verify", signed[".png"], *at, *how).out for how in (["--json"], ["--format", "json"])]
    assert asked[0] == asked[1]
    assert json.loads(guard_cli("verify", "--nothing", "--json").out)["errors"][0]["code"] == "usage"


def test_standard_input_is_judged_like_the_file(home, signed):
    command = [sys.executable, "-m", "guard", "verify", "-", "--json"]
    done = subprocess.run(command, input=signed[".jpg"].read_bytes(), capture_output=True, check=False)
    (verdict,) = json.loads(done.stdout)["verdicts"]
    assert (verdict["file"], verdict["state"], done.returncode) == ("-", "development", 0)
    for data, code in ((b"", "input.empty"), (b"no media", "input.not-media")):
        done = subprocess.run(command, input=data, capture_output=True, check=False)
        assert (done.returncode, json.loads(done.stdout)["errors"][0]["code"]) == (2, code)


def test_a_list_on_standard_input_names_files(guard_cli, signed):
    ran = guard_cli("verify", "@-", "--json", stdin=f"{signed['.png']}\n\n{signed['.jpg']}\nmissing.png\n")
    assert [verdict["file"] for verdict in document(ran)["verdicts"]] == [
        str(signed[".png"]),
        str(signed[".jpg"]),
    ]
    assert ran.code == 2


def test_every_question_is_answered_in_order(guard_cli, signed):
    (verdict,) = document(guard_cli("verify", signed[".png"], "--json"))["verdicts"]
    assert tuple(answer["question"] for answer in verdict["answers"]) == QUESTIONS


def test_exactly_the_lists_named_count(guard_cli, home, signed, tmp_path):
    """Naming another list takes the trust in this installation's own identity away."""
    (tmp_path / "other.pem").write_bytes(root_pem())
    assert guard_cli("verify", signed[".png"]).code == 0
    ran = guard_cli("verify", signed[".png"], "--trust-list", "other.pem")
    assert (ran.code, ran.out.split()[0]) == (3, "UNKNOWN_SIGNER")
    ran = guard_cli("verify", signed[".png"], "--trust-list", "other.pem", "--trust-list", "development")
    assert (ran.code, ran.out.split()[0]) == (0, "DEVELOPMENT")


def test_a_list_that_is_none_is_refused_before_anything_is_judged(guard_cli, home, signed, tmp_path):
    (tmp_path / "text.pem").write_text("no certificates")
    for word, code in (("nothing", "trust.unknown-list"), ("text.pem", "trust.not-certificates")):
        ran = guard_cli("verify", signed[".png"], "--trust-list", word, "--json")
        assert (ran.code, json.loads(ran.out)["errors"][0]["code"]) == (2, code)
    root = home.signing_folder / "root.pem"
    ran = guard_cli("verify", signed[".png"], "--trust-list", root, "--json")
    assert json.loads(ran.out)["errors"][0]["code"] == "trust.development-root"


def test_a_list_counts_for_what_it_is_of_only(guard_cli, signed, tmp_path):
    """Lists of clocks, named as signers, would leave no signers at all, without a word."""
    (tmp_path / "other.pem").write_bytes(root_pem())
    for kind in ("tsa", "manifest"):
        assert guard_cli("trust", "add", kind, "other.pem", "--kind", kind).code == 0
    for option, word, right in (
        ("--trust-list", "tsa", "--tsa-list"),
        ("--tsa-list", "manifest", "--trust-list"),
    ):
        ran = guard_cli("verify", signed[".png"], option, word)
        assert (ran.code, "error[trust.wrong-kind]" in ran.err, f"with {right}" in ran.err) == (2, True, True)


def test_a_list_works_without_an_installation(guard_cli, signed, tmp_path, monkeypatch):
    monkeypatch.setenv("GUARD_HOME", str(tmp_path / "nowhere"))
    (tmp_path / "other.pem").write_bytes(root_pem())
    ran = guard_cli("verify", signed[".png"], "--trust-list", "other.pem")
    assert (ran.code, ran.out.split()[0]) == (3, "UNKNOWN_SIGNER")
    assert not (tmp_path / "nowhere").exists()


def test_inspect_takes_the_same_words(guard_cli, signed, tmp_path):
    (tmp_path / "out" / "notes.txt").write_text("no media")
    told = json.loads(guard_cli("inspect", "-r", "out", "--json").out)
    assert [one["file"] for one in told["signals"]] == ["out/picture.jpg", "out/picture.png"]
    assert [one["file"] for one in told["skipped"]] == ["out/notes.txt"]
    assert json.loads(guard_cli("inspect", "@nothing", "--json").out)["errors"][0]["code"] == "input.missing"
