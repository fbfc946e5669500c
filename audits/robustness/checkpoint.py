"""Trials on disk while a run goes on, so that it can be continued where it was stopped.

One JSON line a trial, written and synced when it is done, below a line that names the run: its seed,
attacks, code and versions. Pictures and methods may be added later. A line that a crash cut short is dropped.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeGuard

from audits.robustness.trial import Trial
from provenance.errors import InputError
from provenance.files import disk_errors

if TYPE_CHECKING:
    from pathlib import Path

    from provenance.canonical import Json

_FORMAT = "mediaguard attack lab 1"


@dataclass(slots=True, kw_only=True)
class Checkpoint:
    """The trials of one run.

    Attributes:
        path: of the file; None keeps nothing.
        run: names the run, in plain JSON values; trials of another are refused.
        done: trials so far, by method and picture.
    """

    path: Path | None
    run: dict[str, Json]
    done: dict[tuple[str, str], Trial] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path | None, run: dict[str, Json]) -> Checkpoint:
        """What there is at ``path``, or a new file.

        Raises:
            InputError: ``bench.checkpoint`` when the file is of another run, or of none.
        """
        made = cls(path=path, run=run)
        if path is not None:
            made._begin(path)
        return made

    def holds(self, method: str, picture: str, identity: str) -> bool:
        """Whether that trial is there, of the method as it is now."""
        trial = self.done.get((method, picture))
        return trial is not None and trial.identity == identity

    def add(self, trial: Trial) -> None:
        """Keep ``trial``, durably."""
        self.done[trial.method, trial.picture] = trial
        self._append(trial.to_json())

    def _append(self, line: dict[str, Json]) -> None:
        if self.path is None:
            return
        with disk_errors(self.path), self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _begin(self, path: Path) -> None:
        head: dict[str, Json] = {"format": _FORMAT, "run": self.run}
        with disk_errors(path):
            data = path.read_bytes() if path.exists() else b""
        if json.dumps(head).encode().startswith(data):  # new, or stopped before the first line was whole
            path.unlink(missing_ok=True)
            self._append(head)
        else:
            self._read(path, data)

    def _read(self, path: Path, data: bytes) -> None:
        whole = data[: data.rfind(b"\n") + 1]
        head, *lines = [_parsed(line) for line in whole.splitlines()] or [None]
        if not _is_object(head) or head.get("format") != _FORMAT:
            raise _other(path, "it is no checkpoint of the attack lab")
        if head.get("run") != self.run:
            raise _other(path, _difference(head.get("run"), self.run))
        for line in lines:
            try:
                trial = Trial.from_json(line)
            except (KeyError, TypeError, AttributeError) as error:
                raise _other(path, "a line of it is no trial") from error
            self.done[trial.method, trial.picture] = trial
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
