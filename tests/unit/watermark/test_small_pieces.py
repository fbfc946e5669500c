"""Large pictures: marked in strips, read from small pieces and from thumbnails alike."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data

from provenance.evidence import Outcome
from provenance.media import Frames
from provenance.watermark.applying import add_change, psnr, stretched
from provenance.watermark.fine_tile import carries_fine_tile
from provenance.watermark.interface import WatermarkKey, WatermarkReading, detect, embed

KEY = WatermarkKey(key_id="pieces", epoch=0, secret=bytes(range(32)))
PAYLOAD = b"abcdefgh"


@pytest.fixture(scope="module")
def large() -> Frames:
    photograph = cv2.resize(data.astronaut(), (2400, 1900), interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(1).normal(0, 3, photograph.shape[:2])
    noisy = np.clip(photograph + grain[..., None], 0, 255)
    return embed(Frames(pixels=np.rint(noisy).astype(np.uint8)[None]), PAYLOAD, KEY).frames


def read(pixels: np.ndarray) -> tuple[Outcome, bytes | None]:
    found = detect(Frames(pixels=np.ascontiguousarray(pixels)[None]), [KEY])
    assert isinstance(found.detail, WatermarkReading)
    return found.outcome, found.detail.payload


@pytest.mark.parametrize(("top", "left"), [(300, 500), (911, 1203), (1300, 1700)])
def test_a_piece_of_a_seventeenth_is_read(large, top, left) -> None:
    assert carries_fine_tile(large.width, large.height)
    piece = large.pixels[0][top : top + 520, left : left + 520]
    assert read(piece) == (Outcome.SUPPORTS, PAYLOAD)


@pytest.mark.parametrize("width", [1100, 640, 400])
def test_the_whole_is_read_at_any_size(large, width) -> None:
    small = cv2.resize(large.pixels[0], (width, round(width * 19 / 24)), interpolation=cv2.INTER_AREA)
    assert read(small) == (Outcome.SUPPORTS, PAYLOAD)


def test_strips_add_up_to_the_whole_change() -> None:
    frames = Frames(pixels=np.full((1, 700, 900, 3), 128, np.uint8))
    change = np.random.default_rng(2).normal(0, 4, (350, 450)).astype(np.float32)
    whole = np.rint(stretched(change, (900, 700), 0, 700))
    added = add_change(frames, change).pixels[0].astype(np.float32) - 128
    assert np.array_equal(added, np.repeat(whole[..., None], 3, axis=2))


def test_psnr_counts_what_shows() -> None:
    alpha = np.zeros((1, 64, 64), np.uint8)
    alpha[:, :, :32] = 255
    before = Frames(pixels=np.full((1, 64, 64, 3), 100, np.uint8), alpha=alpha)
    changed = before.pixels.copy()
    changed[:, :, :16] += 2  # half of what shows, by 2: mean square 2
    after = Frames(pixels=changed, alpha=alpha)
    assert psnr(before, after) == pytest.approx(10 * np.log10(255**2 / 2))
