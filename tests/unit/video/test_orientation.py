"""The display matrix: eight ways to lay a frame, each undone exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.errors import InputError
from provenance.video.orientation import Orientation

ONE, W = 65536, 1 << 30


@given(st.booleans(), st.booleans(), st.booleans())
def test_every_orientation_is_undone(transposed, mirrored, flipped) -> None:
    way = Orientation(transposed=transposed, mirrored=mirrored, flipped=flipped)
    picture = np.arange(2 * 3, dtype=np.float32).reshape(2, 3)
    assert np.array_equal(way.stored(way.upright(picture)), picture)


@pytest.mark.parametrize(
    ("matrix", "turns"),
    [
        ((ONE, 0, 0, 0, ONE, 0, 0, 0, W), 0),
        ((0, ONE, 0, -ONE, 0, 0, 0, 0, W), -1),
        ((-ONE, 0, 0, 0, -ONE, 0, 0, 0, W), 2),
        ((0, -ONE, 0, ONE, 0, 0, 0, 0, W), 1),
    ],
)
def test_quarter_turns(matrix, turns) -> None:
    picture = np.arange(6).reshape(2, 3)
    assert np.array_equal(Orientation.of(matrix).upright(picture), np.rot90(picture, turns))


@pytest.mark.parametrize("matrix", [(46341, 46341, 0, -46341, 46341, 0, 0, 0, W), (2 * ONE, 0, 0, 0, ONE, 0)])
def test_other_angles_and_scales_are_refused(matrix) -> None:
    with pytest.raises(InputError) as refused:
        Orientation.of(matrix)
    assert refused.value.code == "video.rotation"
