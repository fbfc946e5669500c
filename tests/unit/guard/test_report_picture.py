"""Reports: stamped, bounded, right about where things lie, and deaf to hostile text."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from audits.robustness import attacks
from audits.robustness.relink import frames_of
from guard.report_file import page
from guard.report_picture import SIDE, STAMP, legend, report_picture
from provenance.digest_compare import resemble, visual_digest
from provenance.media import Asset

RED = (222, 30, 38)


@pytest.fixture(scope="module")
def held(photograph):
    """A digest, an edited and cropped copy, and their comparison."""
    edited = photograph.copy()
    edited[120:190, 330:400] = photograph[400:470, 40:110]
    copy = frames_of(attacks.chain(attacks.crop(0.15), attacks.resize(0.8), attacks.jpeg(60))(edited))
    digest = visual_digest(frames_of(photograph))
    return digest, copy, resemble(digest, copy).detail


def drawn(held, title="a copy") -> np.ndarray:
    digest, copy, reading = held
    asset = report_picture(reading, copy, digest, title)
    assert asset.mime == "image/png"
    return np.asarray(Image.open(io.BytesIO(asset.data)).convert("RGB"))


def test_the_outline_lies_around_the_edit(held):
    picture = drawn(held)
    red = np.argwhere((picture[40 : 40 + SIDE, 16 : 16 + SIDE] == RED).all(axis=-1)) / SIDE * 512
    (top, left), (bottom, right) = red.min(axis=0), red.max(axis=0)
    assert 90 <= top <= 122 <= 188 <= bottom <= 220
    assert 300 <= left <= 332 <= 398 <= right <= 430


def test_it_is_stamped_and_bounded(held):
    picture = drawn(held)
    assert max(picture.shape) <= 1000
    assert (picture[-30:, :400] < 160).any()  # the stamp's line
    assert "no credential" in STAMP


@pytest.mark.parametrize("altered", [False, True])
def test_the_legend_names_a_cut_only_where_one_is_drawn(altered):
    assert "cut away" in legend(altered=altered, cut=True)
    whole = legend(altered=altered, cut=False)
    assert "cut away" not in whole
    assert "rim" not in whole
    assert whole.startswith("red") is altered


@given(title=st.text(max_size=300))
@settings(max_examples=8, deadline=None)
def test_any_title_can_be_drawn(title, held):
    assert drawn(held, title).shape == drawn(held).shape


@given(st.text(max_size=60))
@settings(max_examples=60, deadline=None)
def test_hostile_text_stays_text_in_the_page(text):
    hostile = f"<script>alert(1)</script>{text}\" onload='x' \u202e"
    made = page(Asset.of(b"png", "image/png"), hostile, [(hostile, hostile)])
    assert "<script" not in made
    assert "\u202e" not in made
    assert made.count("<td>") == 2
