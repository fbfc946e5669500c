"""What every error code means, for ``guard explain CODE``. Sorted; a code is never reused."""

from __future__ import annotations

CODES: dict[str, str] = {
    "extra.missing": (
        "An optional part of mediaguard is not installed. The core stays small on purpose; what an absent part "
        "would have checked is reported as not checked, never as passed. The hint names the command that adds it."
    ),
}
