"""Processor time of marking and reading: ``OMP_NUM_THREADS=1 python benchmarks/watermark_speed.py``.

Targets at 512 × 512: marked in at most 25 ms with all that belongs to it (both spreads tried, copies
simulated, read back blindly), read in 40 ms, nothing found in 200 ms.
"""

from __future__ import annotations

import statistics
import time

import cv2
import numpy as np
from _pictures import parser, pictures, source
from _results import write

from audits.robustness.relink import frames_of
from provenance.watermark.interface import WatermarkKey, detect, embed

REPEATED = 5
"""Runs of each; the fastest counts, as others on the machine only ever add to it."""


def milliseconds(work) -> float:  # noqa: ANN001 - any call
    took = []
    for _ in range(REPEATED):
        start = time.process_time()
        work()
        took.append(time.process_time() - start)
    return 1000 * min(took)


def main() -> None:
    arguments = parser(__doc__)
    arguments.set_defaults(n=20)
    arguments = arguments.parse_args()
    cv2.setNumThreads(1)
    random = np.random.default_rng(23)
    key = WatermarkKey(key_id="benchmark", epoch=0, secret=random.bytes(32))
    rows = {"embed": [], "read_marked": [], "read_unmarked": []}
    attempts: list[int] = []
    for _, pixels in pictures(arguments.images, arguments.n):
        marked = []
        took = milliseconds(lambda: marked.append(embed(frames_of(pixels), random.bytes(8), key)))  # noqa: B023
        rows["embed"].append(took)
        attempts.append(marked[0].attempts)
        rows["read_marked"].append(milliseconds(lambda: detect(marked[0].frames, [key])))  # noqa: B023
        rows["read_unmarked"].append(milliseconds(lambda: detect(frames_of(pixels), [key])))  # noqa: B023
    write(
        "watermark_speed",
        pictures=source(arguments.images),
        n=len(rows["embed"]),
        strengths_tried=round(statistics.mean(attempts), 2),
        median_ms={name: round(statistics.median(values), 1) for name, values in rows.items()},
    )


if __name__ == "__main__":
    main()
