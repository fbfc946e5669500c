"""The keys this installation makes for itself: locator, private mark, log and records (house promise 9).

Each is drawn on its own, so none can be derived from another, nor one epoch from the next
(``key_ring`` keeps earlier epochs). The locator key is made to be handed out with a registry, the others
never leave. A key file is one JSON object, readable by its owner only. The signing identity (X.509) is a
matter of ``provenance.manifest.identity``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import secrets
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from provenance.canonical import canonical_bytes
from provenance.errors import ConfigurationError, IntegrityError
from provenance.files import MAKE_OR_RESTORE, write_private

if TYPE_CHECKING:
    from pathlib import Path

    from provenance.log.checkpoint import NoteSigner
    from provenance.watermark.interface import WatermarkKey

Kind: TypeAlias = Literal["locator", "log", "private-mark", "records", "witness"]
NoteKind: TypeAlias = Literal["log", "witness"]
Randomness: TypeAlias = Callable[[int], bytes]
"""Gives that many random bytes; ``secrets.token_bytes`` except in tests."""
_Fields: TypeAlias = Mapping[str, str | int | list[int]]

SECRET_BYTES = 32
_USUAL_SIZES = (8,)
"""Bytes of the ids that a key's marks carry unless its file says otherwise."""
_SIZES = ((8,), (16,), (8, 16), (16, 8))
_SCHEMA_VERSION = 1
_MAX_FILE_BYTES = 4096
_TOO_OPEN = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsKey:
    """Keys the commitments in local records; erasing a record erases the link it made.

    Attributes:
        key_id: 16 hex digits derived from the secret.
        secret: 32 random bytes, never shown by ``repr``.
    """

    key_id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateMarkKey:
    """Writes and reads the private layer of marks (``provenance.watermark.private``); never handed out.

    Attributes:
        key_id: 16 hex digits derived from the secret.
        epoch: counts renewals, from 1.
        secret: 32 random bytes, never shown by ``repr``.
    """

    key_id: str
    epoch: int
    secret: bytes = field(repr=False)


def key_id_of(kind: Kind, secret: bytes) -> str:
    """16 hex digits that name a key without telling anything about it."""
    return hashlib.sha256(b"mediaguard key id\0" + kind.encode() + b"\0" + secret).hexdigest()[:16]


def create_locator_key(
    path: Path,
    *,
    epoch: int = 1,
    payload_sizes: tuple[int, ...] = _USUAL_SIZES,
    random: Randomness = secrets.token_bytes,
) -> WatermarkKey:
    """A new key for marks, written to ``path``.

    Args:
        path: where the key file goes.
        epoch: counts renewals.
        payload_sizes: bytes an id of its marks may have: 8, 16 or both.
        random: where the secret comes from.

    Raises:
        InputError: ``output.exists`` (a key is never overwritten), ``output.unwritable``.
        ConfigurationError: ``disk.full``.
    """
    _create(path, "locator", random(SECRET_BYTES), _locator_fields(epoch, payload_sizes))
    return load_locator_key(path)


def load_locator_key(path: Path) -> WatermarkKey:
    """The locator key in ``path``.

    Raises:
        ConfigurationError: ``key.missing``, ``key.permissions``, ``key.kind``, ``key.unreadable``.
        IntegrityError: ``key.damaged``.
    """
    return parse_locator(_read_private(path), path)


def parse_locator(data: bytes, where: Path) -> WatermarkKey:
    """The locator key in the file ``data``.

    Raises:
        ConfigurationError: ``key.kind``, ``key.version``.
        IntegrityError: ``key.damaged``.
    """
    from provenance.watermark.key import WatermarkKey  # noqa: PLC0415

    key_id, secret, stored = _parsed(where, "locator", data)
    epoch, sizes = _epoch(where, stored), _payload_sizes(where, stored)
    try:
        return WatermarkKey(key_id=key_id, epoch=epoch, secret=secret, payload_sizes=sizes)
    except ValueError as error:
        raise _damaged(where, str(error)) from error


def locator_document(key: WatermarkKey) -> bytes:
    """The file that ``parse_locator`` reads."""
    return _document("locator", key.secret, _locator_fields(key.epoch, key.payload_sizes))


def create_private_mark_key(
    path: Path, *, epoch: int = 1, random: Randomness = secrets.token_bytes
) -> PrivateMarkKey:
    """A new key for the private layer, written to ``path``; raises as ``create_locator_key``."""
    _create(path, "private-mark", random(SECRET_BYTES), {"epoch": epoch})
    return load_private_mark_key(path)


def load_private_mark_key(path: Path) -> PrivateMarkKey:
    """The key of the private layer in ``path``; raises as ``load_locator_key``."""
    key_id, secret, stored = _load(path, "private-mark")
    return PrivateMarkKey(key_id=key_id, epoch=_epoch(path, stored), secret=secret)


def renew_in_place(path: Path, kind: Kind, *, epoch: int, random: Randomness) -> None:
    """Replace the key in ``path`` by a new one of that kind and epoch, at once or not at all.

    What the old one made is lost unless it was kept before: see ``key_ring.renew``.

    Raises:
        InputError: ``output.unwritable``.
        ConfigurationError: ``disk.full``, ``disk.failed``.
    """
    sizes = load_locator_key(path).payload_sizes if kind == "locator" else _USUAL_SIZES
    _create(path, kind, random(SECRET_BYTES), _locator_fields(epoch, sizes), overwrite=True)


def create_log_key(
    path: Path, *, origin: str | None = None, kind: NoteKind = "log", random: Randomness = secrets.token_bytes
) -> NoteSigner:
    """A new Ed25519 key for checkpoints, or for cosigning those of others, written to ``path``.

    Args:
        path: where the key file goes.
        kind: a witness's key file is no log's: one key has one use.
        origin: the log's name, unique to it, such as ``example.com/log``; without one it is derived from the
            key and names neither user nor host.
        random: where the secret comes from.

    Raises:
        As ``create_locator_key``.
    """
    secret = random(SECRET_BYTES)
    _create(path, kind, secret, {"origin": origin or f"mediaguard.local/{key_id_of(kind, secret)}"})
    return load_log_key(path, kind=kind)


def load_log_key(path: Path, *, kind: NoteKind = "log") -> NoteSigner:
    """The signer of checkpoints in ``path``; raises as ``load_locator_key``."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - 20 ms

    from provenance.log.checkpoint import NoteSigner  # noqa: PLC0415 - loads the line above

    _, secret, stored = _load(path, kind)
    origin = stored.get("origin")
    signer = NoteSigner(name=str(origin), private_key=Ed25519PrivateKey.from_private_bytes(secret))
    try:
        _ = signer.verifier
    except ValueError as error:
        raise _damaged(path, "its origin cannot name a log") from error
    return signer


def create_records_key(path: Path, *, random: Randomness = secrets.token_bytes) -> RecordsKey:
    """A new key for commitments, written to ``path``; raises as ``create_locator_key``."""
    _create(path, "records", random(SECRET_BYTES), {})
    return load_records_key(path)


def load_records_key(path: Path) -> RecordsKey:
    """The records key in ``path``; raises as ``load_locator_key``."""
    key_id, secret, _ = _load(path, "records")
    return RecordsKey(key_id=key_id, secret=secret)


def _create(path: Path, kind: Kind, secret: bytes, more: _Fields, *, overwrite: bool = False) -> None:
    write_private(path, _document(kind, secret, more), overwrite=overwrite)


def _document(kind: Kind, secret: bytes, more: _Fields) -> bytes:
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"a key has {SECRET_BYTES} random bytes")
    stored = {
        "schema_version": _SCHEMA_VERSION,
        "kind": kind,
        "key_id": key_id_of(kind, secret),
        "secret": base64.b64encode(secret).decode(),
        **more,
    }
    return canonical_bytes(stored) + b"\n"


def _locator_fields(epoch: int, sizes: tuple[int, ...]) -> _Fields:
    """What a locator key file holds beside the secret; usual sizes are not named."""
    if tuple(sizes) not in _SIZES:
        raise ValueError("payload_sizes must be 8, 16 or both")
    return {"epoch": epoch} if sizes == _USUAL_SIZES else {"epoch": epoch, "payload_sizes": list(sizes)}


def _payload_sizes(path: Path, stored: dict[str, Any]) -> tuple[int, ...]:
    sizes = stored.get("payload_sizes", list(_USUAL_SIZES))
    if type(sizes) is not list or tuple(sizes) not in _SIZES:
        raise _damaged(path, "its sizes of ids are not 8, 16 or both")
    return tuple(map(int, sizes))


def _epoch(path: Path, stored: dict[str, Any]) -> int:
    epoch = stored.get("epoch")
    if type(epoch) is not int or epoch < 0:
        raise _damaged(path, "its epoch is no whole number")
    return epoch


def _load(path: Path, kind: Kind) -> tuple[str, bytes, dict[str, Any]]:
    return _parsed(path, kind, _read_private(path))


def _parsed(path: Path, kind: Kind, data: bytes) -> tuple[str, bytes, dict[str, Any]]:
    """Key id, secret and all fields of the key file ``data``."""
    try:
        stored = json.loads(data)
        found, version = stored["kind"], stored["schema_version"]
        key_id, secret = stored["key_id"], base64.b64decode(stored["secret"], validate=True)
    except (ValueError, KeyError, TypeError, binascii.Error, RecursionError) as error:
        raise _damaged(path, "it is no key file") from error
    if version != _SCHEMA_VERSION:
        raise ConfigurationError(
            "key.version", f"the key file has version {version}", where=str(path), hint="update mediaguard"
        )
    if found != kind:
        raise ConfigurationError(
            "key.kind", f"this is a {found} key, a {kind} key is needed", where=str(path)
        )
    if len(secret) != SECRET_BYTES or key_id != key_id_of(kind, secret):
        raise _damaged(path, "its id is not that of its secret")
    return key_id, secret, stored


def _read_private(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            # Of the opened file, not of the name, which somebody could exchange in between.
            mode = os.fstat(file.fileno()).st_mode
            if os.name == "posix" and mode & _TOO_OPEN:
                raise ConfigurationError(
                    "key.permissions",
                    f"others may use this key: its mode is {stat.S_IMODE(mode):04o}",
                    where=str(path),
                    hint=f"chmod 600 {path}",
                )
            return file.read(_MAX_FILE_BYTES)
    except FileNotFoundError as error:
        raise ConfigurationError(
            "key.missing", "the key does not exist", where=str(path), hint=MAKE_OR_RESTORE
        ) from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigurationError(
            "key.unreadable", f"the key cannot be read: {reason}", where=str(path)
        ) from error


def _damaged(path: Path, why: str) -> IntegrityError:
    return IntegrityError(
        "key.damaged", f"the key cannot be used: {why}", where=str(path), hint="restore a copy"
    )
