"""A release holds its digest against its own final pixels, and says when they would not be recognised."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from guard.intake import Statement, draft_of
from guard.plan import ask
from guard.policy.rule import Stage
from guard.release import Order, release
from provenance.codecs import read_asset
from provenance.manifest.reading import DigitalSourceType

GENERATED = Statement(source_type=DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA, model_name="Elsewhere 1")


def blocks() -> np.ndarray:
    cells = np.random.default_rng(5).integers(0, 2, (16, 16, 3)) * 215 + 20
    return np.kron(cells, np.ones((32, 32, 1))).astype(np.uint8)


@pytest.mark.parametrize(
    ("pixels", "tells"), [(blocks(), True), (np.full((512, 512, 3), 120, np.uint8), False)]
)  # fmt: skip
def test_it_warns_where_copies_cannot_be_recognised(home, tools, tmp_path, pixels, tells):
    source = tmp_path / "source.png"
    Image.fromarray(pixels).save(source)
    plan = ask(Stage.PLAN, GENERATED.origin(), tools, command="release").obligations
    (tmp_path / "out").mkdir()
    draft = draft_of(read_asset(source), GENERATED)
    released = release(Order(draft=draft, plan=plan, command="release", folder=tmp_path / "out"), tools)
    assert released.proof.digest_tells is tells
    assert any("content digest" in said for said in released.warnings) is not tells
    assert ("undecided" in (released.signed.reading.digest_assertion or {})) is not tells
