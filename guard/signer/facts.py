"""Facts that travel: what only whoever made the media can know, marked as claimed.

The groups of the request, the words, the model, the media and the risks. Everything else is read from the
final bytes by the signer itself and is not taken from anybody (``guard.signer.examine``).
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from guard.policy.fact import TOKEN, Fact, Status
from guard.policy.facts import Facts, Media, Model, Prompt, Request, Risk
from guard.signer.values import to_wire
from guard.signer.wire import malformed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from enum import Enum

    from provenance.canonical import Json

GROUPS: Mapping[str, type[Any]] = {
    "request": Request,
    "prompt": Prompt,
    "model": Model,
    "media": Media,
    "risk": Risk,
}
CLAIMED = "claimed"
"""Producer of a fact that the signer takes from its client's word; what the client names follows."""
_MOST = 300
"""Characters of a reason; it stands in the decision."""


def facts_to_wire(facts: Facts) -> Json:
    """The groups above, fact by fact."""
    return {
        name: {
            entry.name: _fact_to_wire(getattr(getattr(facts, name), entry.name)) for entry in fields(group)
        }
        for name, group in GROUPS.items()
    }


def facts_from_wire(stored: object) -> Facts:
    """The same, each fact that has a value marked as claimed.

    Raises:
        InputError: ``signer.message``.
    """
    if not isinstance(stored, dict) or set(stored) != set(GROUPS):
        raise malformed("its facts are not those that a client can know")
    try:
        return Facts(**{name: _group(group, stored[name]) for name, group in GROUPS.items()})
    except (ValueError, TypeError, KeyError) as error:
        raise malformed(f"a fact is not in form: {str(error)[:200]}") from error


def _fact_to_wire(fact: Fact[Any]) -> Json:
    return {
        "status": fact.status.value,
        "value": to_wire(fact.value),
        "producer": fact.producer,
        "version": fact.version,
        "reason": None if fact.reason is None else _sentence(fact.reason),
    }


def _sentence(text: str) -> str:
    """As the signer takes it; reasons may quote a library, which quotes the file."""
    return "".join(letter if letter.isprintable() else " " for letter in text)[:_MOST]


def _group(group: type[Any], stored: Mapping[str, Any]) -> Any:
    hints = get_type_hints(group)
    names = {entry.name for entry in fields(group)}
    if set(stored) != names:
        raise ValueError("unknown facts")
    return group(**{name: _fact(get_args(hints[name])[0], stored[name]) for name in names})


def _fact(kind: Any, stored: Mapping[str, Any]) -> Fact[Any]:
    status, reason, version = Status(stored["status"]), stored["reason"], stored["version"]
    producer = f"{CLAIMED}:{stored['producer']}" if stored["producer"] else CLAIMED
    if not TOKEN.fullmatch(producer) or not TOKEN.fullmatch(version) or set(stored) != _KEYS:
        raise ValueError("a producer or version is one word")
    if reason is not None and not (isinstance(reason, str) and len(reason) <= _MOST and reason.isprintable()):
        raise ValueError("a reason is one short sentence")
    if status is not Status.OK:
        if stored["value"] is not None:
            raise ValueError("an unknown fact has no value")
        return Fact(status=status, reason=reason, producer=producer, version=version)
    return Fact(value=_value(kind, stored["value"]), producer=producer, version=version)


_KEYS = {"status", "value", "producer", "version", "reason"}


def _value(kind: Any, value: Any) -> Any:
    """In the type that the fact has; the group holds it against its annotation once more."""
    if isinstance(value, list):
        return tuple(value)
    if isinstance(kind, type) and issubclass(kind, str) and kind is not str:
        word: Enum = kind(value)  # type: ignore[assignment]  # an enumeration of words
        return word
    return value
