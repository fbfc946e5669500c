import errno
import os
import stat
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from provenance.errors import ConfigurationError, Error, InputError
from provenance.files import (
    check_writable_folder,
    disk_errors,
    read_bounded,
    replace_atomically,
    temporaries_in,
    temporary_beside,
    write_private,
    write_temporary,
)
from provenance.locks import locked


def code_of(action, *arguments, **options):
    with pytest.raises(Error) as caught:
        action(*arguments, **options)
    return caught.value.code


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_private_files_are_private_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        write_private(tmp_path / "key", b"secret")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert names(tmp_path) == ["key"]


def test_private_files_are_replaced_on_request_only(tmp_path):
    write_private(tmp_path / "key", b"first")
    assert code_of(write_private, tmp_path / "key", b"second") == "output.exists"
    assert (tmp_path / "key").read_bytes() == b"first"
    assert names(tmp_path) == ["key"]
    write_private(tmp_path / "key", b"second", overwrite=True)
    assert (tmp_path / "key").read_bytes() == b"second"


def test_a_file_appears_whole_under_its_name(tmp_path):
    final = tmp_path / ("long name " * 25)[:250]
    temporary = write_temporary(final, b"data")
    assert temporaries_in(tmp_path) == (temporary,)
    assert not final.exists()
    replace_atomically(temporary, final)
    assert final.read_bytes() == b"data"
    assert temporaries_in(tmp_path) == ()


def test_a_temporary_name_says_nothing_and_is_the_callers_when_given(tmp_path):
    assert "secret" not in temporary_beside(tmp_path / "secret-plan.png").name
    chosen = temporary_beside(tmp_path / "a")
    assert write_temporary(tmp_path / "a", b"x", temporary=chosen) == chosen
    assert code_of(write_temporary, tmp_path / "a", b"y", temporary=chosen) == "output.exists"
    assert chosen.read_bytes() == b"x"


def test_no_existing_file_is_lost_without_leave(tmp_path):
    (tmp_path / "final").write_bytes(b"theirs")
    temporary = write_temporary(tmp_path / "final", b"ours")
    assert code_of(replace_atomically, temporary, tmp_path / "final", overwrite=False) == "output.exists"
    assert (tmp_path / "final").read_bytes() == b"theirs"
    replace_atomically(temporary, tmp_path / "new", overwrite=False)
    assert names(tmp_path) == ["final", "new"]


def test_a_file_system_without_hard_links(tmp_path, monkeypatch):
    def no_links(*_, **__):
        raise OSError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(os, "link", no_links)
    replace_atomically(write_temporary(tmp_path / "a", b"x"), tmp_path / "a", overwrite=False)
    assert (tmp_path / "a").read_bytes() == b"x"
    temporary = write_temporary(tmp_path / "a", b"y")
    assert code_of(replace_atomically, temporary, tmp_path / "a", overwrite=False) == "output.exists"
    assert (tmp_path / "a").read_bytes() == b"x"


def test_files_are_synced_before_and_folders_after_the_rename(tmp_path, monkeypatch):
    events = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(
        os, "fsync", lambda fd: (events.append(f"sync {stat.S_ISDIR(os.fstat(fd).st_mode)}"), fsync(fd))
    )
    monkeypatch.setattr(os, "replace", lambda *names: (events.append("rename"), replace(*names)))
    write_private(tmp_path / "a", b"x", overwrite=True)
    assert events[-2:] == ["rename", "sync True"]
    assert events[0] == "sync False"


def test_folders_are_checked_before_the_work(tmp_path):
    check_writable_folder(tmp_path)
    assert names(tmp_path) == []
    (tmp_path / "file").touch()
    assert code_of(check_writable_folder, tmp_path / "absent") == "output.folder"
    assert code_of(check_writable_folder, tmp_path / "file") == "output.folder"
    assert code_of(check_writable_folder, tmp_path, need_bytes=10**18) == "disk.full"
    # On Linux a folder where not even root may create files:
    assert code_of(write_temporary, Path("/proc/self/x"), b"") == "output.unwritable"


@pytest.mark.parametrize(
    ("number", "code", "kind"),
    [
        (errno.ENOSPC, "disk.full", ConfigurationError),
        (errno.EDQUOT, "disk.full", ConfigurationError),
        (errno.EFBIG, "disk.full", ConfigurationError),
        (errno.EIO, "disk.failed", ConfigurationError),
        (errno.EEXIST, "output.exists", InputError),
        (errno.EROFS, "output.unwritable", InputError),
        (errno.EACCES, "output.unwritable", InputError),
    ],
)
def test_what_the_system_says_becomes_a_code(tmp_path, number, code, kind):
    with pytest.raises(kind) as caught, disk_errors(tmp_path):
        raise OSError(number, os.strerror(number))
    assert caught.value.code == code
    assert caught.value.hint


def test_a_full_disk_leaves_nothing_behind(tmp_path):
    script = """
        import pathlib, resource, sys
        from provenance.errors import Error
        from provenance.files import write_private
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            write_private(pathlib.Path(sys.argv[1]), bytes(2000))
        except Error as error:
            print(error.code)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(tmp_path / "key")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "disk.full"
    assert names(tmp_path) == []


@pytest.mark.skipif(os.name == "nt", reason="no named pipes in folders")
def test_a_pipe_is_never_replaced_by_a_file(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert code_of(write_private, pipe, b"x", overwrite=True) == "output.unwritable"
    assert pipe.is_fifo()
    assert names(tmp_path) == ["pipe"]


def test_a_device_that_is_really_full():
    full = Path("/dev/full")
    with pytest.raises(ConfigurationError) as caught, disk_errors(full), full.open("wb", buffering=0) as file:
        file.write(b"x")
    assert caught.value.code == "disk.full"


def test_reading_is_bounded(tmp_path):
    (tmp_path / "a").write_bytes(bytes(100))
    assert read_bounded(tmp_path / "a", most=100) == bytes(100)
    assert code_of(read_bounded, tmp_path / "a", most=99) == "input.too-large"
    assert code_of(read_bounded, Path("/dev/zero"), most=99) == "input.not-media"


def test_a_lock_excludes_threads_and_processes_and_ends_with_its_holder(tmp_path):
    path = tmp_path / "lock"
    script = """
        import pathlib, sys, time
        from provenance.locks import locked
        with locked(pathlib.Path(sys.argv[1])):
            print("held", flush=True)
            time.sleep(60)
    """
    holder = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), str(path)], stdout=subprocess.PIPE
    )
    assert holder.stdout.readline() == b"held\n"
    assert code_of(locked(path, 0.05).__enter__) == "lock.timeout"
    holder.kill()
    holder.wait()
    holder.stdout.close()
    with locked(path, 1.0):
        failed = []
        thread = threading.Thread(target=lambda: failed.append(code_of(locked(path, 0.0).__enter__)))
        thread.start()
        thread.join()
        assert failed == ["lock.timeout"]
    with locked(path, 0.0):
        pass
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_lock_survives_exceptions_and_the_deletion_of_its_file(tmp_path):
    path = tmp_path / "lock"
    with pytest.raises(KeyError), locked(path):
        raise KeyError
    inside, most = [], []

    def work():
        for _ in range(30):
            with locked(path, 20.0):
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.0005)
                inside.pop()
                path.unlink()  # the holder's last act: deleting is releasing

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 120
    assert set(most) == {1}


def test_a_lock_in_a_folder_that_does_not_exist(tmp_path):
    assert code_of(locked(tmp_path / "absent" / "lock").__enter__) == "output.unwritable"
