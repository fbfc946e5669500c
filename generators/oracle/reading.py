"""What the oracle says of a picture, as values; and how often it is right. No heavy imports.

``oracle()`` gives the ``PictureReader`` whose weights ship with mediaguard. Audits read with the same network
through an instrument of their own, which takes its features, too.
"""

from __future__ import annotations

import functools
import importlib
import json
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, cast

from generators.oracle.questions import QUESTIONS
from generators.pinned import ORACLE, pinned_file
from provenance.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from provenance.media import Frames

WEIGHTS, CONFUSION = "oracle.safetensors", "confusion.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The likeliest answer to one question, and the probability of each; they sum to 1."""

    answer: str
    probabilities: Mapping[str, float]

    @property
    def probability(self) -> float:
        """Of the answer."""
        return self.probabilities[self.answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class OracleReading:
    """All answers on one picture.

    Attributes:
        answers: by question, as in ``QUESTIONS``.
        weights_sha256: of the network that answered, lower-case hex.
    """

    answers: Mapping[str, Answer]
    weights_sha256: str

    def __getitem__(self, question: str) -> str:
        return self.answers[question].answer


class PictureReader(Protocol):
    """Answers ``QUESTIONS`` on pictures."""

    def read(self, frames: Frames) -> tuple[OracleReading, ...]:
        """One reading for every frame, of any size."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfusionTable:
    """Answers against truth, measured when the oracle was trained.

    Attributes:
        counts: by question, rows truth and columns answers, in the order of ``QUESTIONS``.
    """

    counts: Mapping[str, tuple[tuple[int, ...], ...]]

    def right(self, question: str) -> tuple[int, int]:
        """How many answers were right, of how many."""
        rows = self.counts[question]
        return sum(row[i] for i, row in enumerate(rows)), sum(map(sum, rows))

    def chances(self, question: str) -> Mapping[str, Mapping[str, float]]:
        """Truth → answer → how likely; truths that were never shown are left out."""
        names = QUESTIONS[question]
        return {
            truth: {answer: count / sum(row) for answer, count in zip(names, row, strict=True)}
            for truth, row in zip(names, self.counts[question], strict=True)
            if sum(row)
        }


@functools.cache
def oracle() -> PictureReader:
    """The oracle whose weights ship with mediaguard, read once, when first asked for.

    Raises:
        ConfigurationError: ``weights.not-installed``.
        IntegrityError: ``weights.changed``.
    """
    found = pinned_file(ORACLE, WEIGHTS)
    module = importlib.import_module("generators.oracle.reading_adapter")
    return cast("Callable[[Path, str], PictureReader]", module.read)(found.path, found.sha256)


def confusion(folder: Path = ORACLE) -> ConfusionTable:
    """How often the oracle of ``folder`` is right.

    Raises:
        IntegrityError: ``oracle.confusion``: no such table, or one of other questions.
    """
    try:
        told: dict[str, Any] = json.loads((folder / CONFUSION).read_text(encoding="utf-8"))
        counts = {q: tuple(tuple(map(int, row)) for row in told["counts"][q]) for q in QUESTIONS}
        fits = {q: tuple(names) for q, names in told["answers"].items()} == dict(QUESTIONS)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _no_table() from error
    sizes = {q: {len(rows), *map(len, rows)} for q, rows in counts.items()}
    fits = fits and all(count >= 0 for rows in counts.values() for row in rows for count in row)
    if not fits or sizes != {q: {len(names)} for q, names in QUESTIONS.items()}:
        raise _no_table()
    return ConfusionTable(counts=MappingProxyType(counts))


def _no_table() -> IntegrityError:
    return IntegrityError(
        "oracle.confusion",
        "the table of how often the oracle is right is missing or belongs to another oracle",
        where=CONFUSION,
    )
