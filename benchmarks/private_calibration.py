"""Are the p-values of the private layer true where it is not? ``python benchmarks/private_calibration.py``.

A trial is a copy of a piece of a picture, looked at with a private key that did not write a layer for what
it shows: pictures without any mark, with the locator mark alone, with the layer of another key (and a
number of its own), and with the layer of this very key, held against what another picture shows. Targets:
observed over nominal at most 1.2 down to 1e-4, and nothing at the gate.

Two pictures may show the same, as far as 32 coarse signs go; then the layer of one is rightly found on the
other. Such pairs are no trials; how many there are is counted by itself (``alike``). ``--case`` measures
one of the four again and leaves the others in the result as they are.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from itertools import count
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
from provenance.watermark.private_detection import LEVEL_LOG10_P, MOST_TURNED, UNSURE
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

    def rows(self, case: str) -> Iterator[dict[str, Any]]:
        """One row of trials a copy, every source early; none where a wanted mark is not there."""
        for number in count():
            lap, place = divmod(number, len(self.pieces))
            kind, name, pieces = self.pieces[place]
            how = list(COPIES)[(lap + place) % len(COPIES)]
            self.random = np.random.default_rng((23, CASES.index(case), number))
            made = self.marked(pieces[lap % len(pieces)], case)
            found = () if made is None else self.trials(frames_of(COPIES[how](made)), case, name)
            log10_p = [round(one, 4) for one in found]
            if log10_p:
                yield {"kind": kind, "source": name, "copy": how, "log10_p": log10_p}

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
    return not beyond and max(left) <= MOST_TURNED and apart.sum() <= 2 * MOST_TURNED


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


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    found = [p for row in rows for p in row["log10_p"]]
    return {
        "trials": len(found),
        "copies": len(rows),
        "sources": dict(Counter(kind for kind, _ in {(row["kind"], row["source"]) for row in rows})),
        "at_the_gate": wilson(sum(p <= LEVEL_LOG10_P for p in found), len(found)).to_json(),
        "levels": [level.to_json() for level in levels(found)],
    }


def altogether(cases: dict[str, Any]) -> dict[str, Any]:
    """The four cases added up."""
    n, gate = (
        sum(case["trials"] for case in cases.values()),
        sum(case["at_the_gate"]["successes"] for case in cases.values()),
    )
    counted = zip(*(case["levels"] for case in cases.values()), strict=True)
    return {
        "trials": n,
        "copies": sum(case["copies"] for case in cases.values()),
        "at_the_gate": wilson(gate, n).to_json(),
        "levels": [
            Level(nominal=rows[0]["nominal"], observed=sum(row["observed"] for row in rows), n=n).to_json()
            for rows in counted
        ],
    }


def main() -> None:
    cv2.setNumThreads(1)
    asked, lab = arguments(), Lab()
    kept = RESULTS / "private_calibration.json"
    cases: dict[str, Any] = json.loads(kept.read_text("utf-8"))["cases"] if kept.exists() else {}
    for case in asked.case or CASES:
        rows: list[dict[str, Any]] = []
        for row in lab.rows(case):
            rows.append(row)
            if len(rows) * KEYS >= asked.n:
                break
        cases[case] = summary(rows)
        write("private_calibration", **altogether(cases), pairs_alike=pairs(lab.shown), cases=cases)


if __name__ == "__main__":
    main()
