"""Finished pieces of a run on disk, so that it can be continued where it was stopped.

One JSON line a row, written and synced when it is done, below a line that names the run: its seed, code and
versions. Rows may be added later. A line that a crash cut short is dropped.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeGuard, TypeVar

from provenance.errors import InputError
from provenance.files import disk_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from provenance.canonical import Json


class Line(Protocol):
    """What is kept."""

    @property
    def place(self) -> tuple[str, ...]:
        """Which piece of the run it is; a later row of the same place counts instead."""
        ...

    def to_json(self) -> dict[str, Json]:
        """Plain values."""
        ...


Row = TypeVar("Row", bound=Line)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[Row]):
    """What a checkpoint holds.

    Attributes:
        format: name of the format, in its first line.
        thing: what wrote it, for messages.
        parse: the row that ``to_json`` gave; raises KeyError, TypeError, ValueError or AttributeError for
            anything else.
    """

    format: str
    thing: str
    parse: Callable[[Any], Row]


@dataclass(slots=True, kw_only=True)
class Checkpoint(Generic[Row]):
    """The rows of one run.

    Attributes:
        kind: of rows.
        path: of the file; None keeps nothing.
        run: names the run, in plain JSON values; rows of another are refused.
        done: rows so far, by place.
    """

    kind: Kind[Row]
    path: Path | None
    run: dict[str, Json]
    done: dict[tuple[str, ...], Row] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path | None, run: dict[str, Json], kind: Kind[Row]) -> Checkpoint[Row]:
        """What there is at ``path``, or a new file.

        Raises:
            InputError: ``bench.checkpoint`` when the file is of another run, or of none.
        """
        made = cls(kind=kind, path=path, run=run)
        if path is not None:
            made._begin(path)
        return made

    def add(self, *rows: Row) -> None:
        """Keep ``rows``, durably; written at once, they are all kept or those before a crash are."""
        self.done.update((row.place, row) for row in rows)
        self._append([row.to_json() for row in rows])

    def _append(self, lines: Iterable[dict[str, Json]]) -> None:
        if self.path is None:
            return
        with disk_errors(self.path), self.path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())

    def _begin(self, path: Path) -> None:
        head: dict[str, Json] = {"format": self.kind.format, "run": self.run}
        with disk_errors(path):
            data = path.read_bytes() if path.exists() else b""
        if json.dumps(head).encode().startswith(data):  # new, or stopped before the first line was whole
            path.unlink(missing_ok=True)
            self._append([head])
        else:
            self._read(path, data)

    def _read(self, path: Path, data: bytes) -> None:
        whole = data[: data.rfind(b"\n") + 1]
        head, *lines = [_parsed(line) for line in whole.splitlines()] or [None]
        if not _is_object(head) or head.get("format") != self.kind.format:
            raise _other(path, f"it is no checkpoint of {self.kind.thing}")
        if head.get("run") != self.run:
            raise _other(path, _difference(head.get("run"), self.run))
        for line in lines:
            try:
                row = self.kind.parse(line)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise _other(path, "a line of it cannot be read") from error
            self.done[row.place] = row
        if len(whole) < len(data):
            with disk_errors(path):
                os.truncate(path, len(whole))


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _is_object(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _difference(before: object, now: dict[str, Json]) -> str:
    known = before if _is_object(before) else {}
    names = sorted(name for name in {*known, *now} if known.get(name) != now.get(name))
    return f"it is of another run: {', '.join(names)} differ"


def _other(path: Path, what: str) -> InputError:
    return InputError(
        "bench.checkpoint",
        f"the run cannot be continued: {what}",
        where=str(path),
        hint="name another folder with -o, or remove the file to start anew",
    )
