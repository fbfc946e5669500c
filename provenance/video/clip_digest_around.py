"""What lies around a released clip in the frames of a copy, of which its digest says nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from provenance.video.clip_digest_placing import lab_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provenance.video.clip_digest import ClipDigest
    from provenance.video.clip_digest_placing import ClipSamples, Placement

    Mask = NDArray[np.bool_]

_PLAIN = 10.0
"""|ΔL*| + |Δa*| + |Δb*| up to which a cell is of the ground that most cells around the clip have."""
_RIM = 0.01
"""Share of the signed frame's sides up to which what lies beyond them may still be the clip."""
_MOST_VARIED = 0.01
"""Share of the cells around that may differ from the ground, at any moment: specks, and no line of text."""
_AT_ONCE = 64


def around(placement: Placement, digest: ClipDigest, samples: ClipSamples) -> tuple[float, bool]:
    """The share of the copy's frames that lies around the clip, and whether that is plain.

    Plain is one ground at every moment, as far as it can be told from the clip's rim.
    """
    rows, columns = samples.means.shape[1:3]
    cell = np.array(samples.size, float) / (columns, rows)
    x, y = np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5)
    middles = np.stack([x.ravel(), y.ravel()], axis=1) * cell - 0.5
    places = middles @ placement.linear.T + placement.shift + 0.5
    signed = np.array([digest.width, digest.height], float)
    outside = _beyond(places, signed, np.zeros(2))
    clear = _beyond(places, signed, np.abs(placement.linear) @ cell / 2 + _RIM * signed)
    return float(outside.mean()), not clear.any() or _is_plain(samples, clear)


def _beyond(places: NDArray[np.float64], signed: NDArray[np.float64], by: NDArray[np.float64]) -> Mask:
    return np.asarray(((places < -by) | (places > signed + by)).any(axis=1))


def _is_plain(samples: ClipSamples, clear: Mask) -> bool:
    frames = samples.means.reshape(len(samples.means), -1, 3)
    for first in range(0, len(frames), _AT_ONCE):
        lab = lab_of(frames[first : first + _AT_ONCE, clear].astype(np.float32))
        differs = np.abs(lab - np.median(lab, axis=1, keepdims=True)).sum(axis=-1) > _PLAIN
        if float(differs.mean(axis=1).max()) > _MOST_VARIED:
            return False
    return True
