"""What looks at a picture before it is forgotten."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audits.quality.trial import Trial, packed
from audits.quality.warp import LEAST_FRAMES, steadiness
from audits.rgb import rgb
from audits.sampler import Withheld

if TYPE_CHECKING:
    from collections.abc import Callable

    from audits.quality.features import Extractor
    from audits.quality.reading import Reader
    from audits.quality.warp import Flow, Steadiness
    from audits.sampler import Sampled
    from provenance.media import Frames


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Instruments:
    """What looks at the pictures; None looks not.

    Attributes:
        reader: the oracle.
        extractor: of features.
        flow: optical flow, with its name.
        preview: makes the stamped PNG of a picture that may be shown.
    """

    reader: Reader | None = None
    extractor: Extractor | None = None
    flow: tuple[str, Flow] | None = None
    preview: Callable[[Frames], bytes] | None = None

    @property
    def features(self) -> str | None:
        """Name of the features."""
        return None if self.extractor is None else self.extractor.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which picture it is, as in ``Trial``; ``shown``: a preview of it is kept."""

    model: str
    set: str
    item: int
    guidance: float | None
    seed: int
    shown: bool


def looked_at(outcome: Sampled | Withheld, where: Place, look: Instruments) -> Trial:
    """The trial of one outcome. Of a clip, the middle frame is read."""
    name, set_, item, guidance, seed = where.model, where.set, where.item, where.guidance, where.seed
    if isinstance(outcome, Withheld):
        refused = (outcome.stage, *outcome.rules)
        return Trial(
            model=name, set=set_, item=item, guidance=guidance, seed=seed, withheld=refused, answers={}
        )
    frames = outcome.frames
    middle = rgb(frames, len(frames.pixels) // 2)
    reading = None if look.reader is None else look.reader.read(middle)
    preview = look.preview(frames) if look.preview is not None and where.shown else b""
    return Trial(
        model=name,
        set=set_,
        item=item,
        guidance=guidance,
        seed=seed,
        warnings=outcome.warnings,
        answers={} if reading is None else dict(reading.answers),
        features=packed(None if look.extractor is None else look.extractor(middle)),
        steadiness=_steadiness(frames, look.flow, seed),
        preview=base64.b64encode(preview).decode(),
    )


def _steadiness(frames: Frames, flow: tuple[str, Flow] | None, seed: int) -> Steadiness | None:
    count = len(frames.pixels)
    if flow is None or count < LEAST_FRAMES:
        return None
    return steadiness(np.stack([rgb(frames, index) for index in range(count)]), flow[1], seed=seed)
