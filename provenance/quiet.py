"""Keeping what hostile files make decoders say off the user's terminal.

Python warnings can be provoked at will, and libtiff, libpng and OpenCV write to file descriptor 2
directly, in words that partly come from the file. Both are silenced while any thread decodes; counting
makes overlapping threads safe, which ``warnings.catch_warnings`` alone is not.
"""

from __future__ import annotations

import os
import sys
import threading
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_STDERR = 2


class _Shared:
    """A context that is entered when the first thread comes and left when the last one goes."""

    def __init__(self, enter: Callable[[], Callable[[], None]]) -> None:
        self._enter = enter
        self._lock = threading.Lock()
        self._inside = 0
        self._leave: Callable[[], None] = _nothing

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._leave = self._enter()
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._leave()


def _nothing() -> None:
    pass


def _mute_warnings() -> Callable[[], None]:
    caught = warnings.catch_warnings()
    caught.__enter__()
    warnings.simplefilter("ignore")
    return lambda: caught.__exit__(None, None, None)


def _mute_stderr() -> Callable[[], None]:
    """Point descriptor 2 nowhere; what other threads write to it meanwhile is lost too."""
    if sys.stderr is not None:
        sys.stderr.flush()
    try:
        kept = os.dup(_STDERR)
    except OSError:  # a service without standard error: nothing to mute
        return _nothing
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _STDERR)
    os.close(nowhere)

    def restore() -> None:
        os.dup2(kept, _STDERR)
        os.close(kept)

    return restore


NO_WARNINGS = _Shared(_mute_warnings)
"""Silences Python warnings."""
NO_STDERR = _Shared(_mute_stderr)
"""Silences native libraries; kept to those that need it."""
