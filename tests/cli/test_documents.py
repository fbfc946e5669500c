"""An example that is not run is a bug: README commands, examples and the command table are checked here."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path

import click
import pytest
from PIL import Image
from simulators.command_line import parses

from guard.cli.main import COMMANDS, cli
from guard.verdict import State

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_command_has_help_that_starts_like_its_line_in_the_table(guard_cli):
    for name, (_, line) in COMMANDS.items():
        ran = guard_cli(name, "--help")
        assert ran.code == 0
        assert len(ran.out.split("Options:")[0].split()) > 8, name
        assert line.endswith("."), name


def test_every_command_is_in_the_readme_and_the_readme_names_no_other():
    table = set(re.findall(r"^\| `guard ([a-z]+)", README, flags=re.MULTILINE))
    assert table == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_subcommand_is_in_the_rows_of_its_command(name):
    command = cli.get_command(click.Context(cli), name)
    rows = "".join(re.findall(rf"^\| `guard {name}\b.*", README, flags=re.MULTILINE))
    inner = command.commands if isinstance(command, click.Group) else ()
    assert [sub for sub in inner if not re.search(rf"`(guard {name} )?{sub}\b", rows)] == []


@pytest.mark.parametrize("line", sorted(set(re.findall(r"^(guard [a-z].*)$", README, flags=re.MULTILINE))))
def test_every_command_line_of_the_readme_parses(line):
    assert parses(line)


def test_the_figures_of_the_readme_are_those_of_the_committed_results():
    table = runpy.run_path(str(ROOT / "benchmarks" / "readme.py"))["table"]()
    assert f"<!-- figures: begin -->\n{table}<!-- figures: end -->" in README


@pytest.mark.parametrize("state", State)
def test_the_readme_says_what_each_verdict_means(state):
    assert re.search(rf"^\| [A-Z_, ]*\b{state.value.upper()}\b", README, flags=re.MULTILINE)


def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "examples" / script), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_examples_run(home, photograph, tmp_path):
    picture = tmp_path / "picture.png"
    Image.fromarray(photograph).save(picture)
    (tmp_path / "out").mkdir()
    done = run("release_a_picture.py", picture, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "allow" in done.stdout
    (tmp_path / "out" / "note.txt").write_text("no picture")
    done = run("verify_a_folder.py", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "development" in done.stdout
    assert "unreadable (input.not-media)" in done.stdout
    copy = tmp_path / "copy.jpg"
    Image.open(tmp_path / "out" / "picture.png").convert("RGB").save(copy, quality=70)
    done = run("find_the_original.py", copy)
    assert done.returncode == 0, done.stderr
    assert "original: sha256 " in done.stdout
    done = run("wrap_a_model.py", tmp_path / "drawn")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("allow  exact") == len(list((tmp_path / "drawn").iterdir())) == 2


def test_every_public_name_is_used_by_an_example_and_loads():
    import guard

    used = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "examples").glob("*.py"))
    for name in set(guard.__all__) - {"__version__"}:
        assert getattr(guard, name) is not None
        assert re.search(rf"\b{name}\b", used), f"no example uses guard.{name}"


def test_examples_are_short():
    for path in (ROOT / "examples").glob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 40, path.name
