"""What cannot be read is refused with a code that says why, before it can do harm."""

import os
import struct
import subprocess
import sys
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

from provenance.codecs import decode, encode, header, jpeg_quality, read_asset
from provenance.errors import InputError
from provenance.media import Asset, Limits
from provenance.sniff import extension_for

FORMATS = ("image/png", "image/jpeg", "image/webp", "image/tiff")


def code_of(action, *arguments):
    with pytest.raises(InputError) as caught:
        action(*arguments)
    assert caught.value.what
    assert "\n" not in caught.value.what
    return caught.value.code


def test_the_type_comes_from_the_content(make_frames, tmp_path):
    for mime in FORMATS:
        asset = encode(make_frames(), mime)
        for wrong in (".mp4", ".gif", ".txt", ""):
            path = tmp_path / f"file{wrong}"
            path.write_bytes(asset.data)
            assert read_asset(path) == asset
        assert extension_for(mime)


def test_what_is_no_readable_media_file(tmp_path):
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("I am a picture, honestly\n")
    (tmp_path / "big.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe.png")
    assert code_of(read_asset, tmp_path / "nowhere.png") == "input.missing"
    assert code_of(read_asset, tmp_path / "text.png" / "inside.png") == "input.missing"
    assert code_of(read_asset, tmp_path / "nul\0.png") == "input.missing"
    assert code_of(read_asset, tmp_path) == "input.folder"
    assert code_of(read_asset, tmp_path / "empty.png") == "input.empty"
    assert code_of(read_asset, tmp_path / "text.png") == "input.not-media"
    assert code_of(read_asset, tmp_path / "pipe.png") == "input.not-media"
    assert code_of(read_asset, tmp_path / "loop") == "input.unreadable"
    assert code_of(read_asset, tmp_path / "big.png", Limits(max_bytes=50)) == "input.too-large"


def test_a_file_without_read_permission(tmp_path, make_frames):
    path = tmp_path / "closed.png"
    path.write_bytes(encode(make_frames(), "image/png").data)
    path.chmod(0)
    probe = (
        "import os, sys, pathlib\n"
        "from provenance.codecs import read_asset\n"
        "os.geteuid() or os.setuid(65534)\n"
        "try: read_asset(pathlib.Path(sys.argv[1]))\n"
        "except Exception as error: print(error.code)\n"
    )
    # Root reads anything, so the child gives its rights up; the folder must let it in.
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", probe, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "input.unreadable"


def png_header(width, height, *, bits=8, colour=2):
    ihdr = b"IHDR" + struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    idat = b"IDAT" + zlib.compress(bytes(1000))
    chunks = [
        struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part)) for part in (ihdr, idat)
    ]
    return Asset.of(b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + b"\0\0\0\0IEND\xaeB`\x82", "image/png")


@pytest.mark.parametrize("size", [(65_535, 65_535), (2**31 - 1, 1), (1, 40_000), (32_000, 32_000)])
@pytest.mark.parametrize("bits", [8, 16])
def test_pixel_bombs_are_refused_from_the_header(size, bits, monkeypatch):
    def never(*_):
        raise AssertionError("pixels were decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", never)
    monkeypatch.setattr("provenance.codecs_deep.read", never)
    asset = png_header(*size, bits=bits)
    assert code_of(decode, asset) == "input.too-large"
    assert (header(asset).width, header(asset).height) == size


def test_a_picture_just_within_the_limits_passes(make_frames):
    asset = encode(make_frames(), "image/png")
    assert decode(asset, Limits(max_pixels=40 * 24, max_side=40)).width == 40
    assert code_of(decode, asset, Limits(max_pixels=40 * 24 - 1)) == "input.too-large"
    assert code_of(decode, asset, Limits(max_side=39)) == "input.too-large"


def test_sixteen_bits_count_twice(make_frames):
    asset = encode(make_frames(3, np.uint16, alpha=True), "image/png")
    size = 40 * 24 * 4 * 2
    assert decode(asset, Limits(max_decoded_bytes=size)).depth == 16
    assert code_of(decode, asset, Limits(max_decoded_bytes=size - 1)) == "input.too-large"
    assert code_of(decode, png_header(10_000, 10_000, bits=16)) == "input.too-large"


def test_a_jpeg_of_countless_scans_is_refused(picture, saved):
    asset = saved(picture, "JPEG", progressive=True)
    at = asset.data.rindex(b"\xff\xda")
    many = Asset.of(asset.data[:at] + asset.data[at:-2] * 5_000 + b"\xff\xd9", "image/jpeg")
    assert decode(asset, Limits(max_pixels=5_000)).width == 40
    assert code_of(decode, many, Limits(max_pixels=5_000)) == "input.too-large"


def test_animations_are_refused(saved, ramp):
    first, second = Image.fromarray(ramp()), Image.fromarray(np.flipud(ramp()).copy())
    for fmt in ("GIF", "PNG", "WEBP", "TIFF", "AVIF"):
        asset = saved(first, fmt, save_all=True, append_images=[second, first])
        assert header(asset).frames == 3, fmt
        assert code_of(decode, asset) == "input.animated"
        assert decode(saved(first, fmt)).width == 40


def test_a_phone_picture_with_more_pictures_behind_it_is_one_picture(saved, picture):
    asset = saved(picture, "MPO", save_all=True, append_images=[picture.resize((8, 8))])
    asset = Asset.of(asset.data, "image/jpeg")
    assert header(asset).frames == 1
    assert decode(asset).width == 40


@pytest.mark.parametrize("mime", FORMATS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_cut_files_are_refused_wherever_they_are_cut(make_frames, mime, dtype):
    if dtype == np.uint16 and mime not in ("image/png", "image/tiff"):
        return
    data = encode(make_frames(dtype=dtype, height=60, width=60), mime).data
    for keep in range(12, len(data) - 100, max(1, len(data) // 60)):
        cut = Asset.of(data[:keep], mime)
        assert code_of(decode, cut) in ("input.truncated", "input.damaged", "input.unsupported"), keep


@pytest.mark.parametrize("mime", ["image/png", "image/jpeg", "image/webp"])
def test_a_file_cut_in_half_is_called_truncated(make_frames, mime):
    data = encode(make_frames(height=60, width=60), mime).data
    assert code_of(decode, Asset.of(data[: len(data) // 2], mime)) == "input.truncated"
    if mime == "image/jpeg":
        assert code_of(jpeg_quality, Asset.of(data[:15], mime)) == "input.truncated"


def test_damage_inside_is_called_damaged(make_frames):
    data = bytearray(encode(make_frames(height=60, width=60), "image/png").data)
    data[data.index(b"IDAT") + 20] ^= 0xFF
    assert code_of(decode, Asset.of(bytes(data), "image/png")) == "input.damaged"


def test_layouts_without_a_display_range_are_refused(saved):
    for mode in ("F", "I", "LAB"):
        asset = saved(Image.new(mode, (4, 4)), "TIFF")
        assert code_of(decode, asset) == "input.unsupported"


def test_types_without_a_picture_codec_are_refused():
    for mime in ("video/mp4", "application/pdf", "image/svg+xml", "image/heic"):
        assert code_of(decode, Asset.of(b"x", mime)) == "input.unsupported"
        assert code_of(header, Asset.of(b"x", mime)) == "input.unsupported"


def test_a_tiff_whose_directories_form_a_ring_ends(tiff, ramp):
    data = bytearray(tiff(ramp(), 2).data)
    directory = int.from_bytes(data[4:8], "little")
    count = int.from_bytes(data[directory : directory + 2], "little")
    at = directory + 2 + 12 * count
    data[at : at + 4] = directory.to_bytes(4, "little")
    asset = Asset.of(bytes(data), "image/tiff")
    assert header(asset).frames <= 1_000


@pytest.mark.parametrize(
    ("tag", "value"),
    [(256, 0), (257, 0), (258, 0), (259, 34712), (262, 77), (273, 2**31), (277, 60_000)],
)
def test_hostile_tiff_tags(tiff, ramp, tag, value):
    data = bytearray(tiff(ramp(), 2).data)
    at = data.index(struct.pack("<H", tag), int.from_bytes(data[4:8], "little"))
    data[at + 2 : at + 12] = struct.pack("<HII", 4, 1, value)
    assert code_of(decode, Asset.of(bytes(data), "image/tiff")).startswith("input.")


def test_warnings_of_the_codecs_stay_inside(make_frames, saved, picture, recwarn):
    exif = b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12"
    assert decode(saved(picture, "JPEG", exif=exif)).width == 40
    assert not recwarn.list


def test_deep_pictures_cut_anywhere_end_quickly_and_quietly(make_frames, capfd):
    """OpenCV's PNG reader spins on some of these; the check before it must catch each."""
    data = encode(make_frames(dtype=np.uint16, height=80, width=100), "image/png").data
    for keep in range(60, len(data)):
        with pytest.raises(InputError):
            decode(Asset.of(data[:keep], "image/png"))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "group4", "jpeg"])
def test_native_libraries_do_not_write_to_the_terminal(saved, picture, tiff, capfd, compression):
    image = picture.convert("1") if compression == "group4" else picture
    data = bytearray(saved(image, "TIFF", compression=compression).data)
    for at in range(8, len(data), 7):
        changed = bytes(data[:at]) + bytes([data[at] ^ 0x55]) + bytes(data[at + 1 :])
        with suppress(InputError):
            decode(Asset.of(changed, "image/tiff"))
    many = tiff(np.zeros((4, 4, 8), np.uint8), 2)
    with suppress(InputError):
        header(many)
    os.write(2, b"still here")
    assert capfd.readouterr().err == "still here"


def test_threads_may_decode_side_by_side(make_frames, capfd):
    assets = [
        encode(make_frames(dtype=dtype), mime)
        for dtype, mime in ((np.uint16, "image/tiff"), (np.uint8, "image/png"))
    ]
    before = warnings.filters[:]
    with ThreadPoolExecutor(4) as pool:
        sizes = set(pool.map(lambda number: decode(assets[number % 2]).width, range(200)))
    assert sizes == {40}
    assert warnings.filters == before
    os.write(2, b"still here")
    assert capfd.readouterr().err == "still here"
