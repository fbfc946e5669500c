"""Many files, one after the other: what came of each, as text, as one JSON document or as JSON Lines.

The document holds ``schema_version``, ``exit_code``, the results under a name of the command's own and,
under ``errors``, the files that could not be done, or why nothing could. JSON Lines have a result or an
error on each line.
"""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from guard.cli._options import debugging
from guard.cli._output import report_error, told, warning, write_document
from guard.serialise import to_json
from guard.verdict import INTERRUPTED, MET, gravest
from provenance.errors import Error, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from provenance.canonical import Json

RESULTS = {
    "generate": "released",
    "replay": "replays",
    "release": "released",
    "sign": "released",
    "watermark embed": "released",
    "watermark detect": "readings",
    "verify": "verdicts",
    "inspect": "signals",
    "recover": "recoveries",
}
"""What each command calls its results in the JSON document (README, "Commands")."""
_MOST_NAMED = 10
"""Files that were not looked at and are named in the terminal; JSON has all of them."""


@dataclass(slots=True, kw_only=True)
class Batch:
    """What came of the files so far.

    Attributes:
        name: of the results in the JSON document; None for a command that works on no files.
        skipped: files in a folder that were not looked at, and why.
        done: how many results there are.
        format_: ``"text"``, for which the command prints its results itself, ``"json"`` or ``"jsonl"``.
    """

    name: str | None
    format_: str
    results: list[Json] = field(default_factory=list)
    errors: list[Json] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    skipped: list[dict[str, Json]] = field(default_factory=list)
    done: int = 0

    def __post_init__(self) -> None:
        """Known to the context, so that a failure of the whole command is told beside what was done."""
        context = click.get_current_context(silent=True)
        if context is not None:
            context.find_root().obj["batch"] = self

    @classmethod
    def asked_for(cls, arguments: Sequence[str]) -> Batch:
        """An empty one, for a command line that may not even be a valid one."""
        line = "\0".join(("", *arguments, "")).partition("\0--\0")[0] + "\0"
        formats = re.findall(r"(?<=\0--format[=\0])jsonl?(?=\0)", line)
        formats = formats or ["json"] * bool(re.search(r"\0--(cr)?json(?=\0)", line))
        words = [word for word in arguments if not word.startswith("-")]
        name = RESULTS.get(" ".join(words[:2])) or RESULTS.get(" ".join(words[:1]))
        return cls(name=name, format_=formats[-1] if formats else "text")

    def add(self, value: object, code: int = MET, *, file: Path | None = None) -> None:
        """A result: a value that ``guard.serialise`` knows, of the input ``file`` if there is one."""
        self.done += 1
        self._note(self.results, value, code, file)

    @property
    def on_terminal(self) -> bool:
        """Whether results appear as text on the terminal, file by file."""
        return self.format_ == "text" and sys.stdout.isatty()

    def skip(self, file: Path, reason: str) -> None:
        """A file that was not looked at, though it lies in a folder that was named; counted and told."""
        document: dict[str, Json] = {"file": str(file), "skipped": reason}
        self.skipped.append(document)
        if self.format_ == "jsonl":
            write_document(document, self.format_)

    @contextmanager
    def attempt(
        self, file: Path | None = None, *, noted: Callable[[Error], object] | None = None
    ) -> Iterator[None]:
        """An error inside is told and noted, also to ``noted``, and the batch goes on."""
        try:
            yield
        except Error as error:
            if debugging():
                raise
            report_error(error, file)
            self._note(self.errors, told(error, file), error.exit_code, file)
            if noted is not None:
                noted(error)

    def fail(self, error: Error) -> int:
        """The whole command ends with ``error``; what was done until then is told as well."""
        report_error(error)
        self._note(self.errors, told(error), error.exit_code, None)
        return self.close()

    def interrupt(self, then: str = "") -> int:
        """The user ended the command; what was finished before it stays and is told.

        Args:
            then: what the same command does next, where that is known.
        """
        kept = f"; {self.done} finished before it, kept" if self.done else ""
        click.echo(f"interrupted{kept}; {then or 'nothing was left half-written'}", err=True)
        what, hint = "the command was interrupted", "run it again for the rest"
        error = InputError("command.interrupted", what, hint=hint)
        self._note(self.errors, told(error), INTERRUPTED, None)
        return self.close()

    def close(self) -> int:
        """Write the JSON document where one was asked for.

        Returns:
            The gravest exit code.
        """
        code = gravest(self.codes)
        if self.skipped:
            names = ", ".join(str(one["file"]) for one in self.skipped[:_MOST_NAMED])
            more = ", …" if len(self.skipped) > _MOST_NAMED else ""
            warning(f"not looked at, since they are no media known here: {len(self.skipped)} ({names}{more})")
        if self.format_ == "json":
            results: dict[str, Json] = {} if self.name is None else {self.name: self.results}
            left: dict[str, Json] = {"skipped": self.skipped} if self.skipped else {}
            write_document({"exit_code": code, **results, **left, "errors": self.errors}, self.format_)
        return code

    def _note(self, notes: list[Json], value: object, code: int, file: Path | None) -> None:
        self.codes.append(code)
        if self.format_ == "text":
            return
        body = to_json(value)
        assert isinstance(body, dict)
        document: dict[str, Json] = {"file": None if file is None else str(file), "exit_code": code, **body}
        notes.append(document)
        if self.format_ == "jsonl":
            write_document(document, self.format_)
