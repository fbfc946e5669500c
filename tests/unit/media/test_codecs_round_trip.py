"""Pixels, alpha, depth, gray and profile survive writing and reading, in every format that can hold them."""

import io
import itertools
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from provenance.codecs import decode, encode, header, is_lossless, jpeg_quality, resize
from provenance.errors import ConfigurationError, InputError
from provenance.media import Asset, Frames

LOSSLESS = ("image/png", "image/tiff")


def same(one, other):
    assert one.pixels.dtype == other.pixels.dtype
    np.testing.assert_array_equal(one.pixels, other.pixels)
    assert (one.alpha is None) == (other.alpha is None)
    if one.alpha is not None:
        np.testing.assert_array_equal(one.alpha, other.alpha)


@pytest.mark.parametrize(
    ("mime", "channels", "dtype", "alpha", "with_icc"),
    [
        case
        for case in itertools.product(LOSSLESS, (1, 3), (np.uint8, np.uint16), (False, True), (False, True))
        if case[:4] != ("image/tiff", 1, np.uint16, True)  # refused on purpose, see below
    ],
)
def test_lossless_formats_keep_everything(make_frames, srgb_profile, mime, channels, dtype, alpha, with_icc):
    frames = make_frames(channels, dtype, alpha=alpha, icc=srgb_profile if with_icc else None)
    asset = encode(frames, mime)
    assert asset.mime == mime
    back = decode(asset)
    same(back, frames)
    assert back.icc == frames.icc
    head = header(asset)
    assert (head.width, head.height, head.frames, head.bits) == (40, 24, 1, frames.depth)


@pytest.mark.parametrize("mime", ["image/jpeg", "image/webp"])
@pytest.mark.parametrize("channels", [1, 3])
def test_lossy_formats_come_close(make_frames, srgb_profile, mime, channels):
    frames = make_frames(channels, icc=srgb_profile)
    back = decode(encode(frames, mime, quality=95))
    assert np.abs(back.pixels.astype(int) - frames.pixels).max() <= 16
    assert back.icc == srgb_profile
    assert back.is_gray == (channels == 1 and mime == "image/jpeg")  # WebP has no gray


def test_webp_keeps_alpha_and_the_colour_under_it(make_frames):
    frames = make_frames(alpha=True)
    back = decode(encode(frames, "image/webp", quality=100))
    np.testing.assert_array_equal(back.alpha, frames.alpha)
    clear = frames.alpha < 20
    assert np.abs(back.pixels.astype(int) - frames.pixels)[clear].max() <= 16


@pytest.mark.parametrize("alpha", [False, True])
def test_webp_without_a_quality_loses_nothing(make_frames, alpha):
    frames = make_frames(alpha=alpha)
    asset = encode(frames, "image/webp", quality=None)
    same(decode(asset), frames)
    assert is_lossless(asset)
    assert not is_lossless(encode(frames, "image/webp", quality=100))


def test_our_deep_files_are_read_alike_by_opencv(make_frames):
    import cv2

    frames = make_frames(3, np.uint16, alpha=True)
    expected = np.concatenate([frames.pixels[0], frames.alpha[0][..., None]], axis=2)
    for mime in LOSSLESS:
        stack = cv2.imdecode(np.frombuffer(encode(frames, mime).data, np.uint8), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(stack[..., [2, 1, 0, 3]], expected)


@pytest.mark.parametrize("mime", ["image/png", "image/jpeg", "image/webp", "image/tiff"])
def test_the_same_frames_give_the_same_bytes(make_frames, mime):
    assert encode(make_frames(), mime) == encode(make_frames(), mime)


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("fmt", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_pictures_come_out_upright(picture, saved, fmt, turn):
    exif = Image.Exif()
    exif[0x0112] = turn
    options = (
        {"lossless": True} if fmt == "WEBP" else {"quality": 100, "subsampling": 0} if fmt == "JPEG" else {}
    )
    asset = saved(picture, fmt, exif=exif, **options)
    method = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }.get(turn)
    upright = np.asarray(picture.transpose(method) if method is not None else picture)
    frames = decode(asset)
    assert frames.pixels.shape[1:] == upright.shape
    assert np.abs(frames.pixels[0].astype(int) - upright).max() <= (3 if fmt == "JPEG" else 0)
    head = header(asset)
    assert (head.width, head.height) == (frames.width, frames.height)


@pytest.mark.parametrize("turn", [3, 6])
@pytest.mark.parametrize("mime", LOSSLESS)
def test_deep_colour_comes_out_upright(make_frames, tiff, mime, turn):
    frames = make_frames(3, np.uint16)
    if mime == "image/png":
        data = encode(frames, mime).data
        block = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01" + struct.pack(">HHI", turn, 0, 0)
        chunk = (
            struct.pack(">I", len(block)) + b"eXIf" + block + struct.pack(">I", zlib.crc32(b"eXIf" + block))
        )
        asset = Asset.of(data[:-12] + chunk + data[-12:], mime)  # after the pixels, where it may be
    else:
        asset = tiff(frames.pixels[0], 2, extra=[(274, [turn])])
    upright = np.rot90(frames.pixels[0], 2 if turn == 3 else -1)
    np.testing.assert_array_equal(decode(asset).pixels[0], upright)


def test_palettes_are_expanded(picture, saved):
    reduced = picture.quantize(16)
    expected = np.asarray(reduced.convert("RGB"))
    for fmt in ("PNG", "TIFF", "GIF"):
        np.testing.assert_array_equal(decode(saved(reduced, fmt)).pixels[0], expected)
    keyed = decode(saved(reduced, "PNG", transparency=3))
    np.testing.assert_array_equal(keyed.alpha[0] == 0, np.asarray(reduced) == 3)


@pytest.mark.parametrize("fmt", ["JPEG", "TIFF"])
def test_cmyk_becomes_rgb(picture, saved, fmt):
    asset = saved(picture.convert("CMYK"), fmt)
    frames = decode(asset)
    assert header(asset).mode == "CMYK"
    assert frames.icc is None
    assert np.abs(frames.pixels[0].astype(int) - np.asarray(picture)).mean() < 6


@pytest.mark.parametrize("fmt", ["JPEG", "TIFF"])
def test_a_cmyk_profile_is_used(saved, cmyk_profile, fmt):
    cyan = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    plain = decode(saved(cyan, fmt)).pixels[0, 8, 8]
    frames = decode(saved(cyan, fmt, icc_profile=cmyk_profile))
    red, green, _ = frames.pixels[0, 8, 8].tolist()
    assert red > 100 > green
    assert plain[0] < 100 < plain[1]
    assert decode(saved(cyan, fmt, icc_profile=cmyk_profile)).icc == frames.icc
    said = ImageCms.ImageCmsProfile(io.BytesIO(frames.icc)).profile
    assert said.profile_description.startswith("sRGB")
    assert encode(frames, "image/png") == encode(frames, "image/png")


def test_an_unusable_cmyk_profile_falls_back_to_the_plain_formula(picture, saved, srgb_profile):
    plain = decode(saved(picture.convert("CMYK"), "TIFF"))
    assert plain.icc is None
    for profile in (srgb_profile, b"not a profile"):
        same(decode(saved(picture.convert("CMYK"), "TIFF", icc_profile=profile)), plain)


def _png(bits, colour, rows, *extra):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    width = len(rows[0]) * 8 // bits if colour == 0 else len(rows[0]) * 8 // bits // 3
    ihdr = struct.pack(">IIBBBBB", width, len(rows), bits, colour, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in rows))
    chunks = [
        chunk(b"IHDR", ihdr),
        *(chunk(*pair) for pair in extra),
        chunk(b"IDAT", body),
        chunk(b"IEND", b""),
    ]
    return Asset.of(b"\x89PNG\r\n\x1a\n" + b"".join(chunks), "image/png")


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_a_transparent_gray_becomes_alpha_at_every_depth(bits):
    key = (1 << bits) - 1
    first = key << (16 - bits)  # one row: white, then zeros
    asset = _png(bits, 0, [struct.pack(">H", first) + b"\0\0"], (b"tRNS", struct.pack(">H", key)))
    frames = decode(asset)
    assert frames.is_gray
    assert frames.alpha is not None
    assert frames.alpha[0, 0, 0] == 0
    assert (frames.alpha[0, 0, 1:] == np.iinfo(frames.alpha.dtype).max).all()


def test_a_transparent_deep_colour_becomes_alpha():
    row = struct.pack(">6H", 1000, 2000, 3000, 1000, 2000, 3001)
    frames = decode(_png(16, 2, [row], (b"tRNS", struct.pack(">3H", 1000, 2000, 3000))))
    assert frames.pixels[0, 0].tolist() == [[1000, 2000, 3000], [1000, 2000, 3001]]
    assert frames.alpha is not None
    assert frames.alpha[0, 0].tolist() == [0, 65535]


@pytest.mark.parametrize("order", ["<", ">"])
def test_16_bit_gray_tiff_of_either_polarity_and_byte_order(ramp, tiff, order):
    gray = ramp(channels=1, dtype=np.uint16)[..., 0]
    np.testing.assert_array_equal(decode(tiff(gray, 1, order=order)).pixels[0, ..., 0], gray)
    if order == "<":
        np.testing.assert_array_equal(decode(tiff(np.invert(gray), 0)).pixels[0, ..., 0], gray)


@pytest.mark.parametrize("order", ["<", ">"])
def test_foreign_deep_tiff_is_read(ramp, tiff, order):
    deep = ramp(dtype=np.uint16)
    np.testing.assert_array_equal(decode(tiff(deep, 2, order=order)).pixels[0], deep)


def test_separate_planes_are_refused_rather_than_scrambled(ramp, tiff):
    with pytest.raises(InputError) as caught:
        decode(tiff(ramp(dtype=np.uint16), 2, planar=True))
    assert caught.value.code == "input.unsupported"


def test_premultiplied_deep_tiff_is_divided_again(tiff):
    stored = np.array([[[30_000, 15_000, 0, 30_000], [0, 0, 0, 0], [1, 2, 3, 65_535]]], np.uint16)
    frames = decode(tiff(stored, 2, extra=[(338, [1])]))
    assert frames.pixels[0, 0].tolist() == [[65_535, 32_768, 0], [0, 0, 0], [1, 2, 3]]
    assert frames.alpha[0, 0].tolist() == [30_000, 0, 65_535]


@pytest.mark.parametrize("fmt", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_gps_camera_and_comments_are_left_behind(picture, saved, fmt):
    exif = Image.Exif()
    exif[0x010F] = "ACME Cameras"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[29] = "2026:01:02"
    original = saved(picture, fmt, exif=exif)
    assert b"ACME Cameras" in original.data
    for mime in ("image/png", "image/jpeg", "image/webp", "image/tiff"):
        written = encode(decode(original), mime)
        assert b"ACME" not in written.data
        assert b"2026:01" not in written.data
        assert b"Exif\0" not in written.data
        assert not dict(Image.open(io.BytesIO(written.data)).getexif()) or mime == "image/tiff"
        assert 0x8825 not in Image.open(io.BytesIO(written.data)).getexif()


@pytest.mark.parametrize(
    ("code", "mime", "options"),
    [
        ("output.alpha", "image/jpeg", {"alpha": True}),
        ("output.depth", "image/jpeg", {"dtype": np.uint16}),
        ("output.depth", "image/webp", {"dtype": np.uint16}),
        ("output.depth", "image/tiff", {"dtype": np.uint16, "channels": 1, "alpha": True}),
        ("output.format", "image/gif", {}),
        ("output.size", "image/webp", {"width": 16_384, "height": 1}),
        ("output.size", "image/jpeg", {"width": 65_501, "height": 1}),
    ],
)
def test_what_a_format_cannot_hold_is_refused(make_frames, code, mime, options):
    with pytest.raises(InputError) as caught:
        encode(make_frames(**options), mime)
    assert caught.value.code == code
    assert caught.value.hint


def test_quality_and_frame_count_are_checked(make_frames):
    for quality in (0, 101):
        with pytest.raises(InputError, match=r"outside 1\.\.100"):
            encode(make_frames(), "image/jpeg", quality=quality)
    clip = Frames(pixels=np.zeros((2, 4, 4, 3), np.uint8))
    with pytest.raises(InputError, match="2 frames"):
        encode(clip, "image/png")


@pytest.mark.parametrize("gray", [False, True])
def test_jpeg_quality_is_recovered(picture, saved, gray):
    image = picture.convert("L") if gray else picture
    for quality in range(5, 101):
        assert jpeg_quality(saved(image, "JPEG", quality=quality)) == quality


def test_jpeg_quality_of_other_formats_is_none(make_frames):
    assert jpeg_quality(encode(make_frames(), "image/png")) is None


def test_jpegs_are_written_without_chroma_subsampling(make_frames):
    image = Image.open(io.BytesIO(encode(make_frames(), "image/jpeg").data))
    assert [component[1:3] for component in image.layer] == [(1, 1)] * 3


def test_deep_colour_without_opencv_names_the_extra(make_frames, monkeypatch):
    import sys

    asset = encode(make_frames(3, np.uint16), "image/png")
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(ConfigurationError) as caught:
        decode(asset)
    assert caught.value.code == "extra.missing"


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_resizing_keeps_depth_profile_and_look(make_frames, dtype):
    frames = make_frames(3, dtype, icc=b"profile")
    big = resize(frames, 120, 72)
    assert (big.width, big.height, big.depth, big.icc) == (120, 72, frames.depth, b"profile")
    back = resize(big, 40, 24)
    assert np.abs(back.pixels.astype(int) - frames.pixels).max() <= np.iinfo(dtype).max * 0.02
    picture = Image.fromarray(make_frames().pixels[0]).resize((120, 72), Image.Resampling.LANCZOS)
    assert np.abs(resize(make_frames(), 120, 72).pixels[0].astype(int) - np.asarray(picture)).max() <= 1


def test_invisible_colour_does_not_bleed_when_resized():
    pixels = np.zeros((1, 8, 8, 3), np.uint8)
    pixels[:, :, :4] = (255, 0, 0)  # red, invisible
    pixels[:, :, 4:] = (0, 0, 200)
    alpha = np.zeros((1, 8, 8), np.uint8)
    alpha[:, :, 4:] = 255
    big = resize(Frames(pixels=pixels, alpha=alpha), 32, 32)
    visible = big.alpha > 32
    assert (big.pixels[visible][:, 0] == 0).all()
    assert np.abs(big.pixels[visible][:, 2].astype(int) - 200).max() <= 1
