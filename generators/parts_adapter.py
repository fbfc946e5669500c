"""Parts of a loaded pipeline, found without walking through all of its modules.

``DiffusionPipeline.device`` looks for hooks on every module there is, at a tenth of the time that a small
model takes for a picture; the network that is called at each step knows as well.
"""

from __future__ import annotations

import functools
import inspect
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def core_of(pipeline: Any) -> Any:
    """The network that is called at each step; None where there is none."""
    return first_of(pipeline, "transformer", "unet")


def first_of(pipeline: Any, *names: str) -> Any:
    """The first of these parts that a pipeline has; None where it has none.

    Never asked for its truth: a compiled network (``torch.compile``) has none.
    """
    return next((part for name in names if (part := getattr(pipeline, name, None)) is not None), None)


def place_of(pipeline: Any) -> tuple[Any, Any]:
    """Device and precision of the network that is called at each step."""
    parameters = getattr(core_of(pipeline), "parameters", None)
    first = None if parameters is None else next(parameters(), None)
    return (pipeline.device, pipeline.dtype) if first is None else (first.device, first.dtype)


def call_of(pipeline: Any) -> Mapping[str, inspect.Parameter]:
    """Arguments of the pipeline's call, by name."""
    kind: Any = type(pipeline)
    return _call_of(kind)


@functools.cache
def _call_of(kind: Any) -> Mapping[str, inspect.Parameter]:
    """Read once: it takes longer than much of what is done with it."""
    found = dict(inspect.signature(kind.__call__).parameters)
    found.pop("self", None)
    return MappingProxyType(found)
