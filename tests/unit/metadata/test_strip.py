"""Positions, cameras, comments and prompts go; pixels, colour and orientation stay."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from provenance.errors import InputError
from provenance.media import Asset
from provenance.metadata.strip import strip_camera_metadata

FORMS = [("image/png", "PNG"), ("image/jpeg", "JPEG"), ("image/webp", "WEBP"), ("image/tiff", "TIFF")]
every_form = pytest.mark.parametrize(("mime", "form"), FORMS)
SECRETS = (b"CameraMaker9000", b"SN-12345", b"a secret prompt", b"Jane Photographer")
PROFILE = b"\0" * 40 + b"acsp" + b"\0" * 84


def taken(form: str, *, orientation: int = 1) -> bytes:
    pixels = np.random.default_rng(2).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[271], exif[315], exif[274] = "CameraMaker9000", "Jane Photographer", orientation
    exif.get_ifd(0x8769)[0xA431] = "SN-12345"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.025)})
    options: dict[str, object] = {"exif": exif, "icc_profile": PROFILE}
    if form == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_text("parameters", "a secret prompt")
        info.add_itxt("workflow", "a secret prompt", zip=True)
        options["pnginfo"] = info
    if form == "JPEG":
        options["comment"] = "a secret prompt"
    if form == "TIFF":
        options["description"] = "a secret prompt"
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, form, **options)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@every_form
def test_what_identifies_is_gone_and_the_picture_is_the_same(mime, form):
    data = taken(form)
    assert any(secret in data for secret in SECRETS)
    after = strip_camera_metadata(Asset.of(data, mime)).data
    for secret in SECRETS:
        assert secret not in after
    image = opened(after)
    np.testing.assert_array_equal(np.asarray(opened(data)), np.asarray(image))
    assert image.info["icc_profile"] == PROFILE
    exif = image.getexif()
    assert not exif.get_ifd(0x8825)
    assert not exif.get_ifd(0x8769)
    assert 271 not in exif
    assert "parameters" not in image.info


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@every_form
def test_the_orientation_stays(mime, form, orientation):
    after = strip_camera_metadata(Asset.of(taken(form, orientation=orientation), mime)).data
    with Image.open(io.BytesIO(after)) as image:  # not loaded: Pillow turns TIFF pixels on loading
        assert image.getexif().get(274, 1) == orientation


@every_form
def test_stripping_twice_changes_nothing_more(mime, form):
    once = strip_camera_metadata(Asset.of(taken(form), mime))
    assert strip_camera_metadata(once).data == once.data


@every_form
def test_a_clean_picture_keeps_its_pixels(mime, form):
    out = io.BytesIO()
    Image.fromarray(np.full((20, 20, 3), 7, np.uint8)).save(out, form)
    after = strip_camera_metadata(Asset.of(out.getvalue(), mime))
    np.testing.assert_array_equal(np.asarray(opened(out.getvalue())), np.asarray(opened(after.data)))


def test_tiff_of_several_pages_is_refused():
    out = io.BytesIO()
    page = Image.fromarray(np.zeros((8, 8, 3), np.uint8))
    page.save(out, "TIFF", save_all=True, append_images=[page])
    with pytest.raises(InputError):
        strip_camera_metadata(Asset.of(out.getvalue(), "image/tiff"))


def test_other_containers_are_refused():
    with pytest.raises(InputError):
        strip_camera_metadata(Asset.of(b"GIF89a" + bytes(20), "image/gif"))
