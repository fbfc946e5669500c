"""Frames of a clip that are given: prediction, filling in, and making a picture move.

RaMViD (Höppe et al. 2022): given frames enter the network clean at every step, the others are drawn to fit
them. Which they are: the option ``given_frames``, places from 0; without it a picture is frame 0, and a clip
is how the new one begins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from generators.recipe import StageRecord
from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from generators.interface import LatentInit
    from provenance.canonical import Json

OPTION, NAME, VERSION = "given_frames", "given-frames", "1"


def places(said: object, count: int, frames: int) -> tuple[int, ...]:
    """Where the ``count`` given frames stand in a clip of ``frames``.

    Args:
        said: the option, None for "at the beginning".
        count: of the frames that are given.
        frames: of the clip.

    Raises:
        InputError: ``request.given-frames``.
    """
    found = list(range(count)) if said is None else said
    if not isinstance(found, list | tuple) or not all(type(place) is int for place in found):
        raise _wrong("the places of given frames are a list of whole numbers")
    if len(found) != count:
        raise _wrong(f"init has {count} frames, and {len(found)} places are named")
    if sorted(set(found)) != list(found) or not all(0 <= place < frames for place in found):
        raise _wrong(f"places of given frames rise, from 0 to {frames - 1}")
    if count == frames:
        raise _wrong("all frames are given, and none is left to draw")
    return tuple(found)


class GivenFrames:
    """A ``StepHook`` that puts the given frames back after every step.

    Attributes:
        latents: (C, k, h, w), as the model scales them.
        frames: where they stand.
    """

    name, version = NAME, VERSION

    def __init__(self, latents: NDArray[np.float32], frames: tuple[int, ...]) -> None:
        self.latents, self.frames = latents, frames

    @property
    def parameters(self) -> Mapping[str, Json]:
        """The places; the pixels are named by the recipe's ``init_sha256``."""
        return {"frames": list(self.frames)}

    def __call__(self, *, step: int, timestep: float, tensors: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG002
        """Latents (B, C, T, h, w) with the given frames clean again."""
        latents = tensors["latents"].clone()
        latents[:, :, list(self.frames)] = latents.new_tensor(self.latents)
        return {"latents": latents}

    def start(self, before: LatentInit | None) -> LatentInit:
        """The noise of ``before`` with the given frames in it."""

        def begin(noise: NDArray[np.float32]) -> tuple[NDArray[np.float32], StageRecord]:
            begun, record = (noise, StageRecord(name=NAME, version=VERSION, parameters=self.parameters))
            if before is not None:
                begun, record = before(noise)
            begun = begun.copy()
            begun[:, list(self.frames)] = self.latents
            return begun, record

        return begin


def _wrong(what: str) -> InputError:
    return InputError("request.given-frames", what, where=f"options.{OPTION}")
