"""The p-value of a mark: what it may look at, how exact it is, and that it holds on unmarked pictures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from provenance.media import Frames
from provenance.watermark.decoding import lines_in, payload_of, promise, statistic_of
from provenance.watermark.folding import tile_spectrum
from provenance.watermark.front_end import luma_of, whiten
from provenance.watermark.interface import WatermarkKey, embed
from provenance.watermark.layout import layout_of
from provenance.watermark.search import STAGES, Search
from provenance.watermark.statistic import (
    Null,
    corrected,
    decoys,
    log10_p,
    log10_tail,
    needed,
    statistic,
    verify_log10_tail,
)

KEY = WatermarkKey(key_id="statistic", epoch=0, secret=bytes(range(32)))


def key_of(number: int) -> WatermarkKey:
    return WatermarkKey(key_id="trial", epoch=0, secret=number.to_bytes(32, "big"))


def plane_of(pixels):
    return whiten(luma_of(Frames(pixels=np.ascontiguousarray(pixels)[None]))).plane


@pytest.fixture(scope="module")
def marked_plane(photograph):
    return plane_of(embed(Frames(pixels=photograph[None]), b"\x01" * 8, KEY).frames.pixels[0])


def test_verify_lines_choose_neither_geometry_nor_payload(marked_plane):
    """A key that differs in its verify phases only sees the same tiles, gains and bits, to the last digit."""
    random = np.random.default_rng(1)
    layout = layout_of(KEY)
    other_phase = layout.phase.copy()
    other_phase[layout.verify] = random.uniform(0, 2 * np.pi, len(layout.verify))
    other = replace(layout, phase=other_phase)
    for plane in (marked_plane, np.ascontiguousarray(marked_plane[40:420, 30:400])):
        search = Search(plane)
        for stage in range(STAGES):
            one, two = list(search.candidates(stage, layout)), list(search.candidates(stage, other))
            assert len(one) == len(two)
            for mine, theirs in zip(one, two, strict=True):
                assert np.array_equal(mine.matrix, theirs.matrix)
                assert mine.lines.offset == theirs.lines.offset
                assert np.array_equal(mine.lines.gain, theirs.lines.gain)
                assert promise(mine.lines, layout) == promise(theirs.lines, other)
                assert payload_of(mine.lines, layout) == payload_of(theirs.lines, other)
                assert np.allclose(np.abs(mine.lines.soft), np.abs(theirs.lines.soft))
            if stage == 0:
                assert statistic_of(one[0].lines, layout) != statistic_of(two[0].lines, other)


def exact_tail(total, sizes, null, random, *, draws=20_000):
    """The tail by importance sampling: draws from the tilted distribution, weighted back."""
    from provenance.watermark.statistic import _cumulants, _saddlepoint

    t = _saddlepoint(total, sizes, null)
    sums = np.zeros(draws)
    for size in sizes:
        if null is Null.PHASES:
            sums += size * np.cos(random.vonmises(0, t * size, draws))
        else:
            sums += size * np.where(random.random(draws) < 1 / (1 + np.exp(-2 * t * size)), 1, -1)
    weights = (sums >= total) * np.exp(_cumulants(t, sizes, null)[0] - t * sums)
    return np.log10(weights.mean())


@pytest.mark.parametrize("null", list(Null))
@pytest.mark.parametrize("z", [0.5, 2.0, 3.5, 5.0])
def test_the_tail_is_right_at_any_depth(null, z):
    random = np.random.default_rng(2)
    sizes = random.exponential(1, 160)
    total = z * float(np.sqrt(sizes @ sizes * (0.5 if null is Null.PHASES else 1.0)))
    assert abs(log10_tail(total, sizes, null) - exact_tail(total, sizes, null, random)) < 0.02


@pytest.mark.parametrize("sizes", [np.ones(160), np.geomspace(1, 1e-4, 160), np.array([3.0, 2.0, 1.0, 1.0])])
def test_the_tail_is_right_for_uneven_gains(sizes):
    """Bands that carry nothing have next to no gain: then few lines decide, and no normal tail holds."""
    random = np.random.default_rng(3)
    for z in (1.0, 2.2):
        total = z * float(np.sqrt(sizes @ sizes / 2))
        found = log10_tail(total, sizes, Null.PHASES)
        assert abs(found - exact_tail(total, sizes, Null.PHASES, random)) < 0.06


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32), z=st.floats(-2, 14), power=st.floats(0, 3), null=st.sampled_from(list(Null))
)
@example(seed=0, z=12.625, power=0.0, null=Null.SIGNS)  # beyond the last sum but one
def test_the_tail_falls_with_the_sum_and_stays_below_the_simple_bound(seed, z, power, null):
    sizes = np.random.default_rng(seed).exponential(1, 160) ** power
    spread = float(np.sqrt(sizes @ sizes * (0.5 if null is Null.PHASES else 1.0)))
    found = log10_tail(z * spread, sizes, null)
    assert np.isfinite(found)
    assert found <= 0
    assert found <= log10_p(z, 1) + 1e-9
    assert log10_tail((z + 0.1) * spread, sizes, null) <= found + 1e-9


def test_decoy_keys_agree_with_the_tail(marked_plane):
    """The usual null, random keys on the very same tile, is what the formula computes."""
    random = np.random.default_rng(4)
    layout = layout_of(key_of(77))  # not the key of the mark
    lines = next(iter(Search(marked_plane).candidates(0, layout))).lines
    verify, gain = lines.soft[layout.verify], lines.gain[layout.verify]
    seen = decoys(verify, gain, random.uniform(0, 2 * np.pi, (20_000, len(verify))))
    assert abs(seen.mean()) < 0.03
    assert abs(seen.std() - 1) < 0.02
    for z in (1.0, 2.0, 2.6):
        spread = float(np.sqrt(np.sum((gain * np.abs(verify)) ** 2) / 2))
        nominal = 10 ** log10_tail(z * spread, gain * np.abs(verify), Null.PHASES)
        assert abs((seen >= z).mean() / nominal - 1) < 4 / np.sqrt(20_000 * nominal)


def test_hypotheses_multiply_the_p_value():
    assert corrected(-3.0, 10) == pytest.approx(-2.0)
    assert corrected(-0.5, 10) == 0
    assert corrected(-3.0, 0) == -3
    assert log10_p(needed(-2, 7), 7) == pytest.approx(-2)


def test_nothing_in_the_lines_is_no_evidence():
    nothing = np.zeros(160, np.complex128)
    assert statistic(nothing, np.ones(160)) == 0
    assert verify_log10_tail(nothing, np.ones(160)) == 0
    assert verify_log10_tail(np.ones(160, np.complex128), np.zeros(160)) == 0
    assert log10_tail(1.0, np.array([]), Null.SIGNS) == 0


def structured(random):
    """Pictures that fool searches: fences, a checkerboard, a ramp, noise, rows of strokes."""
    rows, columns = np.mgrid[:320, :352]
    yield np.where(columns % 8 < 3, 230, 30)
    yield np.where((rows // 16 + columns // 16) % 2, 200, 40)
    yield columns * 255 / 351
    yield random.integers(0, 256, (320, 352))
    yield np.where((random.random((32, 352)) < 0.4).repeat(10, axis=0) & (rows % 10 < 6), 20, 240)


def test_unmarked_pictures_give_p_values_that_are_true(photographs):
    """2,000 (copy, fresh key) trials: no level is undercut by more than chance allows.

    The long form is benchmarks/mark_calibration.py.
    """
    random = np.random.default_rng(5)
    crops = [picture[20:340, 10:340].mean(axis=-1) for picture in list(photographs.values())[:3]]
    pictures = [np.rint(one).astype(np.uint8)[..., None] for one in (*crops, *structured(random))]
    found, number = [], 0
    for picture in pictures:
        plane = plane_of(picture)
        spectra = [tile_spectrum(plane, np.eye(2) * scale) for scale in (1.5, 1.0)]
        for _ in range(2000 // len(pictures)):
            number += 1
            layout = layout_of.__wrapped__(key_of(number))
            lines = lines_in(spectra[number % 2], layout)
            found.append(verify_log10_tail(lines.soft[layout.verify], lines.gain[layout.verify]))
    found = np.array(found)
    assert len(found) == 2000
    for level in (0.1, 0.03, 0.01):
        expected = level * len(found)
        observed = (found <= np.log10(level)).sum()
        assert observed <= 1.2 * expected + 2.5 * np.sqrt(expected)
        assert observed >= 0.6 * expected - 2.5 * np.sqrt(expected)  # nor is it so careful that it is useless
