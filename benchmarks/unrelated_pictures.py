"""Marks found where there are none: ``python benchmarks/unrelated_pictures.py [--images DIR] [-n 1000]``.

Pictures of the bundled model, and crops of photographs where a folder is given. Target: 0 of 1,000.
"""

from __future__ import annotations

import numpy as np
from _pictures import parser, pictures, source
from _results import write

from audits.robustness.attacks import crop, jpeg
from audits.robustness.relink import frames_of
from audits.statistics import wilson
from provenance.evidence import Outcome
from provenance.watermark.interface import WatermarkKey, detect


def main() -> None:
    arguments = parser(__doc__)
    arguments.set_defaults(n=125)
    arguments = arguments.parse_args()
    random = np.random.default_rng(21)
    accepted = tried = below_1e2 = sources = 0
    lowest = 0.0
    for _, pixels in pictures(arguments.images, arguments.n):
        sources += 1
        for version in range(8):
            # Each version meets a key of its own, so the trials are as independent as they can be.
            key = WatermarkKey(key_id="benchmark", epoch=0, secret=random.bytes(32))
            share, left, top = random.uniform(0, 0.5), random.uniform(), random.uniform()
            copy = crop(share, left=left, top=top)(pixels)
            copy = jpeg(int(random.integers(40, 96)))(copy) if version % 2 else copy
            evidence = detect(frames_of(copy), [key])
            tried += 1
            accepted += evidence.outcome is Outcome.SUPPORTS
            below_1e2 += evidence.detail.log10_p <= -2
            lowest = min(lowest, evidence.detail.log10_p)
    write(
        "unrelated_pictures",
        pictures=source(arguments.images),
        independent_pictures=sources,
        accepted=wilson(accepted, tried).to_json(),
        statistic_at_p_below_0_01=wilson(below_1e2, tried).to_json(),
        lowest_log10_p=round(lowest, 2),
    )


if __name__ == "__main__":
    main()
