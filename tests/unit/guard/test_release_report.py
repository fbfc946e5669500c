"""What is told of many releases at once."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from guard.cli._report import warned


def released(name: str, *warnings: str):
    return SimpleNamespace(path=Path("out") / name, warnings=warnings)


def test_a_warning_of_some_files_names_them_and_one_of_all_is_said_once() -> None:
    files = [released("a.png", "nobody looked", "too small"), released("b.png", "nobody looked")]
    assert list(warned(files)) == ["nobody looked", "too small (a.png)"]


def test_many_names_are_counted_and_not_listed() -> None:
    files = [released(f"{n}.png", "too small") for n in range(9)] + [released("large.png")]
    assert list(warned(files)) == ["too small (0.png, 1.png, 2.png, 3.png, 4.png and 4 more)"]
