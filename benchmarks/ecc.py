"""Frames lost over signal to noise ratio, beside the code before: ``python benchmarks/ecc.py``.

The lines of a real layout carry a random payload; each has the gain that its frequency keeps after JPEG-50
and half size, and unit noise. The energy is that of all data lines together, per payload bit (a CRC costs,
it is not free), so codes of different lengths and checks compare. ``noise`` counts payloads read from noise
alone: the code itself promises ``ecc.FALSE_PASS``.
"""

from __future__ import annotations

import argparse
import time
from itertools import pairwise

import _convolutional as before
import numpy as np
from _results import write

from audits.statistics import wilson
from provenance.watermark import ecc
from provenance.watermark.interface import WatermarkKey
from provenance.watermark.layout import layout_of

RADII, GAINS = (7.5, 12.5, 17.5, 22.5, 27.5), (0.4, 0.65, 0.85, 0.8, 0.6)
"""Cycles per tile and the relative gain there: between what JPEG-50 and half size leave of photographs."""
POINTS = {
    (8, "polar"): (0.5, 1.0, 1.5, 2.0, 2.5),
    (8, "convolutional"): (2.0, 2.5, 3.0, 3.5, 4.0),
    (16, "polar"): (0.0, 0.5, 1.0, 1.5, 2.0),
    (16, "convolutional"): (1.5, 2.0, 2.5, 3.0, 3.5),
}
"""Eb/N0 per payload bit in dB, around one frame lost in a hundred."""
LOST = 1e-2
LAYOUT = layout_of(WatermarkKey(key_id="benchmark", epoch=0, secret=bytes(32)))


def polar_frame(size: int, random):  # noqa: ANN001, ANN201
    """Coded bits of a random payload, and whether soft values are decoded to it."""
    payload = random.bytes(size)
    return ecc.encode(payload), lambda soft: ecc.decode(soft, size) == (payload, True)


def convolutional_frame(size: int, random):  # noqa: ANN001, ANN201
    """The same with the code before."""
    message = random.integers(0, 2, 8 * size + before.CRC_BITS)
    return before.encode(message), lambda soft: np.array_equal(before.decode(soft), message)


FRAMES = {"polar": polar_frame, "convolutional": convolutional_frame}


def lost(frame, ebn0_db: float, size: int, n: int, random):  # noqa: ANN001, ANN201
    """Frames lost out of n, and processor milliseconds for each."""
    gain = np.interp(LAYOUT.radius[LAYOUT.data], RADII, GAINS)
    gain *= np.sqrt(2 * 8 * size * 10 ** (ebn0_db / 10) / np.sum(gain**2))
    failed, took = 0, 0.0
    for _ in range(n):
        coded, reads = frame(size, random)
        carried = random.permutation(len(gain)) % len(coded)  # as another key would have it
        heard = gain * (gain * (1 - 2 * coded[carried]) + random.normal(size=len(gain)))
        soft = np.bincount(carried, heard, len(coded))
        start = time.process_time()
        failed += not reads(soft)
        took += time.process_time() - start
    return failed, 1000 * took / n


def needed(curve) -> float:  # noqa: ANN001
    """Eb/N0 where ``LOST`` is crossed, between the two points around it, straight in the logarithm."""
    for low, high in pairwise(curve):
        a, b = low["lost"]["rate"], high["lost"]["rate"]
        if a >= LOST > b:
            share = np.log(a / LOST) / np.log(a / max(b, 1e-6))
            return round(low["ebn0_db"] + share * (high["ebn0_db"] - low["ebn0_db"]), 2)
    raise ValueError("the curve does not cross the level")


def noise(n: int, random):  # noqa: ANN001, ANN201
    """Payloads read from noise, half of the n at either size."""
    sizes = [8, 16] * (n // 2)
    passed = sum(ecc.decode(random.normal(size=ecc.CODED_BITS), size)[1] for size in sizes)
    return {**wilson(passed, n).to_json(), "promised": ecc.FALSE_PASS}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("-n", type=int, default=600, help="frames at each point")
    n = arguments.parse_args().n
    random = np.random.default_rng(1948)
    result = {}
    for (size, name), points in POINTS.items():
        curve, times = [], []
        for ebn0_db in points:
            failed, took = lost(FRAMES[name], ebn0_db, size, n, random)
            curve.append({"ebn0_db": ebn0_db, "lost": wilson(failed, n).to_json()})
            times.append(took)
        result[f"{8 * size} bits, {name}"] = {
            "curve": curve,
            "ebn0_db_at_1_percent": needed(curve),
            "median_ms": round(float(np.median(times)), 2),
        }
    gains = {
        f"{bits} bits": round(
            result[f"{bits} bits, convolutional"]["ebn0_db_at_1_percent"]
            - result[f"{bits} bits, polar"]["ebn0_db_at_1_percent"],
            2,
        )
        for bits in (64, 128)
    }
    write(
        "ecc",
        n=n,
        data_lines=len(LAYOUT.data),
        gain_db_at_1_percent=gains,
        codes=result,
        noise=noise(4 * n, random),
    )


if __name__ == "__main__":
    main()
