"""The log on disk: order, durability, recovery, two writers, and every kind of tampering."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pymerkle
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from provenance.errors import ConfigurationError, InputError, IntegrityError
from provenance.log.audit import LOCAL_WITNESS
from provenance.log.checkpoint import Checkpoint, NoteSigner, open_checkpoint, sign_checkpoint
from provenance.log.merkle import EMPTY_ROOT, leaf_hash, tree_hash, verify_consistency, verify_inclusion
from provenance.log.store import Log
from provenance.log.tiles import tile_path

STEPS = (
    "entries written",
    "entries synced",
    "hashes written",
    "hashes synced",
    "checkpoint written",
    "checkpoint synced",
    "checkpoint renamed",
    "folder synced",
)


PREAMBLE = """
import os, pathlib, resource, signal, sys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from provenance.errors import Error
from provenance.log.checkpoint import NoteSigner
from provenance.log.store import Log

private_key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
signer = NoteSigner(name="log.example/1", private_key=private_key)
folder = pathlib.Path(sys.argv[1])
"""


def other_process(script, *arguments):
    """The command of a process that runs ``script`` with the fixtures' signer and a folder."""
    return [sys.executable, "-c", PREAMBLE + textwrap.dedent(script), *map(str, arguments)]


def code_of(action, *arguments, **options):
    with pytest.raises((ConfigurationError, InputError, IntegrityError)) as caught:
        action(*arguments, **options)
    return caught.value.code


def codes(report):
    return {problem.code for problem in report.problems}


def test_a_new_log_is_empty_and_signed(log, signer):
    assert log.checkpoint() == Checkpoint(origin=signer.name, size=0, root=EMPTY_ROOT)
    report = log.verify()
    assert report.ok
    assert report.witness == LOCAL_WITNESS == "local, no outside witness"


def test_entries_come_back_with_proofs(log, entries):
    done = log.append(entries(3))
    assert done.indexes == (0, 1, 2)
    again = log.append(entries(2, start=3))
    assert again.indexes == (3, 4)
    assert [entry for _, entry in log.entries()] == entries(5)
    assert list(log.entries(3)) == list(enumerate(entries(5)))[3:]
    head = log.checkpoint()
    assert head == again.checkpoint == open_checkpoint(again.note, log.verifier)
    for index in range(5):
        proof = log.prove_inclusion(index)
        assert verify_inclusion(index, 5, leaf_hash(log.entry(index)), proof, head.root)
    assert verify_inclusion(1, 3, leaf_hash(entries(2)[1]), log.prove_inclusion(1, 3), done.checkpoint.root)
    assert verify_consistency(3, 5, done.checkpoint.root, head.root, log.consistency(3))


@pytest.mark.parametrize("batch", [1, 7, 100, 256, 257])
def test_any_batches_give_the_tree_of_rfc_6962(tmp_path, signer, entries, batch):
    log, everything = Log.create(tmp_path / "log", signer), entries(520)
    notes = [log.append(everything[at : at + batch]).note for at in range(0, 520, batch)]
    leaves = [leaf_hash(entry) for entry in everything]
    assert log.checkpoint().root == tree_hash(leaves)
    report = log.verify(known=notes)
    assert report.ok
    assert report.known_checkpoints == len(notes)
    for old in (1, 255, 256, 257, 512, 513):
        proof = log.consistency(old)
        assert verify_consistency(old, 520, tree_hash(leaves[:old]), log.checkpoint().root, proof)


def test_a_log_of_three_tile_levels(tmp_path, signer):
    log = Log.create(tmp_path / "log", signer)
    log.append([b"%d" % index for index in range(66_000)])
    log.append([b"one more"])
    assert log.verify().ok
    head = log.checkpoint()
    for index in (0, 65_535, 65_536, 66_000):
        assert verify_inclusion(
            index, head.size, leaf_hash(log.entry(index)), log.prove_inclusion(index), head.root
        )
    assert (log.folder / "tile/2/000").stat().st_size == 32
    assert Log.open(log.folder, signer.verifier).checkpoint() == head


def test_pymerkle_gets_the_same_root_from_the_entries(log, entries):
    log.append(entries(300))
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for _, entry in log.entries():
        tree.append_entry(entry)
    assert tree.get_root() == log.checkpoint().root


def test_the_files_are_c2sp_tiles(log, entries):
    log.append(entries(300))
    hashes = b"".join(leaf_hash(entry) for entry in entries(300))
    assert (log.folder / "tile/0/000").read_bytes() == hashes[: 256 * 32]
    assert (log.folder / "tile/0/001").read_bytes() == hashes[256 * 32 :]
    assert (log.folder / "tile/1/000").read_bytes() == tree_hash([leaf_hash(entry) for entry in entries(256)])
    first = entries(1)[0]
    assert (log.folder / "tile/entries/000").read_bytes().startswith(len(first).to_bytes(2, "big") + first)
    assert tile_path(1, 1_234_067) == "tile/1/x001/x234/067"
    assert tile_path("entries", 0, 17) == "tile/entries/000.p/17"


def test_limits_of_entries(log):
    assert log.append([]).indexes == ()
    assert log.append([b"", bytes(65_535)]).indexes == (0, 1)
    assert code_of(log.append, [b"fine", bytes(65_536)]) == "log.entry-too-large"
    assert log.checkpoint().size == 2
    assert log.verify().ok


def test_what_is_refused(log, signer, entries, tmp_path):
    log.append(entries(2))
    reader = Log.open(log.folder, signer.verifier)
    assert code_of(reader.append, entries(1)) == "log.read-only"
    assert code_of(log.entry, 2) == code_of(log.entry, -1) == "log.no-entry"
    assert code_of(log.prove_inclusion, 2) == code_of(log.prove_inclusion, 0, 3) == "log.no-proof"
    assert code_of(log.prove_inclusion, 1, 1) == code_of(log.consistency, 2, 1) == "log.no-proof"
    assert log.consistency(0) == ()
    assert code_of(Log.create, log.folder, signer) == "log.exists"
    assert code_of(Log.open, tmp_path / "nowhere", signer.verifier) == "log.missing"
    assert code_of(Log.open, tmp_path / "nowhere", signer.verifier, signer=signer) == "log.missing"
    assert not (tmp_path / "nowhere").exists()


KILLED = """
    last, count = sys.argv[2], int(sys.argv[3])

    def step(name):
        if name == last:
            os.kill(os.getpid(), signal.SIGKILL)

    if count:
        log = Log.open(folder, signer.verifier, signer=signer, step=step)
        log.append([b"killed %d" % index for index in range(count)])
    else:
        Log.create(folder, signer, step=step)
"""


def killed_at(step, folder, count):
    done = subprocess.run(other_process(KILLED, folder, step, count), check=False)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize("before", [0, 5, 255, 511])
def test_everything_is_synced_before_the_next_step_begins(tmp_path, signer, entries, monkeypatch, before):
    """Entries, then hashes, then the checkpoint, each with the folders in which names are new."""
    events = []

    def named(descriptor):
        return str(Path(f"/proc/self/fd/{descriptor}").readlink().relative_to(tmp_path / "log"))

    log = Log.create(tmp_path / "log", signer)
    log.append(entries(before))
    monkeypatch.setattr(os, "fsync", lambda descriptor: events.append(named(descriptor)))
    observed = Log.open(log.folder, log.verifier, signer=signer, step=lambda name: events.append(f"[{name}]"))
    observed.append(entries(2, start=before))

    synced = {events[at]: events[: at + 1] for at in range(len(events)) if events[at].startswith("[")}
    first, last = before // 256, (before + 1) // 256
    for level, step in (("entries", "[entries synced]"), ("0", "[hashes synced]")):
        assert {f"tile/{level}/00{number}" for number in range(first, last + 1)} <= set(synced[step])
        if before == 0:
            assert {".", "tile", f"tile/{level}"} <= set(synced[step])
        if last > first:
            assert f"tile/{level}" in synced[step]
    assert not any(name.startswith("tile/0") for name in synced["[entries synced]"])
    if last > first:
        assert "tile/1/000" in synced["[hashes synced]"]
    assert any(name.startswith(".guard-") for name in synced["[checkpoint synced]"])
    assert synced["[folder synced]"][-2:] == [".", "[folder synced]"]
    assert [event for event in events if event.startswith("[")] == [f"[{step}]" for step in STEPS]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(("before", "count"), [(0, 1), (254, 5), (256, 1)])
def test_kill_between_any_two_steps_leaves_all_or_nothing(tmp_path, signer, entries, step, before, count):
    log = Log.create(tmp_path / "log", signer)
    earlier = log.append(entries(before)).note
    killed_at(step, log.folder, count)
    survived = STEPS.index(step) >= STEPS.index("checkpoint renamed")
    assert Log.open(log.folder, signer.verifier).verify(known=[earlier]).ok  # a reader, before any recovery
    again = Log.open(log.folder, signer.verifier, signer=signer)
    assert again.checkpoint().size == before + survived * count
    assert again.append([b"after the crash"]).indexes == (before + survived * count,)
    assert again.verify(known=[earlier]).ok
    kept = [entry for _, entry in again.entries()]
    assert kept == entries(before) + [b"killed %d" % index for index in range(survived * count)] + [
        b"after the crash"
    ]
    assert not list(log.folder.glob(".guard-*"))


@pytest.mark.parametrize("step", STEPS[4:])
def test_kill_while_the_log_is_made(tmp_path, signer, step):
    killed_at(step, tmp_path / "log", 0)
    if STEPS.index(step) >= STEPS.index("checkpoint renamed"):
        assert Log.open(tmp_path / "log", signer.verifier).checkpoint().size == 0
    else:
        assert code_of(Log.open, tmp_path / "log", signer.verifier) == "log.missing"
        Log.create(tmp_path / "log", signer)


def test_torn_tails_are_cut_and_holes_are_overwritten(log, signer, entries):
    """What a power cut may leave beyond the checkpoint: half an entry, half a hash, later tiles."""
    log.append(entries(255))
    with (log.folder / "tile/entries/000").open("ab") as file:
        file.write(b"\xff\xffhalf an entry")
    with (log.folder / "tile/0/000").open("ab") as file:
        file.write(b"half a hash")
    for name in ("tile/entries/001", "tile/0/001", "tile/1/000", "tile/entries/003", "tile/2/000"):
        (log.folder / name).parent.mkdir(exist_ok=True)
        (log.folder / name).write_bytes(b"never acknowledged")
    assert log.verify().ok
    log.append(entries(600, start=255))
    assert log.verify().ok
    assert [entry for _, entry in log.entries()] == entries(855)


def test_two_writers_at_once_lose_nothing(log, signer):
    script = """
        log = Log.open(folder, signer.verifier, signer=signer)
        for index in range(60):
            print(*log.append([f"{sys.argv[2]} {index} {part}".encode() for part in range(3)]).indexes)
    """
    commands = [other_process(script, log.folder, name) for name in "ab"]
    writers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    indexes = [int(word) for writer in writers for word in writer.communicate()[0].split()]
    assert [writer.returncode for writer in writers] == [0, 0]
    assert sorted(indexes) == list(range(360))
    assert log.verify().ok
    stored = [entry.decode().split() for _, entry in log.entries()]
    for name in "ab":
        own = [(int(index), int(part)) for writer, index, part in stored if writer == name]
        assert own == [(index, part) for index in range(60) for part in range(3)]


def test_threads_sharing_one_log(log):
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda number: log.append([b"%d" % number]).indexes[0], range(40)))
    assert sorted(done) == list(range(40))
    assert log.verify().ok


def test_a_writer_that_waits_too_long_says_so(log, entries):
    import fcntl

    with (log.folder / ".lock").open("r+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        waiting = Log(folder=log.folder, verifier=log.verifier, signer=log.signer, lock_timeout_s=0.05)
        assert code_of(waiting.append, entries(1)) == "lock.timeout"
    assert waiting.append(entries(1)).indexes == (0,)


@pytest.fixture
def full(log, entries):
    log.append(entries(700))
    return log


def tamper(path, old, new):
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))


def test_an_edited_entry_is_found_on_reading_and_by_audit(full):
    tamper(full.folder / "tile/entries/001", b"entry 300 ", b"entry 399 ")
    report = full.verify()
    assert codes(report) >= {"log.entry-changed", "log.root-mismatch"}
    assert "entry 300 and" in report.problems[0].what
    assert code_of(full.entry, 300) == "log.entry-changed"
    assert full.entry(10) == b"entry 10 " * 4


def test_a_removed_entry_is_found(full):
    path = full.folder / "tile/entries/000"
    data = path.read_bytes()
    path.write_bytes(data[2 + int.from_bytes(data[:2], "big") :])
    assert "log.entry-missing" in codes(full.verify())


def test_reordered_entries_are_found(full):
    first, second = b"entry 7 ", b"entry 0 "  # of equal length
    tamper(full.folder / "tile/entries/000", first, b"swapping")
    tamper(full.folder / "tile/entries/000", second, first)
    tamper(full.folder / "tile/entries/000", b"swapping", second)
    assert {"log.entry-changed", "log.root-mismatch"} <= codes(full.verify())


def test_an_entry_edited_together_with_its_hash_is_found(full):
    tamper(full.folder / "tile/entries/001", b"entry 300 ", b"entry 399 ")
    old = b"entry 300 " * (1 + 300 % 7)
    tamper(full.folder / "tile/0/001", leaf_hash(old), leaf_hash(old.replace(b"300", b"399", 1)))
    assert codes(full.verify()) == {"log.tile-changed", "log.root-mismatch"}


def test_a_whole_rewritten_history_does_not_fit_the_signature(full, signer, tmp_path, entries):
    forger = NoteSigner(name=signer.name, private_key=Ed25519PrivateKey.generate())
    other = Log.create(tmp_path / "other", forger)
    other.append([b"rewritten", *entries(699)])
    shutil.rmtree(full.folder / "tile")
    shutil.copytree(other.folder / "tile", full.folder / "tile")
    assert not full.verify().ok
    assert code_of(Log.open, full.folder, signer.verifier) == "log.root-mismatch"
    assert code_of(full.append, [b"more"]) == "log.root-mismatch"
    shutil.copy(other.folder / "checkpoint", full.folder / "checkpoint")
    assert code_of(Log.open, full.folder, signer.verifier) == "log.checkpoint-signature"
    assert code_of(full.verify) == "log.checkpoint-signature"


@pytest.mark.parametrize("level", ["entries", "0", "1"])
def test_a_truncated_or_removed_tile_is_found(full, signer, level):
    for path in sorted((full.folder / "tile" / level).iterdir()):
        data = path.read_bytes()
        path.write_bytes(data[:-1])
        assert not full.verify().ok
        path.unlink()
        assert not full.verify().ok
        path.write_bytes(data)
    assert full.verify().ok


def test_damage_at_the_growing_end_stops_the_next_append(full):
    head = full.checkpoint()
    for name in ("tile/entries/002", "tile/0/002", "tile/1/000"):
        path = full.folder / name
        data = path.read_bytes()
        for changed in (data[:-1], data[:-1] + bytes([data[-1] ^ 1])):
            path.write_bytes(changed)
            assert code_of(full.append, [b"more"]).startswith("log.")
            path.write_bytes(data)
    assert full.checkpoint() == head
    assert full.append([b"more"]).indexes == (700,)


def test_a_missing_checkpoint_is_no_empty_log(full, signer):
    (full.folder / "checkpoint").unlink()
    assert code_of(Log.open, full.folder, signer.verifier) == "log.checkpoint-missing"
    assert code_of(Log.create, full.folder, signer) == "log.checkpoint-missing"


def test_going_back_to_an_earlier_state_shows_against_a_kept_checkpoint(log, entries, tmp_path):
    log.append(entries(10))
    shutil.copytree(log.folder, tmp_path / "backup")
    later = log.append(entries(5, start=10)).note
    shutil.rmtree(log.folder)
    shutil.copytree(tmp_path / "backup", log.folder)
    assert log.verify().ok  # on its own it is whole: hence "no outside witness"
    assert codes(log.verify(known=[later])) == {"log.truncated"}
    log.append([b"another past"] * 5)
    assert codes(log.verify(known=[later])) == {"log.forked"}
    log.append([b"and on"])
    assert codes(log.verify(known=[later])) == {"log.forked"}


def test_two_histories_under_one_key_are_called_a_fork(full, signer, tmp_path, entries):
    other = Log.create(tmp_path / "other", signer)
    other.append([b"another past", *entries(699)])
    assert codes(full.verify(known=[other.note()])) == {"log.forked"}


def test_problems_of_a_destroyed_log_are_counted_not_drowned_in(full):
    (full.folder / "tile/0/000").write_bytes(os.urandom(256 * 32))
    assert len(full.verify().problems) == 100


def test_a_full_disk_leaves_the_log_as_it_was(full, signer):
    script = """
        log = Log.open(folder, signer.verifier, signer=signer)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
        try:
            log.append([b"x" * 2000] * 10)
        except Error as error:
            print(error.code)
    """
    head = full.checkpoint()
    for limit in (8_000, 17_000, 100):
        command = other_process(script, full.folder, limit)
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "disk.full"
        assert full.checkpoint() == head
        assert full.verify().ok
    assert full.append([b"room again"]).indexes == (700,)


def test_opening_reads_little_of_a_large_log(full, signer, monkeypatch):
    read = []
    original = type(full.tiles).read

    def counted(self, level, index):
        read.append((level, index))
        return original(self, level, index)

    monkeypatch.setattr(type(full.tiles), "read", counted)
    Log.open(full.folder, signer.verifier)
    assert set(read) <= {(0, 2), (1, 0)}


def test_a_checkpoint_of_another_name_is_refused(full, signer):
    renamed = NoteSigner(name="log.example/2", private_key=signer.private_key)
    head = full.checkpoint()
    note = sign_checkpoint(Checkpoint(origin="log.example/2", size=head.size, root=head.root), renamed)
    (full.folder / "checkpoint").write_bytes(note)
    assert code_of(full.append, [b"x"]) == "log.checkpoint-signature"
