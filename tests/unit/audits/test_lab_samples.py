"""Pictures for a measurement: every file is used or named, pieces do not overlap, pixels are 8-bit RGB."""

from __future__ import annotations

import os
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from audits.robustness.samples import MOST_PIXELS, _boxes, digest_of, files_in, find_samples, pixels_of
from provenance.errors import InputError


def bomb(width: int, height: int) -> bytes:
    """A PNG whose header announces that many pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    )


@pytest.fixture
def hostile(photograph, tmp_path):
    """What a folder may hold beside the one picture that is good."""
    folder = tmp_path / "hostile"
    (folder / "sub.png").mkdir(parents=True)
    good = Image.fromarray(photograph[:64, :96])
    good.save(folder / "good.png")
    (folder / "twice.png").write_bytes((folder / "good.png").read_bytes())
    (folder / ".hidden.png").write_bytes((folder / "good.png").read_bytes())
    (folder / "text.png").write_text("no picture")
    (folder / "empty.png").write_bytes(b"")
    (folder / "cut.png").write_bytes((folder / "good.png").read_bytes()[:40])
    (folder / "bomb.png").write_bytes(bomb(60_000, 60_000))
    (folder / "large.png").write_bytes(bomb(8_000, 2_001))
    Image.new("RGB", (1, 1)).save(folder / "one.png")
    good.save(folder / "film.gif", save_all=True, append_images=[good.rotate(90)])
    (folder / "gone.png").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "pipe.png")
    return folder


def test_a_hostile_folder_gives_its_one_picture_and_names_the_rest(hostile) -> None:
    samples, refused = find_samples(files_in(hostile))
    assert [sample.name for sample in samples] == ["good.png"]
    assert {one.name: one.code for one in refused} == {
        "bomb.png": "input.too-large",
        "cut.png": "input.truncated",
        "empty.png": "input.empty",
        "film.gif": "input.animated",
        "gone.png": "input.missing",
        "large.png": "input.too-large",
        "one.png": "bench.too-small",
        "pipe.png": "input.not-media",
        "sub.png": "input.folder",
        "text.png": "input.not-media",
        "twice.png": "bench.twice",
    }


@pytest.mark.parametrize("name", ["missing", "file"])
def test_what_is_no_folder_is_said_so(tmp_path, name) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError) as raised:
        files_in(tmp_path / name)
    assert raised.value.code == "bench.folder"
    assert "--images" in str(raised.value.hint)


@given(
    width=st.integers(1, 5000),
    height=st.integers(1, 5000),
    piece=st.integers(256, 2048),
)
def test_pieces_lie_inside_and_apart(width, height, piece) -> None:
    boxes = _boxes(width, height, piece)
    assert len(boxes) != 1
    assert len(boxes) == (width // piece) * (height // piece) or not boxes
    for left, top, across, down in boxes:
        assert (across, down) == (piece, piece)
        assert 0 <= left <= width - piece
        assert 0 <= top <= height - piece
    corners = [(left, top) for left, top, _, _ in boxes]
    for index, (x, y) in enumerate(corners):
        assert all(abs(x - a) >= piece or abs(y - b) >= piece for a, b in corners[index + 1 :])


def test_pieces_are_cut_from_their_picture_and_share_its_source(photograph, tmp_path) -> None:
    whole = np.tile(photograph, (1, 2, 1))
    Image.fromarray(whole).save(tmp_path / "wide.png")
    samples, _ = find_samples([tmp_path / "wide.png"], piece=300)
    assert [sample.name for sample in samples] == ["wide.png#1", "wide.png#2", "wide.png#3"]
    assert len({sample.id for sample in samples}) == 3
    assert len({sample.source for sample in samples}) == 1
    for sample in samples:
        left, top, width, height = sample.box
        assert np.array_equal(pixels_of(sample), whole[top : top + height, left : left + width])
    assert len(find_samples([tmp_path / "wide.png"], piece=300, most=2)[0]) == 2


def test_every_layout_becomes_8_bit_rgb(photograph, tmp_path) -> None:
    colour = photograph[:40, :50]
    half = np.dstack([colour, np.full((40, 50), 0, np.uint8)])
    half[:20, :, 3] = 255
    Image.fromarray(colour[..., 0]).save(tmp_path / "gray.png")
    Image.fromarray(half).save(tmp_path / "half.png")
    Image.fromarray(colour[..., 0].astype(np.uint16) * 257).save(tmp_path / "deep.png")
    samples, _ = find_samples(files_in(tmp_path))
    made = {sample.name: pixels_of(sample) for sample in samples}
    for pixels in made.values():
        assert (pixels.shape, pixels.dtype) == ((40, 50, 3), np.uint8)
        assert not pixels.flags.writeable
    gray = np.repeat(colour[..., :1], 3, axis=-1)
    assert np.array_equal(made["gray.png"], gray)
    assert np.array_equal(made["deep.png"], gray)
    assert np.array_equal(made["half.png"][:20], colour[:20])
    assert (made["half.png"][20:] == 255).all()


def test_a_file_that_changes_meanwhile_is_noticed(photograph, tmp_path) -> None:
    Image.fromarray(photograph).save(tmp_path / "a.png")
    (sample,), _ = find_samples([tmp_path / "a.png"])
    Image.fromarray(photograph[::-1]).save(tmp_path / "a.png")
    with pytest.raises(InputError) as raised:
        pixels_of(sample)
    assert raised.value.code == "bench.changed"


def test_the_digest_follows_the_pixels_not_the_names(small_folder, tmp_path) -> None:
    before = digest_of(find_samples(files_in(small_folder))[0])
    (small_folder / "face.png").rename(small_folder / "a.png")
    assert digest_of(find_samples(files_in(small_folder))[0]) == before
    (small_folder / "a.png").unlink()
    assert digest_of(find_samples(files_in(small_folder))[0]) != before
    assert MOST_PIXELS < 8_000 * 2_001
