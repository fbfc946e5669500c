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


class Stepping:
    """A line such as ``train lora 120 of 200  loss 0.0412``, while this is open.

    Args:
        total: steps altogether.
        what: the words before the numbers.
        stream: where to; stderr, if None.
    """

    def __init__(self, total: int, what: str, *, stream: Any = None) -> None:
        self._total, self._what = total, what
        self._out = sys.stderr if stream is None else stream
        self._began = self._last = time.monotonic()

    def __enter__(self) -> Stepping:
        return self

    def at(self, step: int, loss: float) -> None:
        """Called after every step."""
        now = time.monotonic()
        if self._out.isatty() and now - self._began >= _AFTER and now - self._last >= _EVERY:
            self._out.write(f"\r{self._what} {step} of {self._total}  loss {loss:.4f}\x1b[K")
            self._out.flush()
            self._last = now

    def __exit__(self, *_: object) -> None:
        if self._last != self._began:
            self._out.write("\r\x1b[K")
            self._out.flush()
