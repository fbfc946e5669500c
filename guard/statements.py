"""What a file says about itself, put into one sentence per question, and held against itself.

Questions, always in this order: bytes, manifest, signer, time, identity, history, ai, mark. A question that
could not be answered gets a line too, saying why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from guard.origin_answers import (
    bytes_answer,
    identity_answer,
    manifest_answer,
    share_text,
    signer_answer,
    time_answer,
    when,
    worth,
)
from guard.verdict import Answer, State
from provenance.errors import Error
from provenance.evidence import Evidence, Outcome
from provenance.metadata.reading import MetadataReading
from provenance.watermark.telling import CLAIM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guard.recover import Recovery
    from provenance.manifest.reading import ManifestReading
    from provenance.manifest.uncovered import LeftOut
    from provenance.watermark.interface import WatermarkReading

OWN_MARKS = "org.mediaguard."
"""What the names of marks begin with that are read here; another program's marks are not."""

_PROMPT = 160
"""Characters of a published prompt in a verdict; ``guard inspect`` shows more of it."""


def answers(
    manifest: ManifestReading,
    mark: Evidence,
    labels: Evidence,
    recovery: Recovery | None,
    left_out: LeftOut | None = None,
) -> tuple[Answer, ...]:
    """One answer per question, in the fixed order."""
    found = None if manifest.intact else _recovered(recovery)
    return (
        bytes_answer(manifest, left_out),
        manifest_answer(manifest),
        signer_answer(manifest) if found is None else _recovered_signer(found),
        time_answer(manifest),
        identity_answer(manifest),
        _history(manifest),
        _ai(manifest, labels) if found is None else _recovered_ai(found),
        _mark(mark, recovery, manifest),
    )


def conflicts(
    manifest: ManifestReading, labels: Evidence, mark: Evidence, recovery: Recovery | None
) -> tuple[str, ...]:
    """Statements of one intact file that cannot all be true."""
    found = []
    said, label, before = manifest.source_type, labels.detail, _recovered(recovery)
    stated = label.source_type if isinstance(label, MetadataReading) else None
    if stated is not None and said is not None and stated is not said:
        found.append(f"XMP says {stated.term}, the manifest says {said.term}")
    named = {binding.value for binding in manifest.soft_bindings}
    if named and _payload(mark) and _payload(mark) not in named:
        found.append("the mark in the pixels is not the one the manifest names: one was moved here")
    once = None if before is None else before.source_type
    if said is not None and not said.is_generative and once is not None and once.is_generative:
        found.append(f"the manifest says {said.term}, the one its mark leads to says {once.term}")
    return tuple(found)


def unchecked(given: Sequence[Answer], manifest: ManifestReading) -> tuple[str, ...]:
    """What was left out, and why."""
    lines = [f"{answer.question}: {answer.text}" for answer in given if answer.outcome is Outcome.NOT_CHECKED]
    if manifest.signer is not None:
        lines.append("revocation: no authority was asked; only what guard keys revoke recorded is noticed")
    if manifest.intact and manifest.content_id is not None and manifest.digest_assertion is None:
        lines.append(
            "content: the manifest has no digest of it, so a copy could not be compared with this file"
        )
    lines += [f"bytes not covered by the signature: {span}" for span in manifest.uncovered]
    return tuple(lines)


def warnings(left_out: LeftOut | None) -> tuple[str, ...]:
    """What a reader of one line should not overlook, though the file is intact."""
    if left_out is None or not left_out.wide:
        return ()
    much = share_text(left_out) if left_out.exact else f"at least {share_text(left_out)}"
    return (f"{much} can be changed without anybody noticing: its binding leaves them out",)


def mark_not_read(why: str | Error) -> Evidence:
    """Nobody looked for a mark; an error says what helps."""
    reason = f"{why.what} ({why.hint or why.code})" if isinstance(why, Error) else why
    return Evidence(claim=CLAIM, channel="watermark", outcome=Outcome.NOT_CHECKED, reason=reason)


def _recovered(recovery: Recovery | None) -> ManifestReading | None:
    """The manifest of the same picture, which does not cover these bytes."""
    if recovery is None or recovery.state not in (State.RECOVERED, State.WITHDRAWN):
        return None
    return recovery.candidates[0].manifest


def _recovered_signer(found: ManifestReading) -> Answer:
    signer = found.signer
    who = "unreadable" if signer is None else f"{signer}: {worth(signer)}; {when(found)}"
    return _answer("signer", Outcome.INCONCLUSIVE, f"of the manifest found: {who}")


def _recovered_ai(found: ManifestReading) -> Answer:
    if found.source_type is None:
        return _answer("ai", Outcome.ABSENT, "the manifest found does not say how it was made")
    return _answer("ai", Outcome.INCONCLUSIVE, f"{_made(found)}, says the manifest found{_prompt(found)}")


def _made(manifest: ManifestReading) -> str:
    source = manifest.source_type
    assert source is not None
    made = "made with generative AI" if source.is_generative else "not declared as generative AI"
    model = f", model {manifest.model_name}" if manifest.model_name else ""
    words = f": {', '.join(manifest.signals)}" if manifest.signals else ""
    return f"{made} ({source.term}{model}){words}"


def _prompt(manifest: ManifestReading) -> str:
    """The prompt, where its author published it; cut, since it may be as long as a page."""
    said = manifest.prompt or ""
    return f'; prompt "{said if len(said) <= _PROMPT else said[: _PROMPT - 1] + "…"}"' if said else ""


def _history(manifest: ManifestReading) -> Answer:
    if not manifest.intact:
        return _answer("history", Outcome.NOT_CHECKED, "nothing intact to read it from")
    everything = [node for ingredient in manifest.ingredients for node in ingredient.walk()]
    if not everything:
        return _answer("history", Outcome.ABSENT, "no earlier versions or ingredients are named")
    bad = [node for node in everything if node.problem]
    if bad:
        return _answer(
            "history", Outcome.CONTRADICTS, f"{len(bad)} of {len(everything)} ingredients altered or invalid"
        )
    revoked = [node for node in everything if node.signer is not None and node.signer.revocation is not None]
    if revoked:
        what = f"of {len(revoked)} of {len(everything)} ingredients the signer's certificate was revoked"
        return _answer("history", Outcome.INCONCLUSIVE, what)
    return _answer("history", Outcome.SUPPORTS, f"{_count(everything)}, none altered when taken in")


def _count(ingredients: Sequence[object]) -> str:
    return "1 ingredient" if len(ingredients) == 1 else f"{len(ingredients)} ingredients"


def _ai(manifest: ManifestReading, labels: Evidence) -> Answer:
    if manifest.intact and manifest.source_type is not None:
        return _answer("ai", Outcome.SUPPORTS, f"{_made(manifest)}, says the manifest{_prompt(manifest)}")
    label = labels.detail
    if isinstance(label, MetadataReading) and label.source_type is not None:
        made = "generative AI" if label.source_type.is_generative else "not generative AI"
        return _answer(
            "ai", Outcome.INCONCLUSIVE, f"{made} ({label.source_type.term}), says XMP nobody signed"
        )
    if labels.reason:  # unreadable, in a format where nobody looked, or of two minds
        return _answer("ai", labels.outcome, f"the labels do not tell: {labels.reason}")
    return _answer("ai", Outcome.ABSENT, "the file does not say how it was made")


def _mark(mark: Evidence, recovery: Recovery | None, manifest: ManifestReading) -> Answer:
    named = any(binding.algorithm.startswith(OWN_MARKS) for binding in manifest.soft_bindings)
    if mark.outcome is Outcome.ABSENT and manifest.intact and named:
        what = "the manifest names a mark, and none of the keys tried was read from the pixels"
        return _answer("mark", Outcome.INCONCLUSIVE, what)
    if mark.outcome is not Outcome.SUPPORTS:
        absent = "no mark of the keys tried was found; absence proves nothing"
        return _answer("mark", mark.outcome, mark.reason or absent)
    if recovery is not None and not manifest.intact:
        found = recovery.reason.partition(";")[0]
        return _answer("mark", mark.outcome, f"id {_payload(mark)}: {found}")
    if _payload(mark) in {binding.value for binding in manifest.soft_bindings}:
        return _answer("mark", mark.outcome, "read from the pixels; it is the one the manifest names")
    return _answer(
        "mark", Outcome.CONTRADICTS, f"id {_payload(mark)} was read; the manifest does not name it"
    )


def _payload(mark: Evidence) -> str:
    """Hex id of the mark that was read, empty if none was."""
    if mark.channel != "watermark" or mark.detail is None:
        return ""
    payload = cast("WatermarkReading", mark.detail).payload
    return "" if payload is None else payload.hex()


def _answer(question: str, outcome: Outcome, text: str) -> Answer:
    return Answer(question=question, outcome=outcome, text=text)
