"""Clips that never were a file: written once, from pixels in memory, and read as anybody reads them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from provenance.errors import InputError
from provenance.evidence import Outcome
from provenance.media import Frames
from provenance.video.container import ClipLimits, VideoCodec
from provenance.video.drawn import DrawnClip
from provenance.video.look import read_mark
from provenance.video.marking import draw_clip
from provenance.video.reader import ClipReader
from provenance.watermark.key import WatermarkKey

KEY = WatermarkKey(key_id="k" * 8, epoch=1, secret=bytes(range(32)))


def drawn(photograph, *, count=6, size=(256, 256), fps=8.0) -> Frames:
    width, height = size
    pixels = [photograph[2 * at : 2 * at + height, at : at + width] for at in range(count)]
    return Frames(pixels=np.stack(pixels), fps=fps)


def shown(asset):
    with ClipReader(asset.content, asset.mime) as reader:
        return reader.clip, list(reader.frames())


def psnr(one, other) -> float:
    return float(10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2)))


@pytest.mark.parametrize("codec", [None, *VideoCodec])
def test_every_frame_comes_back_with_its_time_and_its_mark(photograph, codec) -> None:
    frames = drawn(photograph)
    made = draw_clip(frames, (b"12345678", KEY), codec=codec)
    clip, seen = shown(made.asset)
    assert (made.asset.mime, clip.codec) == ("video/mp4", (codec or VideoCodec.AV1).value)
    assert (made.frames, len(seen), made.payload) == (6, 6, b"12345678")
    assert [frame.seconds for frame in seen] == [at / 8 for at in range(6)]
    assert made.psnr >= 39
    assert all(psnr(a.rgb, b) > 33 for a, b in zip(seen, frames.pixels, strict=True))
    mark = read_mark(made.asset, [KEY])
    assert mark.outcome is Outcome.SUPPORTS
    assert mark.detail.payload == b"12345678"


def test_colours_are_coded_as_their_tags_say(photograph) -> None:
    patches = np.zeros((4, 64, 96, 3), np.uint8)
    for at, colour in enumerate([(200, 30, 40), (20, 180, 60), (30, 60, 220)]):
        patches[:, :, 32 * at : 32 * at + 32] = colour
    clip, seen = shown(draw_clip(Frames(pixels=patches, fps=8.0), None).asset)
    assert (clip.colour.matrix, clip.colour.range, clip.colour.transfer) == (1, 1, 13)
    for at in range(3):
        middle = seen[0].rgb[16:48, 32 * at + 8 : 32 * at + 24].mean((0, 1))
        assert np.abs(middle - patches[0, 0, 32 * at]).max() < 5


@pytest.mark.parametrize(
    ("fps", "rate"),
    [
        (8.0, Fraction(8)),
        (24000 / 1001, Fraction(24000, 1001)),
        (7.3, Fraction(73, 10)),
        (240.0, Fraction(240, 1)),
    ],
)
def test_rates_are_kept_exactly(photograph, fps, rate) -> None:
    clip, seen = shown(draw_clip(drawn(photograph, count=3, size=(64, 48), fps=fps), None).asset)
    assert clip.rate == rate
    assert seen[2].pts * clip.time_base == 2 / rate


def test_one_frame_gray_frames_and_odd_sides_are_clips_too(photograph) -> None:
    for frames in (
        drawn(photograph, count=1, size=(65, 47)),
        Frames(pixels=drawn(photograph, count=2, size=(64, 48)).pixels[..., :1].copy(), fps=8.0),
    ):
        clip, seen = shown(draw_clip(frames, None).asset)
        assert (clip.width, clip.height, len(seen)) == (frames.width, frames.height, len(frames.pixels))


def test_the_same_frames_give_the_same_bytes(photograph) -> None:
    frames = drawn(photograph, count=3)
    one, other = (draw_clip(frames, (b"12345678", KEY)) for _ in range(2))
    assert one.asset.sha256 == other.asset.sha256
    assert one.digest.to_assertion() == other.digest.to_assertion()


def test_what_cannot_be_a_clip_is_said(photograph) -> None:
    frames = drawn(photograph, count=2, size=(64, 48))
    bad = {
        "video.no-rate": Frames(pixels=frames.pixels),
        "video.depth": Frames(pixels=frames.pixels.astype(np.uint16), fps=8.0),
        "video.alpha": Frames(pixels=frames.pixels, alpha=frames.pixels[..., 0].copy(), fps=8.0),
    }
    for code, one in bad.items():
        with pytest.raises(InputError) as refused:
            draw_clip(one, None)
        assert refused.value.code == code
    with pytest.raises(InputError) as refused:
        DrawnClip(frames, ClipLimits(max_frames=1))
    assert refused.value.code == "video.too-large"
    thin = Frames(pixels=frames.pixels[:, :16].copy(), fps=8.0)
    with pytest.raises(InputError) as refused:
        draw_clip(thin, None)
    assert refused.value.code == "video.too-small"
    assert draw_clip(thin, None, codec=VideoCodec.VP9).frames == 2
    with pytest.raises(InputError) as refused:
        draw_clip(frames, (b"12345678", KEY))
    assert refused.value.code == "watermark.capacity-exceeded"
