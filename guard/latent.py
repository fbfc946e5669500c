"""Latent marks at work: put into the noise of what is generated here, looked for among those on record.

Each picture's mark (nonce and payload) stands in its recipe and so in its private record, nowhere else:
without the record nobody, the holder of the key included, can tell that the mark is there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guard.records import Progress
from provenance.errors import IntegrityError
from provenance.evidence import Evidence, Outcome
from provenance.media import Frames
from provenance.watermark.interface import WatermarkReading
from provenance.watermark.latent_reading import CLAIM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from generators.recipe import StageRecord
    from guard.records import Record, Records
    from provenance.video.look import ClipLook
    from provenance.watermark.key import WatermarkKey
    from provenance.watermark.latent import LatentMark
    from provenance.watermark.latent_reading import Inverter

STAGE = "latent-mark"
"""In recipes, and the channel of readings."""
_LEFT = frozenset({Progress.WRITTEN, Progress.RELEASED})
"""How far a release came whose picture may be out there."""
_REFINEMENTS = 20
"""Gradient steps on the decoder: a fifth more statistic for two seconds (measured on the bundled model)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shading:
    """Marks the noise of each picture afresh; a ``generators.interface.LatentInit``.

    Attributes:
        key: whose keystream.
        random: n unpredictable bytes.
    """

    key: WatermarkKey
    random: Callable[[int], bytes]

    def __call__(self, noise: NDArray[np.float32]) -> tuple[NDArray[np.float32], StageRecord]:
        """The marked noise, and what the recipe says of it.

        Raises:
            InputError: ``latent.capacity-exceeded``.
        """
        from generators.recipe import StageRecord  # noqa: PLC0415
        from provenance.watermark.latent import ALGORITHM, fresh, shade  # noqa: PLC0415 - numpy

        mark = fresh(self.random)
        stage = StageRecord(
            name=STAGE,
            version="1",
            parameters={
                "algorithm": ALGORITHM,
                "key_id": self.key.key_id,
                "epoch": self.key.epoch,
                "nonce": mark.nonce.hex(),
                "payload": mark.payload.hex(),
            },
        )
        return shade(noise, mark, self.key), stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Reshading:
    """Marks noise again as it was marked once, for a replay; a ``generators.interface.LatentInit``.

    All pictures of the batch get the mark of the one in question. No picture leaves a replay, so a keystream
    is still used once in all that can be seen.

    Attributes:
        key: whose keystream.
        stage: what the recipe said of the mark.
    """

    key: WatermarkKey
    stage: StageRecord

    def __call__(self, noise: NDArray[np.float32]) -> tuple[NDArray[np.float32], StageRecord]:
        """The marked noise, and the same entry of the recipe.

        Raises:
            IntegrityError: ``record.damaged``.
        """
        from provenance.watermark.latent import shade  # noqa: PLC0415 - numpy

        (mark,) = _marks([self.stage.parameters])
        return shade(noise, mark, self.key), self.stage


def on_record(records: Records) -> Iterator[tuple[Record, LatentMark]]:
    """The latent marks of the releases made here, and their records.

    Raises:
        IntegrityError: ``record.damaged``.
    """
    for path in sorted(records.folder.glob("*.json")):
        record = records.read(path.stem)
        if record.recipe is not None and record.progress in _LEFT:
            yield from ((record, mark) for mark in _marks_of(record.recipe))


def look(
    seen: Frames | ClipLook,
    *,
    inverter: Inverter,
    keys: Sequence[WatermarkKey],
    records: Records,
    pixel_mark: Evidence | None = None,
) -> tuple[Evidence, Record | None]:
    """Which release of this installation a picture was drawn for, by the mark in its noise.

    Args:
        seen: the copy as found.
        inverter: of the model that may have drawn it.
        keys: whose keystreams to try.
        records: private records, in which the nonces stand.
        pixel_mark: the tile's reading; its geometry is undone first.

    Returns:
        what was found, and the record it leads to where it was.

    Raises:
        IntegrityError: ``record.damaged``.
    """
    from provenance.watermark.latent_detection import detect_latent  # noqa: PLC0415 - numpy, OpenCV

    if not isinstance(seen, Frames):
        why = "latent marks are read from single pictures; this is a clip"
        return Evidence(claim=CLAIM, channel=STAGE, outcome=Outcome.NOT_CHECKED, reason=why), None
    known = list(on_record(records))
    reading = None if pixel_mark is None else pixel_mark.detail
    geometry = reading.geometry if isinstance(reading, WatermarkReading) else None
    found = detect_latent(
        seen, inverter=inverter, keys=keys, marks=[mark for _, mark in known], geometry=geometry
    )
    if found.outcome is not Outcome.SUPPORTS:
        return found, None
    nonce = getattr(found.detail, "nonce", None)
    return found, next(record for record, mark in known if mark.nonce == nonce)


def inverter_for(model: str) -> Inverter:
    """What follows pictures back to the noise of ``model``, with an empty prompt: prompts are private.

    Raises:
        As ``generators.registry.load``.
    """
    from generators.registry import load  # noqa: PLC0415

    generator = load(model)
    from generators.latents_adapter import DiffusersInverter  # noqa: PLC0415 - torch

    return DiffusersInverter(generator=generator, refinements=_REFINEMENTS)  # type: ignore[arg-type]


def _marks_of(recipe: str) -> list[LatentMark]:
    try:
        stages = [stage["parameters"] for stage in json.loads(recipe)["hooks"] if stage["name"] == STAGE]
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged() from error
    return _marks(stages)


def _marks(parameters: Sequence[Mapping[str, Any]]) -> list[LatentMark]:
    from provenance.watermark.latent import LatentMark  # noqa: PLC0415 - numpy

    try:
        read = [(one["nonce"], one["payload"]) for one in parameters]
        return [LatentMark(nonce=bytes.fromhex(n), payload=bytes.fromhex(p)) for n, p in read]
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged() from error


def _damaged() -> IntegrityError:
    what, hint = "the recipe in a private record cannot be read", "restore the records folder from a backup"
    return IntegrityError("record.damaged", what, hint=hint)
