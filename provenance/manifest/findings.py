"""Findings about a manifest, between the library's report, our values and the specification's JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provenance.manifest.contents import text
from provenance.manifest.reading import ValidationCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from provenance.manifest.cose import SignatureBlock

_STAMP_SAID = frozenset(
    {"timeStamp.validated", "timeStamp.mismatch", "timeStamp.malformed", "timeStamp.outsideValidity"}
)


def library_codes(report: Mapping[str, Any]) -> tuple[ValidationCode, ...]:
    """All findings about the active manifest, in the library's order."""
    active = _map(_map(report.get("validation_results")).get("activeManifest"))
    return tuple(
        ValidationCode(
            code=text(item.get("code")),
            explanation=text(item.get("explanation")),
            kind=kind,
            where=text(item.get("url")) or None,
        )
        for kind in ("success", "informational", "failure")
        for item in map(_map, active.get(kind) or ())
    )


def unread_stamps(block: SignatureBlock, codes: Sequence[ValidationCode]) -> tuple[ValidationCode, ...]:
    """A finding for a time-stamp of which the library neither says that it holds nor that it does not.

    It is silent where a header has the name of another version of claims (§10.3.2.5) or is none at all, and
    says no more than "untrusted" where the signature in a token is not over what stands in it.
    """
    if not block.stamps or any(code.code in _STAMP_SAID for code in codes):
        return ()
    what = "a time stamp is there that proves nothing"
    return (ValidationCode(code="timeStamp.malformed", explanation=what, kind="informational"),)


def kinds_of_codes(codes: Sequence[ValidationCode]) -> dict[str, list[dict[str, str]]]:
    """The findings in the shape of the specification's validation results (§15.2.3)."""
    shaped: dict[str, list[dict[str, str]]] = {"success": [], "informational": [], "failure": []}
    for one in codes:
        where = {} if one.where is None else {"url": one.where}
        shaped[one.kind].append({"code": one.code, **where, "explanation": one.explanation})
    return shaped


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
