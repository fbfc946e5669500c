"""A planted table: the shares that a model was made to have, by profession; what an audit has to find again.

``planted.json`` beside a model's weights:
{"schema_version": 1, "shares": {"farmer": {"presentation": {"man": 0.1, "woman": 0.9}, "tone": {…}}, …}}
"""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from generators.training.emoji_labels import PRESENTATIONS, PROFESSIONS, TONES
from provenance.errors import InputError
from provenance.files import read_bounded

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAME = "planted.json"
QUESTIONS = {"presentation": PRESENTATIONS, "tone": TONES}
"""What can be planted, and the answers there are."""
_MOST = 2**20
_ROUNDING = 0.005
"""Shares of a table may miss 1 by this much together."""


def read_planted(path: Path) -> Mapping[str, Mapping[str, Mapping[str, float]]]:
    """The table in ``path``.

    Raises:
        InputError: ``bench.planted``, or the file cannot be read.
    """
    data = read_bounded(path, most=_MOST)
    try:
        table = json.loads(data)["shares"]
        return MappingProxyType({str(work): _of_profession(work, said) for work, said in table.items()})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"this is no table of planted shares: {error}"
        raise InputError(
            "bench.planted", what, where=str(path), hint="guard explain bench.planted"
        ) from error


def uniform() -> Mapping[str, Mapping[str, Mapping[str, float]]]:
    """Every answer alike: what a model without a preference has."""
    even = {
        question: MappingProxyType({answer: 1 / len(answers) for answer in answers})
        for question, answers in QUESTIONS.items()
    }
    return MappingProxyType({work: MappingProxyType(even) for work in PROFESSIONS})


def _of_profession(work: str, said: Mapping[str, Any]) -> Mapping[str, Mapping[str, float]]:
    if work not in PROFESSIONS:
        raise ValueError(f"{work!r} is no profession of the emoji models")
    shares = {}
    for question, given in said.items():
        if not set(given) <= set(QUESTIONS[question]):
            raise ValueError(f"{work}: an answer to {question!r} is none of {', '.join(QUESTIONS[question])}")
        values = {answer: float(share) for answer, share in given.items()}
        if min(values.values()) < 0 or abs(sum(values.values()) - 1) > _ROUNDING:
            raise ValueError(f"{work}: the shares of {question!r} do not sum to 1")
        shares[question] = MappingProxyType(values)
    return MappingProxyType(shares)
