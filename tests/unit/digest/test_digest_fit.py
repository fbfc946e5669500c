"""A fitted placement says what its numbers are, and the right placement ranks first."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from provenance.digest_fit import Fit, fit
from provenance.digest_grid import Placed, Placement

WHERE = Placement(linear=np.eye(2), shift=np.zeros(2))


def test_every_field_is_explained():
    assert [field.name for field in fields(Fit) if f"        {field.name}: " not in (Fit.__doc__ or "")] == []


@pytest.mark.parametrize("offset", [(0, 1), (3, 0), (7, 7)])
def test_the_right_placement_ranks_above_a_shifted_one(offset):
    reference = np.random.default_rng(4).random((32, 32, 3))
    covered = np.ones((32, 32), bool)
    right = fit(reference, Placed(rgb=reference * 0.8 + 0.1, covered=covered), WHERE)
    shifted = np.roll(reference, offset, (0, 1))
    wrong = fit(reference, Placed(rgb=shifted, covered=covered), WHERE)
    assert right.rank > wrong.rank
    assert right.contrast == pytest.approx(0.8, abs=0.02)
    assert right.altered == 0
