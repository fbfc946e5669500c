"""The values of this package as JSON and back, for two processes of which one may be in bad hands.

JSON and not pickle: what comes back from a process that read a hostile file must not be able to name code.
Only the value types and enumerations of the modules listed here are made again, by their own constructors.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import json
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from provenance.manifest import cbor, reading, revocation, trust, uncovered

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType


def _types(*modules: ModuleType) -> dict[str, Any]:
    return {
        name: found
        for module in modules
        for name, found in vars(module).items()
        if isinstance(found, type)
        and found.__module__ == module.__name__
        and (dataclasses.is_dataclass(found) or issubclass(found, StrEnum))
    }


_TYPES = _types(cbor, reading, revocation, trust, uncovered)


def dumps(value: object) -> bytes:
    """``value`` as JSON, in UTF-8.

    Raises:
        TypeError: it holds something that is no value of this package.
    """
    return json.dumps(_encoded(value), ensure_ascii=True, separators=(",", ":")).encode("ascii")


def loads(data: bytes) -> Any:
    """What ``dumps`` was given; equal in value and in type.

    Raises:
        ValueError: it is not what ``dumps`` writes.
    """
    try:
        return _decoded(json.loads(data))
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("not a value of this package") from error


def _encoded(value: object) -> Any:
    if isinstance(value, StrEnum):
        return {"enum": [type(value).__name__, value.value]}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return [_encoded(item) for item in value]
    for kind, name, encode in _KINDS:
        if isinstance(value, kind):
            return {name: encode(value)}
    if dataclasses.is_dataclass(value) and _TYPES.get(type(value).__name__) is type(value):
        fields = {field.name: _encoded(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"value": [type(value).__name__, fields]}
    raise TypeError(f"{type(value).__name__} is no value of this package")


def _pairs(value: Mapping[Any, Any]) -> list[list[Any]]:
    return [[_encoded(key), _encoded(item)] for key, item in value.items()]


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


_KINDS: tuple[tuple[type, str, Callable[[Any], Any]], ...] = (
    (bytes, "bytes", _base64),
    (dt.datetime, "time", dt.datetime.isoformat),
    (dt.date, "day", dt.date.isoformat),
    (tuple, "tuple", lambda value: [_encoded(item) for item in value]),
    (dict, "map", _pairs),
    (MappingProxyType, "fixed", _pairs),
)
"""Type, name and encoding; a time is a day as well and stands before it."""


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    if not isinstance(value, dict):
        return value
    ((name, inner),) = value.items()
    return _MADE[name](inner)


def _dict(pairs: list[list[Any]]) -> dict[Any, Any]:
    return {_decoded(key): _decoded(item) for key, item in pairs}


def _made(inner: list[Any]) -> Any:
    name, fields = inner
    return _TYPES[name](**{key: _decoded(item) for key, item in fields.items()})


_MADE: dict[str, Callable[[Any], Any]] = {
    "enum": lambda inner: _TYPES[inner[0]](inner[1]),
    "bytes": lambda inner: base64.b64decode(inner, validate=True),
    "time": dt.datetime.fromisoformat,
    "day": dt.date.fromisoformat,
    "tuple": lambda inner: tuple(map(_decoded, inner)),
    "map": _dict,
    "fixed": lambda inner: MappingProxyType(_dict(inner)),
    "value": _made,
}
