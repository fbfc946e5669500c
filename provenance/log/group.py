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
    """Entries of one caller, and what came of them.

    Attributes:
        entries: to be written.
        gate: closed until the entries are written, or until it is this caller's turn to lead.
        leads: it is its turn.
        appended: what the group's append did; None before, and after an error.
        at: where in the group the entries begin.
        error: what the group's append raised.
    """

    entries: Sequence[bytes]
    gate: threading.Lock = field(default_factory=threading.Lock)
    leads: bool = False
    appended: Appended | None = None
    at: int = 0
    error: BaseException | None = None


class GroupCommit:
    """A log that threads share. One of the waiting callers leads: it writes for all and names the next.

    Args:
        log: with its signer.
        most: entries in a group; one caller's entries are never parted, even when they are more.
        wait_s: how long the first of a group waits for the others, and only while others are under way.
    """

    def __init__(self, log: Log, *, most: int = MOST_ENTRIES, wait_s: float = LONGEST_WAIT_S) -> None:
        self.log = log
        self._most, self._wait_s = most, wait_s
        self._state, self._gathered = threading.Lock(), threading.Event()
        self._waiting: list[_Wish] = []
        self._entries = 0
        """In ``_waiting``; counted along, because each caller looks at it under the lock."""
        self._callers = 0
        self._led = False

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
        wish.gate.acquire()
        with self._state:
            self._callers += 1
            self._waiting.append(wish)
            self._entries += len(entries)
            wish.leads, self._led = not self._led, True
            self._tell()
        try:
            if not wish.leads:
                self._wait(wish)
            if wish.leads:
                self._lead(wish)
        finally:
            with self._state:
                self._callers -= 1
                self._tell()
        if wish.error is not None:
            raise wish.error
        assert wish.appended is not None
        indexes = wish.appended.indexes[wish.at : wish.at + len(wish.entries)]
        return replace(wish.appended, indexes=indexes)

    def _wait(self, wish: _Wish) -> None:
        try:
            wish.gate.acquire()
        except BaseException:  # an interruption: nobody writes for this caller any more, nor waits for it
            self._leave(wish)
            raise

    def _lead(self, wish: _Wish) -> None:
        """Write a group that begins with ``wish``, which is the first of those that wait."""
        try:
            self._gather()
        except BaseException:
            self._leave(wish)
            raise
        with self._state:
            group = self._taken()
        try:
            self._write(group)
        finally:
            for other in group[1:]:
                other.gate.release()
            with self._state:
                self._pass_on()

    def _gather(self) -> None:
        with self._state:
            self._gathered.clear()
            self._tell()
        self._gathered.wait(self._wait_s)

    def _tell(self) -> None:
        """The leader need not wait for a full group, nor where nobody is under way who does not wait."""
        if self._callers == len(self._waiting) or self._entries >= self._most:
            self._gathered.set()

    def _taken(self) -> list[_Wish]:
        """The longest run of waiting wishes that fits into a group, at least one."""
        number, size = 0, 0
        for number, wish in enumerate(self._waiting, start=1):  # noqa: B007 - used below
            size += len(wish.entries)
            if size >= self._most:
                break
        if size > self._most:
            number = max(1, number - 1)
        group, self._waiting = self._waiting[:number], self._waiting[number:]
        self._entries -= sum(len(wish.entries) for wish in group)
        return group

    def _pass_on(self) -> None:
        self._led = bool(self._waiting)
        if self._led:
            self._waiting[0].leads = True
            self._waiting[0].gate.release()

    def _leave(self, wish: _Wish) -> None:
        with self._state:
            if wish in self._waiting:
                self._waiting.remove(wish)
                self._entries -= len(wish.entries)
                if wish.leads:
                    self._pass_on()

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
                wish.appended, wish.at = appended, at
                at += len(wish.entries)


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
