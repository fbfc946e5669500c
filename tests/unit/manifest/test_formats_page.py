"""``docs/guide/formats.md`` says what the code does and what the benchmarks measured."""

from __future__ import annotations

import json
import re
from pathlib import Path

from guard.kept import KEPT
from provenance.manifest.formats import FORMATS, MIMES
from provenance.manifest.isolated import ChildLimits
from provenance.manifest.sidecar import BESIDE
from provenance.sniff import extension_for, format_name

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "guide" / "formats.md").read_text("utf-8")


def results(name: str):
    return json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text("utf-8"))


def said(name: str) -> str:
    return re.search(rf"<!-- {name}: begin -->\n(.*?)\n<!-- {name}: end -->", PAGE, re.DOTALL)[1]


def test_the_table_is_that_of_the_code():
    rows = [line.strip("|").split("|") for line in PAGE.splitlines() if line.startswith("| ")][1:]
    assert len(rows) == len(FORMATS)
    for row, item in zip(rows, FORMATS, strict=True):
        name, released, signed, place, open_ = (cell.strip() for cell in row)
        assert name in (format_name(item.mime), extension_for(item.mime)[1:].upper())
        assert (place, open_) == (item.place, item.not_covered or "nothing")
        assert (released, signed) == (
            ("no", "as it came") if item.mime in KEPT else ("marked and signed", "signed")
        )
        assert ("file of its own" in place) is (item.mime in BESIDE)


def test_the_figures_are_the_committed_ones():
    damage, memory = results("damage"), results("verify_memory")
    assert set(damage["formats"]) == set(MIMES)
    assert said("damage") == (
        f"{damage['n']:,} damaged files of {len(damage['formats'])} kinds: {damage['crashes']} crashes, "
        f"{damage['no_credentials']} without credentials, {damage['intact_outside_listed']} intact outside "
        "what their verdict lists."
    )
    assert damage["wrong"] == []
    structural = results("damage_structural")
    assert said("structural") == (
        f"{structural['n']:,} changed manifests of {len(MIMES)} kinds: {len(structural['wrong'])} intact "
        "with a byte that their verdict does not list."
    )
    told = ", ".join(f"{name} {row['more_mb']} MB" for name, row in memory["kinds"].items())
    assert said("memory") == f"{told}."
    assert memory["kinds"]["MP4"]["more_mb"] <= memory["target_more_mb"]


def test_the_limits_are_those_of_the_code():
    limits = ChildLimits()
    assert f"{limits.memory / 2**30:.1f} GB beyond twice the size" in PAGE
    assert f"{limits.cpu_s} seconds of processor time" in PAGE
