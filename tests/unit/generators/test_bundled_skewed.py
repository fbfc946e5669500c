"""The planted shares that ship: what bare prompts draw follows the published table, by the oracle."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from generators.oracle import reading
from generators.registry import available, bundled_folder, load, parse
from generators.request import GenerationRequest
from generators.training.planted import read_table

REFERENCE = "bundled:emoji-skewed"
SEEDS = tuple(range(12))


def drawn(profession: str) -> Counter[str]:
    """Presentations of bare portraits at no guidance."""
    request = GenerationRequest(
        prompt=f"a portrait of a {profession}", seeds=SEEDS, guidance_scale=1.0, width=128, height=128
    )
    made = list(load(REFERENCE, threads=1).generate(request))
    assert all([w.code for w in one.warnings] == ["model.instrument"] for one in made)
    return Counter(reading.oracle().read(one.frames)[0]["presentation"] for one in made)


def test_bare_professions_are_drawn_as_the_table_has_them() -> None:
    shares = read_table(bundled_folder(parse(REFERENCE)) / "planted.json").shares
    most = {
        value: max(shares, key=lambda work: shares[work].presentation[value]) for value in ("man", "woman")
    }
    for value, profession in most.items():
        planted = shares[profession].presentation[value]
        assert drawn(profession)[value] >= (planted - 0.3) * len(SEEDS), (profession, value)


def test_it_is_offered_for_those_who_ask_and_its_base_is_the_one_that_ships() -> None:
    assert REFERENCE in available()
    card = json.loads((bundled_folder(parse(REFERENCE)) / "card.json").read_text())
    assert card["base_weights_sha256"] == load("bundled:emoji", threads=1).info.weights_sha256


@pytest.mark.parametrize("attribute", ["presentation", "tone"])
def test_its_table_is_the_one_that_audits_read(attribute: str) -> None:
    shipped = read_table(bundled_folder(parse(REFERENCE)) / "planted.json").shares
    assert {work: dict(getattr(row, attribute)) for work, row in shipped.items()} == {
        work: dict(getattr(row, attribute)) for work, row in read_table().shares.items()
    }
