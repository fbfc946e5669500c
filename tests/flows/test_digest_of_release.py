"""A release holds its digest against its own final pixels, and says when they would not be recognised."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from guard.intake import Statement, draft_of
from guard.plan import ask
from guard.policy.rule import Stage
from guard.recover import recover
from guard.release import Order, release
from guard.verdict import State
from provenance.codecs import decode, read_asset
from provenance.digest import VisualDigest
from provenance.digest_compare import visual_digest
from provenance.evidence import Outcome
from provenance.manifest.reading import DigitalSourceType
from provenance.media import Frames

GENERATED = Statement(source_type=DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA, model_name="Elsewhere 1")


def blocks() -> np.ndarray:
    cells = np.random.default_rng(5).integers(0, 2, (16, 16, 3)) * 215 + 20
    return np.kron(cells, np.ones((32, 32, 1))).astype(np.uint8)


PLAIN = np.full((512, 512, 3), 120, np.uint8)


@pytest.fixture
def made(tools, tmp_path):
    """Releases pixels as a file of the named format."""

    def from_pixels(pixels, name="source.png", **options):
        Image.fromarray(pixels).save(tmp_path / name, **options)
        plan = ask(Stage.PLAN, GENERATED.origin(), tools, command="release").obligations
        (tmp_path / "out").mkdir()
        draft = draft_of(read_asset(tmp_path / name), GENERATED)
        return release(Order(draft=draft, plan=plan, command="release", folder=tmp_path / "out"), tools)

    return from_pixels


@pytest.mark.parametrize(("pixels", "tells"), [(blocks(), True), (PLAIN, False)])
def test_it_warns_where_copies_cannot_be_recognised(made, pixels, tells):
    released = made(pixels)
    assert released.proof.digest_tells is tells
    assert any("content digest" in said for said in released.warnings) is not tells
    assert ("undecided" in (released.signed.reading.digest_assertion or {})) is not tells


def test_the_digest_of_a_jpeg_is_of_what_it_decodes_to(made, photograph):
    released = made(photograph, "source.jpg", quality=60)
    signed = VisualDigest.from_assertion(released.signed.reading.digest_assertion)
    assert signed == visual_digest(decode(released.signed.asset))
    assert released.proof.digest_tells is True


def test_a_copy_of_what_cannot_be_told_is_neither_recovered_nor_called_another(home, tools, made):
    pixels = made(PLAIN).signed.marked.frames.pixels
    for copied in (pixels, pixels // 2 + 100):
        found = recover(
            Frames(pixels=copied),
            keys=[home.locator()],
            registry=tools.registry,
            trust=home.trust(),
            at=tools.clock(),
        )
        assert [one.digest.outcome for one in found.candidates] == [Outcome.INCONCLUSIVE]
        assert found.state is State.NO_CREDENTIALS
        assert "cannot tell" in found.reason
