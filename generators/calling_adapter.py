"""One call of a diffusers pipeline: where its exceptions end and its numbers become pixels."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from generators.parts_adapter import place_of
from generators.refusals import not_finite
from provenance.errors import ConfigurationError, Error, InputError, reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from generators.interface import StepHook


def pictures_of(
    pipeline: Any,
    arguments: Mapping[str, Any],
    *,
    returns: str = "images",
    seed: int = 0,
    options: Iterable[str] = (),
) -> tuple[NDArray[np.uint8], tuple[bool, ...]]:
    """Call the pipeline: (N, T, H, W, C) uint8, and which of them its own safety checker replaced.

    Args:
        pipeline: is left as it was found, also when the call is interrupted.
        arguments: of the call.
        returns: ``"images"`` or ``"frames"``: the attribute of the result.
        seed: of torch's common random stream, in case something draws from it in spite of its own.
        options: names of those arguments that a user chose, for the error.

    Raises:
        InputError: ``generate.failed``; the pipeline refused the call.
        ConfigurationError: ``generate.out-of-memory``.
        IntegrityError: ``generate.not-finite``.
    """
    try:
        with _own_stream(place_of(pipeline)[0], seed), _quietly():
            result = pipeline(**arguments)
    except _REFUSALS as error:
        raise _translated(error, arguments, options) from error
    images = _numbers(result, returns)
    flagged = getattr(result, "nsfw_content_detected", None) or [False] * len(images)
    pixels: NDArray[np.uint8] = np.rint(images * 255).clip(0, 255).astype(np.uint8)
    return pixels if returns == "frames" else pixels[:, None], tuple(bool(flag) for flag in flagged)


@contextmanager
def _own_stream(device: Any, seed: int) -> Iterator[None]:
    """Torch's common random stream from ``seed`` on, and afterwards as it was.

    Not ``torch.manual_seed``, which writes down a stack trace for every kind of device that is not there.
    """
    cards = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(cards):
        torch.default_generator.manual_seed(seed)
        for card in cards:
            with torch.cuda.device(card):
                torch.cuda.manual_seed(seed)
        yield


def _quietly() -> Any:
    """What diffusers says to authors of pipelines is not for whoever runs one."""
    return warnings.catch_warnings(action="ignore", category=FutureWarning)


def _numbers(result: Any, returns: str) -> NDArray[np.float32]:
    images = np.asarray(getattr(result, returns))
    if not np.isfinite(images).all():
        raise not_finite(hint="try another scheduler, a lower guidance scale or full precision")
    return images


def _translated(error: Exception, arguments: Mapping[str, Any], options: Iterable[str]) -> Error:
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or _NO_MEMORY in str(error):
        return ConfigurationError(
            "generate.out-of-memory",
            "the model needs more memory than there is",
            hint="ask for smaller pictures, shorter clips, or the options vae_slicing and vae_tiling",
        )
    what = f"the model could not run: {reason(error, hidden=_texts(arguments))}"
    where = ", ".join(f"options.{name}" for name in options)
    hint = "leave out the options that it cannot work with" if where else None
    return InputError("generate.failed", what, where=where or None, hint=hint)


def _texts(arguments: Mapping[str, Any]) -> Iterator[str]:
    """The words among the arguments, which errors do not repeat: they may be logged."""
    for value in arguments.values():
        yield from (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str))


_REFUSALS = (
    MemoryError,
    RuntimeError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    AssertionError,
    ArithmeticError,
    NameError,
)
"""What diffusers and torch raise over arguments that they cannot work with; over none to divide by, and over
loops of no steps, which leave a variable unset, too."""
_NO_MEMORY = "can't allocate memory"
"""How torch's allocator for the CPU says it, as a plain RuntimeError."""


def callback_of(hooks: Sequence[StepHook]) -> Any:
    """``hooks`` as the one callback that pipelines take; each sees what the one before returned.

    Raises:
        InputError: ``request.unsupported`` for a hook that returns what the pipeline would not read.
    """

    def on_step_end(_pipeline: Any, step: int, time: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        for hook in hooks:
            changed = hook(step=step, timestep=float(time), tensors=tensors)
            if unread := sorted(changed.keys() - tensors.keys()):
                what = f"the hook {hook.name} returns what this model does not take: {', '.join(unread)}"
                raise InputError("request.unsupported", what, where="hooks")
            tensors = {**tensors, **changed}
        return tensors

    return on_step_end
