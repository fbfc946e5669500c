"""Compute visual digests and hold found copies against them.

1. where could the copy lie in the released picture (the mark's geometry, up to whole tiles; or a search)
2. lay it there on a coarse grid; fit brightness, contrast and colour over what is covered, to the picture
   most like it of all that the digest may stand for
3. the place with the most cells that agree wins, and is corrected to a few hundredths of a cell
4. same picture, another picture, or too little to say
5. if the same: what differs on the fine grid by more than recompression explains
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from provenance.colours import in_srgb
from provenance.digest import COARSE, SIDES, DigestReading, Shape, VisualDigest
from provenance.digest_align import align
from provenance.digest_changes import find_changes
from provenance.digest_code import encode_planes, step_of
from provenance.digest_fit import Fit, fit, has_outlines, likeness
from provenance.digest_grid import Canvas, Placed, Placement, area_means, view_of
from provenance.digest_grounds import GROUNDS, SEE_THROUGH, is_transparent, worst
from provenance.digest_judge import CLAIM, LIKENESS, judge
from provenance.digest_places import around, marked_places, whole
from provenance.digest_planes import Reference, as_kept, planes_of
from provenance.digest_search import searched_places
from provenance.digest_tones import ALTERED
from provenance.evidence import Evidence, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from provenance.digest_changes import Changes
    from provenance.digest_grid import View
    from provenance.digest_places import Around
    from provenance.media import Frames
    from provenance.watermark.interface import Geometry

    Places = Callable[[Reference, View], Iterable[tuple[Placement, Placed]]]

_TOO_LITTLE = "the copy shows too little of the picture to compare"
_UNDECIDED = "the signed digest says of itself that it cannot tell this picture from others"
_UNKNOWN_COLOURS = "its colour profile cannot be read, so its colours are not known"
_MOST_AROUND = 0.25
"""Up to a quarter of a file may lie around the picture, as in a screenshot with its frame."""
_FEWEST_CELLS = 64
"""A copy covering less than a sixteenth of the picture decides nothing."""
_MOST_FITTED = 3
"""Places that are fitted; of more, those whose outlines agree best."""
_JUST_ALIKE = 0.01
"""Difference of channels in 0..1 below which, in all cells, nothing needs to be fitted."""
_WELL_KEPT = 1.2
"""Step, in L* units, up to which a finer grid is taken."""
_TOUCHED = 0.12
"""Share of a coarse cell from which fine altered cells make it an altered one."""


def visual_digest(frames: Frames) -> VisualDigest:
    """The digest of a released picture (its first frame)."""
    shown = in_srgb(frames) or frames
    view, code = view_of(shown), b""
    for fineness, side in enumerate(SIDES):
        shape = Shape.of(frames.width, frames.height, side)
        planes = planes_of(view, shape)
        finer = encode_planes(planes, shape, fineness)
        if code and step_of(finer) > _WELL_KEPT:
            break
        code, kept = finer, planes
    clear = is_transparent(frames)
    digest = VisualDigest(width=frames.width, height=frames.height, code=code, transparent=clear)
    if has_outlines(as_kept(kept)) or _recognised(digest, view):
        return digest
    return replace(digest, undecided=True)


def recognises(digest: VisualDigest, frames: Frames) -> bool:
    """Whether ``frames``, upright and whole, are the picture of ``digest``; without looking for changes."""
    return _recognised(digest, view_of(in_srgb(frames) or frames))


def _recognised(digest: VisualDigest, view: View) -> bool:
    reference = Reference.of(digest)
    fine = area_means(view.rgb, reference.shape.rows, reference.shape.columns)
    laid = Placed(rgb=fine.astype(np.float64), covered=np.ones(fine.shape[:2], bool))
    near, seen = reference.nearest(laid)
    if has_outlines(near) and float(np.abs(near - seen).max()) < _JUST_ALIKE:
        return True
    placed = Placed(rgb=seen, covered=np.ones(seen.shape[:2], bool))
    return judge(fit(near, placed, whole(reference, view)), CLAIM)[0] is Outcome.SUPPORTS


def compare(digest: VisualDigest, frames: Frames, geometry: Geometry | None) -> Evidence:
    """Is ``frames`` the picture of ``digest``?

    SUPPORTS: the same picture; ``detail`` says what is cropped, turned and altered. CONTRADICTS:
    another picture. INCONCLUSIVE: the copy shows too little, or lies between.

    Args:
        digest: from a manifest whose signature holds.
        frames: the found copy.
        geometry: of the mark found in it; None takes the copy for the whole picture, upright.

    Raises:
        IntegrityError: ``digest.malformed``.
    """
    if geometry is not None:
        return _held(CLAIM, digest, frames, partial(marked_places, geometry=geometry))
    return _held(CLAIM, digest, frames, lambda ref, view: _laid(ref, view, [whole(ref, view)]))


def compare_placed(digest: VisualDigest, frames: Frames, placements: Sequence[Placement]) -> Evidence:
    """As ``compare``, for a copy that lies at one of ``placements``, each known to about a cell."""
    return _held(CLAIM, digest, frames, lambda ref, view: _laid(ref, view, placements))


def resemble(digest: VisualDigest, frames: Frames) -> Evidence:
    """Does ``frames`` look like the picture of ``digest``, without a mark that says so?

    The place is searched for (``provenance.digest_search``): eight turns and mirror images, stretched or
    cropped to half of the area, and turned by up to about 3°. The claim differs from that of ``compare``, so
    that likeness never counts as recovery: two pictures can look alike. Outcomes and errors as there.
    """
    return _held(LIKENESS, digest, frames, lambda ref, view: _laid(ref, view, searched_places(ref, view)))


def altered_heatmap(reading: DigestReading) -> NDArray[np.float64]:
    """(32, 32) in 0..1: how much each cell of the released picture differs, 1 for 40 L*a*b* units."""
    return np.clip(np.array(reading.difference) / (2 * ALTERED), 0, 1)


def _held(claim: str, digest: VisualDigest, frames: Frames, places: Places) -> Evidence:
    """The comparison in the colours that the copy's profile says, on the grounds it may be seen on."""
    reference, seen = Reference.of(digest), in_srgb(frames)
    shown, clear = frames if seen is None else seen, is_transparent(frames)
    views = [
        view_of(shown, ground) for ground in (GROUNDS if clear and not digest.transparent else GROUNDS[:1])
    ]
    found = worst([_weighed(claim, reference, view, places(reference, view)) for view in views])
    if digest.undecided and found.outcome is not Outcome.SUPPORTS:
        return replace(found, outcome=Outcome.INCONCLUSIVE, reason=_UNDECIDED)
    if isinstance(found.detail, DigestReading) and (clear or seen is None):
        notes = [*found.detail.notes, *[SEE_THROUGH] * clear, *[_UNKNOWN_COLOURS] * (seen is None)]
        found = replace(found, detail=replace(found.detail, notes=tuple(notes)))
    if seen is None and found.outcome is Outcome.SUPPORTS:
        return replace(
            found, outcome=Outcome.INCONCLUSIVE, reason=f"the picture is there, but {_UNKNOWN_COLOURS}"
        )
    return found


def _laid(
    reference: Reference, view: View, placements: Iterable[Placement]
) -> Iterator[tuple[Placement, Placed]]:
    for placement in placements:
        yield placement, Canvas(view, reference.released, placement.linear).place(placement)


def _weighed(
    claim: str, reference: Reference, view: View, places: Iterable[tuple[Placement, Placed]]
) -> Evidence:
    tried = list(places)
    usable = [place for place in tried if int(place[1].covered.sum()) >= _FEWEST_CELLS]
    if not usable:
        return Evidence(claim=claim, channel="digest", outcome=Outcome.INCONCLUSIVE, reason=_TOO_LITTLE)
    likely = sorted(usable, key=lambda place: -likeness(reference.coarse, place[1]))[:_MOST_FITTED]
    fits = [_fitted(reference, view, placement, placed) for placement, placed in likely]
    best = _refined(reference, view, max(fits, key=lambda fitted: fitted.rank))
    outcome, why = judge(best, claim)
    if outcome is Outcome.CONTRADICTS and len(usable) < len(tried):
        # The right place may be one of those that show too little.
        return Evidence(claim=claim, channel="digest", outcome=Outcome.INCONCLUSIVE, reason=_TOO_LITTLE)
    surroundings = around(best.placement, reference, view)
    matches = outcome is Outcome.SUPPORTS
    changes = _changes(reference, view, best) if matches else None
    detail = _reading(best, reference, view.size, around=surroundings, changes=changes)
    if matches and surroundings.against > _MOST_AROUND:
        outcome = Outcome.INCONCLUSIVE
        why = f"the picture is there, but {surroundings.share:.0%} of this file lies around it"
    return Evidence(claim=claim, channel="digest", outcome=outcome, reason=why, detail=detail)


def _refined(reference: Reference, view: View, best: Fit) -> Fit:
    placement = align(reference, view, best.placement)
    placed = Canvas(view, reference.released, placement.linear).place(placement)
    if int(placed.covered.sum()) < _FEWEST_CELLS:
        return best
    return max(best, _fitted(reference, view, placement, placed), key=lambda fitted: fitted.rank)


def _fitted(reference: Reference, view: View, placement: Placement, placed: Placed) -> Fit:
    """The copy at one place against the picture most like it of all that the digest may stand for.

    So the very pixels of a digest fit whatever they show; what is altered is measured against what is signed.

    Args:
        placed: the copy there on the coarse grid.
    """
    grid = (reference.shape.rows, reference.shape.columns)
    canvas = Canvas(view, reference.released, placement.linear, grid=grid)
    near, seen = reference.nearest(canvas.place(placement))
    return fit(near, Placed(rgb=seen, covered=placed.covered), placement)


def _changes(reference: Reference, view: View, best: Fit) -> Changes:
    grid = (reference.shape.rows, reference.shape.columns)
    canvas = Canvas(view, reference.released, best.placement.linear, grid=grid, whole=True)
    return find_changes(reference, canvas.place(best.placement), best)


def _reading(
    best: Fit, reference: Reference, size: tuple[int, int], *, around: Around, changes: Changes | None
) -> DigestReading:
    (width, height), linear, shift = size, best.placement.linear, best.placement.shift
    corners = linear @ np.array([[-0.5, width - 0.5], [-0.5, height - 0.5]]) + shift[:, None] + 0.5
    released = np.array(reference.released, float)
    low = np.clip(corners.min(axis=1) / released, 0, 1)
    high = np.clip(corners.max(axis=1) / released, 0, 1)
    back = np.linalg.inv(linear)
    mirrored = bool(np.linalg.det(back) < 0)
    turn = float(np.degrees(np.arctan2(-back[1, 0], back[0, 0] * (-1 if mirrored else 1))))
    altered, difference, share = _coarse(best, changes)
    return DigestReading(
        matches=changes is not None,
        score=best.correlation,
        altered=tuple(tuple(row) for row in altered.tolist()),
        regions=() if changes is None else changes.regions,
        difference=tuple(tuple(round(float(cell), 2) for cell in row) for row in difference),
        altered_fraction=share,
        kept=(float(low[0]), float(low[1]), float(high[0]), float(high[1])),
        crop_fraction=float(np.prod(high - low)),
        around_fraction=around.share,
        around_plain=around.plain,
        rotation=turn,
        mirrored=mirrored,
        scale=(float(np.hypot(*back[:, 0])), float(np.hypot(*back[:, 1]))),
        placement=_rows(linear, shift),
        alteration=0.0 if changes is None else changes.score,
        notes=_notes(best),
    )


def _coarse(best: Fit, changes: Changes | None) -> tuple[NDArray[np.bool_], NDArray[np.floating], float]:
    """Altered cells and differences on the coarse grid, and the altered share of what is covered."""
    if changes is None:
        return best.altered_cells, best.difference, best.altered
    touched = area_means(changes.altered.astype(np.float32), COARSE, COARSE)
    difference = area_means(changes.difference, COARSE, COARSE)
    altered = (touched > _TOUCHED) | ((touched > 0) & (touched == touched.max()))
    return altered, difference, float(changes.altered.sum()) / max(int(changes.covered.sum()), 1)


def _rows(
    linear: NDArray[np.float64], shift: NDArray[np.float64]
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    (a, b, c), (d, e, f) = (tuple(map(float, (*row, by))) for row, by in zip(linear, shift, strict=True))
    return (a, b, c), (d, e, f)


def _notes(best: Fit) -> tuple[str, ...]:
    notes = []
    if abs(best.brightness) > 0.03:
        notes.append("brighter" if best.brightness > 0 else "darker")
    if abs(np.log(best.contrast)) > 0.12:
        notes.append("more contrast" if best.contrast > 1 else "less contrast")
    if best.grayed:
        notes.append("in gray")
    return tuple(notes)
