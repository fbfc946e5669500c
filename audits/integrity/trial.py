"""Measured: are edits found where they are, and do benign copies raise no alarm?

Each picture goes through every benign copy; and through every kind and size of edit, each followed by one of
the copies that edited pictures are met as. The copy is laid by its true geometry with an error as large as a
mark's may be, or, for a part, by the search that needs no mark.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from audits.integrity.copies import AFTERWARDS, BENIGN
from audits.integrity.edits import EDITS, SHARES, draws
from provenance.digest import DigestReading
from provenance.digest_compare import compare_placed, resemble, visual_digest
from provenance.digest_grid import Placement
from provenance.evidence import Outcome
from provenance.media import Frames

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from audits.integrity.copies import Copy
    from audits.robustness.attacks import Picture
    from provenance.digest import VisualDigest
    from provenance.evidence import Evidence

_TURN, _SHIFT = 0.002, 1.5
"""Error of a mark's geometry: of each entry of its matrix, and in pixels (standard deviations)."""
_SLACK = 0.02
"""A region counts as located when its middle lies in the edited place or this far beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What became of one copy.

    Attributes:
        source: the photograph or drawing it comes from.
        copy: what the copy went through.
        kind: of the edit; "benign" without one.
        share: side of the edit in shares of the shorter side; 0 without one.
        blind: it was laid without a mark.
        matched: the digest says it is the picture.
        score: of the strongest difference; above 1 the copy is called altered.
        located: some region lies where the edit is.
        stray: share of the altered area that lies beside the edit.
        visible: the edit changes what somebody sees (``audits.integrity.edits.VISIBLE``).
        first: it lies where it fell first; False where it was drawn again, to be visible.
    """

    source: str
    copy: str
    kind: str = "benign"
    share: float = 0.0
    blind: bool = False
    matched: bool = False
    score: float = 0.0
    located: bool = False
    stray: float = 0.0
    visible: bool = True
    first: bool = True


def trials(source: str, pixels: Picture, donors: list[Picture], seed: int, *, blind: bool) -> Iterator[Trial]:
    """All of one picture; ``blind`` also tries some of its copies without a mark."""
    random = np.random.default_rng(seed)
    digest = visual_digest(_frames(pixels))
    for name, copy in BENIGN.items():
        case = Trial(source=source, copy=name)
        yield _told(case, _held(copy(pixels), copy, digest, random))
        if blind and name in BLIND:
            yield _told(replace(case, blind=True), resemble(digest, _frames(copy(pixels))))
    for kind, edit in EDITS.items():
        for share in (*SHARES, *AGAIN):
            donor, case = donors[int(random.integers(len(donors)))], Trial(source=source, copy="", kind=kind)
            for drawn, edited in enumerate(draws(edit, pixels, donor, share, random)):
                name = list(AFTERWARDS)[int(random.integers(len(AFTERWARDS)))]
                case = replace(case, share=share, copy=name, visible=edited.visible, first=drawn == 0)
                signed = visual_digest(_frames(edited.before)) if kind == "text" else digest
                seen = AFTERWARDS[name](edited.after)
                yield _told(case, _held(seen, AFTERWARDS[name], signed, random), edited.mask)
                if blind and share in BLIND_SHARES and edited.visible:
                    yield _told(replace(case, blind=True), resemble(signed, _frames(seen)), edited.mask)


AGAIN = (0.05, 0.08, 0.12, 0.20)
"""Sizes of which a picture has two edits of each kind: those at which it is decided."""
BLIND = (
    "unchanged",
    "JPEG 50",
    "0.5 × and JPEG 50",
    "0.9 × across",
    "crop 10 %",
    "crop 50 %",
    "crop 30 %, 0.7 × and WebP 60",
    "turned by 2°",
    "quarter turn, JPEG 70",
    "mirrored, 0.6 ×",
    "gray",
)
"""Benign copies that are laid without a mark as well."""
BLIND_SHARES = (0.08, 0.2)


def _held(seen: Picture, copy: Copy, digest: VisualDigest, random: np.random.Generator) -> Evidence:
    true = copy.placement(digest.width, digest.height)
    given = Placement(
        linear=true.linear * (1 + random.normal(0, _TURN, (2, 2))),
        shift=true.shift + random.normal(0, _SHIFT, 2),
    )
    return compare_placed(digest, _frames(seen), (given,))


def _told(case: Trial, held: Evidence, mask: NDArray[np.bool_] | None = None) -> Trial:
    """``case`` with what the comparison said."""
    matched = held.outcome is Outcome.SUPPORTS
    if not matched or not isinstance(held.detail, DigestReading):
        return replace(case, matched=matched)
    located, stray = _places(held.detail, mask)
    return replace(case, matched=True, score=round(held.detail.alteration, 3), located=located, stray=stray)


def _places(reading: DigestReading, mask: NDArray[np.bool_] | None) -> tuple[bool, float]:
    if mask is None or not reading.regions:
        return False, float(bool(reading.regions))
    rows, columns = np.nonzero(mask)
    height, width = mask.shape
    left, right = columns.min() / width - _SLACK, (columns.max() + 1) / width + _SLACK
    top, bottom = rows.min() / height - _SLACK, (rows.max() + 1) / height + _SLACK
    inside = outside = 0.0
    located = False
    for box in reading.regions:
        area = (box[2] - box[0]) * (box[3] - box[1])
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        within = bool(left <= x <= right and top <= y <= bottom)
        located |= within
        inside, outside = inside + area * within, outside + area * (not within)
    return located, round(outside / (inside + outside), 4)


def _frames(pixels: Picture) -> Frames:
    return Frames(pixels=np.array(pixels)[None])
