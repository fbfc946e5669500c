"""The page about families says what the table says, and the table needs no library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from generators import families_page
from generators.families import FAMILIES, SCHEDULERS
from generators.family import FrameRule

ROOT = Path(__file__).resolve().parents[3]


def test_the_page_is_the_table() -> None:
    written = (ROOT / families_page.PAGE).read_text(encoding="utf-8")
    assert written == families_page.page(), f"python -m generators.families_page > {families_page.PAGE}"
    assert all(f"`{name}`" in written for name in FAMILIES)


def test_the_table_loads_nothing_heavy() -> None:
    code = (
        "import sys, generators.families, generators.ability, generators.starting_points;"
        "print(sorted({'torch','diffusers','transformers','numpy','PIL'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_scheduler_of_the_table_has_a_class() -> None:
    assert {name for family in FAMILIES.values() for name in family.schedulers} == set(SCHEDULERS)


@pytest.mark.parametrize(
    ("rule", "count", "most", "nearest"),
    [
        (FrameRule(step=4, offset=1), 8, None, (5, 9)),
        (FrameRule(step=4, offset=1), 3, None, (1, 5)),
        (FrameRule(step=8, offset=1), 100, 49, (49,)),
        (FrameRule(step=8), 3, None, (8,)),
        (FrameRule(), 40, 32, (32,)),
    ],
)
def test_nearest_numbers_of_frames_are_allowed_ones(rule, count, most, nearest) -> None:
    assert not rule.allows(count, most)
    assert rule.nearest(count, most) == nearest
    assert all(rule.allows(number, most) for number in nearest)
