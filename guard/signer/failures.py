"""Errors as they travel: the client raises what the signer raised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guard.errors import Denied
from guard.signer.decisions import received_decision
from guard.signer.wire import malformed
from provenance.errors import ConfigurationError, Error, InputError, IntegrityError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provenance.canonical import Json

_KINDS: Mapping[str, type[Error]] = {
    "input": InputError,
    "configuration": ConfigurationError,
    "integrity": IntegrityError,
}
_MOST = 2000
"""Characters of a sentence."""


def error_to_wire(error: Error) -> dict[str, Json]:
    """The header that says it. Places in the signer's home stay there."""
    if isinstance(error, Denied):
        return {"denied": error.decision.to_json(), "what": error.what}
    kind = next((name for name, one in _KINDS.items() if isinstance(error, one)), "configuration")
    return {"error": {"kind": kind, "code": error.code, "what": error.what[:_MOST], "hint": error.hint}}


def raise_received(header: Mapping[str, Any]) -> None:
    """Raise what ``header`` says, if it says anything of that kind.

    Raises:
        Denied: the signer's policy said no.
        Error: what the signer raised, with its code.
    """
    if "denied" in header:
        denied = Denied(received_decision(header["denied"]))
        denied.what = _text(header, "what")
        raise denied
    if "error" in header:
        said = header["error"]
        if not isinstance(said, dict) or said.get("kind") not in _KINDS:
            raise malformed("an error of no known kind")
        hint = said.get("hint")
        raise _KINDS[said["kind"]](
            _text(said, "code"),
            _text(said, "what"),
            where="the signer process",
            hint=hint if isinstance(hint, str) else None,
        )


def _text(said: Mapping[str, Any], name: str) -> str:
    found = said.get(name)
    if not isinstance(found, str):
        raise malformed(f"an error without {name}")
    return found[:_MOST]
