"""Frozen values as JSON and back, by their annotations: what is not in form is refused, not mended."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from guard.signer.wire import malformed
from provenance.media import Asset

if TYPE_CHECKING:
    from provenance.canonical import Json
    from provenance.stored import Bytes

T = TypeVar("T")

_NAMES = {"Mapping": Mapping, "Sequence": Sequence, "datetime": datetime, "Any": Any}
"""What annotated modules import for the type checker alone."""


def to_wire(value: Any, carried: list[Bytes] | None = None) -> Json:
    """``value`` in JSON types; bytes as hex, times in RFC 3339.

    Args:
        value: made of frozen values, mappings, tuples and plain values.
        carried: takes the bytes of each asset, which travel as parts of the message; None: there are none.

    Raises:
        TypeError: it has no form here.
    """
    if isinstance(value, Enum):
        return to_wire(value.value)
    if isinstance(value, Asset) and carried is not None:
        carried.append(value.content)
        return {"part": len(carried) - 1, "mime": value.mime}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_wire(getattr(value, field.name), carried) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_wire(item, carried) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [to_wire(item, carried) for item in value]
    raise TypeError(f"{type(value).__name__} does not travel to the signer")


def from_wire(kind: type[T], value: object, carried: Sequence[Bytes] = ()) -> T:
    """The ``kind`` that ``to_wire`` made ``value`` from.

    Args:
        kind: a frozen value, or an asset.
        value: as it came.
        carried: parts of the message, for the assets.

    Raises:
        InputError: ``signer.message``; and what ``kind`` itself raises for values that do not fit together.
    """
    try:
        read: T = _Reading(carried).read(kind, value)
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise malformed(f"no {kind.__name__}: {str(error)[:200]}") from error
    return read


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return get_type_hints(kind, localns=_NAMES)


class _Reading:
    """Reads one value by its annotation; ``carried`` has the bytes of assets."""

    def __init__(self, carried: Sequence[Bytes]) -> None:
        self._carried = carried

    def read(self, hint: Any, value: Any) -> Any:
        origin, arguments = get_origin(hint), get_args(hint)
        if origin in (Union, types.UnionType):
            return self._either(arguments, value)
        if origin is Literal:
            return _expect(value in arguments, value)
        if origin is tuple:
            return self._tuple(arguments, value)
        if origin is Mapping:
            return _expect(isinstance(value, dict), value)
        if hint is Any:
            return value
        if hint is Asset:
            return self._asset(value)
        return self._value(hint, value) if is_dataclass(hint) else _plain(hint, value)

    def _asset(self, value: Any) -> Asset:
        _expect(isinstance(value, dict) and set(value) == {"part", "mime"}, value)
        _expect(type(value["part"]) is int and value["part"] >= 0 and isinstance(value["mime"], str), value)
        return Asset.of(self._carried[value["part"]], value["mime"])

    def _value(self, kind: Any, value: Any) -> Any:
        _expect(isinstance(value, dict) and set(value) == {field.name for field in fields(kind)}, value)
        known = _hints(kind)
        return kind(**{name: self.read(known[name], item) for name, item in value.items()})

    def _either(self, arguments: tuple[Any, ...], value: Any) -> Any:
        if value is None:
            return _expect(types.NoneType in arguments, value)
        failure: Exception = TypeError("none of the types")
        for one in arguments:
            if one is not types.NoneType:
                try:
                    return self.read(one, value)
                except (ValueError, TypeError, KeyError, IndexError) as error:
                    failure = error
        raise failure

    def _tuple(self, arguments: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
        _expect(isinstance(value, list), value)
        if len(arguments) == 2 and arguments[1] is ...:
            return tuple(self.read(arguments[0], item) for item in value)
        _expect(len(value) == len(arguments), value)
        return tuple(self.read(one, item) for one, item in zip(arguments, value, strict=True))


def _plain(hint: Any, value: Any) -> Any:
    if hint is bytes:
        return bytes.fromhex(_expect(isinstance(value, str), value))
    if hint is datetime:
        return datetime.fromisoformat(_expect(isinstance(value, str), value))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    if hint is float:
        _expect(type(value) in (int, float), value)
        return float(value)
    return _expect(hint in (str, int, bool, types.NoneType) and type(value) is hint, value)


def _expect(fits: bool, value: Any) -> Any:  # noqa: FBT001 - private
    if not fits:
        raise TypeError(f"a {type(value).__name__} where it has no place")
    return value
