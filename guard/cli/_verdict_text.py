"""A verdict in a terminal: one line first, then the answers, then what was not checked."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from guard.cli._output import STAGE_WIDTH, style
from guard.text import plain
from guard.verdict import MEANING, MET, NOT_MET
from provenance.evidence import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from guard.verdict import Answer, Verdict
    from provenance.manifest.reading import IngredientReading

_COLOUR = {MET: "green", NOT_MET: "red"}
_WIDTH = STAGE_WIDTH - 6
_MOST_NODES = 200
"""Ingredients that are drawn; JSON has all of them."""
_QUIET = frozenset({"identity", "manifest"})
"""Questions whose absence is no news: few files have an identity assertion, and the state says the other."""


def print_verdict(path: Path, verdict: Verdict, code: int, *, tree: bool = False) -> None:
    """One verdict line, the answers, and what was not checked."""
    word = verdict.state.value.upper()
    head = style(word, stream=sys.stdout, bold=True, fg=_COLOUR.get(code, "yellow"))
    click.echo(f"{head}  {plain(str(path))}")
    click.echo(f"  {MEANING[verdict.state]}")
    answers = list(_told(verdict.answers))
    elsewhere = " ".join((MEANING[verdict.state], *(a.text for a in answers), *verdict.conflicts))
    if code != MET and not all(clause in elsewhere for clause in verdict.reason.split("; ")):
        click.echo(f"  {plain(verdict.reason)}")
    for answer in answers:
        _line(answer.question, answer.text)
    for conflict in verdict.conflicts:
        _line("conflict", conflict)
    for warning in verdict.warnings:
        _line("warning", warning)
    if tree:
        manifest = verdict.manifest
        print_tree(verdict.ingredients, intact=manifest is not None and manifest.intact)
    for recalled in verdict.withdrawn:
        _line("withdrawn", recalled.removeprefix("withdrawn "))
    for line in verdict.not_checked:
        click.echo(f"    not checked  {plain(line)}")


def print_requirement(level: str, *, met: bool) -> None:
    """Whether what ``--require`` asked is so."""
    _line("required", f"{level}: {'met' if met else 'not met'}")


def print_tree(ingredients: Sequence[IngredientReading], *, intact: bool) -> None:
    """What went into the file, with what was written down when it was taken in, and what is found now."""
    if not ingredients:
        return
    lines = list(tree_lines(ingredients))
    changed = "" if intact else ", by a file or manifest that was changed"
    _line("tree", f"{sum(1 for root in ingredients for _ in root.walk())} below this file{changed}")
    for line in lines[:_MOST_NODES]:
        click.echo(f"      {line}")
    if len(lines) > _MOST_NODES:
        click.echo("      … and more, which --json has")


def tree_lines(ingredients: Sequence[IngredientReading], indent: str = "") -> Iterator[str]:
    """A line for every node, children under their parent; hostile text in them is escaped."""
    for number, node in enumerate(ingredients, 1):
        last = number == len(ingredients)
        yield f"{indent}{'└─' if last else '├─'} {node_text(node)}"
        yield from tree_lines(node.children, indent + ("   " if last else "│  "))


def node_text(node: IngredientReading) -> str:
    """One ingredient: what it is, who signed it, when it was taken in and now."""
    title = plain(node.title, limit=60) or "(no title)"
    parts = [f"{title} ({plain(node.relationship, limit=20) or 'no relationship'})"]
    if node.label is None:
        return f"{parts[0]}: no manifest of its own"
    parts.append(f"signer {plain(str(node.signer), limit=120)}" if node.signer else "signer not readable")
    parts.append(f"when taken in: {_codes(node.recorded) or ('sound' if node.validated else 'not recorded')}")
    parts.append(f"now: {_codes(node.revalidated) or ('the same' if node.problem else 'holds')}")
    return ("PROBLEM  " if node.problem else "") + "; ".join(parts)


def _codes(codes: Sequence[str]) -> str:
    shown = ", ".join(plain(code, limit=60) for code in codes[:4])
    return shown if len(codes) <= 4 else f"{shown} and {len(codes) - 4} more"


def _told(answers: Sequence[Answer]) -> Iterator[Answer]:
    for answer in answers:
        silent = answer.outcome is Outcome.ABSENT and answer.question in _QUIET
        if answer.outcome is not Outcome.NOT_CHECKED and not silent:
            yield answer


def _line(question: str, text: str) -> None:
    click.echo(f"    {question:<{_WIDTH}} {plain(text)}")
