"""Read latent marks: follow the picture back to its noise, hold that against the marks on record.

The noise that is found is far from exact: the autoencoder, the prompt (which the reader may not know) and
whatever happened to the picture since leave perhaps two signs in three right. Over thousands of
numbers that is plenty.

What is random without a mark is the keystream: given the noise, its signs are fair coins, whatever the
picture shows. So ``sum(sign · value)`` has a null distribution known for each picture by itself, and the
p-value is read from it (``statistic.Null.SIGNS``) and multiplied by everything that was tried: marks
on record, keys, and placements of the copy (Bonferroni). Decoy nonces on the same noise are draws from
that very null; tests hold the two together.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from provenance.evidence import Evidence, Outcome
from provenance.watermark.latent import ALGORITHM, decode, signs
from provenance.watermark.latent_geometry import placed
from provenance.watermark.latent_reading import CLAIM, LatentReading
from provenance.watermark.statistic import Null, corrected, log10_tail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from provenance.media import Frames
    from provenance.watermark.interface import Geometry
    from provenance.watermark.latent import LatentMark, MarkKey
    from provenance.watermark.latent_reading import Inverter, Noise

LEVEL_LOG10_P = -6.0
"""From here on a mark is said to be there."""
TRACE_LOG10_P = -3.0
"""From here on "perhaps" is said instead of "none"."""
_MOST = 2.0
"""Values count up to this many standard deviations: single large ones are errors more often than not."""


def detect_latent(
    frames: Frames,
    *,
    inverter: Inverter,
    keys: Sequence[MarkKey],
    marks: Sequence[LatentMark],
    geometry: Geometry | None = None,
) -> Evidence:
    """Was ``frames`` drawn from noise that carries one of ``marks``?

    SUPPORTS: the statistic passes its level. INCONCLUSIVE: between. ABSENT: it does not; crops, turns and
    repainting hide the mark, so that proves nothing. NOT_CHECKED: no key, no mark on record, a clip.

    Args:
        frames: the copy as found.
        inverter: of the model that may have drawn it.
        keys: whose keystreams to try.
        marks: on record.
        geometry: of the pixel mark found in the copy: it is also read with crop, turn and scale undone.

    Raises:
        InputError, ConfigurationError: as the inverter does.
    """
    reason = _cannot_look(frames, keys, marks)
    if reason:
        return Evidence(claim=CLAIM, channel="latent-mark", outcome=Outcome.NOT_CHECKED, reason=reason)
    copies = [(frames, False)]
    if geometry is not None:
        copies = [(copy, True) for copy in placed(frames, geometry, inverter.size)] + copies
    best: LatentReading | None = None
    for copy, realigned in copies:
        found = read_noise(inverter.invert(copy), keys=keys, marks=marks)
        found = replace(found, realigned=realigned)
        if best is None or found.log10_p < best.log10_p:
            best = found
    assert best is not None
    tried = best.hypotheses * len(copies)
    return judge(replace(best, hypotheses=tried, log10_p=corrected(best.log10_p, len(copies))))


def read_noise(noise: Noise, *, keys: Sequence[MarkKey], marks: Sequence[LatentMark]) -> LatentReading:
    """The best of ``marks`` under one of ``keys``, at least one of each; for one placement."""
    values = soft_signs(noise.values)
    size = float(np.sqrt(np.sum(values**2)))
    scored = ((float(values @ signs(mark, key, values.size)), key, mark) for key in keys for mark in marks)
    total, key, mark = max(scored, key=lambda one: one[0])
    expected = signs(mark, key, values.size)
    payload, passed = decode(values, mark.nonce, key, len(mark.payload))
    tried = len(keys) * len(marks)
    return LatentReading(
        algorithm=ALGORITHM,
        key_id=key.key_id,
        epoch=key.epoch,
        nonce=mark.nonce,
        payload=payload if passed else None,
        payload_matches=passed and payload == mark.payload,
        matches=int(np.sum(values * expected > 0)),
        count=values.size,
        statistic=total / max(size, 1e-12),
        log10_p=corrected(log10_tail(total, values, Null.SIGNS), tried),
        hypotheses=tried,
        realigned=False,
        residual=noise.residual,
    )


def judge(reading: LatentReading) -> Evidence:
    """What a reading says."""
    outcome, reason = Outcome.ABSENT, None
    if reading.log10_p <= LEVEL_LOG10_P:
        outcome = Outcome.SUPPORTS
    elif reading.log10_p <= TRACE_LOG10_P:
        outcome, reason = Outcome.INCONCLUSIVE, "a latent mark may be there, but not clearly enough to say so"
    return Evidence(claim=CLAIM, channel="latent-mark", outcome=outcome, reason=reason, detail=reading)


def soft_signs(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """(count,) what each number says about its sign: bounded, in the order of the latent."""
    flat = values.astype(np.float64).ravel()
    spread = float(flat.std()) or 1.0
    return np.asarray(np.clip(flat / spread, -_MOST, _MOST))


def _cannot_look(frames: Frames, keys: Sequence[MarkKey], marks: Sequence[LatentMark]) -> str | None:
    if not keys:
        return "no key was given"
    if not marks:
        return "no latent mark is on record here (guard generate --latent-mark)"
    if len(frames.pixels) > 1:
        return "latent marks are read from single pictures; this has several frames"
    return None
