"""The verdict of ``guard verify``: one state, one line per question, and what was not looked at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from provenance.manifest.reading import IngredientReading, ManifestReading

if TYPE_CHECKING:
    from provenance.evidence import Evidence, Outcome
    from provenance.manifest.uncovered import LeftOut


class State(StrEnum):
    """What may be said of a file, in the words of the README's table."""

    TRUSTED = "trusted"
    DEVELOPMENT = "development"
    UNKNOWN_SIGNER = "unknown_signer"
    REVOKED = "revoked"
    EXPIRED = "expired"
    HISTORY_PROBLEM = "history_problem"
    TAMPERED = "tampered"
    MALFORMED = "malformed"
    LOCATOR_MISMATCH = "locator_mismatch"
    CONFLICT = "conflict"
    NO_CREDENTIALS = "no_credentials"
    REMOTE_ONLY = "remote_only"
    RECOVERED = "recovered"
    WITHDRAWN = "withdrawn"


MEANING: dict[State, str] = {
    State.TRUSTED: "bytes intact, signer on a list you trust",
    State.DEVELOPMENT: "bytes intact, signed by this installation's own development identity",
    State.UNKNOWN_SIGNER: "bytes intact, nobody you trust vouches for the signer",
    State.REVOKED: "bytes intact, but the certificate was revoked; not proven to have signed before that",
    State.EXPIRED: "bytes and signature intact, time of signing not proven",
    State.HISTORY_PROBLEM: "intact, but an ingredient was altered or invalid when it was taken in",
    State.TAMPERED: "content or manifest changed after signing",
    State.MALFORMED: "carries a manifest that cannot be read",
    State.LOCATOR_MISMATCH: "carries a mark whose credential belongs to another picture or clip",
    State.CONFLICT: "its own statements contradict each other",
    State.NO_CREDENTIALS: "no credential speaks for this file",
    State.REMOTE_ONLY: "points to a manifest elsewhere, which was not fetched",
    State.RECOVERED: "a credential for a matching picture or clip was found; it does not cover these bytes",
    State.WITHDRAWN: "a credential speaks for this file, and its publisher withdrew it",
}

MET, NOT_MET, COULD_NOT, NOTHING_TO_CONCLUDE, BUG = 0, 1, 2, 3, 70
"""Exit codes of the house: requirement met, not met, could not be done, nothing to conclude, a bug."""
INTERRUPTED = 130
"""After Ctrl-C, as shells have it: 128 and the number of SIGINT."""

_BARE_EXIT: dict[State, int] = {
    State.TRUSTED: MET,
    State.DEVELOPMENT: MET,
    State.UNKNOWN_SIGNER: NOTHING_TO_CONCLUDE,
    State.EXPIRED: NOTHING_TO_CONCLUDE,
    State.NO_CREDENTIALS: NOTHING_TO_CONCLUDE,
    State.REMOTE_ONLY: NOTHING_TO_CONCLUDE,
    State.RECOVERED: NOTHING_TO_CONCLUDE,
    State.REVOKED: NOT_MET,
    State.HISTORY_PROBLEM: NOT_MET,
    State.TAMPERED: NOT_MET,
    State.MALFORMED: NOT_MET,
    State.LOCATOR_MISMATCH: NOT_MET,
    State.CONFLICT: NOT_MET,
    State.WITHDRAWN: NOT_MET,
}


class Requirement(StrEnum):
    """What ``--require`` asks of a file; each also accepts everything stronger."""

    TRUSTED = "trusted"
    """The signer is on a list the caller trusts; a development identity never is."""
    INTACT = "intact"
    """The bytes are what was signed, by a signer somebody you trust vouches for, whenever that was."""
    RECOVERED = "recovered"
    """A credential for a matching picture or clip is known, with at most a plain border around it and, for a
    clip, no seconds of something else."""


_ACCEPTS: dict[Requirement, frozenset[State]] = {}
_ACCEPTS[Requirement.TRUSTED] = frozenset({State.TRUSTED})
_ACCEPTS[Requirement.INTACT] = _ACCEPTS[Requirement.TRUSTED] | {
    State.DEVELOPMENT,
    State.EXPIRED,
}
_ACCEPTS[Requirement.RECOVERED] = _ACCEPTS[Requirement.INTACT] | {State.RECOVERED}


def exit_code(
    state: State, requirement: Requirement | None = None, *, vouched: bool = True, added: bool = False
) -> int:
    """The exit code of one verdict, bare or under ``--require``.

    Args:
        vouched: somebody the caller trusts vouches for the signer. Without that nothing is met: an
            unknown signer never exits 0 (house promise 4).
        added: there is something around a recovered picture or clip, or beside a clip's seconds, of which its
            credential says nothing.
    """
    if requirement is None:
        return _BARE_EXIT[state]
    return MET if vouched and not added and state in _ACCEPTS[requirement] else NOT_MET


def gravest(codes: list[int]) -> int:
    """The exit code of a batch: 130 > 70 > 2 > 1 > 3 > 0."""
    order = (MET, NOTHING_TO_CONCLUDE, NOT_MET, COULD_NOT, BUG, INTERRUPTED)
    return max(codes, default=COULD_NOT, key=order.index)


QUESTIONS = ("bytes", "manifest", "signer", "time", "identity", "history", "ai", "mark")
"""What every verdict answers, in this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One line of a verdict.

    Attributes:
        question: one of ``QUESTIONS``.
        outcome: how the look at it ended.
        text: the answer in plain words; may quote hostile text, so printers escape it.
    """

    question: str
    outcome: Outcome
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is known of exactly these bytes.

    Attributes:
        asset_sha256: the bytes judged.
        state: the one word.
        reason: one sentence, specific to this file.
        vouched: somebody the caller trusts vouches for the signer this rests on.
        answers: one per question, in the order of ``QUESTIONS``.
        added: something that is no plain border lies around a recovered picture or clip, or other seconds
            beside those of a clip.
        conflicts: statements of the file that contradict each other.
        evidence: every reading made, and every one not made with its reason.
        not_checked: what was left out and why, one line each.
        withdrawn: who withdrew the credential and why, one line each, counted or not.
        left_out: how much of an intact file its hard binding does not cover; None: all is covered.
        warnings: what should not be overlooked though it changes no state, one line each.
    """

    asset_sha256: str
    state: State
    reason: str
    answers: tuple[Answer, ...]
    vouched: bool
    added: bool = False
    conflicts: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    not_checked: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()
    left_out: LeftOut | None = None
    warnings: tuple[str, ...] = ()

    @property
    def manifest(self) -> ManifestReading | None:
        """The reading of the file's own manifest, among the evidence."""
        for one in self.evidence:
            if isinstance(one.detail, ManifestReading):
                return one.detail
        return None

    @property
    def ingredients(self) -> tuple[IngredientReading, ...]:
        """The history of the file, as far as its manifest tells."""
        return () if self.manifest is None else self.manifest.ingredients
