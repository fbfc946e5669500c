"""The log's files, at the paths and in the form of C2SP tlog-tiles v1.0.0.

``tile/<L>/<N>`` holds up to 256 hashes of 32 bytes, ``tile/entries/<N>`` up to 256 entries, each behind
its length as a big-endian uint16. One difference to a published log: the last, incomplete tile of a
level grows in place under its final name instead of being written anew as ``<N>.p/<W>`` for each width;
a partial tile of width W is the first W items of that file. Full tiles are never touched again.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from provenance.errors import IntegrityError
from provenance.files import PUBLIC, fsync_folder
from provenance.log.merkle import HASH_BYTES, Frontier, leaf_hash, node_hash, split_point, tree_hash

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    Level = int | Literal["entries"]

TILE_WIDTH = 256
_HEIGHT = 8
"""A tile spans eight levels of the tree: 2**8 hashes."""
MAX_ENTRY_BYTES = 65_535
MAX_LEVEL = 63 // _HEIGHT
MOST_BYTES = TILE_WIDTH * (2 + MAX_ENTRY_BYTES)
"""Of the longest entry bundle."""
_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0)


def tile_path(level: Level, index: int, width: int = TILE_WIDTH) -> str:
    """``tile/1/x001/x234/067``, with ``.p/<width>`` behind it for a published partial tile."""
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03d}")
    suffix = "" if width == TILE_WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(groups)}{suffix}"


def hashes_at(level: int, size: int) -> int:
    """How many hashes tile level ``level`` has in a tree of ``size``: its complete subtrees."""
    return size >> (_HEIGHT * level)


def framed(entry: bytes) -> bytes:
    """``entry`` as it stands in an entry bundle."""
    return len(entry).to_bytes(2, "big") + entry


def unframed(bundle: bytes, count: int) -> tuple[tuple[bytes, ...], int]:
    """The first ``count`` entries of ``bundle`` and the number of bytes they take.

    Raises:
        IntegrityError: ``log.entry-missing`` when there are fewer.
    """
    entries: list[bytes] = []
    at = 0
    for _ in range(count):
        end = at + 2 + int.from_bytes(bundle[at : at + 2], "big")
        if at + 2 > len(bundle) or end > len(bundle):
            raise IntegrityError(
                "log.entry-missing", f"a bundle ends after {len(entries)} of {count} entries"
            )
        entries.append(bundle[at + 2 : end])
        at = end
    return tuple(entries), at


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiles:
    """Reading and growing the tile files below ``folder``. No locking and no checkpoint here."""

    folder: Path

    def path(self, level: Level, index: int) -> Path:
        """Where the tile is, whether full or growing."""
        return self.folder / tile_path(level, index)

    def read(self, level: Level, index: int) -> bytes:
        """The tile's bytes; empty when there is no such file."""
        try:
            # Plain text is several times faster here than a path object, and proofs read many tiles.
            descriptor = os.open(f"{self.folder}/{tile_path(level, index)}", _READ)
        except FileNotFoundError:
            return b""
        with os.fdopen(descriptor, "rb") as file:
            return file.read(MOST_BYTES if level == "entries" else TILE_WIDTH * HASH_BYTES)

    def hashes(self, level: int, start: int, end: int) -> tuple[bytes, ...]:
        """Hashes ``start`` to ``end - 1`` of ``level``, all of one tile.

        Raises:
            IntegrityError: ``log.tile-missing``.
        """
        first = start % TILE_WIDTH
        data = self.read(level, start // TILE_WIDTH)[first * HASH_BYTES : (first + end - start) * HASH_BYTES]
        if len(data) != (end - start) * HASH_BYTES:
            where = str(self.path(level, start // TILE_WIDTH))
            raise IntegrityError(
                "log.tile-missing", "hashes that the checkpoint covers are missing", where=where
            )
        return tuple(data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES))

    def range_hash(self, start: int, end: int) -> bytes:
        """MTH(D[start:end]) where ``start`` is aligned as in proofs and roots; reads O(log) tiles."""
        size = end - start
        if size & (size - 1):
            middle = start + split_point(size)
            return node_hash(self.range_hash(start, middle), self.range_hash(middle, end))
        level = (size.bit_length() - 1) // _HEIGHT
        shift = _HEIGHT * level
        return tree_hash(self.hashes(level, start >> shift, end >> shift))

    def frontier(self, size: int) -> Frontier:
        """The right edge of the tree over the first ``size`` entries."""
        peaks, start = [], 0
        for height in reversed(range(size.bit_length())):
            if size >> height & 1:
                peaks.append(self.range_hash(start, start + (1 << height)))
                start += 1 << height
        return Frontier(size=size, peaks=peaks)

    def entries(self, index: int, count: int) -> tuple[bytes, ...]:
        """The first ``count`` entries of bundle ``index``, unchecked against their hashes."""
        return unframed(self.read("entries", index), count)[0]

    def checked_entries(self, index: int, count: int) -> tuple[bytes, ...]:
        """As ``entries``, each compared with its stored leaf hash.

        Raises:
            IntegrityError: ``log.entry-changed``, ``log.entry-missing`` or ``log.tile-missing``.
        """
        entries, first = self.entries(index, count), index * TILE_WIDTH
        for offset, expected in enumerate(self.hashes(0, first, first + count)):
            if leaf_hash(entries[offset]) != expected:
                where, number = str(self.path("entries", index)), first + offset
                raise IntegrityError(
                    "log.entry-changed", f"entry {number} is not what was logged", where=where
                )
        return entries

    def grow(self, level: Level, start: int, items: Sequence[bytes]) -> Iterator[Path]:
        """Write ``items`` as numbers ``start``, … of ``level``; yields the files and folders to be synced."""
        done = 0
        while done < len(items):
            index, first = divmod(start + done, TILE_WIDTH)
            part = items[done : done + TILE_WIDTH - first]
            path = self.path(level, index)
            if first == 0:
                yield from _new_folders(path.parent, self.folder)
                yield path.parent
            # A tile's first items replace whatever a crash may have left under its name.
            flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if first == 0 else os.O_APPEND)
            with os.fdopen(os.open(path, flags | getattr(os, "O_BINARY", 0), PUBLIC), "ab") as file:
                file.write(b"".join(part))
            yield path
            done += len(part)

    def cut(self, level: Level, count: int, length: int) -> None:
        """Drop what lies beyond ``count`` items of ``level``; the last tile then has ``length`` bytes.

        Raises:
            IntegrityError: ``log.truncated`` when it is shorter already.
        """
        index = count // TILE_WIDTH
        path = self.path(level, index)
        try:
            found = path.stat().st_size
        except FileNotFoundError:
            found = 0
        if found < length:
            raise IntegrityError(
                "log.truncated", "the log is shorter than its checkpoint says", where=str(path)
            )
        if found == length:
            return  # a later tile that a power cut left without this one is overwritten when its turn comes
        os.truncate(path, length)
        while (beyond := self.path(level, index := index + 1)).exists():
            beyond.unlink()


def synced(paths: Iterator[Path] | Sequence[Path]) -> None:
    """Make files and folders durable, each once, files in the order given."""
    for path in dict.fromkeys(paths):
        if path.is_dir():
            fsync_folder(path)
            continue
        descriptor = os.open(path, os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _new_folders(folder: Path, root: Path) -> Iterator[Path]:
    """Create ``folder``; yields the parents of what was created, up to ``root``."""
    missing = [folder, *folder.parents]
    missing = missing[: missing.index(root)]
    for path in reversed(missing):
        if not path.exists():
            path.mkdir()
            yield path.parent
