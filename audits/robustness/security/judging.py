"""What an attack came to: is the mark read, is the credential recovered, does the private layer speak?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits.robustness.fidelity import psnr
from audits.robustness.relink import frames_of
from audits.statistics import wilson
from provenance.digest_compare import compare
from provenance.evidence import Outcome
from provenance.watermark.interface import WatermarkReading, detect
from provenance.watermark.private_detection import read_private

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audits.robustness.attacks import Picture
    from audits.robustness.relink import Original
    from provenance.keys import PrivateMarkKey
    from provenance.watermark.interface import WatermarkKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Defender:
    """Keys of an installation: the one it hands out, and the one it does not."""

    locator: WatermarkKey
    private: PrivateMarkKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One attacked picture, as the installation that made the original sees it.

    Attributes:
        read: its mark is read, with the id of the original.
        wrong: another id was accepted.
        trace: a mark is said to be there, read or not.
        recovered: and the digest signed in the manifest says it is that picture: RECOVERED.
        private: the private layer says this installation marked a picture like this one.
        psnr: dB against the picture that the attacker began with; infinite where nothing changed.
    """

    read: bool
    wrong: bool
    trace: bool
    recovered: bool
    private: bool
    psnr: float


def judge(copy: Picture, original: Original, keys: Defender, *, began_with: Picture) -> Judged:
    """Look at ``copy`` as ``guard recover`` does where ``original`` is registered.

    Args:
        copy: what the attacker made.
        original: whose mark it may carry.
        keys: of the installation.
        began_with: what the attacker changed; quality is told against it where sizes agree, else as 0.
    """
    frames = frames_of(copy)
    evidence = detect(frames, [keys.locator])
    reading = evidence.detail
    assert isinstance(reading, WatermarkReading)
    accepted = evidence.outcome is Outcome.SUPPORTS
    read = accepted and reading.payload == original.payload
    recovered = private = False
    if reading.geometry is not None:
        layer = read_private(frames, reading.geometry, keys.locator, [keys.private])
        private = layer.outcome is Outcome.SUPPORTS
        recovered = read and compare(original.digest, frames, reading.geometry).outcome is Outcome.SUPPORTS
    same_size = copy.shape == began_with.shape
    return Judged(
        read=read,
        wrong=accepted and not read,
        trace=evidence.outcome in (Outcome.SUPPORTS, Outcome.INCONCLUSIVE),
        recovered=recovered,
        private=private,
        psnr=psnr(copy, began_with) if same_size else 0.0,
    )


def rates(judged: Sequence[Judged]) -> dict[str, object]:
    """Each outcome with its Wilson interval, and the median quality, for a report."""
    quality = sorted(one.psnr for one in judged)[len(judged) // 2]
    counted = {
        name: wilson(sum(getattr(one, name) for one in judged), len(judged)).to_json()
        for name in ("read", "recovered", "private", "trace", "wrong")
    }
    return {"n": len(judged), "median_psnr_db": round(quality, 1) if quality < 200 else None, **counted}
