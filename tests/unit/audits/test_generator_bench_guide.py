"""The guide to the bench: its commands parse, and it leaves out no set, file or figure."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from simulators.command_line import parses

from audits.quality.sets import NAMES, named

GUIDE = (Path(__file__).resolve().parents[3] / "docs/guide/generator-bench.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^guard .*$", GUIDE, re.MULTILINE)


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_of_the_guide_parses(line) -> None:
    assert parses(line)


def test_every_set_and_figure_is_explained() -> None:
    assert len(COMMANDS) == 6
    for name in NAMES:
        assert f"| `{name}` |" in GUIDE
    assert f"the {len(named('skew').asked)} professions" in GUIDE
    assert f"{len(named('captions').asked)} captions" in GUIDE
    for figure in ("read as asked", "oracle right", "corrected", "Fréchet", "kernel", "null", "mean TV"):
        assert f"| {figure} |" in GUIDE
    assert "none of the\nfigures is an FID" in GUIDE
