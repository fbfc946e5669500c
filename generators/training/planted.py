"""The planted table: what shares a skewed model was taught, so that an audit has a truth to find.

No heavy imports: audits read the same table as the training.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

TABLE = Path(__file__).with_name("emoji_planted.json")
"""Of ``bundled:emoji-skewed``; the file explains itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Of one profession: value → share, for each attribute; they sum to 1 and are independent."""

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
    """Read a table.

    Raises:
        InputError: ``planted.table``: not of this form, or shares that are none.
    """
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        shares = {str(name): _shares(row) for name, row in told["shares"].items()}
        explanation = tuple(str(line) for line in told["explanation"])
        known = told["schema_version"] == 1 and bool(shares)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _no_table(path) from error
    if not known:
        raise _no_table(path)
    return Planted(explanation=explanation, shares=MappingProxyType(shares))


def _no_table(path: Path) -> InputError:
    return InputError(
        "planted.table",
        "the file is no table of planted shares",
        where=str(path),
        hint='write {"schema_version": 1, "explanation": […], "shares": {"judge": {"presentation": …}}}',
    )


def _shares(row: Mapping[str, Mapping[str, float]]) -> Shares:
    return Shares(presentation=_checked(row["presentation"]), tone=_checked(row["tone"]))


def _checked(row: Mapping[str, float]) -> Mapping[str, float]:
    values = {str(name): float(share) for name, share in row.items()}
    if any(not 0 <= share <= 1 for share in values.values()) or not math.isclose(
        sum(values.values()), 1, abs_tol=1e-6
    ):
        raise ValueError("shares")
    return MappingProxyType(values)
