"""What an oracle says of one picture, and what an oracle is to the measurements: a ``Reader``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from audits.quality.confusion import Confusion


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reading:
    """One picture, read.

    Attributes:
        answers: by question.
        features: (D,), what the answers were read off.
    """

    answers: Mapping[str, str]
    features: NDArray[np.float64]


class Reader(Protocol):
    """Reads attributes off pictures."""

    @property
    def sha256(self) -> str:
        """Of its weights."""
        ...

    @property
    def confusion(self) -> Mapping[str, Confusion]:
        """How often it is wrong, by question."""
        ...

    def read(self, picture: NDArray[np.uint8]) -> Reading:
        """The answers for a picture (H, W, 3) uint8."""
        ...
