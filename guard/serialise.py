"""Values as JSON: one rule for every frozen dataclass, so that reports never disagree with the code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import TYPE_CHECKING

from provenance.watermark.telling import told_log10_p, told_statistic

if TYPE_CHECKING:
    from provenance.canonical import Json

SCHEMA_VERSION = 1
"""Of every JSON document on stdout; grows when a field changes its meaning or goes away."""

_LEFT_OUT = frozenset({"nonce", "secret", "seal", "pem", "digest_assertion", "difference"})
"""Fields that do not leave: key material, process-local seals, and thumbnails that only a program reads."""


_TOLD: dict[str, Callable[[float], float]] = {"statistic": told_statistic, "log10_p": told_log10_p}
"""Of readings of a mark, told coarsely (``provenance.watermark.telling``): ``statistic`` in whole standard
deviations, ``log10_p`` to one digit and never below what was measured."""

_MOST_BYTES = 64
"""Longer byte strings are files, named by their digest in the field beside them."""


def to_json(value: object) -> Json:
    """``value`` as plain JSON: bytes as hex, times as RFC 3339 in UTC, tuples as arrays.

    Raises:
        TypeError: a type that has no agreed form here.
    """
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Enum):
        return to_json(value.value)
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.hex() if len(value) <= _MOST_BYTES else f"{len(value)} bytes"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, tuple | list | frozenset):
        return [to_json(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _field(value, f.name) for f in fields(value) if f.name not in _LEFT_OUT}
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _field(owner: object, name: str) -> Json:
    value = getattr(owner, name)
    if name in _TOLD and _is_mark(owner):
        return _TOLD[name](value)
    return to_json(value)


def _is_mark(owner: object) -> bool:
    # Here, since text needs no readings of marks, and every command can speak JSON.
    from provenance.watermark.interface import WatermarkReading  # noqa: PLC0415
    from provenance.watermark.latent_reading import LatentReading  # noqa: PLC0415
    from provenance.watermark.private_reading import PrivateReading  # noqa: PLC0415

    return isinstance(owner, WatermarkReading | PrivateReading | LatentReading)
