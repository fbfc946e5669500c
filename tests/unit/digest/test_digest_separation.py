"""Benign copies are the same picture, patched ones are too but altered there, others are not."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from audits.integrity.edits import EDITS, make
from audits.robustness import attacks
from audits.robustness.relink import frames_of
from provenance.digest_compare import CLAIM, LIKENESS, compare, resemble, visual_digest
from provenance.evidence import Outcome
from provenance.watermark.interface import WatermarkKey, detect, embed

KEY = WatermarkKey(key_id="test", epoch=0, secret=bytes(32))
BENIGN = {
    **attacks.RELINK,
    "crop50": attacks.crop(0.5),
    "quarter turn": attacks.quarter_turn,
    "mirror": attacks.mirror,
    "rotated": attacks.rotate(8),
    "brighter": attacks.levels(0.1, 1.0),
    "less contrast": attacks.levels(0.0, 0.6),
    "gray": attacks.gray,
    "uneven": attacks.resize(1, 0.9),
    "screenshot": attacks.screenshot,
}


@pytest.fixture(scope="module")
def released():
    """Marked photographs with their digests."""
    from skimage import data
    from sklearn.datasets import load_sample_image

    pictures = [
        data.astronaut(),
        data.coffee(),
        load_sample_image("flower.jpg"),
        load_sample_image("china.jpg"),
    ]
    marked = [
        embed(frames_of(pixels), bytes([index] * 8), KEY).frames for index, pixels in enumerate(pictures)
    ]
    return [(frames.pixels[0], visual_digest(frames)) for frames in marked]


def held(copy, digest):
    frames = frames_of(copy)
    return compare(digest, frames, detect(frames, [KEY]).detail.geometry)


@pytest.mark.parametrize("name", sorted(BENIGN))
@pytest.mark.parametrize("index", [0, 2])
def test_benign_copies_match_unaltered(name, index, released) -> None:
    pixels, digest = released[index]
    copy = BENIGN[name](pixels)
    if detect(frames_of(copy), [KEY]).outcome is not Outcome.SUPPORTS:
        assert name == "crop10+half+jpeg50", "only that copy may lose the mark on photographs"
        return
    answer = held(copy, digest)
    assert answer.outcome is Outcome.SUPPORTS
    assert answer.detail.altered_fraction <= 0.05


@pytest.mark.parametrize("copy", ["none", "jpeg50", "half", "crop10"])
def test_patches_of_15_percent_of_the_side_are_seen_where_they_are(copy, released) -> None:
    random = np.random.default_rng(3)
    for index, (pixels, digest) in enumerate(released):
        other = released[(index + 1) % len(released)][0]
        height, width = pixels.shape[:2]
        side = int(0.15 * min(height, width)) + 1
        # Not at the rim, so that no copy crops it away.
        x, y = random.integers(side, width - 2 * side), random.integers(side, height - 2 * side)
        patch = other[100 : 100 + side, 150 : 150 + side]
        answer = held(BENIGN[copy](attacks.paste(patch, x=x, y=y)(pixels)), digest)
        assert answer.outcome is Outcome.SUPPORTS
        altered = np.argwhere(answer.detail.altered)
        assert len(altered) > 0
        rows, columns = altered.T
        assert y / height * 32 - 2 <= rows.mean() <= (y + side) / height * 32 + 1
        assert x / width * 32 - 2 <= columns.mean() <= (x + side) / width * 32 + 1


def test_other_pictures_contradict(released) -> None:
    for index, (_, digest) in enumerate(released):
        for other, (pixels, _) in enumerate(released):
            if other != index:
                resized = Image.fromarray(pixels).resize((digest.width, digest.height))
                assert compare(digest, frames_of(np.asarray(resized)), None).outcome is Outcome.CONTRADICTS


def test_what_changed_is_said(released) -> None:
    pixels, digest = released[0]
    cropped = held(attacks.chain(attacks.crop(0.19), attacks.resize(0.7))(pixels), digest).detail
    assert cropped.crop_fraction == pytest.approx(0.81, abs=0.02)
    assert cropped.scale == pytest.approx((0.7, 0.7), abs=0.01)
    left, top, right, bottom = cropped.kept
    assert (left, top) == pytest.approx((0.061, 0.037), abs=0.01)
    assert (right - left, bottom - top) == pytest.approx((0.9, 0.9), abs=0.01)
    turned = held(attacks.quarter_turn(pixels), digest).detail
    assert turned.rotation == pytest.approx(90, abs=0.5)
    assert not turned.mirrored
    assert held(attacks.mirror(pixels), digest).detail.mirrored
    assert "in gray" in held(attacks.gray(pixels), digest).detail.notes
    assert "brighter" in held(attacks.levels(0.1, 1.0)(pixels), digest).detail.notes
    assert "less contrast" in held(attacks.levels(0.0, 0.6)(pixels), digest).detail.notes


def beside(pixels, other):
    """The picture with another one of its height to its right."""
    scaled = Image.fromarray(other).resize((other.shape[1], pixels.shape[0]))
    return np.concatenate([pixels, np.asarray(scaled)], axis=1)


def over(pixels, ground):
    """The picture with as much of one colour below it."""
    return np.concatenate([pixels, np.full_like(pixels, ground)])


def test_a_file_that_shows_much_else_is_not_the_picture(released) -> None:
    (pixels, digest), (other, _) = released[0], released[1]
    for copy in (beside(pixels, other), over(pixels, 255), over(pixels, 40)):
        answer = held(copy, digest)
        assert answer.outcome is Outcome.INCONCLUSIVE
        assert "around it" in answer.reason
        assert answer.detail.around_fraction == pytest.approx(1 - pixels.size / copy.size, abs=0.02)


def test_a_narrow_strip_beside_the_picture_is_said(released) -> None:
    (pixels, digest), (other, _) = released[0], released[1]
    copy = beside(pixels, other[:, : other.shape[1] // 8])
    strip = held(copy, digest)
    assert strip.outcome is Outcome.SUPPORTS
    assert strip.detail.around_fraction == pytest.approx(1 - pixels.size / copy.size, abs=0.02)


@pytest.mark.parametrize("copy", [attacks.screenshot, attacks.rotate(45, expand=True), attacks.rotate(3)])
def test_frames_and_the_corners_of_a_turned_picture_do_not_count_against_it(copy, released) -> None:
    pixels, digest = released[0]
    assert held(copy(pixels), digest).outcome is Outcome.SUPPORTS


def test_writing_in_the_corners_of_a_turned_picture_counts_against_it(released) -> None:
    pixels, digest = released[0]
    turn = attacks.rotate(45, expand=True)
    turned, corners = turn(pixels), turn(np.full_like(pixels, 255)) == 0
    height, width = turned.shape[:2]
    blocks = np.random.default_rng(5).integers(0, 256, (height // 16 + 1, width // 16 + 1, 3), np.uint8)
    written = np.kron(blocks, np.ones((16, 16, 1), np.uint8))[:height, :width]
    assert held(np.where(corners, written, turned), digest).outcome is Outcome.INCONCLUSIVE


def test_a_small_piece_decides_nothing(released) -> None:
    pixels, digest = released[0]
    marked = detect(frames_of(pixels), [KEY]).detail.geometry
    answer = compare(digest, frames_of(pixels[:100, :100]), marked)
    assert answer.outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("index", [0, 3])
@pytest.mark.parametrize("kind", ["patch", "face-size swap", "object removal", "colour"])
def test_edits_are_found_where_they_are_after_half_size_and_jpeg_50(kind, index, released) -> None:
    (pixels, digest), (donor, _) = released[index], released[index - 1]
    edited = make(
        EDITS[kind],
        pixels,
        donor,
        0.12 if kind in ("face-size swap", "object removal") else 0.08,
        np.random.default_rng(4),
    )
    copy = attacks.chain(attacks.resize(0.5), attacks.jpeg(50))(edited.after)
    answer = compare(digest, frames_of(copy), None)
    assert answer.outcome is Outcome.SUPPORTS
    assert answer.detail.alteration > 1
    left, top, right, bottom = answer.detail.regions[0]
    rows, columns = np.nonzero(edited.mask)
    height, width = edited.mask.shape
    assert columns.min() / width - 0.03 <= (left + right) / 2 <= columns.max() / width + 0.03
    assert rows.min() / height - 0.03 <= (top + bottom) / 2 <= rows.max() / height + 0.03


@pytest.mark.parametrize("name", ["crop50", "quarter turn", "mirror", "uneven", "gray", "crop10+half+jpeg50"])
def test_a_copy_without_a_mark_is_laid_by_its_looks(name, released) -> None:
    pixels, digest = released[1]
    answer = resemble(digest, frames_of(BENIGN[name](pixels)))
    assert answer.outcome is Outcome.SUPPORTS
    assert answer.detail.regions == ()
    assert answer.claim == LIKENESS != CLAIM


def test_looks_do_not_make_another_picture_the_same(released) -> None:
    for index in range(len(released)):
        answer = resemble(released[index][1], frames_of(released[index - 1][0]))
        assert answer.outcome is not Outcome.SUPPORTS


def on_ground(*places) -> np.ndarray:
    """Blocks of gray on a plain ground, wherever they lie the same ones."""
    pixels = np.full((512, 512, 3), (90, 140, 190), np.uint8)
    blocks = np.random.default_rng(6).integers(60, 200, (5, 5, 1), np.uint8)
    for y, x in places:
        pixels[y : y + 120, x : x + 120] = np.kron(blocks, np.ones((24, 24, 3), np.uint8))
    return pixels


def test_what_is_added_to_a_plain_picture_does_not_make_it_another_one() -> None:
    signed, added = on_ground((60, 60)), on_ground((60, 60), (300, 280))
    answer = compare(visual_digest(frames_of(signed)), frames_of(added), None)
    assert answer.outcome is Outcome.SUPPORTS
    left, top, right, bottom = answer.detail.regions[0]
    assert (left * 512, top * 512) == pytest.approx((280, 300), abs=12)
    assert (right * 512, bottom * 512) == pytest.approx((400, 420), abs=12)


def test_another_motif_on_the_same_ground_is_another_picture() -> None:
    answer = compare(visual_digest(frames_of(on_ground((60, 60)))), frames_of(on_ground((320, 300))), None)
    assert answer.outcome is Outcome.CONTRADICTS
