"""Clips of any size go the whole way without being held in memory, and without being readable on a disk."""

from __future__ import annotations

import errno
import os
import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from guard.api import recover_file, release_file, verify_file
from guard.home import Home
from guard.setup import initialise
from guard.signals import signals
from guard.verdict import State
from provenance import spool as spools
from provenance.codecs import read_asset
from provenance.errors import ConfigurationError, Error, InputError
from provenance.manifest import sign as signing
from provenance.stored import FileBytes, StoredBytes
from provenance.video.writer import remux

RECIPES = {
    ".mp4": {"frames": 24},
    ".webm": {"frames": 24, "container": "webm", "codec": "libvpx-vp9", "sound": "libopus"},
}


@pytest.fixture
def studio(tmp_path) -> Home:
    home = Home(folder=tmp_path / "home")
    initialise(home, now=datetime.now(UTC), random=secrets.token_bytes)
    return home


@pytest.fixture
def clip(make_clip, tmp_path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(make_clip(size=(288, 256), **RECIPES[".mp4"]))
    (tmp_path / "out").mkdir()
    return path


@pytest.fixture
def on_disk(monkeypatch) -> None:
    """Every spool goes to the disk, however small."""
    monkeypatch.setattr(spools, "IN_MEMORY", 0)


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
@pytest.mark.usefixtures("on_disk")
def test_no_step_reads_a_clip_into_memory(studio, tmp_path, make_clip, monkeypatch, suffix) -> None:
    source, target = tmp_path / f"clip{suffix}", tmp_path / f"out{suffix}"
    source.write_bytes(make_clip(size=(288, 256), **RECIPES[suffix]))

    read_bytes = Path.read_bytes

    def refused(self: object) -> bytes:
        if isinstance(self, Path) and self.suffix not in (suffix, ".partial"):
            return read_bytes(self)
        return pytest.fail("a whole clip was read into memory")

    monkeypatch.setattr(StoredBytes, "__bytes__", refused)
    monkeypatch.setattr(Path, "read_bytes", refused)
    release_file(source, target, source="generated", home=studio)
    assert verify_file(target, home=studio, marks=True).state is State.DEVELOPMENT
    assert signals(read_asset(target), studio, at=datetime.now(UTC))["watermark"]["outcome"] == "supports"
    with (tmp_path / f"copy{suffix}").open("w+b") as copy:
        remux(FileBytes(target), read_asset(target).mime, copy)
    assert recover_file(tmp_path / f"copy{suffix}", home=studio).state is State.RECOVERED


@pytest.mark.skipif(sys.platform != "linux", reason="open files are looked at through /proc")
@pytest.mark.usefixtures("on_disk")
def test_nothing_readable_lies_on_the_disk_before_it_is_allowed(studio, clip, tmp_path, monkeypatch) -> None:
    from guard import writer

    seen: list[bytes] = []

    def looked(*_: object, **__: object) -> None:
        links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
        nameless = [link for link in links if str(link.readlink()).endswith("(deleted)")]
        seen.extend(os.pread(int(link.name), 2**24, 0) for link in nameless)
        raise InputError("test.stopped", "stopped before anything may be written")

    monkeypatch.setattr(writer, "write_temporary", looked)
    with pytest.raises(InputError, match="stopped"):
        release_file(clip, tmp_path / "out", source="generated", home=studio)
    assert len([data for data in seen if len(data) > 10_000]) >= 2  # the marked one and the signed one
    assert not [data for data in seen for word in (b"ftyp", b"moov", b"mdat", b"c2pa") if word in data]
    assert list((tmp_path / "out").iterdir()) == []


class _FullDisk:
    """``os``, with no room to write."""

    def __getattr__(self, name: str) -> object:
        return getattr(os, name)

    def write(self, *_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.usefixtures("on_disk")
def test_a_disk_that_is_full_is_an_error_with_a_name(studio, clip, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(spools, "os", _FullDisk())
    with pytest.raises(ConfigurationError) as refused:
        release_file(clip, tmp_path / "out", source="generated", home=studio)
    assert refused.value.code == "disk.full"
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.usefixtures("on_disk")
def test_a_disk_that_fills_up_while_signing_is_one_as_well(studio, clip, tmp_path, monkeypatch) -> None:
    original = signing._write

    def full(*arguments: object, **options: object) -> object:
        monkeypatch.setattr(spools, "os", _FullDisk())
        return original(*arguments, **options)

    monkeypatch.setattr(signing, "_write", full)
    with pytest.raises(Error) as refused:
        release_file(clip, tmp_path / "out", source="generated", home=studio)
    assert refused.value.code == "disk.full"


def test_what_is_too_large_to_be_signed_is_said(studio, clip, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(signing, "MOST_BYTES", 1000)
    with pytest.raises(InputError) as refused:
        release_file(clip, tmp_path / "out", source="generated", home=studio)
    assert refused.value.code == "sign.too-large"
    assert list((tmp_path / "out").iterdir()) == []
