"""Wilson's interval: known values, and the coverage it exists for."""

from __future__ import annotations

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits.statistics import wilson


def test_it_agrees_with_published_values() -> None:
    """Newcombe 1998, table I, method 3: 81/263, 15/148, 0/20, 1/29."""
    for successes, n, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        interval = wilson(successes, n)
        assert (interval.low, interval.high) == pytest.approx((low, high), abs=1e-4)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_rate_lies_inside(trial) -> None:
    interval = wilson(*trial)
    assert 0 <= interval.low <= interval.rate <= interval.high <= 1


@given(st.integers(1, 10**9).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_rounding_for_a_report_never_reaches_an_end(trial) -> None:
    interval = wilson(*trial)
    told = interval.to_json()
    for name in ("rate", "low", "high"):
        exact = getattr(interval, name)
        assert told[name] == pytest.approx(exact, abs=1e-3 * min(exact, 1 - exact) + 1e-15)
        assert (0 < told[name] < 1) is (0 < exact < 1)


def test_no_error_in_a_hundred_thousand_still_has_an_upper_end() -> None:
    assert wilson(0, 100_000).to_json()["high"] == 3.841e-05


@pytest.mark.parametrize("rate", [0.02, 0.2, 0.5, 0.9])
def test_it_covers_about_as_often_as_it_says(rate) -> None:
    n = 60
    covered = 0.0
    for k in range(n + 1):
        interval = wilson(k, n)
        if interval.low <= rate <= interval.high:
            covered += comb(n, k) * rate**k * (1 - rate) ** (n - k)
    assert covered > 0.92


@pytest.mark.parametrize("bad", [(1, 0, 0.95), (-1, 5, 0.95), (6, 5, 0.95), (1, 5, 1.0)])
def test_nonsense_is_refused(bad) -> None:
    with pytest.raises(ValueError):
        wilson(bad[0], bad[1], confidence=bad[2])
