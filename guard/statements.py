"""What a file says about itself, put into one sentence per question, and held against itself.

Questions, always in this order: bytes, signer, history, ai, mark. A question that could not be
answered gets a line too, saying why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guard.verdict import Answer, State
from provenance.evidence import Evidence, Outcome
from provenance.manifest.reading import ManifestReading, ManifestState, SigningTime, TrustTier
from provenance.metadata.reading import MetadataReading
from provenance.watermark.interface import WatermarkReading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guard.recover import Recovery

TIER_WORDS: dict[TrustTier, str] = {
    TrustTier.OFFICIAL: "on the official C2PA trust list",
    TrustTier.INTERIM: "on the interim trust list",
    TrustTier.OWN: "on a list you added",
    TrustTier.DEVELOPMENT: "this installation's own development identity",
    TrustTier.UNKNOWN: "UNKNOWN: nobody you trust vouches for this name",
}


def answers(
    manifest: ManifestReading, mark: Evidence, labels: Evidence, recovery: Recovery | None
) -> tuple[Answer, ...]:
    """One answer per question, in the fixed order."""
    return (
        _bytes(manifest),
        _signer(manifest),
        _history(manifest),
        _ai(manifest, labels),
        _mark(mark, recovery),
    )


def conflicts(manifest: ManifestReading, labels: Evidence, mark: Evidence) -> tuple[str, ...]:
    """Statements of one file that cannot both be true."""
    found = []
    label = labels.detail
    said = label.source_type if isinstance(label, MetadataReading) else None
    if said is not None and manifest.source_type is not None and said is not manifest.source_type:
        found.append(f"XMP says {said.term}, the manifest says {manifest.source_type.term}")
    reading = mark.detail
    if isinstance(reading, WatermarkReading) and reading.payload is not None and manifest.soft_bindings:
        named = {b.value for b in manifest.soft_bindings if b.algorithm == reading.algorithm}
        if named and reading.payload.hex() not in named:
            found.append(
                "the mark in the pixels is not the one the manifest names: one of them was moved here"
            )
    return tuple(found)


def unchecked(evidence: Sequence[Evidence], manifest: ManifestReading) -> tuple[str, ...]:
    """What was left out, and why; always at least the revocation of certificates."""
    lines = [f"{item.channel}: {item.reason}" for item in evidence if item.outcome is Outcome.NOT_CHECKED]
    if manifest.signer is not None:
        lines.append("revocation: verify opens no connection, so revoked certificates are not noticed")
    lines += [f"bytes not covered by the signature: {span}" for span in manifest.uncovered]
    return tuple(lines)


def _bytes(manifest: ManifestReading) -> Answer:
    if manifest.intact:
        return _answer("bytes", Outcome.SUPPORTS, "exactly as they were signed")
    if manifest.state is ManifestState.ABSENT:
        return _answer("bytes", Outcome.NOT_CHECKED, "no manifest in the file to hold them against")
    if manifest.state is ManifestState.REMOTE_ONLY:
        where = manifest.remote_url or "elsewhere"
        return _answer("bytes", Outcome.NOT_CHECKED, f"the manifest lies at {where} and was not fetched")
    outcome = Outcome.FAILED if manifest.state is ManifestState.MALFORMED else Outcome.CONTRADICTS
    return _answer("bytes", outcome, manifest.reason)


def _signer(manifest: ManifestReading) -> Answer:
    signer = manifest.signer
    if signer is None:
        return _answer("signer", Outcome.NOT_CHECKED, "no readable signature")
    outcome = Outcome.INCONCLUSIVE if signer.tier is TrustTier.UNKNOWN else Outcome.SUPPORTS
    if not manifest.intact:
        return _answer("signer", Outcome.INCONCLUSIVE, f"named as {signer}, but what was signed changed")
    when = _when(manifest)
    return _answer("signer", outcome, f"{signer} — {TIER_WORDS[signer.tier]}; {when}")


def _when(manifest: ManifestReading) -> str:
    signer = manifest.signer
    if signer is None or signer.signed_at is None or signer.time is SigningTime.NONE:
        return "time of signing not stated"
    stamp = signer.signed_at.strftime("%Y-%m-%d %H:%M UTC")
    proven = signer.time is SigningTime.PROVEN
    return f"signed {stamp} ({'proven by a time stamp' if proven else 'as the signer claims'})"


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
    return _answer("history", Outcome.SUPPORTS, f"{len(everything)} ingredients, none altered when taken in")


def _ai(manifest: ManifestReading, labels: Evidence) -> Answer:
    label = labels.detail
    source = manifest.source_type if manifest.intact else None
    where = "the manifest"
    if source is None and isinstance(label, MetadataReading):
        source, where = label.source_type, "unsigned XMP"
    if source is None:
        return _answer("ai", Outcome.ABSENT, "the file does not say how it was made")
    made = "made with generative AI" if source.is_generative else "not declared as generative AI"
    model = f", model {manifest.model_name}" if manifest.intact and manifest.model_name else ""
    outcome = Outcome.SUPPORTS if where == "the manifest" else Outcome.INCONCLUSIVE
    return _answer("ai", outcome, f"{made} ({source.term}{model}), says {where}")


def _mark(mark: Evidence, recovery: Recovery | None) -> Answer:
    if recovery is not None and recovery.state in (State.RECOVERED, State.LOCATOR_MISMATCH):
        return _answer("mark", mark.outcome, recovery.reason)
    if mark.outcome is Outcome.SUPPORTS:
        text = (
            recovery.reason
            if recovery is not None
            else "read from the pixels; it is the one the manifest names"
        )
        return _answer("mark", mark.outcome, text)
    return _answer("mark", mark.outcome, mark.reason or "none of the keys tried; absence proves nothing")


def _answer(question: str, outcome: Outcome, text: str) -> Answer:
    return Answer(question=question, outcome=outcome, text=text)
