"""Lint finds what loads and still cannot be meant; the shipped packs are clean."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from guard.policy.lint import lint
from guard.policy.pack import find_pack, load_pack, pack_names

if TYPE_CHECKING:
    from pathlib import Path

TODAY = date(2026, 11, 22)
PACK = """
apiVersion: guard.policy/v1
kind: PolicyPack
metadata: {{name: mine, version: 1, sources: [{{id: law, title: A law, confidence: low}}]}}
spec:
  rules:
    - {{id: mine.one, on_fail: deny, source: law, message: {{en: x}}, {rule}}}
"""


@pytest.mark.parametrize("name", pack_names())
def test_shipped_packs_are_clean(name: str) -> None:
    assert lint(find_pack(name), today=TODAY) == ()


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ('stage: publish, require: log.recorded, applies: "false"', "never applies"),
        ('stage: publish, require: "true"', "obliges to nothing"),
        ('stage: publish, require: "1 > 2"', "never be satisfied"),
        (
            "stage: [prompt, publish], require: log.recorded",
            "at stage prompt these facts are not known yet: log",
        ),
        ('stage: plan, require: prompt.reviewed, applies: "log.recorded"', "decides whether it applies"),
        ("stage: publish, require: log.recorded, effective: {until: 2026-01-01}", "since 2026-01-01"),
        (
            "stage: publish, require: log.recorded, effective: {from: 2028-01-01, until: 2027-01-01}",
            "ends before",
        ),
        ("stage: [publish, publish], require: log.recorded", "a stage twice"),
    ],
)
def test_finds_what_cannot_be_meant(tmp_path: Path, rule: str, words: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(PACK.format(rule=rule), encoding="utf-8")
    findings = lint(load_pack(path), today=TODAY)
    assert [finding for finding in findings if words in finding.what and finding.where == "mine.yaml:7:7"]


def test_finds_sources_that_nothing_rests_on(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(PACK.format(rule="stage: publish, require: log.recorded").replace("source: law, ", ""))
    assert [finding.what for finding in lint(load_pack(path), today=TODAY)] == [
        "no rule rests on the source 'law'"
    ]
