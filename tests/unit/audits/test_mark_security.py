"""Attacks on marks do what they say, and what stands against them stands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from audits.robustness.fidelity import psnr
from audits.robustness.relink import frames_of, release
from audits.robustness.security import averaging
from audits.robustness.security.calibration import (
    content_trials,
    full_trials,
    levels,
    private_trials,
    size_implied_trials,
)
from audits.robustness.security.judging import Defender, judge, rates
from audits.robustness.security.removal import jitter, spread_of, subtract
from provenance.keys import PrivateMarkKey
from provenance.watermark.front_end import luma_of, whiten
from provenance.watermark.interface import WatermarkKey, detect, embed
from provenance.watermark.layout import layout_of
from provenance.watermark.private import coarse_signs, quadratures, thumbnail_of

KEYS = Defender(
    locator=WatermarkKey(key_id="published", epoch=1, secret=bytes(range(32))),
    private=PrivateMarkKey(key_id="private", epoch=1, secret=bytes(range(32, 64))),
)


@pytest.fixture(scope="module")
def astronaut():
    from skimage import data

    return data.astronaut()


@pytest.fixture(scope="module")
def original(astronaut):
    return release(astronaut, KEYS.locator, np.random.default_rng(1).bytes, private=KEYS.private)


def test_an_honest_copy_is_read_recovered_and_vouched_for(original):
    found = judge(original.pixels, original, KEYS, began_with=original.pixels)
    assert (found.read, found.recovered, found.private, found.wrong) == (True, True, True, False)
    counted = rates([found, found])
    assert counted["n"] == 2
    assert counted["read"]["rate"] == 1
    assert counted["median_psnr_db"] is None  # nothing changed


def test_the_holder_of_the_locator_key_removes_the_mark_and_the_picture_gets_better(original, astronaut):
    clean = subtract(original.pixels, KEYS.locator)
    assert not judge(clean, original, KEYS, began_with=original.pixels).trace
    assert psnr(clean, astronaut) > psnr(original.pixels, astronaut) + 5


def test_who_finds_no_mark_removes_nothing(astronaut):
    assert np.array_equal(subtract(astronaut, KEYS.locator), astronaut)


def test_a_mark_written_with_the_locator_key_recovers_nothing_on_another_picture(original):
    from skimage import data

    other = data.rocket()[:400, :400]
    made = embed(frames_of(other), original.payload, KEYS.locator).frames.pixels[0]
    found = judge(np.asarray(made, np.uint8), original, KEYS, began_with=other)
    assert found.read  # the id is there, as it was written
    assert not found.recovered  # the signed digest is of another picture
    assert not found.private  # and the private key was not at hand


def test_averaging_finds_what_is_constant_and_writes_no_id(original):
    """Pilots and verify lines come out, payload signs do not."""
    from skimage import data

    random = np.random.default_rng(3)
    found: dict[float, list] = {1.0: [], 1.6: []}
    for picture in (data.coffee(), data.rocket(), data.hubble_deep_field()[:500, :500]):
        for turned in (picture, picture[::-1], picture[:, ::-1]):
            made = embed(frames_of(np.ascontiguousarray(turned)), random.bytes(8), KEYS.locator)
            pixels = np.asarray(made.frames.pixels[0], np.uint8)
            spread = spread_of(pixels, KEYS.locator)
            found[spread].append(averaging.folded(pixels, spread))
    spread, phases = max(found.items(), key=lambda one: len(one[1]))
    layout = layout_of(KEYS.locator)
    few, many = (averaging.likeness(averaging.estimate(phases[:count]), layout) for count in (2, len(phases)))
    assert many > max(0.45, few)
    tile = averaging.estimate(phases)
    unmarked = data.astronaut()
    made = averaging.forged(unmarked, tile, spread, quality_db=40)
    found = judge(made, original, KEYS, began_with=unmarked)
    assert not found.read
    assert not found.wrong
    cleaned = averaging.removed(original.pixels, tile, spread, quality_db=40)
    assert psnr(cleaned, original.pixels) == pytest.approx(40, abs=0.3)


def test_an_average_of_nothing_is_nothing():
    random = np.random.default_rng(4)
    phases = [np.exp(2j * np.pi * random.random((128, 128))) for _ in range(40)]
    layout = layout_of(KEYS.locator)
    assert abs(averaging.likeness(averaging.estimate(phases), layout)) < 0.5


def test_jitter_is_smooth_and_repeatable(astronaut):
    one = jitter(1.0, seed=5)(astronaut)
    assert np.array_equal(one, jitter(1.0, seed=5)(astronaut))
    assert not np.array_equal(one, jitter(1.0, seed=6)(astronaut))
    assert np.array_equal(jitter(0.0, seed=5)(astronaut), astronaut)
    assert psnr(jitter(0.2, seed=5)(astronaut), astronaut) > psnr(one, astronaut)


def test_trials_are_those_of_the_product(astronaut):
    whitened = whiten(luma_of(frames_of(astronaut[:300, :300])))
    random = np.random.default_rng(6)
    few = [*size_implied_trials(whitened, 6, random.bytes), *full_trials(whitened, 2, random.bytes)]
    assert len(few) == 8
    assert all(one.log10_p <= 0 and not one.accepted for one in few)
    marked = embed(frames_of(astronaut), b"\x01" * 8, KEYS.locator).frames
    (seen,) = size_implied_trials(whiten(luma_of(marked)), 1, lambda _: KEYS.locator.secret)
    assert seen.log10_p > -6  # the key is the same, its epoch another: it never met this picture


def test_trials_of_the_private_layer(original, astronaut):
    frames = frames_of(original.pixels)
    reading = detect(frames, [KEYS.locator]).detail
    across = quadratures(frames, reading.geometry, KEYS.locator)
    own, other = (coarse_signs(thumbnail_of(frames_of(one))) for one in (original.pixels, astronaut[::-1]))
    random = np.random.default_rng(7)
    assert all(p > -6 for p in private_trials(across, own, 20, random.bytes))
    right, wrong = content_trials(across, [own, other], KEYS.private)
    assert right < -6 < wrong


def test_the_table_of_levels():
    table = levels([-4.2, -2.0, -0.1, 0.0])
    assert [(one.nominal, one.observed) for one in table][:3] == [(0.1, 2), (0.03, 2), (0.01, 2)]
    assert table[-1].observed == 1
    assert table[-1].ratio == pytest.approx(0.25 / 1e-4)
    assert table[0].to_json()["ratio_low"] < table[0].ratio < table[0].to_json()["ratio_high"]


def test_the_page_on_attacks_says_what_the_results_say(monkeypatch):
    benchmarks = Path(__file__).parents[3] / "benchmarks"
    monkeypatch.syspath_prepend(str(benchmarks))
    import mark_tables

    text = mark_tables.DOCUMENT.read_text("utf-8")
    assert mark_tables.filled(text) == text
    assert text.count("| none |") == 1
