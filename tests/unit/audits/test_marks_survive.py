"""The quick form of the big comparison, on every change: six photographs, twelve attacks, our own mark."""

from __future__ import annotations

from pathlib import Path

import pytest

from audits.robustness.lab import Setup, measure
from audits.robustness.regress import read_baseline, regressions
from audits.robustness.samples import files_in, find_samples
from audits.robustness.summary import summarise

RESULTS = Path(__file__).resolve().parents[3] / "benchmarks" / "results"


@pytest.fixture(scope="module")
def quick(six_photographs):
    """About a second of processor time for each photograph."""
    samples, refused = find_samples(files_in(six_photographs))
    measured = measure(samples, Setup(methods=("tile",), attacks="ci12", decoys=2), refused=refused)
    return summarise(measured, command="")


def test_six_photographs_keep_their_marks_under_twelve_attacks(quick) -> None:
    (tile,) = quick.methods
    assert (tile.pictures, tile.sources, tile.refused, quick.refused) == (6, 6, 0, ())
    assert tile.overall.exact.n == 72
    assert tile.overall.exact.successes >= 70
    assert tile.overall.wrong == 0
    assert tile.null_marks == 0
    assert tile.null_looks == 12
    assert tile.psnr > 41
    assert tile.ssim > 0.975


def test_nothing_is_worse_than_the_committed_result(quick) -> None:
    worse = regressions(quick, read_baseline(RESULTS / "core35.json"))
    assert [str(one) for one in worse] == []
