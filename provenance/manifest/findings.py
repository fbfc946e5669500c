"""Findings about a manifest, between the library's report, our values and the specification's JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provenance.manifest.contents import text
from provenance.manifest.reading import ValidationCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def library_codes(report: Mapping[str, Any]) -> tuple[ValidationCode, ...]:
    """All findings about the active manifest, in the library's order."""
    active = _map(_map(report.get("validation_results")).get("activeManifest"))
    return tuple(
        _finding(_map(item), kind)
        for kind in ("success", "informational", "failure")
        for item in active.get(kind) or ()
    )


def _finding(item: Mapping[str, Any], kind: str) -> ValidationCode:
    get = item.get
    return ValidationCode(
        code=text(get("code")),
        explanation=text(get("explanation")),
        kind=kind,
        where=text(get("url")) or None,
    )


def kinds_of_codes(codes: Sequence[ValidationCode]) -> dict[str, list[dict[str, str]]]:
    """The findings in the shape of the specification's validation results (§15.2.3)."""
    shaped: dict[str, list[dict[str, str]]] = {"success": [], "informational": [], "failure": []}
    for one in codes:
        where = {} if one.where is None else {"url": one.where}
        shaped[one.kind].append({"code": one.code, **where, "explanation": one.explanation})
    return shaped


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
