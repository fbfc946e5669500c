"""Generators' fixed messages: how often one is seen where none is, and what a mark outlives.

``OMP_NUM_THREADS=1 python benchmarks/carriers.py``. Crops of one picture share its source; both are counted.
Decoys are messages of the same length and kind that nobody wrote.
"""

from __future__ import annotations

from collections import defaultdict

import cv2
import numpy as np
from _results import write
from _unmarked import patches, sources

from audits.robustness import attacks
from audits.statistics import wilson
from provenance.media import Frames
from provenance.watermark.carriers import CARRIERS, FOUND, TRACE, Route
from provenance.watermark.carriers_reading import agreement, best, decisions, reading, statistic
from provenance.watermark.legacy_plane import shares

CROPS, DECOYS = 16, 200
TUNED_ON = {"astronaut", "chelsea", "rocket"}
PUBLISHED = 35 / 48
"""Above this Stability's own detector (scripts/demo/detect.py) says "very likely watermarked"."""
COPIES = {
    "as written": lambda pixels: pixels,
    "JPEG 95, full colour": lambda pixels: _full_colour(pixels, 95),
    "JPEG 85, full colour": lambda pixels: _full_colour(pixels, 85),
    "JPEG 98": attacks.jpeg(98),
    "JPEG 95": attacks.jpeg(95),
    "JPEG 90": attacks.jpeg(90),
    "JPEG 75": attacks.jpeg(75),
    "0.9 x": attacks.resize(0.9),
}


def main() -> None:
    cv2.setNumThreads(1)
    random = np.random.default_rng(41)
    decoys = {carrier.software: _decoys(carrier, random) for carrier in CARRIERS}
    null = {kind: defaultdict(list) for kind in ("true", "decoy", "published")}
    names: dict[str, set[str]] = defaultdict(set)
    written = defaultdict(list)
    for kind, name, pixels in sources():
        if name in TUNED_ON or (pixels[..., 0] == pixels[..., 2]).all():
            continue
        names[kind].add(name)
        for index, crop in enumerate(patches(pixels, random, most=CROPS)):
            _look(crop, kind, decoys, null)
            if kind == "photograph" and index < 2:
                _write(crop, written)
    write(
        "carriers",
        thresholds={"found": FOUND, "trace": TRACE},
        unmarked=_unmarked(null, names),
        outlived={copy: _rates(rows) for copy, rows in written.items()},
        versions_of_the_encoder="invisible-watermark 0.2.0",
    )


def _full_colour(pixels: np.ndarray, quality: int) -> np.ndarray:
    """JPEG without halving the colour's resolution (4:4:4)."""
    sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
    flags = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    coded = cv2.imencode(".jpg", pixels[..., ::-1], flags)[1]
    return np.ascontiguousarray(cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1])


def _decoys(carrier, random) -> np.ndarray:  # noqa: ANN001
    n = len(carrier.message)
    if n % 8 or "1" in carrier.message[::8]:  # not ASCII, whose bytes begin with 0
        return random.integers(0, 2, (DECOYS, n)).astype(bool)
    letters = random.integers(32, 127, (DECOYS, n // 8)).astype(np.uint8)
    return np.unpackbits(letters, axis=1).astype(bool)


def _look(crop, kind, decoys, null) -> None:  # noqa: ANN001
    found = best(Frames(pixels=crop[None].copy()))
    null["true"][kind].append(found.statistic)
    said = {route: decisions(crop, route) for route in Route}
    eight = [reading(said[Route.EIGHT_BIT], carrier, Route.EIGHT_BIT) for carrier in CARRIERS]
    null["published"][kind].append(max(each.matching / each.bits for each in eight if each.bits != 32))
    for carrier in CARRIERS:
        for route in carrier.routes:
            share = shares(said[route], len(carrier.message))[None]
            values = statistic(agreement(share, decoys[carrier.software]), len(carrier.message))
            null["decoy"][kind].extend(values[0].tolist())


def _write(crop, written) -> None:  # noqa: ANN001
    for carrier in CARRIERS:
        for route in carrier.routes[:2]:
            marked = _encode(crop, carrier, route)
            for name, copy in COPIES.items():
                seen = copy(marked)
                found = best(Frames(pixels=np.ascontiguousarray(seen)[None]))
                ours = found.statistic >= FOUND and found.software == carrier.software
                eight = reading(decisions(seen, Route.EIGHT_BIT), carrier, Route.EIGHT_BIT)
                written[name].append((route, ours, eight.matching / eight.bits > PUBLISHED))


def _encode(crop, carrier, route) -> np.ndarray:  # noqa: ANN001
    """With the package's encoder, as the carrier's program calls it."""
    from imwatermark import WatermarkEncoder

    encoder = WatermarkEncoder()
    encoder.set_watermark("bits", [int(bit) for bit in carrier.message])
    given = crop if route is Route.SWAPPED else crop[..., ::-1]
    given = given.copy() if route is Route.EIGHT_BIT else given.astype(np.float32)
    made = encoder.encode(given, "dwtDct")
    made = made if route is Route.SWAPPED else made[..., ::-1]
    return np.clip(np.rint(made), 0, 255).astype(np.uint8)


def _unmarked(null, names) -> dict:  # noqa: ANN001
    crops = [value for values in null["true"].values() for value in values]
    decoys = np.array([value for values in null["decoy"].values() for value in values])
    simple = [value for values in null["published"].values() for value in values]
    return {
        "crops": len(crops),
        "sources": {kind: len(found) for kind, found in names.items()},
        "largest_by_kind": {kind: round(max(values), 2) for kind, values in null["true"].items()},
        "found": wilson(sum(value >= FOUND for value in crops), len(crops)).to_json(),
        "trace": wilson(sum(value >= TRACE for value in crops), len(crops)).to_json(),
        "decoys": {
            "looks": len(decoys),
            "largest": round(float(decoys.max()), 2),
            "found": int((decoys >= FOUND).sum()),
            "trace": int((decoys >= TRACE).sum()),
        },
        "more_than_35_of_48_bits_match": wilson(sum(v > PUBLISHED for v in simple), len(simple)).to_json(),
    }


def _rates(rows) -> dict:  # noqa: ANN001
    told = {}
    for route in Route:
        mine = [row for row in rows if row[0] is route]
        if mine:
            told[route.value] = {
                "found": wilson(sum(row[1] for row in mine), len(mine)).to_json(),
                "more_than_35_of_48_bits_match": wilson(sum(row[2] for row in mine), len(mine)).to_json(),
            }
    return told


if __name__ == "__main__":
    main()
