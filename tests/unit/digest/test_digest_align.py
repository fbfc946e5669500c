"""A copy is laid exactly, also along outlines that tell of one direction only."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from audits.robustness import attacks
from audits.robustness.relink import frames_of
from provenance.digest_compare import compare_placed, visual_digest
from provenance.digest_grid import Placement
from provenance.evidence import Outcome


def bar() -> np.ndarray:
    """A slanted bar with two spots on it before a soft sky: only the spots tell how it lies along itself."""
    sky = np.linspace((90, 120, 190), (170, 210, 235), 512)[:, None].repeat(512, axis=1)
    grain = np.random.default_rng(3).normal(0, 1.5, (512, 512, 1))
    image = Image.fromarray(np.clip(sky + grain, 0, 255).round().astype(np.uint8))
    draw = ImageDraw.Draw(image)
    draw.line([(-20, 180), (540, -60)], fill=(205, 205, 200), width=26)
    draw.ellipse([222, 62, 236, 72], fill=(60, 60, 60))
    draw.ellipse([56, 138, 64, 144], fill=(90, 80, 80))
    return np.array(image)


@pytest.mark.parametrize("off", [(2.2, 1.2), (-2.0, 1.5), (3.0, -1.3), (-2.4, -0.6)])
@pytest.mark.parametrize("quality", [None, 75])
def test_a_spot_on_a_straight_outline_is_not_called_altered(off, quality) -> None:
    signed = bar()
    copy = signed if quality is None else attacks.jpeg(quality)(signed)
    given = Placement(linear=np.array([[1.002, 0.0], [0.0, 0.998]]), shift=np.array(off))
    answer = compare_placed(visual_digest(frames_of(signed)), frames_of(copy), (given,))
    assert answer.outcome is Outcome.SUPPORTS
    assert answer.detail.regions == ()


def test_a_spot_that_was_taken_away_is_found() -> None:
    signed, edited = bar(), bar()
    edited[56:78, 214:244] = edited[66:88, 190:220]
    given = Placement(linear=np.eye(2), shift=np.array((2.2, 1.2)))
    answer = compare_placed(visual_digest(frames_of(signed)), frames_of(edited), (given,))
    assert answer.outcome is Outcome.SUPPORTS
    left, top, right, bottom = answer.detail.regions[0]
    assert 200 <= 512 * (left + right) / 2 <= 250
    assert 50 <= 512 * (top + bottom) / 2 <= 90
