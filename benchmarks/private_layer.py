"""What the private layer carries, and what it costs: ``python benchmarks/private_layer.py``.

``numbers``: of copies in which a layer without a number is found, how many give the number of a layer that
has one? ``locator``: is the locator mark read as well beside the layer as without it, on a piece of one
picture under sixty keys?
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from _results import write
from _unmarked import BACKGROUNDS, photographs
from PIL import Image

from audits.robustness import attacks
from audits.robustness.relink import frames_of
from audits.statistics import wilson
from provenance.errors import InputError
from provenance.evidence import Outcome
from provenance.keys import PrivateMarkKey
from provenance.watermark.interface import WatermarkKey, WatermarkReading, detect, embed
from provenance.watermark.private_detection import read_private
from provenance.watermark.private_embedding import embed_both

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _unmarked import Picture

    from provenance.watermark.interface import Marked
    from provenance.watermark.private_reading import PrivateReading

COPIES = {
    "none": lambda pixels: pixels,
    "jpeg60": attacks.jpeg(60),
    "half": attacks.resize(0.5),
    "half, jpeg60": attacks.chain(attacks.resize(0.5), attacks.jpeg(60)),
    "jpeg30": attacks.jpeg(30),
    "crop5%": attacks.crop(0.05),
}
HELD_OUT = ("coffee", "motorcycle", "hubble_deep_field", "retina", "china", "flower")
"""Not used when the layer was tuned; the backgrounds were not either."""
SIDE = 768
KEYS = 60
_CUT = {"none": "crop", "jpeg60": "crop, jpeg60", "half": "crop, half", "jpeg30": "crop, jpeg30"}


def pictures() -> Iterator[tuple[str, Picture]]:
    """Held-out photographs, and pieces of the backgrounds, up to three of each."""
    yield from ((name, pixels) for _, name, pixels in photographs() if name in HELD_OUT)
    for path in sorted(BACKGROUNDS.glob("nature/*")):
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
        for column in range(min(pixels.shape[1] // SIDE, 3)):
            yield path.stem, pixels[:SIDE, column * SIDE :][:, :SIDE].copy()


class Keys:
    """A locator and a private key, drawn afresh."""

    def __init__(self, random: np.random.Generator) -> None:
        self.random = random
        self.locator = WatermarkKey(key_id="published", epoch=1, secret=random.bytes(32))
        self.private = PrivateMarkKey(key_id="private", epoch=1, secret=random.bytes(32))
        self.payload = random.bytes(8)

    def mark(self, pixels: Picture, number: int | None = None) -> Marked:
        """With the layer."""
        return embed_both(frames_of(pixels), self.payload, self.locator, self.private, number=number)

    def look(self, copy: Picture) -> tuple[WatermarkReading, PrivateReading | None]:
        """What both keys read; None for a layer that is not there, or cannot be looked for."""
        frames = frames_of(copy)
        reading = detect(frames, [self.locator]).detail
        assert isinstance(reading, WatermarkReading)
        if reading.payload != self.payload or reading.geometry is None:
            return reading, None
        layer = read_private(frames, reading.geometry, self.locator, [self.private])
        return reading, layer.detail if layer.outcome is Outcome.SUPPORTS else None  # type: ignore[return-value]


def numbers() -> dict[str, Any]:
    """The same pictures under the same keys, with a number and without."""
    random = np.random.default_rng(24)
    seen: dict[str, list[tuple[bool, bool, bool, bool]]] = {name: [] for name in COPIES}
    sources, refused, many = set(), 0, 0
    for name, pixels in pictures():
        keys, number = Keys(random), int(random.integers(1, 256))
        try:
            without, with_ = keys.mark(pixels), keys.mark(pixels, number)
        except InputError:
            refused += 1
            continue
        if not (without.private_layer and with_.private_layer):
            refused += 1
            continue
        many += 1
        sources.add(name)
        for how, copy in COPIES.items():
            _, plain = keys.look(copy(without.frames.pixels[0]))
            read, numbered = keys.look(copy(with_.frames.pixels[0]))
            right = numbered is not None and numbered.number == number
            seen[how].append((read.payload == keys.payload, plain is not None, right, numbered is not None))
    return {
        "pictures": many,
        "sources": len(sources),
        "without_a_layer": refused,
        "copies": {
            how: {
                "n": len(rows),
                "mark_read": sum(row[0] for row in rows),
                "layer_without_number": sum(row[1] for row in rows),
                "number_read": sum(row[2] for row in rows),
                "wrong_number": sum(row[3] and not row[2] for row in rows),
                "number_where_layer_is_found": wilson(
                    sum(row[1] and row[2] for row in rows), max(sum(row[1] for row in rows), 1)
                ).to_json(),
            }
            for how, rows in seen.items()
        },
    }


def locator() -> dict[str, Any]:
    """A piece of 400 x 430 pixels of a marked picture of 512 x 512, under sixty keys."""
    from skimage import data

    pixels, random = data.astronaut(), np.random.default_rng(25)
    found: dict[str, list[tuple[bool, float]]] = {}
    for _ in range(KEYS):
        keys = Keys(random)
        alone = embed(frames_of(pixels), keys.payload, keys.locator)
        for name, made in (("locator alone", alone), ("with the private layer", keys.mark(pixels))):
            piece = np.asarray(made.frames.pixels[0, 50:480, 70:470], np.uint8)
            for how in ("none", "jpeg60", "half", "jpeg30"):
                reading, _ = keys.look(COPIES[how](piece))
                row = (reading.payload == keys.payload, reading.statistic)
                found.setdefault(f"{name}, {_CUT[how]}", []).append(row)
    return {
        name: {
            "read": wilson(sum(read for read, _ in rows), len(rows)).to_json(),
            "mean_statistic": round(float(np.mean([z for _, z in rows])), 2),
        }
        for name, rows in found.items()
    }


def main() -> None:
    cv2.setNumThreads(1)
    write("private_layer", numbers=numbers(), locator=locator())


if __name__ == "__main__":
    main()
