"""Both clocks against each other: every slot of a signed clip against every moment of a file.

A slot is correlated with the file's mean picture over as long a stretch, begun at every bin. Outlines are
correlated (steps of lightness between neighbouring cells), as two pictures with a bright sky have grounds
alike, but not outlines.
"""

from __future__ import annotations

import copy
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from provenance.video.clip_digest_cells import Pair, half_colour, motion
from provenance.video.clip_digest_placing import lab_of, placements

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from provenance.video.clip_digest import ClipDigest
    from provenance.video.clip_digest_placing import ClipSamples, Placement
    from provenance.watermark.interface import Geometry

PLAIN = 12.0
"""Root of the summed squares of all steps (L*) below which a picture has nothing to be recognised by."""
BOTH_PLAIN = 0.8005
"""What two plain pictures score: enough not to break a run, and next to nothing for one."""
LEAST_COVERED = 0.6
"""Share of a slot that a file's beginning or end must show for it to be looked for there."""
_FLAT = 60
"""Percentile of a picture's steps beyond which all count alike where outlines are flattened."""
_PLACING_SLOTS, _PLACING_BINS = 24, 160
"""Slots and moments at which the placements are weighed against each other."""


class Alignment:
    """A file laid on the digest's grid under one placement.

    Attributes:
        placement: how its frames lie in the signed ones.
        told_by: (rows, columns) bool: digest cells whose outlines are compared, of those covered.
        signed: (slots, rows, columns, 3) L*a*b* of the digest.
        slot_bins: bins to a slot.
        bin_seconds: seconds to a bin.
        lead: ``scores`` begin this many bins before the file does.
    """

    def __init__(self, placement: Placement, digest: ClipDigest, samples: ClipSamples) -> None:
        self.placement = placement
        self.told_by = placement.covered
        self.signed, self.slot_bins = slots_of(digest, samples)
        self.bin_seconds = samples.bin_seconds
        self.lead = int((1 - LEAST_COVERED) * self.slot_bins)
        self._last_bins = digest.seconds / samples.bin_seconds - (len(self.signed) - 1) * self.slot_bins
        self._laid = placement.lay(samples.means)
        nothing = np.zeros_like(self._laid[:1], np.float64)
        self._sums = np.concatenate([nothing, np.cumsum(self._laid, axis=0, dtype=np.float64)])

    def apart_from(self, cells: NDArray[np.bool_]) -> Alignment:
        """The same without the outlines of ``cells``."""
        other = copy.copy(self)
        other.told_by = self.placement.covered & ~cells
        other.__dict__.pop("scores", None)
        return other

    @property
    def bins(self) -> int:
        """How many bins the file has."""
        return len(self._laid)

    @property
    def signed_bins(self) -> float:
        """How many bins the signed clip would have."""
        return (len(self.signed) - 1) * self.slot_bins + self._last_bins

    @cached_property
    def scores(self) -> NDArray[np.float32]:
        """(slots, starts) correlation of each slot with the file from each bin on."""
        starts = self.starts
        found = self._agreement(self.signed, lab_of(self.windows(starts)))
        length = self.length_of(len(self.signed) - 1)
        if length < self.slot_bins:
            shown = np.clip(starts + length, 0, self.bins) - np.clip(starts, 0, self.bins)
            last = self._agreement(self.signed[-1:], lab_of(self.windows(starts, length)))
            found[-1:] = np.where(shown >= LEAST_COVERED * length, last, -1)
        return found

    @property
    def starts(self) -> NDArray[np.float64]:
        """Bins at which a slot is looked for."""
        return np.arange(-self.lead, self.bins - int(LEAST_COVERED * self.slot_bins) + 1).astype(float)

    def length_of(self, slot: int) -> float:
        """Bins that a slot lasts: fewer for the last one."""
        return (
            min(max(self._last_bins, 1.0), self.slot_bins) if slot == len(self.signed) - 1 else self.slot_bins
        )

    def windows(self, starts: NDArray[np.float64], length: float | None = None) -> NDArray[np.float32]:
        """(n, rows, columns, 3) RGB: the mean over a slot's length, or another one, from each start, in
        bins; what lies beyond the file is left out.
        """
        reach = float(self.slot_bins) if length is None else length
        first, last = (np.clip(starts + add, 0, self.bins) for add in (0, reach))
        shown = np.maximum(last - first, 1e-6)[:, None, None, None]
        return np.asarray((self._sum_to(last) - self._sum_to(first)) / shown, np.float32)

    def match(self, slot: int, start: float) -> float:
        """Correlation of one slot with the file from a start on, in bins."""
        window = lab_of(self.windows(np.array([start]), self.length_of(slot)))
        return self._agreement(self.signed[slot : slot + 1], window).item()

    def pairs(self, clocks: Mapping[int, float]) -> list[Pair]:
        """Slots and what the file shows of them, by the bin at which each begins."""
        signed = half_colour(self.signed)
        moved = motion(signed)
        found = []
        for slot, at in clocks.items():
            shown = half_colour(lab_of(self.windows(np.array([at]), self.length_of(slot))))[0]
            agreement = self.match(slot, at)
            found.append(
                Pair(slot=slot, signed=signed[slot], found=shown, motion=moved[slot], outlines=agreement)
            )
        return found

    def likeness(self, slot: int, start: float) -> float | None:
        """As ``match``, by flattened outlines; None where one of both is plain."""
        window = lab_of(self.windows(np.array([start]), self.length_of(slot)))
        one, other = (flattened(lab, self.told_by)[0] for lab in (self.signed[slot : slot + 1], window))
        return float(one @ other) if one.any() and other.any() else None

    def moments(self, shift: float) -> NDArray[np.float32]:
        """(bins,) correlation of each bin with what the digest leads to expect when its slot 0 lies at bin
        ``shift``: the picture between the two nearest slots. -1 outside the signed clip.
        """
        place = (np.arange(self.bins) + 0.5 - shift) / self.slot_bins - 0.5
        low = np.clip(np.floor(place).astype(int), 0, len(self.signed) - 1)
        high = np.clip(low + 1, 0, len(self.signed) - 1)
        part = np.clip(place - low, 0, 1)[:, None, None, None].astype(np.float32)
        expected = self.signed[low] * (1 - part) + self.signed[high] * part
        one, other = (outlines(lab, self.told_by) for lab in (expected, lab_of(self._laid)))
        agreement = np.einsum("nd,nd->n", one, other)
        outside = (place < -0.5) | (place > len(self.signed) - 0.5)
        return np.asarray(np.where(outside, -1, agreement), np.float32)

    def is_plain(self) -> bool:
        """True when the signed clip, or the file, never shows anything to be recognised by."""
        return any(
            float(np.linalg.norm(_steps(lab, self.told_by), axis=1).max(initial=0)) < PLAIN
            for lab in (self.signed, lab_of(self._laid))
        )

    def _sum_to(self, bins: NDArray[np.float64]) -> NDArray[np.float64]:
        whole = np.minimum(bins.astype(int), self.bins - 1)
        part = (bins - whole)[:, None, None, None]
        return np.asarray(self._sums[whole] + part * self._laid[whole], np.float64)

    def _agreement(self, signed: NDArray[np.float32], found: NDArray[np.float32]) -> NDArray[np.float32]:
        one, other = (outlines(lab, self.told_by) for lab in (signed, found))
        plain = [np.asarray(~lines.any(axis=1)) for lines in (one, other)]
        return np.asarray(np.where(plain[0][:, None] & plain[1], BOTH_PLAIN, one @ other.T), np.float32)


def align(
    digest: ClipDigest, samples: ClipSamples, geometry: Geometry | None, *, flat: bool = False
) -> Alignment | None:
    """The file under the placement that fits best, by ``flat`` outlines or by outlines; None if it shows
    nothing of the frame.
    """
    lines = flattened if flat else outlines
    signed, _ = slots_of(digest, samples)
    slots = signed[np.unique(np.linspace(0, len(signed) - 1, _PLACING_SLOTS).astype(int))]
    bins = np.unique(np.linspace(0, len(samples.means) - 1, _PLACING_BINS).astype(int))
    best, best_fit = None, -np.inf
    for placement in placements(digest, samples, geometry):
        shown = lines(lab_of(placement.lay(samples.means[bins])), placement.covered)
        found = np.sort((lines(slots, placement.covered) @ shown.T).max(axis=1))
        # Half of the slots may not be in the file; more cells shown are more to go by.
        fit = float(found[len(found) // 2 :].mean()) * float(np.sqrt(placement.covered.mean()))
        if fit > best_fit:
            best, best_fit = placement, fit
    return None if best is None else Alignment(best, digest, samples)


def slots_of(digest: ClipDigest, samples: ClipSamples) -> tuple[NDArray[np.float32], int]:
    """The digest's slots, joined until each is a whole number of the file's bins; and that number."""
    signed, seconds = digest.pictures(), digest.slot_seconds
    while seconds < samples.bin_seconds - 1e-9:
        even = signed if len(signed) % 2 == 0 else np.concatenate([signed, signed[-1:]])
        signed, seconds = np.asarray((even[::2] + even[1::2]) / 2, np.float32), 2 * seconds
    return signed, max(1, round(seconds / samples.bin_seconds))


def outlines(lab: NDArray[np.float32], covered: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(n, steps) of length 1; all 0 for a plain picture."""
    steps = _steps(lab, covered)
    length = np.linalg.norm(steps, axis=1, keepdims=True)
    return np.asarray(np.where(length < PLAIN, 0, steps / np.maximum(length, PLAIN)), np.float32)


def flattened(lab: NDArray[np.float32], covered: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The same with the strong steps cut to one height: a few of them cannot outweigh all others."""
    steps = _steps(lab, covered)
    plain = np.linalg.norm(steps, axis=1, keepdims=True) < PLAIN
    most = np.percentile(np.abs(steps), _FLAT, axis=1, keepdims=True) if steps.size else 0
    cut = np.clip(steps, -most, most)
    length = np.maximum(np.linalg.norm(cut, axis=1, keepdims=True), 1e-6)
    return np.asarray(np.where(plain, 0, cut / length), np.float32)


def _steps(lab: NDArray[np.float32], covered: NDArray[np.bool_]) -> NDArray[np.float32]:
    light = lab[..., 0]
    across = np.diff(light, axis=2)[:, covered[:, 1:] & covered[:, :-1]]
    down = np.diff(light, axis=1)[:, covered[1:] & covered[:-1]]
    return np.concatenate([across, down], axis=1)
