"""A published log: the files of C2SP tlog-tiles, resumed after a kill, never of two logs at once."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from provenance.errors import ConfigurationError, Error, InputError
from provenance.log.audit import audit
from provenance.log.checkpoint import NoteSigner, open_checkpoint
from provenance.log.cosignature import WitnessSigner
from provenance.log.export import export_log
from provenance.log.merkle import leaf_hash, tree_hash
from provenance.log.published import Published
from provenance.log.store import Log
from provenance.log.target import FolderTarget, RemoteTarget, target_of
from provenance.log.witnessed import accept, add_witness


def code_of(action, *arguments, **options):
    with pytest.raises(Error) as caught:
        action(*arguments, **options)
    return caught.value.code


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def audited(folder, verifier, known=()):
    published = Published.open(folder, verifier)
    return audit(published.tiles, published.note, verifier, known)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "public"


def test_the_example_of_the_specification_has_these_tiles(tmp_path, signer, out):
    """C2SP tlog-tiles: a tree of 70,000 has 273 full tiles and one of 112, then 1 and 17, then 1."""
    log = Log.create(tmp_path / "log", signer)
    log.append([b"%d" % index for index in range(70_000)])
    export_log(log, out)
    found = names(out)
    assert {f"tile/0/{index:03d}" for index in range(273)} <= found
    assert {"tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"} <= found
    assert {f"tile/entries/{index:03d}" for index in range(273)} | {"tile/entries/273.p/112"} <= found
    assert len(found) == 1 + 2 * 274 + 2 + 1
    assert (out / "tile/0/000").stat().st_size == 8192
    assert (out / "tile/1/001.p/17").stat().st_size == 17 * 32
    assert audited(out, signer.verifier).ok


def test_a_tree_of_256_has_a_full_tile_and_a_partial_one_above(log, entries, out):
    log.append(entries(256))
    export_log(log, out)
    assert names(out) == {"checkpoint", "tile/0/000", "tile/1/000.p/1", "tile/entries/000"}
    leaves = [leaf_hash(entry) for entry in entries(256)]
    assert (out / "tile/1/000.p/1").read_bytes() == tree_hash(leaves)


@pytest.mark.parametrize("sizes", [(1, 2, 3), (255, 256, 257), (200, 300, 700), (512, 513)])
def test_growing_exports_stay_readable_at_every_published_size(log, entries, out, sizes):
    """Partial tiles of earlier checkpoints stay, so a reader who is behind finds what it needs."""
    notes, size = [], 0
    for target in sizes:
        log.append(entries(target - size, start=size))
        size = target
        done = export_log(log, out)
        assert done.checkpoint.size == size
        notes.append(done.note)
        assert audited(out, log.verifier, known=notes).ok
    head = open_checkpoint(notes[0], log.verifier)
    behind = Published.open(out, log.verifier).tiles.frontier(head.size)
    assert behind.root() == head.root


def test_what_is_immutable_is_written_once(log, entries, out):
    log.append(entries(600))
    first = set(export_log(log, out).written)
    assert first == names(out)
    assert export_log(log, out).written == ()
    log.append(entries(200, start=600))
    second = export_log(log, out)
    assert second.before == 600
    assert not ({"tile/0/000", "tile/entries/001"} & set(second.written))
    assert set(second.written) - {"checkpoint"} == {
        "tile/0/002", "tile/0/003.p/32", "tile/entries/002", "tile/entries/003.p/32", "tile/1/000.p/3"
    }  # fmt: skip


def test_an_empty_log_is_published_as_its_checkpoint(log, out):
    assert export_log(log, out).written == ("checkpoint",)
    assert audited(out, log.verifier).ok


def test_only_whole_batches_are_published(log, entries, out):
    log.append(entries(130))
    done = export_log(log, out, batch=64)
    assert (done.checkpoint.size, done.withheld) == (128, 2)
    assert names(out) == {"checkpoint", "tile/0/000.p/128", "tile/entries/000.p/128"}
    assert audited(out, log.verifier).size == 128
    log.append(entries(10, start=130))
    assert export_log(log, out, batch=64).written == ()
    log.append(entries(60, start=140))
    assert export_log(log, out, batch=64).checkpoint.size == 192
    assert b"entry 195 " not in (out / "tile/entries/000.p/192").read_bytes()


def test_a_batch_is_at_least_one_and_needs_the_key(log, entries, out):
    log.append(entries(3))
    assert code_of(export_log, log, out, batch=0) == "log.batch"
    reader = Log.open(log.folder, log.verifier)
    assert code_of(export_log, reader, out, batch=2) == "log.read-only"
    assert not out.exists()
    assert export_log(reader, out).checkpoint.size == 3


def test_another_log_at_the_place_is_left_alone(log, entries, out, tmp_path):
    other = NoteSigner(name="log.example/2", private_key=Ed25519PrivateKey.generate())
    theirs = Log.create(tmp_path / "other", other)
    theirs.append([b"theirs"])
    export_log(theirs, out)
    before = {name: (out / name).read_bytes() for name in names(out)}
    log.append(entries(1))
    assert code_of(export_log, log, out) == "log.export-conflict"
    assert {name: (out / name).read_bytes() for name in names(out)} == before


def test_a_log_that_was_put_back_or_rewritten_is_not_published_over_its_past(log, signer, entries, out):
    log.append(entries(10))
    export_log(log, out)
    published = (out / "checkpoint").read_bytes()
    for count, code in ((9, "log.truncated"), (10, "log.forked"), (400, "log.forked")):
        shutil.rmtree(log.folder)
        again = Log.create(log.folder, signer)
        again.append([b"rewritten", *entries(count - 1, start=1)])
        assert code_of(export_log, again, out) == code
    assert (out / "checkpoint").read_bytes() == published


@pytest.mark.parametrize("where", ["tile/0/000", "tile/entries/000", "tile/1/000"])
def test_a_damaged_log_is_not_published(log, entries, out, where):
    log.append(entries(300))
    data = bytearray((log.folder / where).read_bytes())
    data[7] ^= 1
    (log.folder / where).write_bytes(data)
    assert code_of(export_log, log, out).startswith("log.")
    assert not (out / "checkpoint").exists()


KILLED = """
    import os, pathlib, signal, sys
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from provenance.log.checkpoint import NoteSigner
    from provenance.log.export import export_log
    from provenance.log.store import Log

    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    signer = NoteSigner(name="log.example/1", private_key=key)
    def step(name):
        if name == sys.argv[3]:
            os.kill(os.getpid(), signal.SIGKILL)
    log = Log.open(pathlib.Path(sys.argv[1]), signer.verifier, signer=signer)
    export_log(log, pathlib.Path(sys.argv[2]), step=step)
"""
NEW = ("tile/entries/001", "tile/entries/002.p/88", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2")


@pytest.mark.parametrize("step", [*NEW, "checkpoint"])
def test_an_export_killed_after_any_file_is_ended_by_the_next(log, entries, out, step):
    log.append(entries(300))
    old = export_log(log, out).note
    log.append(entries(300, start=300))
    script = textwrap.dedent(KILLED)
    done = subprocess.run([sys.executable, "-c", script, log.folder, out, step], check=False)
    assert done.returncode == -signal.SIGKILL
    between = audited(out, log.verifier, known=[old])
    assert between.ok
    assert between.size == (600 if step == "checkpoint" else 300)
    again = export_log(log, out)
    written = [*NEW, "checkpoint"]
    assert list(again.written) == written[written.index(step) + 1 :]
    assert audited(out, log.verifier, known=[old]).size == 600


def test_a_torn_file_is_written_again_and_a_foreign_one_is_not(log, entries, out):
    log.append(entries(300))
    (out / "tile/0").mkdir(parents=True)
    (out / "tile/0/000").write_bytes(b"torn")
    assert "tile/0/000" in export_log(log, out).written
    (out / "checkpoint").unlink()
    data = bytearray((out / "tile/0/000").read_bytes())
    data[0] ^= 1
    (out / "tile/0/000").write_bytes(data)
    assert code_of(export_log, log, out) == "log.export-conflict"


def test_two_exports_and_a_writer_at_once(log, entries, out):
    log.append(entries(300))
    failures = []

    def work(action):
        try:
            for _ in range(6):
                action()
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            failures.append(error)

    jobs = [lambda: export_log(log, out), lambda: export_log(log, out), lambda: log.append(entries(100))]
    threads = [threading.Thread(target=work, args=[job]) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    export_log(log, out)
    assert audited(out, log.verifier).size == 900


@pytest.fixture
def cosigned(log, entries):
    witness = WitnessSigner(name="w.example", private_key=Ed25519PrivateKey.generate())
    add_witness(log, witness.verifier)
    log.append(entries(5))
    accept(log, witness.cosign(log.note(), 1_700_000_000))
    return witness


def test_cosignatures_travel_with_the_export(log, entries, out, cosigned):
    note = export_log(log, out).note
    assert b"w.example" in note
    assert (out / "witnessed/5").read_bytes() == note == (out / "checkpoint").read_bytes()
    log.append(entries(1))
    assert b"w.example" not in export_log(log, out).note
    assert (out / "witnessed/5").read_bytes() == note
    accept(log, cosigned.cosign(log.note(), 1_700_000_001))
    later = export_log(log, out)
    assert later.written == ("witnessed/6", "checkpoint")
    assert audited(out, log.verifier, known=[note]).ok


def test_what_is_withheld_is_not_told_by_a_cosignature(log, entries, out, cosigned):
    log.append(entries(6))
    accept(log, cosigned.cosign(log.note(), 1_700_000_001))
    assert export_log(log, out, batch=10).checkpoint.size == 10
    assert not (out / "witnessed/11").exists()
    assert (out / "witnessed/5").exists()


def test_a_copy_is_held_against_the_right_key_and_folder(log, entries, out, tmp_path):
    assert code_of(Published.open, tmp_path / "nothing", log.verifier) == "log.not-published"
    log.append(entries(1))
    export_log(log, out)
    other = NoteSigner(name=log.verifier.name, private_key=Ed25519PrivateKey.generate())
    assert code_of(Published.open, out, other.verifier) == "log.checkpoint-signature"
    (out / "checkpoint").write_bytes(b"x" * 1_000_000)
    assert code_of(Published.open, out, log.verifier) == "input.too-large"


def test_a_hole_in_a_copy_is_found(log, entries, out):
    log.append(entries(300))
    export_log(log, out)
    (out / "tile/entries/001.p/44").unlink()
    report = audited(out, log.verifier)
    assert {problem.code for problem in report.problems} >= {"log.entry-missing"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize("where", ["checkpoint", "tile/0/000", "tile/0/001.p/44", "tile/entries/000"])
def test_a_copy_with_pipes_in_it_keeps_nobody_waiting(log, entries, out, where):
    log.append(entries(300))
    export_log(log, out)
    (out / where).unlink()
    os.mkfifo(out / where)
    assert code_of(audited, out, log.verifier) == "input.not-media"


def test_no_more_of_a_file_is_read_than_a_tile_can_have(log, entries, out):
    log.append(entries(300))
    export_log(log, out)
    with (out / "tile/0/000").open("ab") as file:
        file.truncate(10**12)  # a hole: takes no room on the disk and all memory when it is read
    assert code_of(audited, out, log.verifier) == "input.too-large"


def test_a_folder_in_the_place_of_a_tile_is_said(log, entries, out):
    log.append(entries(300))
    export_log(log, out)
    (out / "tile/0/000").unlink()
    (out / "tile/0/000").mkdir()
    assert code_of(audited, out, log.verifier) == "input.folder"


def test_the_owner_s_own_folder_reads_like_a_copy(log, entries):
    log.append(entries(300))
    assert audited(log.folder, log.verifier).ok


def test_a_full_disk_is_said_and_leaves_the_old_checkpoint(log, entries, out, monkeypatch):
    log.append(entries(3))
    old = export_log(log, out).note
    log.append(entries(3))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert code_of(export_log, log, out) == "disk.full"
    assert (out / "checkpoint").read_bytes() == old


def test_any_file_system_that_fsspec_knows(log, entries):
    fsspec = pytest.importorskip("fsspec")
    log.append(entries(300))
    place = target_of("memory://published/log")
    assert isinstance(place, RemoteTarget)
    try:
        assert export_log(log, place).checkpoint.size == 300
        log.append(entries(300))
        assert export_log(log, target_of("memory://published/log")).before == 300
        memory = fsspec.filesystem("memory")
        assert memory.cat_file("/published/log/tile/0/000") == (log.folder / "tile/0/000").read_bytes()
        assert memory.cat_file("/published/log/checkpoint") == log.note()
    finally:
        fsspec.filesystem("memory").rm("/published", recursive=True)


def test_a_remote_copy_by_file_url_is_the_same_as_a_folder(log, entries, out, tmp_path):
    pytest.importorskip("fsspec")
    log.append(entries(300))
    export_log(log, out)
    export_log(log, target_of(f"file://{tmp_path}/remote"))
    assert names(tmp_path / "remote") == names(out)
    assert audited(tmp_path / "remote", log.verifier).ok


def test_what_a_remote_driver_throws_becomes_one_error(log):
    pytest.importorskip("fsspec")

    class Broken:
        def cat_file(self, path, start, end):
            raise TimeoutError("no answer")

    assert code_of(export_log, log, RemoteTarget(system=Broken(), root="bucket")) == "remote.failed"
    with pytest.raises(ConfigurationError) as caught:
        target_of("no-such-protocol://x")
    assert caught.value.code in {"remote.failed", "extra.missing"}


def test_without_the_extra_it_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    assert code_of(target_of, "s3://bucket/log") == "extra.missing"
    assert isinstance(target_of("folder/log"), FolderTarget)


def test_errors_are_those_of_inputs(log, out):
    with pytest.raises(InputError):
        export_log(log, out, batch=-1)
