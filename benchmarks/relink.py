"""How often a stripped copy leads back to its picture: ``python benchmarks/relink.py [--images DIR]``.

Target at 512 pixels: JPEG-50, half size and a 10 % crop at least 98 % each, all three together 80 %.
"""

from __future__ import annotations

import statistics

import numpy as np
from _pictures import parser, pictures, source
from _results import write

from audits.robustness.attacks import RELINK
from audits.robustness.relink import release, relink
from audits.statistics import wilson
from provenance.watermark.interface import WatermarkKey


def main() -> None:
    arguments = parser(__doc__).parse_args()
    random = np.random.default_rng(20)
    key = WatermarkKey(key_id="benchmark", epoch=0, secret=random.bytes(32))
    rows, originals, seen = {name: [] for name in RELINK}, [], 0
    for _, pixels in pictures(arguments.images, arguments.n):
        seen += 1
        original = release(pixels, key, random.bytes)
        if original is None:
            continue
        originals.append(original)
        for name, found in relink(original, key).items():
            rows[name].append(found)
    table = {
        name: {
            "exact": wilson(sum(found.exact for found in all_found), len(all_found)).to_json(),
            "recovered": wilson(sum(found.same for found in all_found), len(all_found)).to_json(),
            "wrong_payloads": sum(found.wrong for found in all_found),
            "median_statistic": round(statistics.median(found.statistic for found in all_found), 1),
        }
        for name, all_found in rows.items()
    }
    write(
        "relink",
        pictures=source(arguments.images),
        n=seen,
        could_not_carry=seen - len(originals),
        median_psnr_db=round(statistics.median(original.psnr for original in originals), 2),
        lowest_psnr_db=round(min(original.psnr for original in originals), 2),
        mean_attempts=round(statistics.mean(original.attempts for original in originals), 2),
        copies=table,
    )


if __name__ == "__main__":
    main()
