"""The smallest and the flattest pictures that can carry a mark: ``python benchmarks/capacity.py``.

Squares out of photographs that nothing was tuned on, reduced to each size, and at 512 pixels with their
contrast reduced; gradients and plain grounds. Each is marked at a fixed quality, with the marker's refusal
(``watermark.capacity-exceeded``) and, where it refuses, without it, to learn what it prevents. Then it is
read: as it is, after JPEG-50, and at half size.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np
from _results import write
from PIL import Image

from audits.robustness import attacks
from audits.robustness.relink import frames_of
from audits.statistics import wilson
from provenance.errors import InputError
from provenance.evidence import Outcome
from provenance.watermark import embedding, interface
from provenance.watermark.interface import Effort, WatermarkKey, detect

NATURE = Path("/usr/share/backgrounds/mate/nature")
NAMES = ("Aqua", "Dune", "FreshFlower", "GreenMeadow", "LadyBird", "Storm", "Wood", "YellowFlower")
SIDES = (64, 96, 128, 192, 224, 256, 320, 384, 512)
CONTRASTS = (0.25, 0.03125)
QUALITIES = (42.0, 41.0, 40.0)
BYTES = (8, 16)
COPIES = {"jpeg50": attacks.jpeg(50), "half": attacks.resize(0.5)}
SIDE = 512


def square(name: str, side: int):  # noqa: ANN201
    """The middle of a photograph, 1,024 pixels or as many as there are, reduced to ``side``."""
    with Image.open(NATURE / f"{name}.jpg") as image:
        pixels = np.asarray(image.convert("RGB"))
    whole = min(1024, *pixels.shape[:2])
    top, left = ((length - whole) // 2 for length in pixels.shape[:2])
    return cv2.resize(
        pixels[top : top + whole, left : left + whole], (side, side), interpolation=cv2.INTER_AREA
    )


def flatter(pixels, contrast: float):  # noqa: ANN001, ANN201
    """With its contrast reduced, around its mean colour."""
    middle = pixels.mean(axis=(0, 1))
    return np.rint(middle + contrast * (pixels - middle)).astype(np.uint8)


def drawn():  # noqa: ANN201
    """(kind, pixels): grounds without structure, plain, shaded and grained."""
    ramp = np.linspace(60, 200, SIDE)[None, :, None] * np.ones((SIDE, 1, 3))
    random = np.random.default_rng(2)
    for level in (40, 128, 230):
        yield "plain", np.full((SIDE, SIDE, 3), level, np.uint8)
    for turns in range(4):
        yield "gradient", np.rint(np.rot90(ramp, turns)).astype(np.uint8)
    for deviation in (0.5, 1.0, 2.0, 4.0):
        grain = random.normal(0, deviation, (SIDE, SIDE, 1))
        yield f"gradient with grain {deviation}", np.rint(ramp + grain).astype(np.uint8)


def pictures():  # noqa: ANN201
    """(kind, pixels)."""
    for name in NAMES:
        for side in SIDES:
            yield f"photograph, {side} px", square(name, side)
        for contrast in CONTRASTS:
            yield f"photograph, contrast × {contrast:g}", flatter(square(name, SIDE), contrast)
    yield from drawn()


def read(pixels, payload: bytes, key: WatermarkKey) -> bool:  # noqa: ANN001
    found = detect(frames_of(pixels), [key], effort=Effort.QUICK)
    return found.outcome is Outcome.SUPPORTS and found.detail.payload == payload


def trial(pixels, payload: bytes, key: WatermarkKey, quality: float) -> dict[str, bool]:  # noqa: ANN001
    """Whether it was refused, and which copies are read; a mark that cannot be written is never read."""
    found = {"refused": False, "none": False, **dict.fromkeys(COPIES, False)}
    try:
        try:
            marked = interface.embed(frames_of(pixels), payload, key, floor_db=quality, target_db=quality)
        except InputError:
            found["refused"] = True
            with patch.object(embedding, "_LEAST_DB", -np.inf):
                marked = embedding.embed_picture(
                    frames_of(pixels), payload, key, floor_db=quality, target_db=quality
                )
    except InputError:  # its own pixels are not read, or are clipped
        return found
    copies = {name: copy(marked.frames.pixels[0]) for name, copy in COPIES.items()}
    return found | {"none": True} | {name: read(copy, payload, key) for name, copy in copies.items()}


def row(trials: list[dict[str, bool]]) -> dict[str, object]:
    """Counts of one kind of picture, of those not refused beside all."""
    kept = [one for one in trials if not one["refused"]]
    counts = {name: wilson(sum(one[name] for one in trials), len(trials)).to_json() for name in trials[0]}
    if kept:
        counts["jpeg50 where not refused"] = wilson(sum(one["jpeg50"] for one in kept), len(kept)).to_json()
    return counts


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    cv2.setNumThreads(1)
    random = np.random.default_rng(64)
    trials: dict[str, dict[str, list[dict[str, bool]]]] = defaultdict(lambda: defaultdict(list))
    for index, (kind, pixels) in enumerate(pictures()):
        print(f"{index} {kind}", file=sys.stderr, flush=True)
        for size in BYTES:
            key = WatermarkKey(key_id="capacity", epoch=0, secret=random.bytes(32), payload_sizes=(size,))
            for quality in QUALITIES:
                trials[f"{8 * size} bits at {quality:g} dB"][kind].append(
                    trial(pixels, random.bytes(size), key, quality)
                )
    rows = {how: {kind: row(found) for kind, found in kinds.items()} for how, kinds in trials.items()}
    write("capacity", photographs=len(NAMES), copies=["none", *COPIES], rows=rows)


if __name__ == "__main__":
    main()
