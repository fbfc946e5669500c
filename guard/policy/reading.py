"""From a YAML document to a ``Pack``; ``policies/schema/pack.schema.json`` says the same for editors."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from guard.policy.expr import Expression, expression
from guard.policy.facts import schema
from guard.policy.obligations import MarkDuty, Plan
from guard.policy.rule import Action, Effect, Origin, Pack, Rule, Stage
from guard.policy.types import STR
from provenance.canonical import digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guard.policy.tree import Param
    from guard.policy.types import Type
    from guard.policy.yaml12 import Item

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
RULE_ID = re.compile(r"[a-z0-9][a-z0-9-]*(?:\.[a-z0-9][a-z0-9-]*)+")

SUBJECT = "decision.subject"
"""What the decision is asked for; lets a rule require that the facts were read from those bytes."""


def vocabulary() -> dict[str, Type]:
    """Every name an expression may use: the facts, and ``decision.subject``."""
    return {**schema(), SUBJECT: STR}


def read_pack(document: Item, *, where: str) -> Pack:
    """The pack that ``document`` holds.

    Raises:
        PackError: ``policy.schema`` for the shape, or the codes of ``expr.expression``; with its position.
    """
    top = document.table("apiVersion", "kind", "metadata", "spec")
    _expect(document, top, "apiVersion", "guard.policy/v1")
    _expect(document, top, "kind", "PolicyPack")
    metadata = _need(document, top, "metadata")
    about = metadata.table("name", "version", "description", "sources")
    spec = _need(document, top, "spec")
    parts = spec.table("default", "params", "rules")
    name = _named(_need(metadata, about, "name"), NAME)
    sources = tuple(_origin(item) for item in about["sources"].items()) if "sources" in about else ()
    params = _params(parts["params"]) if "params" in parts else {}
    return Pack(
        name=name,
        version=str(_need(metadata, about, "version").value),
        digest=digest(document.plain()),
        where=where,
        rules=_rules(_need(spec, parts, "rules"), _Context(pack=name, params=params, sources=sources)),
        sources=sources,
        defaults=_defaults(parts["default"]) if "default" in parts else {},
        params=params,
    )


def _need(parent: Item, entries: Mapping[str, Item], key: str) -> Item:
    if key not in entries:
        raise parent.error(f"missing key {key!r}")
    return entries[key]


def _expect(parent: Item, entries: Mapping[str, Item], key: str, value: str) -> None:
    item = _need(parent, entries, key)
    if item.value != value:
        raise item.error(f"{key} must be {value}")


def _named(item: Item, pattern: re.Pattern[str]) -> str:
    if not pattern.fullmatch(item.text()):
        raise item.error(
            f"{item.value!r} is not a name", hint="lower-case letters, digits and '-'; rules: pack.topic"
        )
    return item.text()


def _origin(item: Item) -> Origin:
    entries = item.table("id", "title", "confidence", "via")
    return Origin(
        id=_need(item, entries, "id").text(),
        title=_need(item, entries, "title").text(),
        confidence=_need(item, entries, "confidence").one_of(str, ("high", "medium", "low")),
        via=entries["via"].text() if "via" in entries else None,
    )


def _params(item: Item) -> dict[str, Param]:
    found: dict[str, Param] = {}
    for name, entry in item.table().items():
        value = entry.plain()
        if isinstance(value, list) and value and all(isinstance(word, str) for word in value):
            found[name] = tuple(value)
        elif isinstance(value, bool | int | float | str) and not (
            isinstance(value, float) and not math.isfinite(value)
        ):
            found[name] = value
        else:
            raise entry.error(f"parameter {name!r} must be a number, text, true, false or a list of texts")
    return found


def _defaults(item: Item) -> dict[Stage, Action]:
    known, actions = tuple(Stage), tuple(Action)
    return {Stage(stage): entry.one_of(Action, actions) for stage, entry in item.table(*known).items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Context:
    """What the rules of one pack share."""

    pack: str
    params: Mapping[str, Param]
    sources: tuple[Origin, ...]
    names: Mapping[str, Type] = field(default_factory=vocabulary)


def _rules(item: Item, context: _Context) -> tuple[Rule, ...]:
    rules: dict[str, Rule] = {}
    for entry in item.items():
        rule = _rule(entry, context)
        if rule.id in rules:
            raise entry.error(f"duplicate rule {rule.id!r}")
        rules[rule.id] = rule
    if not rules:
        raise item.error("a pack has at least one rule", hint="a pack without rules denies everything")
    return tuple(rules.values())


_KEYS = ("id", "stage", "source", "effective", "applies", "require", "on_fail", "hard", "oblige", "message")


def _rule(item: Item, context: _Context) -> Rule:
    entries = item.table(*_KEYS)
    first, last = _effective(entries["effective"]) if "effective" in entries else (None, None)
    rule = Rule(
        id=_named(_need(item, entries, "id"), RULE_ID),
        pack=context.pack,
        stages=tuple(stage.one_of(Stage, tuple(Stage)) for stage in _need(item, entries, "stage").items()),
        require=_expression(_need(item, entries, "require"), context, has_allowed=True),
        applies=_expression(entries["applies"], context, has_allowed=False) if "applies" in entries else None,
        on_fail=_need(item, entries, "on_fail").one_of(Effect, tuple(Effect)),
        hard=entries["hard"].flag() if "hard" in entries else False,
        obligations=_plan(entries["oblige"], context.params) if "oblige" in entries else Plan(),
        effective_from=first,
        effective_until=last,
        source=_cited(entries["source"], context.sources) if "source" in entries else None,
        messages=_messages(_need(item, entries, "message")),
        where=item.source.label(item.at),
    )
    if rule.hard and (first or last or rule.on_fail is Effect.WARN):
        raise item.error("a hard rule has no dates and does not merely warn")
    return rule


def _cited(item: Item, sources: tuple[Origin, ...]) -> Origin:
    known = {origin.id: origin for origin in sources}
    cited: Origin = item.one_of(known.__getitem__, tuple(known))
    return cited


def _expression(item: Item, context: _Context, *, has_allowed: bool) -> Expression:
    if isinstance(item.value, dict | tuple):
        raise item.error("expected an expression", hint="quote it, or put it on the line after '>'")
    return expression(
        item.source, context.names, params=context.params, has_allowed=has_allowed, span=item.inside()
    )


def _effective(item: Item) -> tuple[date | None, date | None]:
    entries = item.table("from", "until")
    return tuple(_day(entries[key]) if key in entries else None for key in ("from", "until"))  # type: ignore[return-value]


def _day(item: Item) -> date:
    try:
        return date.fromisoformat(item.text())
    except ValueError as error:
        raise item.error(f"{item.value!r} is not a day", hint="write YYYY-MM-DD") from error


def _plan(item: Item, params: Mapping[str, Param]) -> Plan:
    entries = item.table("watermark", "c2pa", "xmp", "log", "min_side")
    duty = entries["watermark"].one_of(MarkDuty, tuple(MarkDuty)) if "watermark" in entries else MarkDuty.OFF
    flags = {key: entries[key].flag() for key in ("c2pa", "xmp", "log") if key in entries}
    return Plan(
        watermark=duty, min_side=_side(entries["min_side"], params) if "min_side" in entries else 0, **flags
    )


def _side(item: Item, params: Mapping[str, Param]) -> int:
    value = params.get(item.value[7:]) if str(item.value).startswith("params.") else item.value
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 4096:
        raise item.error("min_side is a whole number of pixels up to 4096, or a parameter that is one")
    return value


def _messages(item: Item) -> tuple[tuple[str, str], ...]:
    entries = item.table()
    if "en" not in entries:
        raise item.error("a message has at least an English sentence", hint="message: {en: …, zh: …}")
    ordered = ("en", *(language for language in entries if language != "en"))
    return tuple((language, " ".join(entries[language].text().split())) for language in ordered)
