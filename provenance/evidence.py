"""Evidence: what one look at one channel showed, including that nothing was looked at.

Absent, not checked, inconclusive, failed and contradicted are different results and stay
different all the way to the verdict (house promise 5).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provenance.digest import DigestReading
    from provenance.manifest.reading import ManifestReading
    from provenance.metadata.reading import MetadataReading
    from provenance.video.clip_digest_reading import ClipReading
    from provenance.watermark.carriers import CarrierReading
    from provenance.watermark.interface import WatermarkReading
    from provenance.watermark.latent_reading import LatentReading
    from provenance.watermark.private_reading import PrivateReading


class Outcome(StrEnum):
    """How a look at one channel ended."""

    SUPPORTS = "supports"
    """The channel was read and speaks for the claim."""
    CONTRADICTS = "contradicts"
    """The channel was read and speaks against the claim."""
    ABSENT = "absent"
    """The channel was read and holds nothing."""
    INCONCLUSIVE = "inconclusive"
    """The channel was read and what it holds does not decide."""
    NOT_CHECKED = "not_checked"
    """The channel was not read; ``Evidence.reason`` says why and what would change that."""
    FAILED = "failed"
    """Reading the channel broke; ``Evidence.reason`` says how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One channel's answer to one claim.

    Attributes:
        claim: what the channel was asked, e.g. ``"carries a mark of key demo-1"``.
        channel: ``"c2pa"``, ``"watermark"``, ``"digest"``, ``"xmp"``, …
        outcome: how the look ended.
        log10_lr: log10 likelihood ratio where one is calibrated, else None.
        false_positive_rate: measured rate at the threshold used, else None.
        reason: plain words; required for NOT_CHECKED, FAILED and INCONCLUSIVE.
        detail: the channel's own reading.
    """

    claim: str
    channel: str
    outcome: Outcome
    log10_lr: float | None = None
    false_positive_rate: float | None = None
    reason: str | None = None
    detail: (
        WatermarkReading
        | ManifestReading
        | DigestReading
        | MetadataReading
        | ClipReading
        | CarrierReading
        | LatentReading
        | PrivateReading
        | None
    ) = None

    def __post_init__(self) -> None:
        silent = {Outcome.NOT_CHECKED, Outcome.FAILED, Outcome.INCONCLUSIVE}
        if self.outcome in silent and not self.reason:
            raise ValueError(f"{self.outcome} needs a reason")
