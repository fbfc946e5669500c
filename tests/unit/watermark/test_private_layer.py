"""The private layer: read back after what the web does, absent on everything it was not made for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from audits.robustness import attacks
from guard.tools import TileMarker
from provenance.digest_compare import visual_digest
from provenance.digest_grid import luma_of
from provenance.digest_planes import Reference
from provenance.evidence import Outcome
from provenance.keys import PrivateMarkKey
from provenance.media import Frames
from provenance.watermark.applying import psnr
from provenance.watermark.interface import FLOOR_DB, WatermarkKey, WatermarkReading, detect, embed
from provenance.watermark.private import (
    coarse_signs,
    line_signs,
    quadratures,
    thumbnail_of,
)
from provenance.watermark.private_detection import HYPOTHESES, read_private, weigh
from provenance.watermark.private_embedding import SHARE_DB, embed_both

LOCATOR = WatermarkKey(key_id="published", epoch=1, secret=bytes(range(32)))
PRIVATE = PrivateMarkKey(key_id="mine", epoch=1, secret=bytes(range(50, 82)))
PAYLOAD = b"\x05" * 8


def frames_of(pixels) -> Frames:
    return Frames(pixels=np.ascontiguousarray(pixels)[None])


def looked(pixels, keys=(PRIVATE,), **more):
    """(payload, private layer) as a holder of both keys sees them."""
    found = detect(frames_of(pixels), [LOCATOR])
    reading = found.detail
    assert isinstance(reading, WatermarkReading)
    if reading.geometry is None:
        return None, None
    return reading.payload, read_private(frames_of(pixels), reading.geometry, LOCATOR, keys, **more)


@pytest.fixture(scope="module")
def marked(photograph):
    return embed_both(frames_of(photograph), PAYLOAD, LOCATOR, PRIVATE)


COPIES = {
    "none": lambda pixels: pixels,
    "jpeg50": attacks.jpeg(50),
    "half": attacks.resize(0.5),
    "mirrored": attacks.mirror,
    "turned": attacks.quarter_turn,
    "crop3": attacks.crop(0.03),
}


@pytest.mark.parametrize("copy", list(COPIES))
def test_it_is_read_back_from_copies(marked, copy):
    payload, layer = looked(COPIES[copy](marked.frames.pixels[0]))
    assert payload == PAYLOAD
    assert layer.outcome is Outcome.SUPPORTS
    assert (layer.detail.key_id, layer.detail.epoch) == ("mine", 1)
    assert layer.detail.log10_p < -8


def test_it_shares_the_budget_of_the_mark(marked, photograph):
    assert marked.private_layer is True
    assert marked.psnr >= 42
    assert psnr(frames_of(photograph), marked.frames) == pytest.approx(marked.psnr)
    alone = embed(frames_of(photograph), PAYLOAD, LOCATOR)
    assert alone.evidence.detail.statistic - marked.evidence.detail.statistic < 1.0


@pytest.mark.parametrize(
    "other",
    [replace(PRIVATE, secret=bytes(32)), replace(PRIVATE, epoch=2)],
)
def test_another_key_or_epoch_sees_nothing(marked, other):
    _, layer = looked(marked.frames.pixels[0], keys=(other,))
    assert layer.outcome is Outcome.ABSENT


def test_a_ring_of_epochs_names_the_one_that_fits(marked):
    _, layer = looked(marked.frames.pixels[0], keys=(replace(PRIVATE, epoch=2), PRIVATE))
    assert layer.outcome is Outcome.SUPPORTS
    assert layer.detail.epoch == 1
    assert layer.detail.tried == 2 * HYPOTHESES


@pytest.mark.parametrize("number", [1, 200, 255])
def test_a_number_goes_along(photograph, number):
    made = embed_both(frames_of(photograph), PAYLOAD, LOCATOR, PRIVATE, number=number)
    assert made.private_layer is True
    for copy in (*COPIES.values(), attacks.jpeg(60)):
        payload, layer = looked(copy(made.frames.pixels[0]))
        assert payload == PAYLOAD
        assert layer.outcome is Outcome.SUPPORTS
        assert layer.detail.number == number
    _, layer = looked(made.frames.pixels[0], keys=(replace(PRIVATE, secret=bytes(32)),))
    assert layer.detail.number is None


@pytest.mark.parametrize("number", [0, -1, 256])
def test_other_numbers_are_no_numbers(photograph, number):
    with pytest.raises(ValueError, match="from 1 to 255"):
        embed_both(frames_of(photograph), PAYLOAD, LOCATOR, PRIVATE, number=number)


def test_nobody_without_the_key_turns_one_number_into_another():
    """What tells two numbers apart on one picture says nothing of another picture."""
    one, other = np.arange(32) % 3 == 0, np.arange(32) % 5 == 0
    turned = [
        line_signs(PRIVATE, seen, 1142, 7) * line_signs(PRIVATE, seen, 1142, 9) for seen in (one, other)
    ]
    assert abs(int(turned[0] @ turned[1])) < 5 * np.sqrt(1142)
    assert abs(int(line_signs(PRIVATE, one, 1142, 7) @ line_signs(PRIVATE, one, 1142))) < 5 * np.sqrt(1142)


def test_the_locator_key_alone_cannot_write_it(photograph):
    forged = embed(frames_of(photograph), PAYLOAD, LOCATOR)
    payload, layer = looked(forged.frames.pixels[0])
    assert payload == PAYLOAD
    assert layer.outcome is Outcome.ABSENT


def test_a_copied_mark_does_not_carry_it_over(marked, photographs):
    """The locator of a pasted mark still decodes; the layer was made for what another picture shows."""
    decoded = 0
    for name, gain in (("coffee", 1.0), ("coffee", 1.6), ("flower", 1.6)):
        pasted = attacks.copy_mark(marked.frames.pixels[0], photographs[name], gain=gain)
        payload, layer = looked(pasted)
        decoded += payload == PAYLOAD
        assert layer is None or layer.outcome is Outcome.ABSENT
    assert decoded >= 2


def test_a_crop_is_recognised_by_the_signed_digest(marked):
    cut = attacks.crop(0.35)(marked.frames.pixels[0])
    _, alone = looked(cut)
    assert alone.outcome is Outcome.ABSENT
    signed = Reference.of(visual_digest(marked.frames)).coarse
    payload, layer = looked(cut, thumbnails=[255.0 * luma_of(signed)])
    assert payload == PAYLOAD
    assert layer.outcome is Outcome.SUPPORTS


def test_its_p_value_is_true(marked):
    """150 private keys that never met the picture."""
    reading = detect(marked.frames, [LOCATOR]).detail
    random = np.random.default_rng(8)
    across = quadratures(marked.frames, reading.geometry, LOCATOR)
    shown = [coarse_signs(thumbnail_of(marked.frames))]
    keys = [PrivateMarkKey(key_id="x", epoch=1, secret=random.bytes(32)) for _ in range(150)]
    found = np.array([weigh(across, shown, [key]).log10_p for key in keys])
    for level in (0.3, 0.1):
        assert (found <= np.log10(level)).sum() <= 1.2 * level * 150 + 2.5 * np.sqrt(level * 150)
    assert found.min() > -6


def test_signs_stay_the_same_for_ever():
    """What was marked must stay readable: the construction is frozen."""
    signs = np.arange(32) % 3 == 0
    assert np.packbits(line_signs(PRIVATE, signs, 64) < 0).tobytes().hex() == GOLDEN

    assert np.packbits(line_signs(PRIVATE, signs, 64, 7) < 0).tobytes().hex() == WITH_A_NUMBER


GOLDEN, WITH_A_NUMBER = "ab9046515bc9c522", "3661093a455f00a2"


def test_the_coarse_signs_are_those_of_the_picture(photograph):
    signs, sure = coarse_signs(thumbnail_of(frames_of(photograph)))
    again, _ = coarse_signs(thumbnail_of(frames_of(attacks.jpeg(40)(photograph))))
    assert signs.shape == sure.shape == (32,)
    assert (signs != again).sum() <= 2
    upside, _ = coarse_signs(thumbnail_of(frames_of(photograph[::-1])))
    assert (signs != upside).sum() >= 6


@pytest.mark.parametrize("kind", ["gray", "sixteen", "alpha"])
def test_other_kinds_of_pictures(photograph, kind):
    if kind == "gray":
        frames = Frames(pixels=photograph[None, ..., :1].copy())
    elif kind == "sixteen":
        frames = Frames(pixels=photograph[None].astype(np.uint16) * 257)
    else:
        alpha = np.full((1, *photograph.shape[:2]), 255, np.uint8)
        alpha[:, :60] = 0
        frames = Frames(pixels=photograph[None], alpha=alpha)
    made = embed_both(frames, PAYLOAD, LOCATOR, PRIVATE)
    assert made.private_layer is True
    assert made.frames.pixels.dtype == frames.pixels.dtype
    assert made.psnr >= FLOOR_DB
    if kind == "alpha":
        assert np.array_equal(made.frames.pixels[0, :60], frames.pixels[0, :60])


def test_the_marker_writes_it_where_there_is_a_key(photograph):
    frames = frames_of(photograph)
    assert TileMarker(key=LOCATOR, private=PRIVATE).embed(frames, PAYLOAD).private_layer is True
    without = TileMarker(key=LOCATOR).embed(frames, PAYLOAD)
    assert without.private_layer is None
    assert np.array_equal(without.frames.pixels, embed(frames, PAYLOAD, LOCATOR).frames.pixels)
    assert 0 < SHARE_DB < 1
