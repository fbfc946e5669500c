"""Are the p-values of the private layer true where it is not? ``python benchmarks/private_calibration.py``.

A trial is a copy of a piece of a picture, looked at with a private key that did not write a layer for what
it shows: pictures without any mark, with the locator mark alone, with the layer of another key (and a
number of its own), and with the layer of this very key, held against what another picture shows. Targets:
observed over nominal at most 1.2 down to 1e-4.

Two pictures may show the same, as far as 32 coarse signs go; then the layer of one is rightly found on the
other. Such pairs are no trials; how many there are is counted by itself (``alike``). ``--case`` measures
one of the four again and leaves the others in the result as they are.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from itertools import count, islice
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from _results import RESULTS, write
from _unmarked import COPIES, patches, sources

from audits.robustness.relink import frames_of
from audits.robustness.security.calibration import Level, content_trials, levels, private_trials
from audits.statistics import wilson
from provenance.errors import InputError
from provenance.keys import PrivateMarkKey
from provenance.watermark.interface import Effort, Geometry, WatermarkKey, WatermarkReading, detect, embed
from provenance.watermark.private import coarse_signs, quadratures, thumbnail_of, upright
from provenance.watermark.private_detection import MOST_TURNED, UNSURE
from provenance.watermark.private_embedding import embed_both
from provenance.watermark.tile import pixels_per_sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _unmarked import Picture

    from audits.robustness.security.calibration import Shown
    from provenance.media import Frames

KEYS = 60
"""Trials of one copy."""
PATCHES = 8
CASES = ("no mark", "locator mark alone", "another private key", "this key, another picture")


def arguments() -> argparse.Namespace:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("-n", type=int, default=25_020, help="trials of a case")
    made.add_argument("--case", choices=CASES, action="append", help="one of the four alone")
    return made.parse_args()


class Lab:
    """Pieces of pictures in turn, what each of them shows, and the keys."""

    def __init__(self) -> None:
        self.random = np.random.default_rng(23)
        self.locator = WatermarkKey(key_id="published", epoch=1, secret=self.random.bytes(32))
        self.private = PrivateMarkKey(key_id="private", epoch=1, secret=self.random.bytes(32))
        self.pieces = [
            (kind, name, list(patches(pixels, self.random, most=PATCHES))) for kind, name, pixels in sources()
        ]
        self.shown = [
            (kind, name, coarse_signs(thumbnail_of(frames_of(piece))))
            for kind, name, pieces in self.pieces
            for piece in pieces
        ]

    def rows(self, case: str) -> Iterator[list[float]]:
        """log10 of the p-values, a copy at a time; copies whose mark is wanted and not there are left out."""
        for number in count():
            lap, place = divmod(number, len(self.pieces))
            _, name, pieces = self.pieces[place]
            how = list(COPIES)[(lap + place) % len(COPIES)]
            self.random = np.random.default_rng((23, CASES.index(case), number))
            made = self.marked(pieces[lap % len(pieces)], case)
            found = () if made is None else self.trials(frames_of(COPIES[how](made)), case, name)
            if log10_p := list(found):
                yield log10_p

    def marked(self, piece: Picture, case: str) -> Picture | None:
        """The piece as the case has it; None where it cannot carry that."""
        if case == CASES[0]:
            return piece
        payload, private, number = self.random.bytes(8), self.private, int(self.random.integers(256))
        try:
            if case == CASES[1]:
                made = embed(frames_of(piece), payload, self.locator)
            else:
                made = embed_both(frames_of(piece), payload, self.locator, private, number=number)
        except InputError:
            return None
        return None if made.private_layer is False else np.asarray(made.frames.pixels[0], np.uint8)

    def trials(self, copy: Frames, case: str, name: str) -> Iterator[float]:
        """log10 of the p-values of one copy; none where its mark, if it has one, is not read."""
        geometry = implied(copy) if case == CASES[0] else self.geometry(copy)
        if geometry is None:
            return
        across = quadratures(copy, geometry, self.locator)
        if case != CASES[3]:
            shown = coarse_signs(upright(thumbnail_of(copy), geometry))
            yield from private_trials(across, shown, KEYS, self.random.bytes)
            return
        own = coarse_signs(upright(thumbnail_of(copy), geometry))
        others: list[Shown] = [shown for _, source, shown in self.shown if source != name]
        others = [shown for shown in others if not alike(own, shown)]
        drawn = self.random.choice(len(others), KEYS, replace=False)
        yield from content_trials(across, [others[one] for one in drawn], self.private)

    def geometry(self, copy: Frames) -> Geometry | None:
        """Where the locator mark lies, if it is read."""
        reading = detect(copy, [self.locator], effort=Effort.QUICK).detail
        return reading.geometry if isinstance(reading, WatermarkReading) and reading.payload else None


def implied(copy: Frames) -> Geometry:
    """Where the copy's size says that a tile would lie, upright."""
    unit = 1 / pixels_per_sample(copy.width, copy.height, 1.0)
    return Geometry(matrix=((unit, 0.0), (0.0, unit)), offset=(0.0, 0.0))


def alike(one: Shown, other: Shown) -> bool:
    """Whether a layer made for some pattern of ``one`` would be looked for in ``other``."""
    apart = one[0] ^ other[0]
    left = [np.delete(apart, np.argsort(sizes, kind="stable")[:UNSURE]).sum() for _, sizes in (one, other)]
    elsewhere = np.concatenate([np.argsort(sizes, kind="stable")[:UNSURE] for _, sizes in (one, other)])
    beyond = np.delete(apart, np.unique(elsewhere)).any()
    return bool(not beyond and max(left) <= MOST_TURNED and apart.sum() <= 2 * MOST_TURNED)


def pairs(shown: list[tuple[str, str, Shown]], n: int = 20_000) -> dict[str, Any]:
    """Of pairs of pieces of different pictures of one kind, how many show the same: ``alike``."""
    random = np.random.default_rng(26)
    found = {}
    for kind in sorted({kind for kind, _, _ in shown}):
        of_kind = [(name, seen) for other, name, seen in shown if other == kind]
        drawn = random.integers(len(of_kind), size=(n // 10, 2))
        tried = [alike(of_kind[i][1], of_kind[j][1]) for i, j in drawn if of_kind[i][0] != of_kind[j][0]]
        found[kind] = wilson(sum(tried), len(tried)).to_json()
    return found


def altogether(cases: dict[str, Any]) -> dict[str, Any]:
    """The four cases added up."""
    n = sum(case["trials"] for case in cases.values())
    added = zip(*(case["levels"] for case in cases.values()), strict=True)
    return {
        "trials": n,
        "copies": sum(case["copies"] for case in cases.values()),
        "levels": [
            Level(nominal=rows[0]["nominal"], observed=sum(row["observed"] for row in rows), n=n).to_json()
            for rows in added
        ],
    }


def main() -> None:
    cv2.setNumThreads(1)
    asked, lab = arguments(), Lab()
    kept = RESULTS / "private_calibration.json"
    cases: dict[str, Any] = json.loads(kept.read_text("utf-8"))["cases"] if kept.exists() else {}
    about = {
        "sources": dict(Counter(kind for kind, _, _ in lab.pieces)),
        "pairs_alike": pairs(lab.shown),
    }
    for case in asked.case or CASES:
        found = list(islice(lab.rows(case), -(-asked.n // KEYS)))
        told = [level.to_json() for level in levels(p for row in found for p in row)]
        cases[case] = {"trials": sum(map(len, found)), "copies": len(found), "levels": told}
        write("private_calibration", **altogether(cases), **about, cases=cases)


if __name__ == "__main__":
    main()
