"""Small pieces of large pictures: ``python benchmarks/pieces.py --images DIR``.

Pictures are brought to 8 megapixels and marked; pieces are cut at random places, and the whole is reduced.
"""

from __future__ import annotations

import cv2
import numpy as np
from _pictures import parser, pictures, source
from _results import write

from audits.robustness.relink import frames_of
from audits.statistics import wilson
from provenance.watermark.interface import WatermarkKey, detect, embed

SIDES = (512, 640, 800)
PIXELS = 8e6


def jpeg(pixels: np.ndarray, quality: int) -> np.ndarray:
    coded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))


def main() -> None:
    arguments = parser(__doc__)
    arguments.set_defaults(n=12)
    arguments = arguments.parse_args()
    cv2.setNumThreads(1)
    random = np.random.default_rng(31)
    key = WatermarkKey(key_id="benchmark", epoch=0, secret=random.bytes(32))
    read: dict[str, list[bool]] = {}
    for _, pixels in pictures(arguments.images, arguments.n):
        factor = float(np.sqrt(PIXELS / (pixels.shape[0] * pixels.shape[1])))
        large = cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
        payload = random.bytes(8)
        marked = embed(frames_of(large), payload, key).frames.pixels[0]
        height, width = marked.shape[:2]
        copies = {}
        for side in SIDES:
            top, left = random.integers(0, height - side), random.integers(0, width - side)
            piece = np.ascontiguousarray(marked[top : top + side, left : left + side])
            copies |= {f"piece {side}": piece, f"piece {side}, JPEG-75": jpeg(piece, 75)}
        small = 360 / max(height, width)
        whole = cv2.resize(marked, None, fx=small, fy=small, interpolation=cv2.INTER_AREA)
        copies["whole at 360 px, JPEG-50"] = jpeg(whole, 50)
        for name, copy in copies.items():
            reading = detect(frames_of(copy), [key]).detail
            read.setdefault(name, []).append(reading.payload == payload)
    write(
        "pieces",
        pictures=source(arguments.images),
        megapixels=PIXELS / 1e6,
        read={name: wilson(sum(ok), len(ok)).to_json() for name, ok in read.items()},
    )


if __name__ == "__main__":
    main()
