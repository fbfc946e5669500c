"""One drawn picture or clip, as it is kept: what was read off it, never the picture itself.

A stamped preview is kept of a few (``guard.preview``), for the sheet of samples.
"""

from __future__ import annotations

import base64
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from audits.checkpoint import Kind
from audits.quality.warp import Steadiness

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from provenance.canonical import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What came of one seed.

    Attributes:
        model: as named in results.
        set: of prompts.
        item: number of the prompt in its set.
        guidance: scale asked for; None: the model's own.
        seed: of the picture.
        withheld: stage and rules where policy refused it; empty where it was drawn.
        warnings: codes of what went differently from what was asked.
        answers: of the oracle, by question; empty without one.
        features: base64 of (D,) little-endian float32; empty where none were asked for.
        steadiness: of a clip.
        preview: base64 of a stamped PNG, where one is kept.
    """

    model: str
    set: str
    item: int
    guidance: float | None
    seed: int
    withheld: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    answers: Mapping[str, str]
    features: str = ""
    steadiness: Steadiness | None = None
    preview: str = ""

    @property
    def place(self) -> tuple[str, ...]:
        """Which picture of the run it is."""
        return place(self.model, self.set, self.item, self.guidance, self.seed)

    def to_json(self) -> dict[str, Json]:
        """Plain values, for a line of a checkpoint."""
        return {**asdict(self), "answers": dict(self.answers)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Trial:
        """What ``to_json`` gave.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        steady = data["steadiness"]
        told = {name: tuple(map(str, data[name])) for name in ("withheld", "warnings")}
        made = cls(**{**data, **told, "steadiness": None if steady is None else Steadiness(**steady)})
        unpacked(made.features)
        dict(made.answers)
        return made


KIND = Kind(format="mediaguard generator bench 1", thing="guard bench generators", parse=Trial.from_json)


def place(model: str, set_: str, item: int, guidance: float | None, seed: int) -> tuple[str, ...]:
    """As ``Trial.place``."""
    return model, set_, str(item), str(guidance), str(seed)


def packed(features: NDArray[np.float64] | None) -> str:
    """(D,) for a line of a checkpoint, in single precision."""
    return "" if features is None else base64.b64encode(features.astype("<f4").tobytes()).decode()


def unpacked(text: str) -> NDArray[np.float64]:
    """What ``packed`` was given, in single precision's digits."""
    return np.frombuffer(base64.b64decode(text, validate=True), "<f4").astype(np.float64)
