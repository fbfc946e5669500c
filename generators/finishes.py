"""The last step of models that draw small squares: from their own pixels to the released size, by name.

A name with its version stands in the card of a model and in every recipe, so that a picture drawn years ago
is finished as it was then. An option ``finish`` of a request asks for another one than the model's own.
"""

from __future__ import annotations

import importlib
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, cast

from generators.pinned import LISTED, SUPER_RESOLUTION
from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from generators.interface import GenerationWarning
    from generators.recipe import StageRecord
    from generators.request import GenerationRequest

PLAIN, LEARNED = "lanczos-unsharp-grain-1", "super-resolution-1"
FINISHES: Mapping[str, str] = MappingProxyType(
    {PLAIN: "generators.finish:plain", LEARNED: "generators.cascade_adapter:learned"}
)
"""Name and version → "module:function" that gives the ``Finish``."""
OPTION = "finish"
"""Of a request."""


class Finish(Protocol):
    """One way to enlarge; a function of pixels and seed."""

    def enlarge(self, pixels: NDArray[np.uint8], *, width: int, height: int, seed: int) -> NDArray[np.uint8]:
        """(h, w, 3) to (height, width, 3)."""
        ...

    def reduce(self, pixels: NDArray[np.float32], *, side: int) -> NDArray[np.float32]:
        """About the (side, side, 3) picture in 0..1 that ``enlarge`` makes ``pixels`` of."""
        ...

    def record(self) -> StageRecord:
        """What the recipe says about it."""
        ...

    def warnings(self, *, width: int, height: int) -> tuple[GenerationWarning, ...]:
        """What is to be said of a result of this size."""
        ...


def finish_named(name: str) -> Finish:
    """The way to enlarge of this name.

    Raises:
        InputError: ``request.finish``: there is none.
        ConfigurationError, IntegrityError: its weights are missing, or not the published ones.
    """
    if name not in FINISHES:
        raise InputError(
            "request.finish",
            "there is no such way to enlarge a picture",
            where=name,
            hint=f"choose from {', '.join(FINISHES)}",
        )
    module, _, function = FINISHES[name].partition(":")
    return cast("Callable[[], Finish]", getattr(importlib.import_module(module), function))()


def newest() -> str:
    """What a model that is exported now is finished with: the learnt way where its weights are at hand."""
    return LEARNED if (SUPER_RESOLUTION / LISTED).is_file() else PLAIN


def chosen(request: GenerationRequest, own: str) -> tuple[GenerationRequest, Finish]:
    """The request without its option ``finish``, and what that says, or the model's ``own``."""
    options: dict[str, Any] = dict(request.options)
    name = options.pop(OPTION, own)
    return replace(request, options=options), finish_named(str(name))


def asked_again(stages: Sequence[StageRecord]) -> dict[str, str]:
    """The option that brings back how a picture was finished; nothing where no finish of ours was."""
    names = [f"{stage.name}-{stage.version}" for stage in stages]
    return {OPTION: names[-1]} if names and names[-1] in FINISHES else {}
