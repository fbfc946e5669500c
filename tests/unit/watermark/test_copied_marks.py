"""A mark moved to another picture may decode; the signed digest must give it away (house promise 3)."""

from __future__ import annotations

import numpy as np
import pytest

from audits.robustness.attacks import copy_mark, jpeg
from audits.robustness.relink import look, release


def forged(originals, gains):
    for index, (_, source) in enumerate(originals):
        for step in range(1, len(originals)):
            target = originals[(index + step) % len(originals)][0]
            for gain in gains:
                yield source, copy_mark(source.pixels, target, gain=gain)


def test_copied_marks_recover_nothing(art, photographs, key) -> None:
    random = np.random.default_rng(0)
    pictures = [photographs["astronaut"], photographs["flower"], art(1), art(2)]
    originals = [(pixels, release(pixels, key, random.bytes)) for pixels in pictures]
    results = [look(jpeg(80)(copy), source, key) for source, copy in forged(originals, (1.6,))]
    assert sum(found.exact for found in results) >= len(results) // 2, "the attack itself must work"
    assert not any(found.same for found in results)


@pytest.mark.slow
def test_copied_marks_recover_nothing_among_two_hundred(art, photographs, key) -> None:
    random = np.random.default_rng(1)
    pictures = [*photographs.values(), *(art(seed) for seed in range(8))]
    originals = [(pixels, release(pixels, key, random.bytes)) for pixels in pictures]
    results = [look(copy, source, key) for source, copy in forged(originals, (1.0, 1.6))]
    assert len(results) >= 200
    assert not any(found.same or found.wrong for found in results)
