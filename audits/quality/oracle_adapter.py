"""The emoji oracle as an instrument: its answers to a picture, its features, and its confusion matrix.

It answers for pictures of the emoji models only, and it answers for every picture: what it says of others
means nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits.quality.confusion import Confusion
from audits.quality.reading import Reading
from generators.oracle import reading_adapter
from generators.oracle.questions import QUESTIONS
from generators.oracle.reading import CONFUSION, WEIGHTS, confusion
from generators.pinned import LISTED, ORACLE, pinned_file
from generators.weights import digested
from provenance.errors import ConfigurationError, InputError, IntegrityError
from provenance.media import Frames

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OracleInstrument:
    """A loaded oracle: an ``Extractor`` and a ``Reader``.

    Attributes:
        reader: the network at work.
        confusion: by question.
    """

    reader: reading_adapter.Oracle
    confusion: Mapping[str, Confusion]

    @property
    def sha256(self) -> str:
        """Of the weights file."""
        return self.reader.weights_sha256

    @property
    def name(self) -> str:
        """Of its features: the mean over the whole picture, as the heads see it."""
        width = next(iter(self.reader.network.heads.values())).in_features // 5
        return f"emoji-oracle-{width}@{self.sha256[:12]}"

    def __call__(self, picture: NDArray[np.uint8]) -> NDArray[np.float64]:
        """(192,) features of a picture (H, W, 3)."""
        return self.read(picture).features

    def read(self, picture: NDArray[np.uint8]) -> Reading:
        """The answers to every question, and the features, in one pass; picture (H, W, 3) uint8."""
        readings, seen = self.reader.look(Frames(pixels=picture[None]))
        answers = {question: readings[0][question] for question in QUESTIONS}
        return Reading(answers=answers, features=seen[0])


def load_oracle(folder: Path | None = None) -> OracleInstrument:
    """The oracle in ``folder``, or this installation's, whose weights are compared with the published digest.

    Raises:
        ConfigurationError: ``oracle.missing``.
        IntegrityError: ``oracle.damaged``, ``oracle.confusion``, ``weights.changed``.
    """
    place = ORACLE if folder is None else folder
    needed = (WEIGHTS, CONFUSION, *((LISTED,) if folder is None else ()))
    if not all((place / name).is_file() for name in needed):
        raise ConfigurationError(
            "oracle.missing",
            f"the oracle's {WEIGHTS} and {CONFUSION} are not here",
            where=str(place),
            hint="name the folder that they lie in: --oracle DIR",
        )
    try:
        found = pinned_file(place, WEIGHTS) if folder is None else digested(place / WEIGHTS, place)
        reader = reading_adapter.read(place / WEIGHTS, found.sha256)
    except InputError as error:
        what = "the oracle's weights cannot be read, or are of another version"
        raise IntegrityError(
            "oracle.damaged", what, where=str(place), hint="take the files that were trained together"
        ) from error
    counts = confusion(place).counts
    tables = {q: Confusion(question=q, answers=QUESTIONS[q], counts=counts[q]) for q in QUESTIONS}
    return OracleInstrument(reader=reader, confusion=tables)
