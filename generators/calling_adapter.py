"""One call of a diffusers pipeline: where its exceptions end and its numbers become pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from provenance.errors import ConfigurationError, InputError, IntegrityError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from generators.interface import StepHook


def pictures_of(pipeline: Any, arguments: Mapping[str, Any]) -> tuple[NDArray[np.uint8], tuple[bool, ...]]:
    """Call the pipeline: (N, H, W, 3) uint8, and which of them its own safety checker replaced.

    Raises:
        InputError: ``generate.failed``; the pipeline refused the call.
        ConfigurationError: ``generate.out-of-memory``.
        IntegrityError: ``generate.not-finite``.
    """
    try:
        result = pipeline(**arguments)
    except MemoryError as error:
        raise ConfigurationError(
            "generate.out-of-memory",
            "the model needs more memory than there is",
            hint="ask for smaller pictures",
        ) from error
    except (RuntimeError, ValueError, TypeError, NotImplementedError) as error:
        first = (str(error).splitlines() or [""])[0][:200]
        raise InputError(
            "generate.failed", f"the model could not run: {type(error).__name__}: {first}"
        ) from error
    images = np.asarray(result.images)
    if not np.isfinite(images).all():
        raise IntegrityError(
            "generate.not-finite",
            "the model gave numbers that are no picture (NaN or infinity)",
            hint="try another scheduler, a lower guidance scale or full precision",
        )
    flagged = getattr(result, "nsfw_content_detected", None) or [False] * len(images)
    pixels: NDArray[np.uint8] = np.rint(images * 255).clip(0, 255).astype(np.uint8)
    return pixels, tuple(bool(flag) for flag in flagged)


def callback_of(hooks: Sequence[StepHook]) -> Any:
    """``hooks`` as the one callback that pipelines take; each sees what the one before returned."""

    def on_step_end(_pipeline: Any, step: int, time: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        for hook in hooks:
            tensors = {**tensors, **hook(step=step, timestep=float(time), tensors=tensors)}
        return tensors

    return on_step_end
