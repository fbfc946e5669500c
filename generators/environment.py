"""Where something was drawn, for its recipe. No heavy imports: whoever calls knows the threads."""

from __future__ import annotations

import functools
import platform
from importlib.metadata import version
from typing import TYPE_CHECKING

from generators.recipe import Environment

if TYPE_CHECKING:
    from collections.abc import Iterable

_version = functools.cache(version)
"""Of an installed library; it does not change, and reading it takes longer than a small picture."""


def environment(
    libraries: Iterable[str], *, threads: int, device: str = "cpu", dtype: str = "float32"
) -> Environment:
    """Versions of Python and of ``libraries``, those that can move a pixel, at this moment.

    Args:
        libraries: as package indexes name them.
        threads: of torch within one operation.
        device: "cpu", "cuda", …
        dtype: of weights and activations.
    """
    return Environment(
        python=platform.python_version(),
        libraries={name.lower(): _version(name) for name in libraries},
        device=device,
        dtype=dtype,
        threads=threads,
    )
