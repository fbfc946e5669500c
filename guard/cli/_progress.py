"""How far a long run is, on a terminal only, after the first second, on stderr."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_AFTER, _EVERY = 1.0, 0.2
"""Seconds before anything is shown, and between two changes of it."""

T = TypeVar("T")


def counted(items: Sequence[T], what: str, *, quiet: bool, stream: Any = None) -> Iterator[T]:
    """``items``, while a line such as ``verify 12 of 300`` says which one is at work.

    Args:
        what: the word before the numbers.
        quiet: results appear on the same terminal, which is progress enough.
        stream: where to; stderr, if None.
    """
    out = sys.stderr if stream is None else stream
    shown = not quiet and len(items) > 1 and out.isatty()
    began = last = time.monotonic()
    for number, item in enumerate(items, 1):
        now = time.monotonic()
        if shown and now - began >= _AFTER and now - last >= _EVERY:
            out.write(f"\r{what} {number} of {len(items)}\x1b[K")
            out.flush()
            last = now
        yield item
    if last != began:
        out.write("\r\x1b[K")
        out.flush()
