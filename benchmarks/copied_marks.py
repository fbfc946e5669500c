"""Marks moved to other pictures by a denoiser: ``python benchmarks/copied_marks.py [--images DIR]``.

Many copied marks decode; the content digest must tell. Target: 0 recovered of 200 and more.
"""

from __future__ import annotations

import numpy as np
from _pictures import ROLES, parser, pictures, source
from _results import write

from audits.robustness.attacks import copy_mark, jpeg
from audits.robustness.relink import look, release
from audits.statistics import wilson
from provenance.watermark.interface import WatermarkKey


def main() -> None:
    arguments = parser(__doc__)
    arguments.set_defaults(n=50)
    arguments = arguments.parse_args()
    random = np.random.default_rng(22)
    key = WatermarkKey(key_id="benchmark", epoch=0, secret=random.bytes(32))
    all_pixels = [pixels for _, pixels in pictures(arguments.images, arguments.n)]
    tried = decoded = recovered = 0
    for index, pixels in enumerate(all_pixels):
        original = release(pixels, key, random.bytes)
        if original is None:
            continue
        # From the bundled model: the same role from the next seed, and the next roles from the same seed.
        for step in (1, len(all_pixels) // len(ROLES), 2 * len(all_pixels) // len(ROLES)):
            target = all_pixels[(index + step) % len(all_pixels)]
            for gain, quality in ((1.0, None), (1.6, None), (1.6, 80)):
                forged = copy_mark(original.pixels, target, gain=gain)
                found = look(jpeg(quality)(forged) if quality else forged, original, key)
                tried += 1
                decoded += found.exact
                recovered += found.same
    write(
        "copied_marks",
        pictures=source(arguments.images),
        independent_pictures=len(all_pixels),
        decoded=wilson(decoded, tried).to_json(),
        recovered=wilson(recovered, tried).to_json(),
    )


if __name__ == "__main__":
    main()
