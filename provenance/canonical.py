"""One canonical JSON form, so that equal values have equal digests.

The subset of RFC 8785 (JCS) that mediaguard needs: keys sorted, no insignificant white space,
UTF-8, integers within ±2**53, no NaN or infinities. Floats use Python's shortest round-trip form,
which RFC 8785 shares for the magnitudes that occur here.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias, Union

Json: TypeAlias = Union[bool, int, float, str, Sequence["Json"], Mapping[str, "Json"], None]  # noqa: UP007 - recursive

_SAFE_INTEGER = 2**53
"""Beyond this JSON readers disagree (RFC 7493 §2.2)."""


def canonical_bytes(value: Json) -> bytes:
    """The canonical UTF-8 bytes of ``value``.

    Raises:
        ValueError: NaN, infinities or integers that JSON readers would not agree on.
    """
    _refuse_unsafe_integers(value)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8")


def digest(value: Json) -> str:
    """SHA-256 of the canonical bytes, lower-case hex."""
    return hashlib.sha256(canonical_bytes(value)).hexdigest()


def commitment(key: bytes, value: Json) -> str:
    """HMAC-SHA-256 of the canonical bytes, lower-case hex.

    Unlike ``digest`` this reveals nothing about guessable values (prompts, names) to whoever
    lacks the per-record ``key`` (at least 16 bytes); erasing the key erases the link.
    """
    if len(key) < 16:
        raise ValueError("a commitment key has at least 16 bytes")
    return hmac.new(key, canonical_bytes(value), hashlib.sha256).hexdigest()


def _refuse_unsafe_integers(value: Json) -> None:
    if isinstance(value, bool) or value is None or isinstance(value, str | float):
        return
    if isinstance(value, int):
        if abs(value) > _SAFE_INTEGER:
            raise ValueError(f"integer {value} is outside ±2**53; write it as text")
    elif isinstance(value, Mapping):
        for item in value.values():
            _refuse_unsafe_integers(item)
    else:
        for item in value:
            _refuse_unsafe_integers(item)
