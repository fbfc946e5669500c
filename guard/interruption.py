"""Ctrl-C that waits where stopping at once would leave a file that is out and that nobody was told of."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


@contextmanager
def held() -> Iterator[None]:
    """A Ctrl-C inside takes effect when the block ends; a second one at once, in case the disk hangs.

    It is Python's main thread that is interrupted, so for every other thread there is nothing to hold.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    waiting = False

    def wait(_number: int, _frame: FrameType | None) -> None:
        nonlocal waiting
        if waiting:
            signal.signal(signal.SIGINT, before)
            waiting = False
            signal.raise_signal(signal.SIGINT)
        else:
            waiting = True

    signal.signal(signal.SIGINT, wait)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if waiting:  # also where the block fails: the next file of a batch must not begin
            signal.raise_signal(signal.SIGINT)
