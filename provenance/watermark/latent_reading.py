"""What a look for a latent mark needs and gives (``provenance.watermark.latent_detection``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from provenance.media import Frames

CLAIM = "was drawn from noise that carries a latent mark on record"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Noise:
    """The noise a picture was followed back to.

    Attributes:
        values: about standard normal, in the shape the pipeline takes as ``latents``, without the batch.
        residual: largest relative residual of a step of the inversion; 0 is exact.
    """

    values: NDArray[np.float32]
    residual: float


class Inverter(Protocol):
    """Follows pictures back to their noise; it has the model, which this package has not."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels at which the model's pictures are released."""
        ...

    def invert(self, frames: Frames) -> Noise:
        """The noise from which a picture like ``frames`` (one frame, any size) is drawn."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LatentReading:
    """The mark on record that fits the noise best.

    Attributes:
        algorithm: always ``latent.ALGORITHM``.
        key_id: of the key whose keystream fits.
        epoch: of that key.
        nonce: of the mark on record.
        payload: as decoded; None unless the checks of all its blocks passed.
        payload_matches: the decoded payload is the one on record.
        matches: numbers whose sign is the mark's.
        count: numbers of the latent.
        statistic: ``sum(sign · value)`` in standard deviations under a random key.
        log10_p: of the p-value after Bonferroni, at most 0.
        hypotheses: placements × keys × marks tried.
        realigned: the pixel mark's geometry was undone before.
        residual: of the inversion.
    """

    algorithm: str
    key_id: str
    epoch: int
    nonce: bytes
    payload: bytes | None
    payload_matches: bool
    matches: int
    count: int
    statistic: float
    log10_p: float
    hypotheses: int
    realigned: bool
    residual: float
