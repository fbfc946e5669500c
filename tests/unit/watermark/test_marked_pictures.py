"""What marking promises: the floor holds, the payload outlives copies, refusals come in time."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from audits.robustness import attacks
from provenance.errors import ConfigurationError, InputError
from provenance.evidence import Outcome
from provenance.media import Frames
from provenance.watermark.interface import (
    WatermarkKey,
    detect,
    embed,
    minimum_size,
    new_content_id,
    why_narrow,
)

PAYLOAD = bytes.fromhex("0123456789abcdef")
COPIES = {
    **attacks.RELINK,
    "jpeg75": attacks.jpeg(75),
    "webp50": attacks.encode("WEBP", 50),
    "rot90": attacks.quarter_turn,
    "mirror": attacks.mirror,
    "rot10": attacks.rotate(10),
    "crop25": attacks.crop(0.25),
    "aspect": attacks.resize(1, 0.9),
    "gray": attacks.gray,
    "levels": attacks.levels(0.1, 0.8),
    "noise": attacks.noise(5, np.random.default_rng(0)),
    "screenshot": attacks.screenshot,
}


def psnr(before: Frames, after: Frames) -> float:
    peak = 2.0**before.depth - 1
    return float(
        20 * np.log10(peak) - 10 * np.log10(np.mean((before.pixels - after.pixels.astype(float)) ** 2))
    )


@pytest.mark.parametrize("copy", sorted(COPIES))
def test_flat_art_is_read_after(copy, art, as_frames, key) -> None:
    marked = embed(as_frames(art(1)), PAYLOAD, key)
    found = detect(as_frames(COPIES[copy](marked.frames.pixels[0])), [key])
    assert (found.outcome, found.detail.payload) == (Outcome.SUPPORTS, PAYLOAD)


@pytest.mark.parametrize("name", ["astronaut", "coffee", "flower"])
def test_photographs_are_read_after_what_sites_do(name, photographs, as_frames, key) -> None:
    before = as_frames(photographs[name])
    marked = embed(before, PAYLOAD, key)
    assert marked.psnr >= 40
    assert marked.psnr == pytest.approx(psnr(before, marked.frames), abs=0.01)
    for copy in ("jpeg50", "half", "crop10", "rot10"):
        found = detect(as_frames(COPIES[copy](marked.frames.pixels[0])), [key])
        assert found.detail.payload == PAYLOAD, copy


def test_depth_and_gray_are_kept(photograph, as_frames, key) -> None:
    deep = as_frames(photograph.astype(np.uint16) * 257 + 3)
    marked = embed(deep, PAYLOAD, key)
    assert marked.frames.depth == 16
    assert marked.psnr == pytest.approx(psnr(deep, marked.frames), abs=0.01)
    assert detect(marked.frames, [key]).detail.payload == PAYLOAD
    gray = embed(as_frames(photograph[..., 1]), PAYLOAD, key)
    assert gray.frames.is_gray
    assert detect(gray.frames, [key]).detail.payload == PAYLOAD


def test_what_nobody_sees_is_not_marked_and_does_not_count(art, as_frames, key) -> None:
    pixels = art(3)
    alpha = np.full((512, 512), 255, np.uint8)
    alpha[:, 400:] = 0
    before = as_frames(pixels, alpha)
    marked = embed(before, PAYLOAD, key)
    assert np.array_equal(marked.frames.pixels[0, :, 400:], pixels[:, 400:])
    assert np.array_equal(marked.frames.alpha, before.alpha)
    shown = (marked.frames.pixels[0, :, :400].astype(float) - pixels[:, :400]) ** 2
    assert marked.psnr == pytest.approx(10 * np.log10(255**2 / shown.mean()), abs=0.01)
    assert detect(marked.frames, [key]).detail.payload == PAYLOAD


def test_large_pictures_are_marked_and_read(photographs, as_frames, key) -> None:
    large = attacks.resize(2.4)(photographs["flower"])
    marked = embed(as_frames(large), PAYLOAD, key)
    assert (
        detect(
            as_frames(attacks.chain(attacks.resize(0.3), attacks.jpeg(60))(marked.frames.pixels[0])), [key]
        ).detail.payload
        == PAYLOAD
    )


@pytest.mark.parametrize(
    "pixels",
    [
        np.full((512, 512, 3), 255, np.uint8),
        np.zeros((512, 512, 3), np.uint8),
        np.full((255, 600, 3), 128, np.uint8),
        np.where(np.indices((512, 512)).sum(0)[..., None] % 2, 255, 0).astype(np.uint8).repeat(3, 2),
    ],
    ids=["white", "black", "small", "checkered"],
)
def test_pictures_that_cannot_carry_a_mark_are_refused(pixels, as_frames, key) -> None:
    with pytest.raises(InputError) as refused:
        embed(as_frames(pixels), PAYLOAD, key)
    assert refused.value.code == "watermark.capacity-exceeded"


def test_invisible_pictures_are_refused(photograph, as_frames, key) -> None:
    with pytest.raises(InputError, match="cannot carry"):
        embed(as_frames(photograph, np.zeros((512, 512), np.uint8)), PAYLOAD, key)


def test_where_the_shape_leaves_no_room_the_refusal_says_so(photograph, as_frames, key) -> None:
    strip = np.tile(photograph[100:356], (1, 12, 1))
    with pytest.raises(InputError) as refused:
        embed(as_frames(strip), PAYLOAD, key)
    assert refused.value.code == "watermark.capacity-exceeded"
    assert "6144x256" in refused.value.what
    assert "14 times as long as wide" in refused.value.what
    assert why_narrow(256, 14 * 256) == ""


def test_clips_are_refused_and_not_read(key) -> None:
    clip = Frames(pixels=np.zeros((2, 300, 300, 3), np.uint8))
    with pytest.raises(InputError) as refused:
        embed(clip, PAYLOAD, key)
    assert refused.value.code == "watermark.clip"
    assert detect(clip, [key]).outcome is Outcome.NOT_CHECKED


def test_what_cannot_be_looked_at_is_not_called_absent(photograph, as_frames, key) -> None:
    assert detect(as_frames(photograph), []).outcome is Outcome.NOT_CHECKED
    assert detect(as_frames(photograph[:50]), [key]).outcome is Outcome.NOT_CHECKED


@pytest.mark.parametrize("pixels", [np.full((300, 300, 3), value, np.uint8) for value in (0, 128, 255)])
def test_plain_pictures_hold_nothing(pixels, as_frames, key) -> None:
    found = detect(as_frames(pixels), [key])
    assert found.outcome is Outcome.ABSENT
    assert found.detail.payload is None
    assert found.detail.geometry is None


def test_the_key_is_found_among_others_and_counted(art, as_frames, key) -> None:
    others = [WatermarkKey(key_id="other", epoch=epoch, secret=bytes([epoch]) * 32) for epoch in range(2)]
    marked = embed(as_frames(art(4)), PAYLOAD, key)
    alone = detect(marked.frames, [key]).detail
    among = detect(marked.frames, [*others, key]).detail
    assert (among.key_id, among.payload) == ("test", PAYLOAD)
    assert among.hypotheses >= alone.hypotheses
    assert among.log10_p >= alone.log10_p


def test_another_epoch_is_another_key(art, as_frames, key) -> None:
    marked = embed(as_frames(art(5)), PAYLOAD, key)
    renewed = WatermarkKey(key_id=key.key_id, epoch=1, secret=key.secret)
    assert detect(marked.frames, [renewed]).outcome is Outcome.ABSENT


def test_geometry_places_the_copy(art, as_frames, key) -> None:
    """A point of the copy and the point it came from lie at the same place of the tile."""
    marked = embed(as_frames(art(6)), PAYLOAD, key).frames.pixels[0]
    copy = attacks.resize(0.5)(marked[40:480, 24:500])
    geometry = detect(as_frames(copy), [key]).detail.geometry
    point = np.array([101.0, 57.0])
    source = (point + 0.5) * np.array([476, 440]) / copy.shape[1::-1] - 0.5 + [24, 40]
    seen = np.array(geometry.matrix) @ point + geometry.offset
    offsets = [(seen - source / spread + 64) % 128 - 64 for spread in geometry.spreads]
    assert min(np.abs(offset).max() for offset in offsets) < 1.0


def test_a_key_never_shows_its_secret(key) -> None:
    assert key.secret.hex() not in repr(key)
    assert repr(key.secret) not in repr(key)


def test_content_ids_are_eight_random_bytes() -> None:
    assert new_content_id(lambda count: b"r" * count) == b"r" * 8
    assert minimum_size() == 256


def test_without_opencv_the_extra_is_named(photograph, as_frames, key, monkeypatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for use in (
        lambda: embed(as_frames(photograph), PAYLOAD, key),
        lambda: detect(as_frames(photograph), [key]),
    ):
        with pytest.raises(ConfigurationError) as missing:
            use()
        assert missing.value.code == "extra.missing"


def test_the_interface_loads_nothing_heavy() -> None:
    import subprocess

    code = (
        "import sys, provenance.watermark.interface, provenance.digest;"
        "print([m for m in ('numpy', 'cv2', 'scipy') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
