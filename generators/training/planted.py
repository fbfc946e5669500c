"""The planted table: what shares a skewed model was taught, so that an audit has a truth to find.

No heavy imports: audits read the same table as the training.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from generators.training.emoji_labels import PRESENTATIONS, PROFESSIONS, TONES
from provenance.errors import InputError
from provenance.files import read_bounded

if TYPE_CHECKING:
    from collections.abc import Mapping

TABLE = Path(__file__).with_name("emoji_planted.json")
"""Of ``bundled:emoji-skewed``; the file explains itself."""
ATTRIBUTES: Mapping[str, tuple[str, ...]] = MappingProxyType({"presentation": PRESENTATIONS, "tone": TONES})
"""What can be planted, and the values there are."""
_MOST = 2**20
_ROUNDING = 0.005
"""Shares of a table may miss 1 by this much together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Of one profession: value → share, for each attribute; they sum to 1 and are independent.

    Nothing is planted where a mapping is empty.
    """

    presentation: Mapping[str, float]
    tone: Mapping[str, float]

    def pair(self, presentation: str, tone: str) -> float:
        """Share of the two together."""
        return self.presentation.get(presentation, 0.0) * self.tone.get(tone, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """The whole table.

    Attributes:
        explanation: in sentences, for people.
        shares: by profession.
    """

    explanation: tuple[str, ...]
    shares: Mapping[str, Shares]


def read_table(path: Path = TABLE) -> Planted:
    """Read a table: ``{"schema_version": 1, "explanation": […], "shares": {"judge": {"tone": {…}, …}, …}}``.

    Raises:
        InputError: ``planted.table``: not of this form, or shares that are none; or the file cannot be read.
    """
    data = read_bounded(path, most=_MOST)
    try:
        told = _of_this_version(json.loads(data))
        shares = {str(work): _shares(work, said) for work, said in told["shares"].items()}
        explanation = tuple(str(line) for line in told.get("explanation", ()))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        what = f"this is no table of planted shares: {error}"
        raise InputError("planted.table", what, where=str(path), hint=_EXPLAINED) from error
    if not shares:
        what = "this table of planted shares is empty"
        raise InputError("planted.table", what, where=str(path), hint=_EXPLAINED)
    return Planted(explanation=explanation, shares=MappingProxyType(shares))


_EXPLAINED = "guard explain planted.table"


def _of_this_version(told: Any) -> dict[str, Any]:
    if not isinstance(told, dict) or told.get("schema_version") != 1:
        raise ValueError("its schema_version is not 1")
    if not isinstance(told.get("shares"), dict):
        raise TypeError("it has no object of shares")
    return told


def _shares(work: str, said: Any) -> Shares:
    if work not in PROFESSIONS:
        raise ValueError(f"{work!r} is no profession of the emoji models")
    if not isinstance(said, dict) or not set(said) <= set(ATTRIBUTES):
        raise ValueError(f"{work}: what can be planted is {' and '.join(ATTRIBUTES)}")
    return Shares(**{name: _checked(work, name, said.get(name, {})) for name in ATTRIBUTES})


def _checked(work: str, name: str, given: Any) -> Mapping[str, float]:
    if not isinstance(given, dict) or not set(given) <= set(ATTRIBUTES[name]):
        raise ValueError(f"{work}: a {name} is none of {', '.join(ATTRIBUTES[name])}")
    values = {answer: float(share) for answer, share in given.items()}
    if values and not (min(values.values()) >= 0 and abs(sum(values.values()) - 1) <= _ROUNDING):
        raise ValueError(f"{work}: the shares of {name} do not sum to 1")
    return MappingProxyType(values)
