"""Verify: what can be said of a file's origin, and what was not looked at.

    1. read the manifest: bytes, signature, signer, ingredients
    2. where there is none, look for the mark and the manifest it leads to
    3. read the labels beside the manifest
    4. hold the statements against each other
    5. one state, one answer per question

Opens no socket, fetches nothing, and gives the same verdict for the same bytes, the same
configuration and the same ``at``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from guard.statements import answers, conflicts, mark_not_read, unchecked, warnings
from guard.verdict import State, Verdict
from guard.withdrawn import with_recalls
from provenance.errors import ConfigurationError, InputError, IntegrityError
from provenance.evidence import Evidence, Outcome
from provenance.manifest.reading import ManifestReading, ManifestState, TrustTier
from provenance.media import Limits, is_clip

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from guard.recalls import Asked
    from guard.recover import Recovery
    from provenance.manifest.trust import TrustLists
    from provenance.media import Asset, Frames
    from provenance.registry_entry import Lookup
    from provenance.video.look import ClipLook
    from provenance.watermark.interface import WatermarkKey

_STATE: dict[ManifestState, State] = {
    ManifestState.TRUSTED: State.TRUSTED,
    ManifestState.DEVELOPMENT: State.DEVELOPMENT,
    ManifestState.UNKNOWN_SIGNER: State.UNKNOWN_SIGNER,
    ManifestState.REVOKED: State.REVOKED,
    ManifestState.EXPIRED: State.EXPIRED,
    ManifestState.HISTORY_PROBLEM: State.HISTORY_PROBLEM,
    ManifestState.TAMPERED: State.TAMPERED,
    ManifestState.MALFORMED: State.MALFORMED,
    ManifestState.ABSENT: State.NO_CREDENTIALS,
    ManifestState.REMOTE_ONLY: State.REMOTE_ONLY,
}
"""Every state of the reader has one here; a test holds the two enumerations together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relinking:
    """What is needed to find the credential of a stripped copy.

    Attributes:
        keys: locator keys to look for marks with.
        registry: from mark to manifest.
    """

    keys: Sequence[WatermarkKey]
    registry: Lookup


def verify(
    asset: Asset,
    *,
    trust: TrustLists,
    at: datetime,
    relinking: Callable[[], Relinking] | None = None,
    always_mark: bool = False,
    sidecar: bytes | None = None,
    limits: Limits | None = None,
    isolated: bool = False,
    recalls: Callable[[ManifestReading], Asked] | None = None,
) -> Verdict:
    """Judge one file.

    Args:
        asset: the bytes, with their type as found in the content.
        trust: lists the signer is held against.
        at: time for which certificates are judged.
        relinking: opens keys and registry, called only when the mark is to be read; None: not checked.
        always_mark: also read the mark of files whose manifest is intact.
        sidecar: a manifest that lies beside the file.
        limits: bounds for decoding the pixels, where that is needed at all.
        isolated: read manifests of formats other than ``READ_HERE`` in a process of their own, under limits.
        recalls: who says that a manifest was withdrawn; None: nobody is asked.

    Raises:
        InputError: the container cannot be read; of a damaged clip, when nothing of it can be decoded either.
    """
    from provenance.metadata.reading import read_metadata  # noqa: PLC0415

    manifest, damage = _read(asset, trust, at=at, sidecar=sidecar, isolated=isolated)  # (1)
    mark, recovery = mark_not_read(_WHY_NOT_READ[manifest.intact]), None
    if manifest.state is ManifestState.ABSENT or always_mark:  # (2)
        mark, recovery = _relink(asset, trust=trust, at=at, by=relinking, limits=limits)
    if damage is not None and mark.outcome is Outcome.NOT_CHECKED:
        raise damage
    judged = _judged(asset, manifest, mark, read_metadata(asset), recovery)  # (3)
    return with_recalls(judged, manifest, recovery, recalls)


def _read(
    asset: Asset, trust: TrustLists, *, at: datetime, sidecar: bytes | None, isolated: bool
) -> tuple[ManifestReading, InputError | None]:
    """The manifest, and the damage of a clip that may still have a mark."""
    try:
        return manifest_reader(asset.mime, isolated=isolated)(asset, trust, at=at, sidecar=sidecar), None
    except InputError as error:
        if error.code != "media.damaged" or not is_clip(asset.mime):
            raise
        return _nothing_left(error, at), error


READ_HERE = frozenset({"image/png", "image/jpeg", "image/webp"})
"""Formats whose containers are simple enough for the C2PA library to read them in this process."""


def manifest_reader(mime: str, *, isolated: bool) -> Callable[..., ManifestReading]:
    """What reads a manifest of this type: in this process, or in one of its own under limits."""
    if isolated and mime not in READ_HERE:
        from provenance.manifest.isolated import read_manifest_isolated  # noqa: PLC0415

        return read_manifest_isolated
    from provenance.manifest.read import read_manifest  # noqa: PLC0415 - c2pa

    return read_manifest


def _nothing_left(damage: InputError, at: datetime) -> ManifestReading:
    """Of a damaged clip without a trace of a manifest: the part with one may be what is missing."""
    reason = f"the clip is damaged and what is left of it holds no manifest: {damage.what}"
    return ManifestReading(state=ManifestState.ABSENT, reason=reason, at=at)


def _judged(
    asset: Asset, manifest: ManifestReading, mark: Evidence, labels: Evidence, recovery: Recovery | None
) -> Verdict:
    clashes = conflicts(manifest, labels, mark, recovery) if manifest.intact else ()  # (4)
    state, reason = _state(manifest, mark, recovery, clashes)
    left_out = manifest.left_out if manifest.intact else None
    given = answers(manifest, mark, labels, recovery, left_out)
    return Verdict(  # (5)
        asset_sha256=asset.sha256,
        state=state,
        reason=reason,
        answers=given,
        vouched=_vouched(manifest, recovery),
        added=state is State.RECOVERED and recovery is not None and recovery.added,
        conflicts=clashes,
        evidence=(_as_evidence(manifest), mark, labels, *_digests(recovery)),
        not_checked=unchecked(given, manifest),
        left_out=left_out,
        warnings=warnings(left_out),
    )


def _state(
    manifest: ManifestReading, mark: Evidence, recovery: Recovery | None, clashes: Sequence[str]
) -> tuple[State, str]:
    """The state and its reason in one sentence."""
    if clashes and manifest.state is not ManifestState.HISTORY_PROBLEM:
        return State.CONFLICT, clashes[0]
    if manifest.state is ManifestState.ABSENT:
        if mark.outcome is Outcome.NOT_CHECKED:
            return State.NO_CREDENTIALS, f"{manifest.reason}; marks were not looked for"
        if recovery is not None:
            return recovery.state, recovery.reason
    return _STATE[manifest.state], manifest.reason


def _relink(
    asset: Asset,
    *,
    trust: TrustLists,
    at: datetime,
    by: Callable[[], Relinking] | None,
    limits: Limits | None,
) -> tuple[Evidence, Recovery | None]:
    from guard.recover import recover  # noqa: PLC0415 - only for files without a manifest

    if by is None:
        return mark_not_read("this installation has no registry (guard init)"), None
    try:
        means = by()
        frames = decoded(asset, means.keys, limits)
    except InputError as error:
        return mark_not_read(f"the pixels could not be decoded: {error.what}"), None
    except (ConfigurationError, IntegrityError) as error:  # a key or a registry that cannot be used
        return mark_not_read(error), None
    try:
        found = recover(frames, keys=means.keys, registry=means.registry, trust=trust, at=at)
    except (ConfigurationError, IntegrityError) as error:
        return mark_not_read(error), None
    return found.mark, found


_WHY_NOT_READ = {
    True: "the bytes are what was signed; --marks reads the mark as well",
    False: "the manifest was looked at first; --marks or guard recover reads the mark",
}


def _vouched(manifest: ManifestReading, recovery: Recovery | None) -> bool:
    """Whether somebody the caller trusts vouches for the signer that the verdict rests on."""
    if manifest.state is ManifestState.ABSENT and recovery is not None:
        return recovery.vouched
    return manifest.signer is not None and manifest.signer.tier is not TrustTier.UNKNOWN


def decoded(
    asset: Asset,
    keys: Sequence[WatermarkKey],
    limits: Limits | None = None,
    *,
    whole: bool = False,
) -> Frames | ClipLook:
    """What there is to look at in ``asset``: a picture's pixels, or a clip seen once with ``keys``.

    Args:
        keys: locator keys to look for in a clip.
        limits: bounds for decoding a picture.
        whole: look at a clip to its end, though it is clear that no mark is in it.

    Raises:
        InputError: it cannot be decoded.
        ConfigurationError: ``extra.missing``.
    """
    if is_clip(asset.mime):
        from provenance.video.container import require_av  # noqa: PLC0415 - clips only

        require_av()
        from provenance.video.look import look  # noqa: PLC0415 - PyAV

        return look(asset, keys, for_mark=not whole)
    from provenance.codecs import decode  # noqa: PLC0415 - Pillow

    return decode(asset, limits or Limits())


_MANIFEST_OUTCOME: dict[ManifestState, Outcome] = {
    ManifestState.ABSENT: Outcome.ABSENT,
    ManifestState.REMOTE_ONLY: Outcome.NOT_CHECKED,
    ManifestState.TAMPERED: Outcome.CONTRADICTS,
    ManifestState.HISTORY_PROBLEM: Outcome.CONTRADICTS,
    ManifestState.REVOKED: Outcome.CONTRADICTS,
    ManifestState.MALFORMED: Outcome.FAILED,
    ManifestState.EXPIRED: Outcome.INCONCLUSIVE,
    ManifestState.UNKNOWN_SIGNER: Outcome.INCONCLUSIVE,
}


def _as_evidence(manifest: ManifestReading) -> Evidence:
    return Evidence(
        claim="bytes and origin are as its manifest says",
        channel="c2pa",
        outcome=_MANIFEST_OUTCOME.get(manifest.state, Outcome.SUPPORTS),
        reason=manifest.reason,
        detail=manifest,
    )


def _digests(recovery: Recovery | None) -> tuple[Evidence, ...]:
    return () if recovery is None else tuple(candidate.digest for candidate in recovery.candidates)
