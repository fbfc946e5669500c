"""Progress is for people: on a terminal, after a while, gone at the end, and never in the way of results."""

from __future__ import annotations

import io

import pytest

from guard.cli import _progress
from guard.cli._progress import counted


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch):
    """Every look at the time is half a second later."""
    ticks = iter(range(10_000))
    monkeypatch.setattr(_progress.time, "monotonic", lambda: next(ticks) / 2)


def test_a_long_run_says_how_far_it_is_and_leaves_nothing_behind(clock):
    terminal = Terminal()
    assert list(counted("abcdef", "verify", quiet=False, stream=terminal)) == list("abcdef")
    shown = terminal.getvalue()
    assert "verify 3 of 6" in shown
    assert "verify 1 of 6" not in shown
    assert shown.endswith("\r\x1b[K")


@pytest.mark.parametrize(
    ("items", "quiet", "stream"),
    [("abcdef", True, Terminal()), ("abcdef", False, io.StringIO()), ("a", False, Terminal())],
    ids=["results are on the terminal", "no terminal", "one file"],
)
def test_nothing_is_shown_where_it_would_be_in_the_way(clock, items, quiet, stream):
    assert list(counted(items, "verify", quiet=quiet, stream=stream)) == list(items)
    assert stream.getvalue() == ""
