"""Many files, one after the other: what came of each, as text, as one JSON document or as JSON Lines.

The document holds ``schema_version``, ``exit_code``, the results under a name of the command's own and,
under ``errors``, the files that could not be done. JSON Lines have a result or an error on each line.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from guard.cli._options import debugging
from guard.cli._output import report_error, told, write_document
from guard.serialise import to_json
from guard.verdict import MET, gravest
from provenance.errors import Error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from provenance.canonical import Json


@dataclass(slots=True, kw_only=True)
class Batch:
    """What came of the files so far.

    Attributes:
        name: of the results in the JSON document.
        format_: ``"text"``, for which the command prints its results itself, ``"json"`` or ``"jsonl"``.
    """

    name: str
    format_: str
    results: list[Json] = field(default_factory=list)
    errors: list[Json] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)

    def add(self, value: object, code: int = MET, *, file: Path | None = None) -> None:
        """A result: a value that ``guard.serialise`` knows, of the input ``file`` if there is one."""
        self._note(self.results, value, code, file)

    @contextmanager
    def attempt(self, file: Path | None = None) -> Iterator[None]:
        """An error inside is told and noted, and the batch goes on."""
        try:
            yield
        except Error as error:
            if debugging():
                raise
            report_error(error, file)
            self._note(self.errors, told(error, file), error.exit_code, file)

    def close(self) -> int:
        """Write the JSON document where one was asked for.

        Returns:
            The gravest exit code.
        """
        code = gravest(self.codes)
        if self.format_ == "json":
            document: dict[str, Json] = {"exit_code": code, self.name: self.results, "errors": self.errors}
            write_document(document, self.format_)
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
