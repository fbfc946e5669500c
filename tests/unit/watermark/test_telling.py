"""Numbers of a reading as people and reports get them: no finer, and no smaller, than was measured."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from guard.serialise import to_json
from provenance.watermark.interface import WatermarkReading
from provenance.watermark.telling import (
    MEASURED_TRIALS,
    in_numbers,
    p_in_words,
    told_log10_p,
    told_statistic,
)

RESULTS = Path(__file__).parents[3] / "benchmarks" / "results"


def reading(z: float, log10_p: float) -> WatermarkReading:
    return WatermarkReading(
        algorithm="a",
        key_id="k",
        epoch=1,
        payload=None,
        crc_ok=False,
        statistic=z,
        log10_p=log10_p,
        hypotheses=3,
        geometry=None,
    )


@pytest.mark.parametrize(("log10_p", "words"), [(-70.0, "measured"), (-2.0, "p ≤ 0.01"), (0.0, "p ≤ 1")])
def test_a_p_value_is_told_as_far_as_it_was_measured(log10_p, words):
    assert words in p_in_words(log10_p)
    assert told_log10_p(log10_p) == pytest.approx(max(log10_p, -5.0), abs=0.1)


@given(st.floats(-5, 0))
def test_what_is_told_is_never_smaller_than_what_was_read(log10_p):
    p = 10**log10_p
    assert 10 ** told_log10_p(log10_p) >= p * (1 - 1e-12)
    assert float(p_in_words(log10_p).removeprefix("p ≤ ")) >= p * (1 - 1e-12)


def test_the_bound_is_rounded_up():
    assert "p ≤ 0.02;" in in_numbers(2.3, math.log10(0.0112), 3)


def test_reports_hold_no_digits_an_attacker_could_climb():
    one, other = to_json(reading(17.31641, -66.123)), to_json(reading(17.30002, -65.9))
    assert one == other
    assert one["statistic"] == 17
    assert told_statistic(-3.2) == 0


def test_the_floor_is_what_the_committed_result_measured():
    found = json.loads((RESULTS / "mark_calibration.json").read_text("utf-8"))["searches"]["size"]
    assert found["trials"] >= MEASURED_TRIALS
    assert found["wrong_payloads_accepted"]["successes"] == 0
    for level in found["levels"]:
        assert level["ratio_low"] <= 1.2  # not even the lower end of the interval lies above the goal


def test_so_is_that_of_the_private_layer():
    found = json.loads((RESULTS / "private_calibration.json").read_text("utf-8"))
    assert found["trials"] >= MEASURED_TRIALS
    assert len(found["cases"]) == 4
    for measured in (found, *found["cases"].values()):
        for level in measured["levels"]:
            assert level["ratio_low"] <= 1.2


def test_so_are_latent_marks():
    assert (
        json.loads((RESULTS / "latent_mark.json").read_text("utf-8"))["false_alarms"]["n"] >= MEASURED_TRIALS
    )


@pytest.mark.parametrize("how", [Image.Transpose.ROTATE_90, "crop"])
def test_what_no_trial_was_about_is_told_as_theory(how, signed, guard_cli, tmp_path):
    picture = Image.open(signed[".png"])
    width, height = picture.size
    picture = picture.crop((30, 40, width - 20, height)) if how == "crop" else picture.transpose(how)
    picture.save(tmp_path / "copy.png")
    ran = guard_cli("watermark", "detect", "copy.png")
    assert f"p < 1/{MEASURED_TRIALS:,} by theory;" in ran.out


def test_the_command_tells_no_theoretical_number(signed, guard_cli, tmp_path):
    Image.open(signed[".png"]).save(tmp_path / "stripped.png")
    ran = guard_cli("watermark", "detect", "stripped.png")
    assert re.search(r"z ≥ \d+, p < 1/[\d,]+ measured;", ran.out)
    told = json.loads(guard_cli("watermark", "detect", "stripped.png", "--format", "json").out)
    assert f'"log10_p": {told_log10_p(-99)}' in json.dumps(told)
    assert re.search(r'"statistic": \d+[,}]', json.dumps(told))
