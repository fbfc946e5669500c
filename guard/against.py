"""A found file against a signed one that the caller already has: is it that picture, and what changed?

1. the signed file's manifest is read; it must hold and sign a content digest
2. the mark is read in the found file where there is a key for it
3. a mark that this manifest names says how the copy lies; the digest then decides: RECOVERED or not
4. without that mark the digest is compared by looks alone: SIMILAR at most, since two pictures can look alike
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from guard.recover import BROKEN, read_mark
from provenance.digest import DigestReading, VisualDigest
from provenance.errors import InputError
from provenance.evidence import Evidence, Outcome
from provenance.manifest.reading import SoftBinding, TrustTier
from provenance.media import is_clip
from provenance.watermark.interface import WatermarkReading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provenance.manifest.reading import ManifestReading
    from provenance.media import Frames
    from provenance.watermark.interface import WatermarkKey


class Likeness(StrEnum):
    """How a found file stands to a signed picture."""

    RECOVERED = "recovered"
    """The manifest's own mark is in it and the signed digest matches."""
    SIMILAR = "similar"
    """It looks like the picture; no mark says that it is."""
    OTHER = "other"
    """The digest shows another picture."""
    INCONCLUSIVE = "inconclusive"
    """Too little to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A found file held against a signed one.

    Attributes:
        state: the one word.
        reason: one sentence.
        mark: of the found file, or why there is none.
        manifest: of the signed file.
        digest: the comparison; its claim says whether by mark or by looks.
    """

    state: Likeness
    reason: str
    mark: Evidence
    manifest: ManifestReading
    digest: Evidence

    @property
    def vouched(self) -> bool:
        """Whether the manifest's signer is one that somebody the caller trusts vouches for."""
        signer = self.manifest.signer
        return signer is not None and signer.tier is not TrustTier.UNKNOWN


def refuse_clip(mime: str) -> None:
    """Clips have digests of their own, which are compared where their mark or the registry leads.

    Raises:
        InputError: ``against.clip``.
    """
    if is_clip(mime):
        raise InputError(
            "against.clip", "--against compares pictures only, and this is a clip", hint="leave --against out"
        )


def signed_digest(manifest: ManifestReading) -> VisualDigest:
    """The digest that a manifest signs.

    Raises:
        InputError: ``against.manifest`` when it does not hold, ``against.no-digest`` when it signs none.
        IntegrityError: ``digest.malformed``.
    """
    if manifest.state in BROKEN:
        what = f"the signed file has no manifest that holds: {manifest.reason}"
        raise InputError("against.manifest", what, hint="pass the file as it was released")
    if manifest.digest_assertion is None or not manifest.mime.startswith("image/"):
        what = "its manifest signs no digest of a picture to compare with"
        raise InputError("against.no-digest", what, hint="pass a picture that was released with mediaguard")
    return VisualDigest.from_assertion(manifest.digest_assertion)


def hold_against(
    frames: Frames, manifest: ManifestReading, digest: VisualDigest, *, keys: Sequence[WatermarkKey]
) -> Comparison:
    """Compare ``frames`` with the picture of ``digest``, which ``manifest`` signs.

    Args:
        frames: the found picture.
        manifest: of the signed file; it holds.
        digest: from ``signed_digest``.
        keys: locator keys to try; without any, looks alone decide.
    """
    from provenance.digest_compare import compare, resemble  # noqa: PLC0415 - numpy

    mark = read_mark(frames, keys)
    reading = mark.detail
    if isinstance(reading, WatermarkReading) and _names(manifest, reading):
        held = compare(digest, frames, reading.geometry)
        if held.outcome is Outcome.SUPPORTS:
            return _told(Likeness.RECOVERED, "its own mark and the signed digest agree", mark, manifest, held)
    held = resemble(digest, frames)
    if held.outcome is Outcome.SUPPORTS:
        why = "it looks like the signed picture; no mark says that it is that picture"
        return _told(Likeness.SIMILAR, why, mark, manifest, held)
    state = Likeness.OTHER if held.outcome is Outcome.CONTRADICTS else Likeness.INCONCLUSIVE
    return _told(state, held.reason or "it cannot be compared", mark, manifest, held)


def _names(manifest: ManifestReading, mark: WatermarkReading) -> bool:
    payload = "" if mark.payload is None else mark.payload.hex()
    return SoftBinding(algorithm=mark.algorithm, value=payload) in manifest.soft_bindings


def _told(
    state: Likeness, why: str, mark: Evidence, manifest: ManifestReading, digest: Evidence
) -> Comparison:
    reading = digest.detail
    matches = state in (Likeness.RECOVERED, Likeness.SIMILAR) and isinstance(reading, DigestReading)
    if matches and isinstance(reading, DigestReading) and reading.altered_fraction > 0:
        why += "; it is altered in places"
    if matches and isinstance(reading, DigestReading) and reading.added:
        why += "; something lies around it"
    return Comparison(state=state, reason=why, mark=mark, manifest=manifest, digest=digest)
