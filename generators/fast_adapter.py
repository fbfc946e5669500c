"""Lays fast profiles over a pipeline while a batch is drawn, and takes them off again bit for bit."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from generators.fast import FEW_STEPS, INT8, ORDER, PROFILES, PRUNED, REUSE, SLICED, solver
from generators.int8_adapter import in_int8
from generators.parts_adapter import core_of
from generators.pruning_adapter import pruned
from generators.recipe import StageRecord
from generators.reuse_adapter import reusing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from provenance.canonical import Json


@contextmanager
def laid_over(pipeline: Any, names: Sequence[str], own: Any) -> Iterator[tuple[StageRecord, ...]]:
    """The pipeline drawn with the profiles ``names``; what the recipe says of them.

    Args:
        pipeline: is left as it was found, also when the call is interrupted.
        names: of ``generators.fast.PROFILES``, checked.
        own: the model's scheduler.

    Raises:
        InputError: ``request.fast``: a profile finds nothing that it could make faster.
    """
    with ExitStack() as undo:
        said: dict[str, Any] = {FEW_STEPS: solver(dict(own.config)), SLICED: {"vae_slicing": True}}
        for name in ORDER:
            if name in names and name in _LAYERS:
                said[name] = undo.enter_context(_LAYERS[name](core_of(pipeline)))
        yield tuple(_record(name, said[name]) for name in ORDER if name in names)


def _record(name: str, parameters: dict[str, Json]) -> StageRecord:
    return StageRecord(name=name, version=PROFILES[name].version, parameters=parameters)


_LAYERS: dict[str, Any] = {PRUNED: pruned, INT8: in_int8, REUSE: reusing}
