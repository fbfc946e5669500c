"""Group commit: what several threads want to log at the same time becomes one append and one sync.

A checkpoint is signed and synced once for a whole group, which is also what a reader of checkpoints sees:
a group, not each entry. Whoever comes first waits a moment for others only when there are others: a
single writer loses nothing. Processes take turns by the log's lock, each with its own groups; where many
processes release, let one signer process hold the log.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING

from provenance.log.store import Log, require_fitting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provenance.log.writing import Appended

MOST_ENTRIES = 256
"""One tile: a larger group saves little, and its first writer would wait longer."""
LONGEST_WAIT_S = 0.05


@dataclass(slots=True, eq=False)
class _Wish:
    """Entries of one caller, and what came of them."""

    entries: Sequence[bytes]
    done: threading.Event = field(default_factory=threading.Event)
    indexes: tuple[int, ...] = ()
    appended: Appended | None = None
    error: BaseException | None = None


class GroupCommit:
    """A log that threads share.

    Args:
        log: with its signer.
        most: entries in a group; one caller's entries are never parted, even when they are more.
        wait_s: how long the first of a group waits for the others, and only while others are under way.
    """

    def __init__(self, log: Log, *, most: int = MOST_ENTRIES, wait_s: float = LONGEST_WAIT_S) -> None:
        self.log = log
        self._most, self._wait_s = most, wait_s
        self._state = threading.Condition()
        self._waiting: list[_Wish] = []
        self._callers = 0
        self._writing = False

    @property
    def callers(self) -> int:
        """How many threads are in ``append`` now."""
        return self._callers

    def append(self, entries: Sequence[bytes]) -> Appended:
        """Write ``entries``, durable when this returns, together with what other threads bring.

        Raises:
            As ``Log.append``. An error of the log is raised by every caller of the group; entries that are
            too large are refused before they join one.
        """
        require_fitting(entries)
        wish = _Wish(entries)
        with self._state:
            self._callers += 1
            self._waiting.append(wish)
            self._state.notify_all()
        try:
            self._led(wish)
        finally:
            with self._state:
                self._callers -= 1
                self._state.notify_all()
        if wish.error is not None:
            raise wish.error
        assert wish.appended is not None
        return replace(wish.appended, indexes=wish.indexes)

    def _led(self, wish: _Wish) -> None:
        """Wait until somebody has written ``wish``, and be that somebody when nobody else is writing."""
        while True:
            with self._state:
                self._state.wait_for(lambda: wish.done.is_set() or not self._writing)
                if wish.done.is_set():
                    return
                self._writing = True
                self._state.wait_for(self._enough, timeout=self._wait_s)
                group = self._taken()
            try:
                self._write(group)
            finally:
                with self._state:
                    self._writing = False
                    self._state.notify_all()

    def _enough(self) -> bool:
        """A full group, or nobody under way who is not waiting already."""
        return self._callers == len(self._waiting) or self._count(self._waiting) >= self._most

    def _taken(self) -> list[_Wish]:
        """The longest run of waiting wishes that fits into a group, at least one."""
        taken = [self._waiting.pop(0)]
        while self._waiting and self._count([*taken, self._waiting[0]]) <= self._most:
            taken.append(self._waiting.pop(0))
        return taken

    @staticmethod
    def _count(wishes: Sequence[_Wish]) -> int:
        return sum(len(wish.entries) for wish in wishes)

    def _write(self, group: Sequence[_Wish]) -> None:
        try:
            appended = self.log.append([entry for wish in group for entry in wish.entries])
        except BaseException as error:
            for wish in group:
                wish.error = error
            if not isinstance(error, Exception):
                raise  # an interruption is the leader's own, whosever entries it was writing
        else:
            at = 0
            for wish in group:
                wish.appended = appended
                wish.indexes = appended.indexes[at : at + len(wish.entries)]
                at += len(wish.entries)
        finally:
            for wish in group:
                wish.done.set()


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedLog(Log):
    """A log whose appends are gathered in groups; everything else is as ever. Made by ``shared``."""

    group: GroupCommit = field(repr=False, compare=False)

    def append(self, entries: Sequence[bytes]) -> Appended:
        """As ``Log.append``, together with what other threads bring."""
        return self.group.append(entries)


def shared(log: Log) -> SharedLog:
    """``log`` for threads that append at the same time."""
    plain = {one.name: getattr(log, one.name) for one in fields(Log)}
    return SharedLog(**plain, group=GroupCommit(log))
