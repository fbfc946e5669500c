"""What attackers make of marks: ``python benchmarks/mark_security.py``, for docs/reference/mark-security.md.

``read``: the mark gives the id of its original; ``recovered``: and the digest signed in the manifest says it
is that picture; ``private``: the private layer says this installation marked a picture like this one.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from _results import RESULTS, write
from _unmarked import BACKGROUNDS, photographs
from PIL import Image

from audits.robustness import attacks, filters
from audits.robustness.relink import Original, frames_of, release
from audits.robustness.security import averaging
from audits.robustness.security.judging import Defender, Judged, judge, rates
from audits.robustness.security.removal import jitter, spread_of, subtract
from provenance.keys import PrivateMarkKey
from provenance.watermark.interface import WatermarkKey, embed
from provenance.watermark.layout import layout_of
from provenance.watermark.search import SPREADS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]

SIDE = 512
POOLS = (10, 30, 100, 300)
"""Pictures marked with both layers, each of one key, that an averaging attacker has."""
BUDGET_DB = 40.0
"""What an averaging attacker changes a picture by."""


def pieces() -> Iterator[tuple[str, Picture]]:
    """Pieces of the backgrounds that do not overlap, one of each source in turn."""
    rows = []
    for path in sorted(BACKGROUNDS.glob("nature/*")) + sorted(BACKGROUNDS.glob("abstract/*")):
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
        tall, wide = pixels.shape[0] // SIDE, pixels.shape[1] // SIDE
        places = [(row * SIDE, column * SIDE) for row in range(tall) for column in range(wide)]
        rows.append([(path.stem, pixels[y : y + SIDE, x : x + SIDE].copy()) for y, x in places[:32]])
    for turn in range(32):
        yield from (row[turn] for row in rows if turn < len(row))


class Lab:
    """The pictures, marked once, and the keys."""

    def __init__(self, n: int, pool: int) -> None:
        self.random = np.random.default_rng(22)
        self.keys = Defender(
            locator=WatermarkKey(key_id="published", epoch=1, secret=self.random.bytes(32)),
            private=PrivateMarkKey(key_id="private", epoch=1, secret=self.random.bytes(32)),
        )
        names = ("coffee", "china", "flower")
        supply = pieces()
        targets = [(name, pixels) for _, name, pixels in photographs() if name in names]
        self.targets: list[tuple[Picture, Original]] = []
        while len(self.targets) < n:
            _, pixels = targets.pop() if targets else next(supply)
            made = release(pixels, self.keys.locator, self.random.bytes, private=self.keys.private)
            if made is not None:
                self.targets.append((pixels, made))
        self.sources: set[str] = set()
        self.phases: dict[float, list[NDArray[np.complex64]]] = {spread: [] for spread in SPREADS}
        for name, pixels in supply:
            if len(self.phases[1.0]) >= pool:
                break
            made = release(pixels, self.keys.locator, self.random.bytes, private=self.keys.private)
            if made is not None:
                self.sources.add(name)
                for spread in SPREADS:
                    self.phases[spread].append(averaging.folded(made.pixels, spread).astype(np.complex64))

    def over(self, attack: Callable[[int, Picture, Original], tuple[Picture, Picture]]) -> list[Judged]:
        """Every target, attacked: (what the attacker made, what they began with)."""
        judged = []
        for index, (pixels, original) in enumerate(self.targets):
            made, began = attack(index, pixels, original)
            judged.append(judge(made, original, self.keys, began_with=began))
        return judged


def averaged(lab: Lab, pool: int) -> dict[str, Any]:
    tiles = {spread: averaging.estimate(phases[:pool]) for spread, phases in lab.phases.items()}
    spreads = [spread_of(original.pixels, lab.keys.locator) for _, original in lab.targets]

    def removed(index: int, _: Picture, original: Original) -> tuple[Picture, Picture]:
        spread = spreads[index]
        made = averaging.removed(original.pixels, tiles[spread], spread, quality_db=BUDGET_DB)
        return made, original.pixels

    def forged(index: int, pixels: Picture, _: Original) -> tuple[Picture, Picture]:
        spread = spreads[index]
        return averaging.forged(pixels, tiles[spread], spread, quality_db=BUDGET_DB), pixels

    layout = layout_of(lab.keys.locator)
    alike = {str(spread): round(averaging.likeness(tile, layout), 3) for spread, tile in tiles.items()}
    return {
        "pictures": pool,
        "likeness_of_the_estimate_by_spread": alike,
        "removal": rates(lab.over(removed)),
        "forgery_on_unmarked_pictures": rates(lab.over(forged)),
    }


def moved(lab: Lab) -> dict[str, Any]:
    """Copying and forging: what the mark of one picture says on another, and on its own unmarked original."""
    keys, many = lab.keys, len(lab.targets)

    def copied(gain: float) -> Callable[[int, Picture, Original], tuple[Picture, Picture]]:
        def attack(index: int, _: Picture, original: Original) -> tuple[Picture, Picture]:
            other = lab.targets[(index + 1) % many][0]
            height, width = original.pixels.shape[:2]
            began = np.asarray(Image.fromarray(other).resize((width, height), Image.Resampling.LANCZOS))
            return attacks.copy_mark(original.pixels, other, gain=gain), began

        return attack

    def written(*, other: bool) -> Callable[[int, Picture, Original], tuple[Picture, Picture]]:
        def attack(index: int, pixels: Picture, original: Original) -> tuple[Picture, Picture]:
            began = lab.targets[(index + 1) % many][0] if other else pixels
            made = embed(frames_of(began), original.payload, keys.locator)
            return np.asarray(made.frames.pixels[0], np.uint8), began

        return attack

    return {
        "copied with a denoiser, gain 1": rates(lab.over(copied(1.0))),
        "copied with a denoiser, gain 1.6": rates(lab.over(copied(1.6))),
        "written on another picture with the locator key": rates(lab.over(written(other=True))),
        "written on the unmarked original with the locator key": rates(lab.over(written(other=False))),
    }


def marked_again(lab: Lab) -> dict[str, Any]:
    """A second mark over the first, by somebody with a locator key of their own."""
    second = WatermarkKey(key_id="second", epoch=1, secret=lab.random.bytes(32))
    other = Defender(locator=second, private=lab.keys.private)
    first, again = [], []
    for _, original in lab.targets:
        made = np.asarray(embed(frames_of(original.pixels), b"\x07" * 8, second).frames.pixels[0], np.uint8)
        first.append(judge(made, original, lab.keys, began_with=original.pixels))
        again.append(judge(made, original, other, began_with=original.pixels))
    # The second mark carries an id of its own: for a reader of that key, "wrong" is that id.
    return {"first, under its own key": rates(first), "second, under its own key": rates(again)}


def removed(lab: Lab) -> dict[str, Any]:
    keys = lab.keys

    def by(transform: Callable[[Picture], Picture]) -> list[Judged]:
        return lab.over(lambda _, __, original: (transform(original.pixels), original.pixels))

    transforms = {
        "subtracted with the locator key": lambda pixels: subtract(pixels, keys.locator),
        **{f"non-local means, h {h}": filters.non_local_means(h) for h in (6, 12)},
        **{f"jitter of {reach} px": jitter(reach, seed=3) for reach in (1.0, 2.0)},
    }
    return {name: rates(by(transform)) for name, transform in transforms.items()}


def averaging_of_all(lab: Lab) -> list[dict[str, Any]]:
    """With few and with many pictures."""
    return [averaged(lab, pool) for pool in POOLS if pool <= len(lab.phases[1.0])]


PARTS = {"moved": moved, "removed": removed, "marked_again": marked_again, "averaging": averaging_of_all}


def main() -> None:
    cv2.setNumThreads(1)
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("-n", type=int, default=20, help="pictures attacked")
    made.add_argument("--pool", type=int, default=max(POOLS), help="pictures that an averaging attacker has")
    made.add_argument("--part", choices=PARTS, action="append", help="measure this again, keep the rest")
    asked = made.parse_args()
    lab, file = Lab(asked.n, asked.pool), RESULTS / "mark_security.json"
    before = json.loads(file.read_text("utf-8")) if asked.part and file.exists() else {}
    found: dict[str, Any] = {
        **{name: before[name] for name in PARTS if name in before},
        "pictures": len(lab.targets),
        "averaged_sources": len(lab.sources),
        "budget_db": BUDGET_DB,
        "marked": rates(lab.over(lambda _, __, original: (original.pixels, original.pixels))),
    }
    for name in asked.part or PARTS:
        found[name] = PARTS[name](lab)
        write("mark_security", **found)


if __name__ == "__main__":
    main()
