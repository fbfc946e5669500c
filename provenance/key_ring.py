"""Epochs of a key: the one in force, and the earlier ones that still read what they marked.

A renewed key is drawn afresh, so nothing of one epoch follows from another. The key in force lies in
``path``; each earlier one in a folder beside it, named by its epoch and id. Renewing first keeps a copy of
the old key and then replaces it in one rename: wherever a crash falls, every key that ever marked
something is there, once or twice, and renewing again goes on.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Protocol, TypeVar

from provenance.errors import InputError, IntegrityError
from provenance.files import fsync_folder, write_private
from provenance.keys import (
    create_private_mark_key,
    load_locator_key,
    load_private_mark_key,
    renew_in_place,
)
from provenance.locks import locked

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from provenance.keys import Kind, PrivateMarkKey, Randomness
    from provenance.watermark.interface import WatermarkKey

RING = 16
"""Epochs at most: each one tried costs a search, and its share of every p-value (Bonferroni)."""


class _Epochal(Protocol):
    @property
    def key_id(self) -> str: ...

    @property
    def epoch(self) -> int: ...


_K = TypeVar("_K", bound=_Epochal)


def locator_ring(path: Path) -> tuple[WatermarkKey, ...]:
    """The locator key in force, then the earlier ones, the newest first.

    Raises:
        As ``provenance.keys.load_locator_key``, for each of them.
    """
    return _ring(path, load_locator_key)


def private_mark_ring(path: Path) -> tuple[PrivateMarkKey, ...]:
    """The same of the private layer; empty where this installation has no such key."""
    return _ring(path, load_private_mark_key) if path.exists() else ()


def begin_private_mark(path: Path, *, random: Randomness = secrets.token_bytes) -> PrivateMarkKey:
    """The first private mark key in ``path``, or the next where only earlier epochs of it are left.

    Raises:
        InputError: ``output.exists`` where there is one.
        As ``provenance.keys.create_private_mark_key``, and ``load_private_mark_key`` for the earlier epochs.
    """
    with locked(path.with_name(f"{path.stem}.lock")):
        if path.exists():
            what, hint = "there is a private mark key", "guard keys renew --private-mark"
            raise InputError("output.exists", what, where=str(path), hint=hint)
        kept = [load_private_mark_key(file).epoch for file in _files(path)]
        # The lost key was of the epoch after those kept.
        return create_private_mark_key(path, epoch=max(kept) + 2 if kept else 1, random=random)


def renew_locator(path: Path, *, random: Randomness = secrets.token_bytes) -> WatermarkKey:
    """Begin a new epoch of the locator key in ``path``; the old one goes on reading.

    Raises:
        InputError: ``key.ring-full`` at the limit of epochs; ``output.unwritable``.
        ConfigurationError: ``lock.timeout``, ``disk.…``, and as ``provenance.keys.load_locator_key``.
        IntegrityError: ``key.damaged``.
    """
    return _renew(path, "locator", load_locator_key, random)


def renew_private_mark(path: Path, *, random: Randomness = secrets.token_bytes) -> PrivateMarkKey:
    """The same of the private layer."""
    return _renew(path, "private-mark", load_private_mark_key, random)


def earlier_folder(path: Path) -> Path:
    """Where the earlier epochs of the key in ``path`` lie."""
    return path.with_name(f"{path.stem}-earlier")


def _ring(path: Path, load: Callable[[Path], _K]) -> tuple[_K, ...]:
    found = {(key.key_id, key.epoch): key for key in [load(path), *map(load, _files(path))]}
    first, *rest = found.values()
    return (first, *sorted(rest, key=lambda key: (-key.epoch, key.key_id)))


def _files(path: Path) -> list[Path]:
    folder = earlier_folder(path)
    return sorted(folder.glob("*.json")) if folder.is_dir() else []


def _renew(path: Path, kind: Kind, load: Callable[[Path], _K], random: Randomness) -> _K:
    with locked(path.with_name(f"{path.stem}.lock")):
        ring = _ring(path, load)
        if len(ring) >= RING:
            raise InputError(
                "key.ring-full",
                f"there are {len(ring)} epochs of this key, as many as are ever tried",
                where=str(path),
                hint="begin another home (GUARD_HOME), and keep this one for what it marked",
            )
        _keep(path, ring[0], load)
        renew_in_place(path, kind, epoch=1 + max(key.epoch for key in ring), random=random)
        return load(path)


def _keep(path: Path, key: _K, load: Callable[[Path], _K]) -> None:
    """A copy of the key in ``path`` among the earlier ones; there already after an interruption."""
    folder = earlier_folder(path)
    folder.mkdir(mode=0o700, exist_ok=True)
    kept = folder / f"{key.epoch:04}-{key.key_id}.json"
    if not kept.exists():
        write_private(kept, path.read_bytes())
    fsync_folder(folder.parent)
    if load(kept) != key:
        what = "another key lies under the name of this epoch"
        raise IntegrityError("key.damaged", what, where=str(kept), hint="restore a copy")
