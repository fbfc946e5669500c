"""Keeps what changes little from one denoising step to the next, and computes it at every other step only.

U-Nets: the inner blocks are kept, the outermost ones are computed at each step ("DeepCache", Ma, Fang and
Wang 2023, at the granularity of blocks). Transformers: the output is continued from its last values
("TaylorSeer", Liu et al. 2025, as diffusers has it). Both count steps and look at no pixels, so a picture
does not depend on its neighbours in a batch; caches with a threshold over the batch would make it so.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import diffusers

from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

    from provenance.canonical import Json

EVERY = 2
"""Steps from one full computation to the next."""
_FIRST = 3
"""Steps of a transformer that are computed before anything is continued: a slope needs two of them."""


@contextmanager
def reusing(network: Any) -> Iterator[dict[str, Json]]:
    """``network`` with its inner results kept between steps; what the recipe says of it.

    Raises:
        InputError: ``request.fast``.
    """
    kept = _continued if hasattr(network, "enable_cache") else _kept
    with kept(network) as said:
        yield said


@contextmanager
def _continued(network: Any) -> Iterator[dict[str, Json]]:
    settings: dict[str, Any] = {
        "cache_interval": EVERY,
        "disable_cache_before_step": _FIRST,
        "max_order": 1,
        "use_lite_mode": True,
    }
    said = {"cache": "TaylorSeerCacheConfig", **settings}
    network.enable_cache(diffusers.TaylorSeerCacheConfig(**settings, taylor_factors_dtype=network.dtype))
    try:
        yield said
    finally:
        network.disable_cache()


@contextmanager
def _kept(network: Any) -> Iterator[dict[str, Json]]:
    inner = _inner(network)
    clock = _Clock()
    with ExitStack() as undo:
        undo.callback(network.register_forward_pre_hook(clock.tick).remove)
        for block in inner:
            undo.enter_context(_remembering(block, clock))
        yield {"kept_blocks": len(inner), "every": EVERY}


def _inner(network: Any) -> list[torch.nn.Module]:
    """All blocks but the first down and the last up."""
    down, up = (list(getattr(network, name, ())) for name in ("down_blocks", "up_blocks"))
    middle = getattr(network, "mid_block", None)
    inner = [*down[1:], *([] if middle is None else [middle]), *up[:-1]]
    if len(down) < 2 or len(up) < 2:
        raise InputError(
            "request.fast",
            "this network has no inner blocks that could be kept",
            where=type(network).__name__,
        )
    return inner


class _Clock:
    """Counts the calls of a network; schedulers of the profile's families call it once for each step."""

    def __init__(self) -> None:
        self.step = -1

    def tick(self, *_: Any) -> None:
        """One call begins."""
        self.step += 1

    @property
    def full(self) -> bool:
        """Whether everything is computed at this step."""
        return self.step % EVERY == 0


@contextmanager
def _remembering(block: torch.nn.Module, clock: _Clock) -> Iterator[None]:
    """``block`` gives what it gave at the last full step, without computing it."""
    computed, was = block.forward, block.__dict__.get("forward")
    last: list[Any] = []

    def forward(*arguments: Any, **named: Any) -> Any:
        if clock.full or not last:
            last[:] = [computed(*arguments, **named)]
        return last[0]

    block.forward = forward
    try:
        yield
    finally:
        del block.forward
        if was is not None:
            block.forward = was
