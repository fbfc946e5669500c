"""Copies are held against what a screen shows of them: on any ground, and by the profile of their file."""

from __future__ import annotations

import io
from functools import partial

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from provenance.codecs import decode
from provenance.colours import in_srgb, profile_of
from provenance.digest import VisualDigest
from provenance.digest_compare import compare, visual_digest
from provenance.errors import IntegrityError
from provenance.evidence import Outcome
from provenance.media import Asset, Frames

WIDE = (0.3127, 0.3290, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
"""White, red, green and blue of Display P3."""
ADOBE = (0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)


def frames(pixels, alpha=None, icc=None) -> Frames:
    stack = None if alpha is None else np.array(alpha)[None]
    return Frames(pixels=np.array(pixels)[None], alpha=stack, icc=icc)


def srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exchanged(profile: bytes, one: bytes, other: bytes) -> bytes:
    """Two tags with each other's data."""
    swap = {one: other, other: one}
    entries = {profile[at : at + 4]: at for at in range(132, 132 + 12 * profile[131], 12)}
    changed = bytearray(profile)
    for name, instead in swap.items():
        at, source = entries[name] + 4, entries[instead] + 4
        changed[at : at + 8] = profile[source : source + 8]
    return bytes(changed)


def converted(photograph, profile: bytes):
    """The pixels that look the same under ``profile``."""
    target = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    source = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    return np.asarray(ImageCms.profileToProfile(Image.fromarray(photograph), source, target))


def png(pixels, **chunks: bytes) -> Asset:
    info, out = PngImagePlugin.PngInfo(), io.BytesIO()
    for name, data in chunks.items():
        info.add(name.encode(), data)
    Image.fromarray(pixels).save(out, "PNG", pnginfo=info)
    return Asset.of(out.getvalue(), "image/png")


def two_faced(photograph, where):
    """Over mid gray the photograph; over white the lighter the more transparent ``where`` is."""
    base, gray = photograph / 255, 128 / 255
    least = np.maximum((gray - base) / gray, (base - gray) / (1 - gray)).max(axis=-1).clip(0.02, 1)
    alpha = np.ceil(np.where(where, least, 1) * 255) / 255
    colour = ((base - (1 - alpha[..., None]) * gray) / alpha[..., None]).clip(0, 1)
    return np.rint(255 * colour).astype(np.uint8), np.rint(255 * alpha).astype(np.uint8)


def test_a_copy_with_two_faces_is_altered_where_the_other_one_shows(photograph):
    rows, columns = photograph.shape[:2]
    where = np.zeros((rows, columns), bool)
    where[rows // 3 : rows // 2, columns // 4 : columns // 2] = True
    pixels, alpha = two_faced(photograph, where)
    held = compare(visual_digest(frames(photograph)), frames(pixels, alpha), None)
    assert held.detail.altered_fraction > 0.02
    assert "transparent in places" in held.detail.notes
    left, top, right, bottom = held.detail.regions[0]
    assert left < 3 / 8 < right
    assert top < 5 / 12 < bottom


def test_a_copy_with_two_faces_all_over_is_not_the_picture(photograph):
    pixels, alpha = two_faced(photograph, np.ones(photograph.shape[:2], bool))
    held = compare(visual_digest(frames(photograph)), frames(pixels, alpha), None)
    assert held.outcome is not Outcome.SUPPORTS
    assert "not the same on every ground" in held.reason


def test_what_was_signed_transparent_is_the_same_picture(photograph):
    alpha = np.full(photograph.shape[:2], 255, np.uint8)
    opaque = compare(visual_digest(frames(photograph)), frames(photograph, alpha), None)
    assert opaque.detail.altered_fraction == 0
    assert opaque.detail.notes == ()
    alpha[:100, :100] = 0
    digest = visual_digest(frames(photograph, alpha))
    assert VisualDigest.from_assertion(digest.to_assertion()) == digest
    held = compare(digest, frames(photograph, alpha), None)
    assert held.outcome is Outcome.SUPPORTS
    assert held.detail.altered_fraction == 0
    assert held.detail.notes == ("transparent in places",)
    with pytest.raises(IntegrityError):
        VisualDigest.from_assertion({**digest.to_assertion(), "transparent": 1.5})


@pytest.mark.parametrize("said", [WIDE, ADOBE])
def test_a_copy_in_another_colour_space_is_the_same_picture(photograph, said):
    profile = profile_of({"gamma": 1 / 2.2, "chromaticity": said}, gray=False)
    held = compare(
        visual_digest(frames(photograph)), frames(converted(photograph, profile), icc=profile), None
    )
    assert held.outcome is Outcome.SUPPORTS
    assert held.detail.altered_fraction == 0
    wide = visual_digest(frames(converted(photograph, profile), icc=profile))
    assert compare(wide, frames(photograph, icc=srgb()), None).detail.altered_fraction == 0


def test_a_profile_that_exchanges_colours_is_seen(photograph):
    signed, profile = visual_digest(frames(photograph)), exchanged(srgb(), b"rXYZ", b"bXYZ")
    assert compare(signed, frames(photograph, icc=srgb()), None).outcome is Outcome.SUPPORTS
    held = compare(signed, frames(photograph, icc=profile), None)
    assert held.outcome is not Outcome.SUPPORTS or held.detail.altered_fraction > 0.1


@pytest.mark.parametrize("icc", [b"none", srgb()[:200]])
def test_a_profile_that_cannot_be_read_leaves_it_open(photograph, icc):
    held = compare(visual_digest(frames(photograph)), frames(photograph, icc=icc), None)
    assert held.outcome is Outcome.INCONCLUSIVE
    assert "colour profile cannot be read" in held.reason


def test_what_a_png_says_of_its_gamma_counts(photograph):
    signed, usual = visual_digest(frames(photograph)), (45455).to_bytes(4, "big")
    look = partial(compare, signed, geometry=None)
    assert decode(png(photograph, gAMA=usual)).icc is None
    bright = decode(png(photograph, gAMA=(500_000).to_bytes(4, "big")))
    assert bright.icc is not None
    assert look(bright).outcome is not Outcome.SUPPORTS
    assert (
        look(decode(png(photograph, gAMA=(500_000).to_bytes(4, "big"), sRGB=b"\0"))).outcome
        is Outcome.SUPPORTS
    )
    gray = decode(png(photograph[..., 1], gAMA=(100_000).to_bytes(4, "big")))
    assert in_srgb(gray).pixels.mean() > 1.2 * gray.pixels.mean()
    nonsense = {"gamma": 0.0, "chromaticity": (0.0,) * 8}
    assert profile_of(nonsense, gray=False) is None
