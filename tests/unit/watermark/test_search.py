"""What the search goes by: pilots and data lines, never the lines kept for the statistic."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from provenance.watermark import synchronisation as sync
from provenance.watermark.decoding import Lines, lines_in, promise
from provenance.watermark.layout import T, layout_of


def noise(layout, seed):
    random = np.random.default_rng(seed)
    count = len(layout.u)
    soft = random.normal(size=count) + 1j * random.normal(size=count)
    return Lines(soft=soft, gain=np.ones(count), offset=(0.0, 0.0))


def test_promise_of_noise_has_the_spread_it_is_stated_in(key) -> None:
    layout = layout_of(key)
    values = np.array([promise(noise(layout, seed), layout) for seed in range(300)])
    # Two independent parts, each with mean 0 and deviation 1; 300 draws know both to about 6 %.
    assert abs(values.mean()) < 0.35
    assert values.std() == pytest.approx(np.sqrt(2), rel=0.2)


def test_verify_lines_have_no_say(key) -> None:
    layout = layout_of(key)
    lines = noise(layout, 1)
    loud = lines.soft.copy()
    loud[layout.verify] = 100.0
    assert promise(dataclasses.replace(lines, soft=loud), layout) == promise(lines, layout)


def test_data_lines_speak_whatever_bits_they_carry(key) -> None:
    layout = layout_of(key)
    lines = noise(layout, 2)
    signs = np.random.default_rng(3).choice([-1.0, 1.0], len(layout.data))
    carrying = lines.soft.copy()
    carrying[layout.data] += 0.7 * signs
    assert promise(dataclasses.replace(lines, soft=carrying), layout) > promise(lines, layout) + 4


@pytest.mark.parametrize("index", range(8))
def test_turns_only_rename_the_lines_of_one_folding(index, key) -> None:
    """A tile turned by Q shows line k at Q^T k: the same values as from the tile itself."""
    layout = layout_of(key)
    turn = sync.TURNS[index]
    tile = np.random.default_rng(4).normal(size=(T, T))
    rows, columns = np.mgrid[0:T, 0:T]
    x, y = turn @ np.stack([columns.ravel(), rows.ravel()])
    turned = tile[y % T, x % T].reshape(T, T)
    straight = lines_in(np.fft.fft2(tile), layout)
    renamed = lines_in(np.fft.fft2(turned), layout, turn)
    assert renamed.offset == straight.offset
    assert np.allclose(renamed.soft, straight.soft)
