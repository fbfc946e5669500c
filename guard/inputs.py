"""What files a command line means: names, patterns, folders, lists of names, and standard input.

``-`` is standard input, ``@LIST`` a file of names, one a line (or with NUL between them), ``@-`` such a list
on standard input, a quoted pattern is expanded here, and a folder is taken with ``recursive`` only. A name
that exists is always that file; ``./@x`` and ``./-`` name files that are called so.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from provenance.errors import Error, InputError
from provenance.sniff import mime_of, named_as_media

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from provenance.media import Asset

STDIN = Path("-")
"""How standard input is named in results."""
MOST_NAMES = 1_000_000
"""Files of one command; more than that is a mistake or an attack on memory."""
_MOST_LIST_BYTES = 64 * 2**20
_SIDECAR = ".c2pa"


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """One file that a command line means.

    Attributes:
        path: as it will be shown; ``STDIN`` for standard input.
        stdin: the bytes come from standard input.
        problem: why nothing can be done with this word.
        skipped: why the file is not looked at, though it lies in a folder that was named.
    """

    path: Path
    stdin: bool = False
    problem: Error | None = None
    skipped: str | None = None


def named_files(words: Sequence[str], *, recursive: bool = False) -> tuple[Named, ...]:
    """The files that ``words`` mean, in their order and sorted within a folder or pattern, each once.

    Raises:
        InputError: ``input.too-many-files``.
    """
    found: dict[tuple[Path, bool], Named] = {}
    for word in words:
        for one in _of_word(word, recursive=recursive):
            found.setdefault((one.path, one.stdin), one)
            if len(found) > MOST_NAMES:
                what = f"these are more than {MOST_NAMES:,} files"
                raise InputError("input.too-many-files", what, hint="name fewer at a time")
    return tuple(found.values())


def _of_word(word: str, *, recursive: bool) -> Iterator[Named]:
    path = Path(word)
    if word == "-":
        yield Named(path=STDIN, stdin=True)
    elif path.is_dir() and recursive:
        yield from _of_folder(path)
    elif path.is_dir():
        hint = "with -r every media file in it is taken"
        problem = InputError("input.folder", "this is a folder, a file is needed", where=word, hint=hint)
        yield Named(path=path, problem=problem)
    elif word.startswith("@"):
        yield from _of_list(word)
    elif any(sign in word for sign in "*?[") and not os.path.lexists(word):
        yield from _of_pattern(word, recursive=recursive)
    else:
        yield Named(path=path)


def _of_pattern(pattern: str, *, recursive: bool) -> Iterator[Named]:
    from glob import glob  # noqa: PLC0415 - shells expand most patterns

    matches = sorted(glob(pattern, recursive=True))  # noqa: PTH207 - a pattern may be absolute
    if not matches:
        problem = InputError(
            "input.no-match", "no file matches this pattern", where=pattern, hint="check the pattern"
        )
        yield Named(path=Path(pattern), problem=problem)
    for match in matches:
        if not Path(match).is_dir():
            yield Named(path=Path(match))
        elif recursive:
            yield from _of_folder(Path(match))


def _of_folder(folder: Path) -> Iterator[Named]:
    """Media by content or name; the rest is named as skipped. Links to folders are not followed."""
    refused: list[Named] = []
    media = 0
    for where, folders, names in os.walk(folder, onerror=lambda error: refused.append(_refused(error))):
        folders.sort()
        stems = {Path(name).stem for name in names if not name.endswith(_SIDECAR)}
        for name in sorted(names):
            if name.endswith(_SIDECAR) and Path(name).stem in stems:
                continue  # read with the media it lies beside
            one = _looked_at(Path(where, name))
            media += one.skipped is None
            yield one
    yield from refused
    if not media and not refused:
        what = "there is no media file in this folder"
        hint = "name the folder that the media are in"
        yield Named(path=folder, problem=InputError("input.no-match", what, where=str(folder), hint=hint))


def _looked_at(path: Path) -> Named:
    """Passed over is only what neither its name nor its bytes call media, and what holds no manifest.

    Else a changed first byte would take a file out of what a folder is judged by.
    """
    from provenance.files import open_file  # noqa: PLC0415 - folders only
    from provenance.manifest.containers.traces import has_trace  # noqa: PLC0415

    if named_as_media(path.name):
        return Named(path=path)
    try:
        if not path.is_file():
            return Named(path=path, skipped="no regular file")
        data = open_file(path)
        if mime_of(data) is not None:
            return Named(path=path)
        return _signed_once(path) if has_trace(data) else Named(path=path, skipped="no media known here")
    except (OSError, Error):
        return Named(path=path)  # reading it tells why it cannot be


def _signed_once(path: Path) -> Named:
    what = "it holds a C2PA manifest, and the content is no media known here"
    hint = "its first bytes were changed, or it is an archive: unpack it and name what was in it"
    return Named(path=path, problem=InputError("input.not-media", what, where=str(path), hint=hint))


def _refused(error: OSError) -> Named:
    what = f"the folder cannot be looked into: {error.strerror or type(error).__name__}"
    where = str(error.filename)
    problem = InputError("input.unreadable", what, where=where, hint="check its permissions")
    return Named(path=Path(where), problem=problem)


def _of_list(word: str) -> Iterator[Named]:
    """Each line is a name, taken as it is: no pattern, no further list, relative to the working folder."""
    try:
        data = _list_bytes(word[1:])
    except Error as error:
        yield Named(path=Path(word), problem=error)
        return
    names = data.split(b"\0") if b"\0" in data else data.splitlines()
    for name in names:
        if name.strip():
            yield Named(path=Path(os.fsdecode(name)))


def _list_bytes(name: str) -> bytes:
    from provenance.files import read_bounded, too_large  # noqa: PLC0415

    if name != "-":
        return read_bounded(Path(name), most=_MOST_LIST_BYTES)
    data = sys.stdin.buffer.read(_MOST_LIST_BYTES + 1)
    if len(data) > _MOST_LIST_BYTES:
        raise too_large(STDIN, _MOST_LIST_BYTES)
    return data


def stdin_asset() -> Asset:
    """All of standard input, as a file of memory size at the most.

    Raises:
        InputError: ``input.too-large``, ``input.empty``, ``input.not-media`` or ``input.too-many-parts``.
    """
    from provenance.codecs import asset_of  # noqa: PLC0415
    from provenance.files import too_large  # noqa: PLC0415
    from provenance.media import Limits  # noqa: PLC0415

    most = Limits().max_bytes
    data = sys.stdin.buffer.read(most + 1)
    if len(data) > most:
        raise too_large(STDIN, most)
    return asset_of(data, str(STDIN))


def opened(named: Named) -> tuple[Asset, bytes | None]:
    """The bytes of ``named``, and of the manifest beside it where there is one.

    Raises:
        Error: its problem, or ``input.…``.
    """
    from provenance.codecs import read_asset  # noqa: PLC0415
    from provenance.manifest.sidecar import read_sidecar  # noqa: PLC0415

    if named.problem is not None:
        raise named.problem
    if named.stdin:
        return stdin_asset(), None
    asset = read_asset(named.path)
    return asset, read_sidecar(named.path, asset.mime)
