"""``guard`` run by the process of the tests tells what a process of its own tells; and it starts cold."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from simulators.authority import Authority
from simulators.command_line import Ran

LINES = (
    [],
    ["--help"],
    ["--version"],
    ["nonsense"],
    ["init"],
    ["doctor"],
    ["explain", "input.empty"],
    ["generate", "a cook", "--model", "bundled:nope", "-o", "out"],
    ["release", "plain.png", "--source", "magic", "-o", "out"],
    ["sign", "plain.png"],
    ["watermark", "detect", "plain.png"],
    ["verify", "évil\u202e\x1b[31m.png"],
    ["recover", "plain.png"],
    ["keys", "list"],
    ["signer", "status"],
    ["trust", "list"],
    ["registry", "list"],
    ["log", "verify"],
    ["records", "erase", "nothing"],
    ["bench", "watermark", "nowhere"],
)


@pytest.mark.parametrize("words", LINES, ids=" ".join)
def test_both_ways_tell_the_same(guard_cli, guard_process, home, tmp_path, words):
    Image.effect_noise((300, 280), 60).convert("RGB").save(tmp_path / "plain.png")
    assert guard_cli(*words) == guard_process(*words)


def but_for_the_time(ran: Ran) -> Ran:
    return replace(ran, out=re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "now", ran.out))


def test_both_ways_judge_the_same(guard_cli, guard_process, signed, tmp_path):
    Image.open(signed[".png"]).save(tmp_path / "stripped.png")
    (tmp_path / "broken.png").write_bytes(signed[".png"].read_bytes()[:-9])
    listed = f"{signed['.jpg']}\n\nstripped.png\nbroken.png\nmissing.png\n"
    for words in (
        ["verify", "@-"],
        ["verify", "@-", "--json"],
        ["inspect", "@-"],
        ["recover", "stripped.png", "missing.png", "--format", "jsonl"],
    ):
        ran = guard_cli(*words, stdin=listed)
        assert but_for_the_time(ran) == but_for_the_time(guard_process(*words, stdin=listed))
        assert (ran.code, bool(ran.out), bool(ran.err)) == (2, True, True)


def test_what_changes_a_home_starts_cold(guard_process, photograph, tmp_path, monkeypatch):
    """Each of these once with nothing loaded before it, from the first to the last file."""
    monkeypatch.setenv("GUARD_HOME", str(tmp_path / "new"))
    Image.fromarray(photograph[:320, :320]).save(tmp_path / "plain.png")
    (tmp_path / "root.pem").write_bytes(Authority().root_pem)
    source = "--source", "generated"
    for words in (
        ["init"],
        ["generate", "a cook", "--seed", "3", "-o", "made"],
        ["release", "plain.png", *source, "-o", "out"],
        ["sign", "plain.png", *source, "-o", "signed.png"],
        ["watermark", "embed", "plain.png", *source, "-o", "marked.png"],
        ["keys", "renew"],
        ["verify", "out/plain.png", "signed.png"],
        ["inspect", "marked.png"],
        ["recover", "marked.png"],
        ["registry", "publish", "published"],
        ["log", "export", "exported"],
        ["trust", "add", "studio", "root.pem"],
        ["records", "erase", "out/plain.png", "--yes"],
    ):
        ran = guard_process(*words)
        assert ran.code == 0, (words, ran)


def test_libraries_and_children_write_where_the_command_does(guard_cli, monkeypatch):
    def main() -> None:
        os.write(2, b"library\n")
        subprocess.run(["sh", "-c", "cat; echo child >&2"], check=True)
        sys.exit("said last")

    monkeypatch.setattr("guard.__main__.main", main)
    assert guard_cli("any", stdin="given") == Ran(1, "given", "library\nchild\nsaid last\n")


def test_a_run_leaves_the_process_as_it_was(guard_cli):
    def state() -> tuple[object, ...]:
        return Path.cwd(), sys.argv, sys.stdin, sys.stdout, sys.stderr, len([*Path("/dev/fd").iterdir()])

    before = state()
    assert guard_cli("verify", "missing.png").code == 2
    assert state() == before
