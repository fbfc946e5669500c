"""Are the p-values of the private layer true where it is not? ``python benchmarks/private_calibration.py``.

A trial is a copy of a piece of a picture, looked at with a private key that did not write a layer for what
it shows: pictures without any mark, with the locator mark alone, with the layer of another key (and a
number of its own), and with the layer of this very key, held against what another picture shows. Targets:
observed over nominal at most 1.2 down to 1e-4, and nothing at the gate.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from itertools import count
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from _results import write
from _unmarked import COPIES, patches, sources

from audits.robustness.relink import frames_of
from audits.robustness.security.calibration import content_trials, levels, private_trials
from audits.statistics import wilson
from provenance.errors import InputError
from provenance.keys import PrivateMarkKey
from provenance.watermark.interface import Effort, Geometry, WatermarkKey, WatermarkReading, detect, embed
from provenance.watermark.private import coarse_signs, quadratures, thumbnail_of, upright
from provenance.watermark.private_detection import LEVEL_LOG10_P
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
    made.add_argument("-n", type=int, default=100_000, help="trials")
    made.add_argument("--minutes", type=float, default=60, help="stop after so much processor time")
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
            (name, coarse_signs(thumbnail_of(frames_of(piece))))
            for _, name, pieces in self.pieces
            for piece in pieces
        ]

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row of trials a copy, every source and case early; none where a wanted mark is not there."""
        for number in count():
            lap, place = divmod(number, len(self.pieces))
            kind, name, pieces = self.pieces[place]
            case = CASES[(lap + place) % len(CASES)]
            how = list(COPIES)[(lap // len(CASES) + place) % len(COPIES)]
            made = self.marked(pieces[(lap // len(CASES)) % len(pieces)], case)
            found = () if made is None else self.trials(frames_of(COPIES[how](made)), case, name)
            log10_p = [round(one, 4) for one in found]
            if log10_p:
                yield {"kind": kind, "source": name, "copy": how, "case": case, "log10_p": log10_p}

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
        others: list[Shown] = [shown for source, shown in self.shown if source != name]
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


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    found = [p for row in rows for p in row["log10_p"]]

    def told(column: str) -> dict[str, Any]:
        return {
            value: [
                level.to_json()
                for level in levels(p for row in rows if row[column] == value for p in row["log10_p"])
            ]
            for value in sorted({row[column] for row in rows})
        }

    return {
        "trials": len(found),
        "copies": len(rows),
        "sources": dict(Counter(kind for kind, _ in {(row["kind"], row["source"]) for row in rows})),
        "at_the_gate": wilson(sum(p <= LEVEL_LOG10_P for p in found), len(found)).to_json(),
        "levels": [level.to_json() for level in levels(found)],
        "levels_by_case": told("case"),
        "levels_by_kind": told("kind"),
        "levels_by_copy": told("copy"),
    }


def main() -> None:
    cv2.setNumThreads(1)
    asked = arguments()
    began, rows, n = time.process_time(), [], 0
    for row in Lab().rows():
        rows.append(row)
        n += len(row["log10_p"])
        if n >= asked.n or time.process_time() - began > 60 * asked.minutes:
            break
    write("private_calibration", **summary(rows))


if __name__ == "__main__":
    main()
