"""What a withdrawal does to a verdict (docs/decisions/0007-withdrawn-credentials.md).

The bytes stay as signed and the signer stays who it was: both lines of the verdict say so. But whoever
released the file no longer stands by it, so it meets no requirement and exits 1. Only a withdrawal that
counts does that: by this installation, or by the log that the manifest's signer named.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from guard.recalls import Asked, Recall
from guard.verdict import State
from provenance.errors import Error

if TYPE_CHECKING:
    from collections.abc import Callable

    from guard.recover import Recovery
    from guard.verdict import Verdict
    from provenance.manifest.reading import ManifestReading

_STANDING = frozenset({State.TRUSTED, State.DEVELOPMENT, State.UNKNOWN_SIGNER, State.EXPIRED})
"""States that a withdrawal makes worse; the others are graver, or say nothing that could be withdrawn."""


def with_recalls(
    verdict: Verdict,
    manifest: ManifestReading,
    recovery: Recovery | None,
    recalls: Callable[[ManifestReading], Asked] | None,
) -> Verdict:
    """``verdict`` with what was withdrawn, and with what of the registries was not looked at.

    Raises:
        Error: the file would pass, and what may have withdrawn it cannot be read.
    """
    notes = () if recovery is None else tuple(f"registry: {note}" for note in recovery.notes)
    said = list(recall_of(recovery))
    if manifest.intact and recalls is not None:
        try:
            asked = recalls(manifest)
            said += asked.said
            notes = (*notes, *(f"withdrawals: {one}" for one in asked.not_read))
        except Error as error:
            if verdict.state in _STANDING:
                raise
            notes = (*notes, f"withdrawals: {error.what}")
    if not said and not notes:
        return verdict
    counted = [one for one in said if one.counts]
    changed = replace(
        verdict, not_checked=(*verdict.not_checked, *notes), withdrawn=tuple(str(one) for one in said)
    )
    if not counted or verdict.state not in _STANDING:
        return changed
    reason = f"its publisher withdrew it: {counted[0].withdrawal.told}"
    return replace(changed, state=State.WITHDRAWN, reason=reason)


def recall_of(recovery: Recovery | None) -> tuple[Recall, ...]:
    """That the best candidate of a look for a lost credential was withdrawn."""
    if recovery is None or recovery.state is not State.WITHDRAWN:
        return ()
    entry = recovery.candidates[0].entry
    assert entry.withdrawn is not None
    return (Recall(publisher=entry.withdrawn_by, withdrawal=entry.withdrawn, counts=True),)
