"""Recover: from a stripped copy to the signed manifest of the picture or clip it was.

A mark is a locator, never proof: marks can be copied onto other pictures. So a manifest counts as
recovered only when all of these hold (house promise 3):

    1. the mark's statistic passes its gate and the payload its CRC
    2. the registry knows that id (a list: ids can clash and marks can be copied)
    3. the stored manifest's own signature holds
    4. that manifest names this very mark as its soft binding
    5. the content digest signed in that manifest matches these pixels

If 1–4 hold and 5 says "another picture", that is LOCATOR_MISMATCH: somebody moved a mark, or the
picture was changed beyond recognition.

A clip can also be found by its digest alone, as a whole or as seconds within something else. That is a
hint to look at, and never a recovery: steps 1 and 2 did not happen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from guard.changes import recovered_clip, recovered_picture
from guard.statements import mark_not_read
from guard.verdict import State
from provenance.digest import DigestReading, VisualDigest
from provenance.errors import Error, IntegrityError
from provenance.evidence import Evidence, Outcome
from provenance.manifest.reading import ManifestState, SoftBinding, TrustTier
from provenance.media import Frames
from provenance.video.clip_digest_reading import ClipReading
from provenance.watermark.interface import WatermarkReading
from provenance.watermark.telling import is_where_size_says

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from provenance.manifest.reading import ManifestReading
    from provenance.manifest.trust import TrustLists
    from provenance.registry_entry import Lookup, RegistryEntry
    from provenance.video.look import ClipLook
    from provenance.watermark.interface import Geometry, WatermarkKey

BROKEN = frozenset(
    {ManifestState.TAMPERED, ManifestState.MALFORMED, ManifestState.ABSENT, ManifestState.REMOTE_ONLY}
)
"""States in which a stored manifest vouches for nothing."""

_SEE_YOURSELF = (
    ": the two are not compared, so see for yourself whether they show the same (guard recover names the "
    "manifest's id and signer)"
)

MOST_CLIPS = 200
"""Clips of the registry, the latest first, that a file without a mark of theirs is compared with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One manifest that the mark points to, and whether it is of this picture or clip."""

    entry: RegistryEntry
    manifest: ManifestReading
    digest: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What a look for a lost credential found.

    Attributes:
        state: RECOVERED, WITHDRAWN, LOCATOR_MISMATCH or NO_CREDENTIALS.
        reason: one sentence.
        mark: the mark's reading, or why there is none.
        candidates: every manifest the mark points to, matching ones first.
        notes: what of the registries was not looked at, and what was wrong with them.
    """

    state: State
    reason: str
    mark: Evidence
    candidates: tuple[Candidate, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def added(self) -> bool:
        """Whether the matching picture or clip has something around it that is no plain border, or the clip
        other seconds beside its own.
        """
        reading = self.candidates[0].digest.detail if self.candidates else None
        return isinstance(reading, DigestReading | ClipReading) and reading.added

    @property
    def vouched(self) -> bool:
        """Whether the matching manifest's signer is one that somebody the caller trusts vouches for."""
        signer = self.candidates[0].manifest.signer if self.candidates else None
        return signer is not None and signer.tier is not TrustTier.UNKNOWN


def recover(
    frames: Frames | ClipLook,
    *,
    keys: Sequence[WatermarkKey],
    registry: Lookup,
    trust: TrustLists,
    at: datetime,
    by_digest: bool = False,
) -> Recovery:
    """Look for the credential of ``frames`` by their mark.

    Args:
        frames: the copy, as found; a clip as it was seen with the same ``keys``.
        keys: locator keys to try.
        registry: where ids are looked up.
        trust: lists that the recovered manifest's signer is held against.
        at: time for which certificates are judged.
        by_digest: compare a clip without a known mark with the clips that the registry knows.
    """
    mark = read_mark(frames, keys)
    reading = mark.detail
    if not isinstance(reading, WatermarkReading) or reading.payload is None:
        located: tuple[Candidate, ...] = ()
        if by_digest and not isinstance(frames, Frames):
            located = _located(frames, registry, trust=trust, at=at)
        reason = "; ".join(filter(None, (_no_mark(mark), _by_digest_alone(located), _unseen(frames))))
        return Recovery(
            state=State.NO_CREDENTIALS, reason=reason, mark=mark, candidates=located, notes=registry.notes
        )
    found = registry.look_up(reading.algorithm, reading.key_id, reading.epoch, reading.payload)
    candidates = tuple(
        sorted(
            (_weigh(entry, frames, reading, trust=trust, at=at) for entry in found.entries),
            key=_rank,
        )
    )
    state, reason = _judge(candidates, reading)
    reason = "; ".join(filter(None, (reason, _unseen(frames))))
    notes = (*registry.notes, *found.notes)
    return Recovery(state=state, reason=reason, mark=mark, candidates=candidates, notes=notes)


def read_mark(frames: Frames | ClipLook, keys: Sequence[WatermarkKey]) -> Evidence:
    """The mark's reading; a missing key or package is "not checked", never "no mark"."""
    if not isinstance(frames, Frames):
        return frames.mark
    if not keys:
        return mark_not_read("no locator key here (guard init)")
    from provenance.watermark.interface import detect  # noqa: PLC0415 - numpy

    try:
        return detect(frames, keys)
    except Error as error:
        if error.code != "extra.missing":
            raise
        return mark_not_read(error)


def is_as_measured(frames: Frames | ClipLook, mark: Evidence) -> bool:
    """Whether trials on unmarked pictures were about readings like this one; else its p-value is theory."""
    reading = mark.detail
    if not isinstance(frames, Frames) or not isinstance(reading, WatermarkReading):
        return False
    return is_where_size_says(reading.geometry, frames.width, frames.height)


def _weigh(
    entry: RegistryEntry,
    frames: Frames | ClipLook,
    mark: WatermarkReading | None,
    *,
    trust: TrustLists,
    at: datetime,
) -> Candidate:
    from provenance.manifest.read import read_stored_manifest  # noqa: PLC0415 - c2pa

    manifest = read_stored_manifest(entry.manifest, entry.mime, trust, at=at)
    return Candidate(entry=entry, manifest=manifest, digest=_compare(manifest, frames, mark))


def _rank(candidate: Candidate) -> tuple[bool, bool, int]:
    """Those of the same picture first, of these what was not recalled, then by what the signer is worth."""
    matches = candidate.digest.outcome is Outcome.SUPPORTS
    return not matches, candidate.entry.withdrawn is not None, _tier_rank(candidate.manifest)


def _located(clip: ClipLook, registry: Lookup, *, trust: TrustLists, at: datetime) -> tuple[Candidate, ...]:
    """Clips of the registry of which ``clip`` shows at least some seconds; those of most of it first."""
    entries = registry.clips(MOST_CLIPS)
    found = (_weigh(entry, clip, None, trust=trust, at=at) for entry in entries)
    return tuple(sorted((one for one in found if _shown(one)), key=_shown, reverse=True))


def _shown(candidate: Candidate) -> float:
    """Share of the file's time that is of that clip."""
    reading = candidate.digest.detail
    return reading.shown_fraction if isinstance(reading, ClipReading) and reading.spans else 0.0


def _unseen(frames: Frames | ClipLook) -> str:
    """What of a clip was not looked at: damaged, or too long."""
    return "" if isinstance(frames, Frames) or frames.unseen is None else frames.unseen


def _by_digest_alone(found: tuple[Candidate, ...]) -> str:
    """What the candidates are worth that no mark led to."""
    if not found:
        return ""
    ids = list(dict.fromkeys(one.entry.content_id.hex() for one in found))
    which = (
        ids[0] if len(ids) == 1 else f"{len(ids)} released clips, each with what it has of it below its id"
    )
    return f"by what it shows alone, which is a hint and no proof, it has seconds of {which}"


def _compare(manifest: ManifestReading, frames: Frames | ClipLook, mark: WatermarkReading | None) -> Evidence:
    """``mark`` is None where the manifest was not found by a mark."""
    if manifest.state in BROKEN:
        return _no_digest(Outcome.FAILED, f"the stored manifest does not hold: {manifest.reason}")
    if mark is not None and not _names(manifest, mark):
        return _no_digest(Outcome.FAILED, "the manifest found names another mark than the one read")
    if manifest.digest_assertion is None:
        return _no_digest(Outcome.NOT_CHECKED, "the manifest signs no content digest")
    of_clip = manifest.mime.startswith("video/")
    if of_clip is isinstance(frames, Frames):
        what = "a clip, and this is a single picture" if of_clip else "a picture, and this is a clip"
        return _no_digest(Outcome.NOT_CHECKED, f"the mark leads to the manifest of {what}{_SEE_YOURSELF}")
    try:
        return _held_against(manifest.digest_assertion, frames, None if mark is None else mark.geometry)
    except IntegrityError as error:  # anybody may have written that manifest
        return _no_digest(Outcome.FAILED, error.what)


def _held_against(signed: object, frames: Frames | ClipLook, geometry: Geometry | None) -> Evidence:
    """Raises:
    IntegrityError: ``digest.malformed``.
    """
    if isinstance(frames, Frames):
        from provenance.digest_compare import compare  # noqa: PLC0415 - numpy

        return compare(VisualDigest.from_assertion(signed), frames, geometry)
    from provenance.video.clip_digest import ClipDigest  # noqa: PLC0415 - numpy
    from provenance.video.clip_digest_compare import compare_clip  # noqa: PLC0415

    return compare_clip(ClipDigest.from_assertion(signed), frames.samples, geometry)


def _names(manifest: ManifestReading, mark: WatermarkReading) -> bool:
    """Whether the manifest names the mark that was read as its soft binding."""
    payload = "" if mark.payload is None else mark.payload.hex()
    return SoftBinding(algorithm=mark.algorithm, value=payload) in manifest.soft_bindings


def _tier_rank(manifest: ManifestReading) -> int:
    tier = TrustTier.UNKNOWN if manifest.signer is None else manifest.signer.tier
    return list(TrustTier).index(tier)


def _no_digest(outcome: Outcome, reason: str) -> Evidence:
    claim = "is the picture whose digest the manifest signs"
    return Evidence(claim=claim, channel="digest", outcome=outcome, reason=reason)


def _judge(candidates: tuple[Candidate, ...], mark: WatermarkReading) -> tuple[State, str]:
    outcomes = {candidate.digest.outcome for candidate in candidates}
    if Outcome.SUPPORTS in outcomes:
        reading = candidates[0].digest.detail
        assert isinstance(reading, DigestReading | ClipReading)
        what = recovered_clip(reading) if isinstance(reading, ClipReading) else recovered_picture(reading)
        if candidates[0].entry.withdrawn is not None:
            return State.WITHDRAWN, f"a signed manifest was found for {what}, and its publisher withdrew it"
        return State.RECOVERED, f"a signed manifest was found for {what}"
    if Outcome.CONTRADICTS in outcomes:
        kind = "clip" if isinstance(candidates[0].digest.detail, ClipReading) else "picture"
        return State.LOCATOR_MISMATCH, (
            f"this is not the {kind} the mark was made for: the mark was copied here, or the {kind} was "
            "changed beyond recognition"
        )
    if candidates:
        return State.NO_CREDENTIALS, candidates[0].digest.reason or "the manifest found cannot be compared"
    payload = (mark.payload or b"").hex()
    return State.NO_CREDENTIALS, f"a mark was read (id {payload}), but no registry here knows it"


def _no_mark(mark: Evidence) -> str:
    if mark.outcome is Outcome.NOT_CHECKED:
        return f"marks were not looked for: {mark.reason}"
    if mark.outcome is Outcome.ABSENT:
        return "no mark of the keys tried was found; absence proves nothing"
    return mark.reason or "a mark may be there but cannot be read"
