"""Bytes that lie on a disk behave like bytes in memory; a spool can be read by nobody else."""

from __future__ import annotations

import errno
import io
import os
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance import spool as spools
from provenance import stored
from provenance.codecs import read_asset
from provenance.errors import ConfigurationError, InputError
from provenance.manifest.containers import find_store, has_trace
from provenance.media import Asset, Limits
from provenance.metadata import bmff
from provenance.spool import Spool, copied, spool_like
from provenance.stored import FileBytes, chunks_of, sha256_of, stream_of, windows_of

DATA = bytes(range(256)) * 40


@pytest.fixture
def on_disk(tmp_path) -> FileBytes:
    path = tmp_path / "file"
    path.write_bytes(DATA)
    return FileBytes(path)


@pytest.fixture
def spilled(tmp_path, monkeypatch) -> Spool:
    """A spool that is on the disk from its first byte on."""
    monkeypatch.setattr(spools, "IN_MEMORY", 0)
    return copied(DATA, Spool(tmp_path))


@pytest.fixture(params=["file", "memory", "disk"])
def kept(request, tmp_path):
    if request.param == "file":
        return request.getfixturevalue("on_disk")
    return request.getfixturevalue("spilled") if request.param == "disk" else copied(DATA, Spool(tmp_path))


@pytest.mark.parametrize(
    "where", [slice(0, 5), slice(100, 300), slice(-3, None), slice(20, 10), slice(10**6, None)]
)
def test_slices_are_those_of_bytes(kept, where) -> None:
    assert kept[where] == DATA[where]
    assert len(kept) == len(DATA)
    assert bytes(kept) == DATA
    assert kept.startswith(DATA[:9])
    assert kept.startswith((b"no", DATA[:3]))
    assert not kept.startswith(b"no")


def test_streams_read_and_seek_each_for_itself(kept) -> None:
    one, other = stream_of(kept), stream_of(kept)
    one.seek(-10, os.SEEK_END)
    assert other.read(7) == DATA[:7]
    assert one.read() == DATA[-10:]
    assert one.read() == b""
    assert other.seek(3, os.SEEK_CUR) == 10
    with pytest.raises(ValueError, match="beginning"):
        stored.Positioned(kept).seek(-1)


def test_pieces_and_digest_are_of_the_whole(kept, monkeypatch) -> None:
    monkeypatch.setattr(stored, "CHUNK", 1000)
    assert b"".join(chunks_of(kept)) == DATA
    assert sha256_of(kept) == sha256_of(DATA)


@given(st.binary(max_size=300), st.integers(1, 9), st.integers(1, 40))
def test_a_search_in_pieces_finds_what_a_search_of_the_whole_does(data, length, chunk) -> None:
    pattern = re.compile(b"(?=(" + b"." * length + b"))", re.DOTALL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored, "CHUNK", max(chunk, length))
        windows = list(windows_of(copied(data, Spool()), overlap=length - 1))
    found = [(at + m.start(), m.group(1)) for at, w in windows for m in pattern.finditer(w)]
    assert found == [(m.start(), m.group(1)) for m in pattern.finditer(data)]


@given(st.lists(st.tuples(st.integers(0, 200), st.binary(max_size=90)), max_size=12), st.booleans())
def test_a_spool_holds_what_was_written_where(writes, early) -> None:
    """As a BytesIO does: over each other, with gaps, in memory and on the disk."""
    expected = io.BytesIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spools, "IN_MEMORY", 0 if early else 100)
        spool = Spool()
        with spool.writer() as out:
            for at, data in writes:
                for target in (out, expected):
                    target.seek(at)
                    target.write(data)
        assert bytes(spool) == expected.getvalue()


def test_a_spool_has_no_name_and_shows_nothing(spilled, tmp_path) -> None:
    assert list(tmp_path.iterdir()) == []
    raw = os.pread(spilled._descriptor, len(DATA), 0)
    assert len(raw) == len(DATA)
    assert DATA[:16] not in raw
    assert os.fstat(spilled._descriptor).st_mode & 0o077 == 0
    assert os.fstat(spilled._descriptor).st_nlink == 0
    again = copied(DATA, spool_like(spilled))
    assert os.pread(again._descriptor, len(DATA), 0) != raw


def test_a_small_spool_touches_no_disk(tmp_path) -> None:
    assert copied(DATA, Spool(tmp_path))._descriptor == -1


def test_a_full_disk_is_said_and_remembered(spilled, monkeypatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(ConfigurationError) as refused:
        spilled.write_at(0, b"more")
    assert refused.value.code == "disk.full"
    assert spilled.failure is refused.value


def test_a_file_that_is_written_to_meanwhile_is_refused(on_disk, tmp_path) -> None:
    assert on_disk[:4] == DATA[:4]
    with (tmp_path / "file").open("ab") as file:
        file.write(b"!")
    with pytest.raises(InputError) as refused:
        on_disk[:4]
    assert refused.value.code == "input.changed"


@pytest.mark.skipif(sys.platform == "win32", reason="open files cannot be replaced there")
def test_a_file_that_is_replaced_meanwhile_stays_the_one_that_was_opened(on_disk, tmp_path) -> None:
    (tmp_path / "other").write_bytes(b"another")
    (tmp_path / "other").replace(tmp_path / "file")
    assert bytes(on_disk) == DATA


def test_clips_stay_on_the_disk_and_pictures_do_not(make_clip, tmp_path, photograph) -> None:
    from PIL import Image

    clip, picture = tmp_path / "clip.mp4", tmp_path / "picture.png"
    clip.write_bytes(make_clip())
    Image.fromarray(photograph).save(picture)
    assert isinstance(read_asset(clip).content, FileBytes)
    assert isinstance(read_asset(picture).content, bytes)
    assert read_asset(clip) == Asset.of(clip.read_bytes(), "video/mp4")
    with pytest.raises(InputError) as refused:
        read_asset(clip, Limits(max_clip_bytes=100))
    assert refused.value.code == "input.too-large"


def test_a_walk_over_boxes_reads_next_to_nothing(tmp_path, make_clip, monkeypatch) -> None:
    """A gigabyte of free space costs a header."""
    path = tmp_path / "large.mp4"
    path.write_bytes(make_clip())
    with path.open("ab") as file:
        file.write((1).to_bytes(4, "big") + b"free" + (2**30).to_bytes(8, "big"))
        file.truncate(file.tell() - 16 + 2**30)
    data, read = FileBytes(path), []
    original = FileBytes.read_at
    monkeypatch.setattr(FileBytes, "read_at", lambda self, at, n: read.append(n) or original(self, at, n))
    boxes = list(bmff.boxes(data))
    assert boxes[-1].end == len(data) > 2**30
    assert find_store(data) is None
    assert sum(read) < 10_000


def test_traces_are_found_across_pieces(tmp_path, monkeypatch, make_clip) -> None:
    trace = b"c2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71"
    clip = make_clip()
    for cut in range(1, 20):
        monkeypatch.setattr(stored, "CHUNK", len(clip) + cut)
        assert has_trace(copied(clip + trace + b"more", Spool(tmp_path)))
    assert not has_trace(copied(clip + trace[:-1], Spool(tmp_path)))


def test_a_name_that_no_file_has(tmp_path) -> None:
    with pytest.raises(InputError) as refused:
        read_asset(Path(tmp_path / "nothing.mp4"))
    assert refused.value.code == "input.missing"
