"""The benchmark's own arithmetic: where copies lie, what edits change, and curves of known scores."""

from __future__ import annotations

import numpy as np
import pytest

from audits.integrity.copies import BENIGN
from audits.integrity.edits import EDITS, VISIBLE, make
from audits.integrity.roc import area, points


@pytest.mark.parametrize("name", ["crop 10 %", "0.5 ×", "quarter turn, JPEG 70", "screenshot"])
def test_a_copys_placement_leads_its_pixels_back(name):
    """A gradient stays what it was at the place that the placement names."""
    height, width = 300, 420
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    gradient = np.stack([60 + x / 4, 60 + y / 4, 0 * x + 128], axis=-1).astype(np.uint8)
    copy, placement = BENIGN[name].move(gradient), BENIGN[name].placement(width, height)
    for point in ((30, 40), (90, 70), (60, 100)):
        there = placement.linear @ point + placement.shift
        seen = copy[point[1], point[0], :2].astype(float)
        assert np.abs((seen - 60) * 4 - there).max() < 5


@pytest.mark.parametrize("kind", sorted(EDITS))
def test_an_edit_changes_its_place_and_no_other(kind, photograph):
    edited = make(EDITS[kind], photograph, photograph[::-1], 0.1, np.random.default_rng(2))
    assert edited.change >= VISIBLE
    changed = (edited.before != edited.after).any(axis=-1)
    assert not (changed & ~edited.mask).any()
    assert 0.7 < edited.mask.sum() / (0.1 * 512) ** 2 < 1.2


def test_curves_of_known_scores():
    assert area([("a", 0.1), ("b", 0.2)], [("a", 0.8), ("b", 0.9)])["auc"] == 1
    assert area([("a", 0.5), ("b", 0.5)], [("a", 0.5), ("b", 0.5)])["auc"] == 0.5
    curve = points([0.1, 0.2, 0.3, 0.9], [0.25, 0.95])
    assert curve[0] == {"false_alarms": 0.0, "threshold": 0.9, "found": 0.5}
    assert curve[-1]["found"] == 1.0
    assert [point["found"] for point in curve] == sorted(point["found"] for point in curve)
