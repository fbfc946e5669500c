"""Measured: how often a stripped copy leads back to its picture, and how often a wrong one does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audits.robustness.attacks import RELINK
from provenance.digest_compare import compare, visual_digest
from provenance.errors import InputError
from provenance.evidence import Outcome
from provenance.media import Frames
from provenance.watermark.interface import WatermarkReading, detect, embed, new_content_id
from provenance.watermark.private_embedding import embed_both

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from audits.robustness.attacks import Picture, Transform
    from provenance.digest import VisualDigest
    from provenance.keys import PrivateMarkKey
    from provenance.watermark.interface import WatermarkKey


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Original:
    """A picture as released, with what its manifest would sign.

    Attributes:
        pixels: (H, W, 3) uint8, marked.
        payload: its content id.
        digest: its visual digest.
        psnr: dB of the mark.
        attempts: strengths tried.
    """

    pixels: Picture
    payload: bytes
    digest: VisualDigest
    psnr: float
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one copy led to.

    Attributes:
        exact: the payload came back, bit for bit.
        wrong: a payload was accepted that was never embedded.
        same: the digest said "the same picture".
        altered: share of the cells it called altered.
        statistic: of the mark.
    """

    exact: bool
    wrong: bool
    same: bool
    altered: float
    statistic: float


def frames_of(pixels: Picture) -> Frames:
    """One picture as ``Frames``; the array is copied."""
    return Frames(pixels=np.array(pixels)[None])


def release(
    pixels: Picture,
    key: WatermarkKey,
    random: Callable[[int], bytes],
    *,
    private: PrivateMarkKey | None = None,
) -> Original | None:
    """Mark a picture, with the private layer if asked; None when it cannot carry a mark."""
    payload = new_content_id(random)
    try:
        if private is None:
            marked = embed(frames_of(pixels), payload, key)
        else:
            marked = embed_both(frames_of(pixels), payload, key, private)
    except InputError as error:
        if error.code != "watermark.capacity-exceeded":
            raise
        return None
    return Original(
        pixels=marked.frames.pixels[0].astype(np.uint8),
        payload=payload,
        digest=visual_digest(marked.frames),
        psnr=marked.psnr,
        attempts=marked.attempts,
    )


def relink(
    original: Original, key: WatermarkKey, attacks: Mapping[str, Transform] = RELINK
) -> dict[str, Found]:
    """Attack, look, compare."""
    return {name: look(attack(original.pixels), original, key) for name, attack in attacks.items()}


def look(copy: Picture, original: Original, key: WatermarkKey) -> Found:
    """Does ``copy`` lead to ``original``, and is it the same picture?"""
    frames = frames_of(copy)
    evidence = detect(frames, [key])
    reading = evidence.detail
    assert isinstance(reading, WatermarkReading)
    accepted = evidence.outcome is Outcome.SUPPORTS
    exact = accepted and reading.payload == original.payload
    same, altered = False, 0.0
    if exact:
        held = compare(original.digest, frames, reading.geometry)
        same = held.outcome is Outcome.SUPPORTS
        altered = getattr(held.detail, "altered_fraction", 0.0)
    return Found(
        exact=exact, wrong=accepted and not exact, same=same, altered=altered, statistic=reading.statistic
    )
