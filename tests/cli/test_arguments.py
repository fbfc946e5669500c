"""Arguments that say nothing, or something else than they seem to, are refused in one clear line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest
from PIL import Image

from guard.cli._options import FiniteRange
from guard.cli.main import cli, run

if TYPE_CHECKING:
    from collections.abc import Iterator

MADE = ("--source", "generated")


def refusal(capsys, *arguments: str) -> str:
    assert run(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    first, second = told.err.splitlines()
    assert first.startswith("error[usage]: ")
    assert second.endswith("--help")
    return first


@pytest.mark.parametrize("prompt", ["", "   ", "\t\n"])
def test_an_empty_prompt_is_wrong_usage(capsys, prompt):
    assert "it has no words" in refusal(capsys, "generate", prompt, "-o", "out")


@pytest.mark.parametrize("packs", ["", " ", ",", "default,"])
def test_a_pack_without_a_name_is_wrong_usage(capsys, packs):
    for line in (["generate", "a cook", "-o", "out"], ["release", "a.png", *MADE, "-o", "out"]):
        assert "a pack without a name" in refusal(capsys, *line, "--policy", packs)


@pytest.mark.parametrize(
    "line",
    [
        ["sign", "a.png", *MADE],
        ["watermark", "embed", "a.png", *MADE],
        ["release", "a.png", *MADE],
        ["generate", "a cook"],
    ],
    ids=" ".join,
)
def test_a_dash_is_no_file(capsys, monkeypatch, tmp_path, line):
    monkeypatch.chdir(tmp_path)
    assert "never written to stdout" in refusal(capsys, *line, "-o", "-")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", ["nan", "inf"])
@pytest.mark.parametrize(
    "line",
    [
        ["train", "lora", "pictures", "-o", "out", "--rate"],
        ["train", "gan", "pictures", "-o", "out", "--rate"],
        ["train", "dreambooth", "pictures", "-o", "out", "--class-prompt", "a cook", "--prior-weight"],
        ["generate", "a cook", "-o", "out", "--fps"],
        ["generate", "a cook", "-o", "out", "--guidance"],
        ["bench", "generators", "bundled:emoji", "--guidance"],
        ["registry", "update", "--seconds"],
    ],
    ids=lambda line: f"{line[0]} {line[1]} {line[-1]}",
)
def test_nan_and_infinity_are_wrong_usage_of_any_option(capsys, line, number):
    assert line[-1] in refusal(capsys, *line, number)


def test_every_option_with_a_fraction_is_of_the_kind_that_refuses_them():
    for command in commands(cli):
        for option in command.params:
            if isinstance(option.type, click.types.FloatParamType):
                assert isinstance(option.type, FiniteRange), (command.name, option.name)


def commands(group: click.Group) -> Iterator[click.Command]:
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        yield found
        if isinstance(found, click.Group):
            yield from commands(found)


def test_the_help_says_how_a_hub_model_is_pinned(guard_cli):
    assert "ORG/NAME@COMMIT (40 digits)" in " ".join(guard_cli("generate", "--help").out.split())


def test_a_read_mark_is_told_in_plain_words(guard_cli, signed, tmp_path):
    Image.effect_noise((300, 300), 40).convert("RGB").save(tmp_path / "plain.png")
    ran = guard_cli("watermark", "detect", signed[".png"], "plain.png")
    heads = [line for line in ran.out.splitlines() if not line.startswith(" ")]
    assert heads == [f"MARK READ  {signed['.png']}", "NO MARK FOUND  plain.png"]
