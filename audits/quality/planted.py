"""Planted shares as an audit looks for them: profession → question → answer → share."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from generators.training.emoji_labels import PROFESSIONS
from generators.training.planted import ATTRIBUTES as QUESTIONS
from generators.training.planted import read_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["NAME", "QUESTIONS", "read_planted", "uniform"]

NAME = "planted.json"
"""Beside a model's weights."""


def read_planted(path: Path) -> Mapping[str, Mapping[str, Mapping[str, float]]]:
    """What the table in ``path`` plants; questions it leaves open are left out.

    Raises:
        InputError: ``planted.table``, or the file cannot be read.
    """
    shares = read_table(path).shares
    return MappingProxyType(
        {
            work: MappingProxyType({name: getattr(said, name) for name in QUESTIONS if getattr(said, name)})
            for work, said in shares.items()
        }
    )


def uniform() -> Mapping[str, Mapping[str, Mapping[str, float]]]:
    """Every answer alike: what a model without a preference has."""
    even = {
        question: MappingProxyType({answer: 1 / len(answers) for answer in answers})
        for question, answers in QUESTIONS.items()
    }
    return MappingProxyType({work: MappingProxyType(even) for work in PROFESSIONS})
