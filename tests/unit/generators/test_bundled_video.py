"""The motion model that ships: words of movement in two languages, read off the clips by registration."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from generators.movements import MOVEMENTS
from generators.oracle import reading
from generators.oracle.clips import judge
from generators.registry import available, bundled_folder, load, parse
from generators.request import GenerationRequest

REFERENCE = "bundled:video"


@pytest.mark.parametrize(
    ("prompt", "subject", "movement"),
    [
        ("a cook moving left", "cook", "leftwards"),
        ("一名消防员顺时针旋转", "firefighter", "clockwise"),
        pytest.param("a portrait of a pilot shrinking", "pilot", "shrinking", marks=pytest.mark.slow),
    ],
)
def test_what_is_asked_for_moves_as_it_was_asked(prompt: str, subject: str, movement: str) -> None:
    (made,) = load(REFERENCE, threads=1).generate(GenerationRequest(prompt=prompt, seeds=(2,)))
    assert made.frames.pixels.shape == (8, 512, 512, 3)
    assert not made.warnings
    seen = judge(made.frames, subject=subject, movement=movement, reader=reading.oracle())
    assert (seen.subject, seen.motion.movement) == (subject, movement)


def test_it_is_offered_and_its_card_has_its_own_figures() -> None:
    """Figures of other weights would be left out of the card, and these are of both oracles."""
    assert REFERENCE in available()
    folder: Path = bundled_folder(parse(REFERENCE))
    card = json.loads((folder / "card.json").read_text())
    figures = json.loads((folder / "evaluation.json").read_text())
    assert figures["weights"] == card["weights"]
    assert figures["n"] >= 12 * len(MOVEMENTS)
    told = (folder / "MODEL_CARD.md").read_text()
    assert "not measured" not in told
    assert f"Both: {figures['both']} of {figures['n']} clips" in told
