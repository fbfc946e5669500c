"""What a model card says of licences, as the SPDX expression that rules can ask for."""

from __future__ import annotations

import re

from guard.policy.fact import SPDX

_NOTE = re.compile(r"\([^()]*\)")
"""``MIT (Fluent emoji)``: what is under the licence, for people."""
SILENT = frozenset({"", "unknown", "none", "noassertion", "other"})
"""Words, in lower case, that name no licence."""


def expression(said: str) -> str | None:
    """``said`` without notes, parts joined by AND; None where it names no licence that a rule could ask for.

    ``"MIT (Fluent emoji), Apache-2.0 (Noto emoji)"`` gives ``"MIT AND Apache-2.0"``. Parentheses that group
    an expression are kept.
    """
    plain = _NOTE.sub(lambda found: found[0] if _groups(found[0]) else "", said)
    parts = [" ".join(part.split()) for part in re.split("[,;]", plain)]
    if any(part.lower() in SILENT for part in parts):
        return None
    several = len(set(parts)) > 1
    joined = " AND ".join(f"({one})" if several and " OR " in one else one for one in dict.fromkeys(parts))
    return joined if SPDX.fullmatch(joined) else None


def _groups(text: str) -> bool:
    return " AND " in text or " OR " in text or " WITH " in text
