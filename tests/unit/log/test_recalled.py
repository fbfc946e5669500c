"""What a log withdrew is found by its index, which nobody can bend without the log's key."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provenance.errors import Error
from provenance.files import temporaries_in
from provenance.log.checkpoint import NoteSigner, open_checkpoint
from provenance.log.leaves import DecisionLeaf, WithdrawalLeaf
from provenance.log.recall_index import INDEX, read_index, write_index
from provenance.log.recalled import recalled_here, recalled_in
from provenance.log.store import Log
from provenance.log.tiles import TILE_WIDTH

ALLOWED = DecisionLeaf(
    action="allow", decision_commitment="a" * 64, subject_sha256="b" * 64, manifest_sha256="c" * 64, time=0
).to_bytes()
SIZE = 3 * TILE_WIDTH + 20


def withdrawn(number):
    return WithdrawalLeaf(manifest_sha256=f"{number:064x}", reason_commitment="e" * 64, time=number)


def entries_with(places, size):
    return [withdrawn(at).to_bytes() if at in places else ALLOWED for at in range(size)]


@pytest.fixture
def long(log):
    """A log with two withdrawals, and its index."""
    log.append(entries_with({7, 300}, SIZE))
    recalled_here(log.folder, log.signer)
    return log


def places(log):
    return set(recalled_here(log.folder, log.signer))


def index_of(log):
    return read_index(log.folder, log.verifier)


def entries_read(log, monkeypatch):
    """How many bundles of entries are read for an answer."""
    read, tiles = [], type(log.tiles)
    real = tiles.read
    monkeypatch.setattr(
        "provenance.log.published.PublishedTiles.read",
        lambda self, level, index: (
            (read.append(index) if level == "entries" else None) or real(self, level, index)
        ),
    )
    found = places(log)
    monkeypatch.undo()
    return found, len(read)


def test_an_index_that_is_up_to_date_answers_alone(long, monkeypatch):
    assert index_of(long).size == SIZE
    assert entries_read(long, monkeypatch) == ({7, 300}, 0)


def test_only_what_is_behind_the_index_is_read_and_found(long, monkeypatch):
    long.append([ALLOWED, withdrawn(9).to_bytes()])
    assert entries_read(long, monkeypatch) == ({7, 300, SIZE + 1}, 1)
    assert index_of(long).size == SIZE
    long.append([ALLOWED] * TILE_WIDTH)
    places(long)
    assert index_of(long).size == SIZE + 2 + TILE_WIDTH
    assert set(index_of(long).leaves) == {7, 300, SIZE + 1}


def test_a_small_log_needs_no_index(log):
    log.append(entries_with({0, 3}, 20))
    assert places(log) == {0, 3}
    assert not (log.folder / INDEX).exists()


@given(
    changes=st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 255)), max_size=4),
    cut=st.integers(0, 10**6),
    cuts=st.booleans(),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_is_done_to_the_index_hides_nothing(changes, cut, cuts, long):
    path = long.folder / INDEX
    data = bytearray(path.read_bytes())
    for at, by in changes:
        data[at % len(data)] ^= by
    path.write_bytes(data[: cut % len(data)] if cuts else data)
    assert places(long) == {7, 300}
    assert index_of(long).size == SIZE


@pytest.mark.parametrize(
    "harm",
    [lambda path: path.unlink(), lambda path: path.write_bytes(b""), lambda path: path.write_text("{}")],
)
def test_a_missing_index_is_built_again(harm, long):
    harm(long.folder / INDEX)
    assert places(long) == {7, 300}
    assert set(index_of(long).leaves) == {7, 300}


def test_a_forged_index_is_not_believed(long):
    other = NoteSigner(name=long.verifier.name, private_key=Ed25519PrivateKey.generate())
    write_index(long.folder, replace(index_of(long), leaves={}), other)
    assert places(long) == {7, 300}
    # Lines that the log's key did sign, over a tree that it did, but not together.
    whole = (long.folder / INDEX).read_bytes()
    (long.folder / INDEX).write_bytes(whole.rpartition(b"\n7 ")[0] + b"\n")
    assert places(long) == {7, 300}


def test_an_older_index_covers_less_and_hides_nothing(long):
    older = (long.folder / INDEX).read_bytes()
    long.append(entries_with({5}, TILE_WIDTH))
    assert places(long) == {7, 300, SIZE + 5}
    (long.folder / INDEX).write_bytes(older)
    assert places(long) == {7, 300, SIZE + 5}


def test_the_index_of_another_history_is_built_anew(long, signer, tmp_path):
    other = Log.create(tmp_path / "other", signer)
    for size in (SIZE, SIZE + TILE_WIDTH, 300):
        other.append(
            entries_with({11}, size - other.checkpoint().size) if size > other.checkpoint().size else []
        )
        recalled_here(other.folder, signer)
        (long.folder / INDEX).write_bytes((other.folder / INDEX).read_bytes())
        assert places(long) == {7, 300}


def test_an_index_of_a_log_that_was_put_back_is_built_anew(long):
    """What the log itself forgot is found by what knows it otherwise (``log.behind-registry``)."""
    later = Log.open(long.folder, long.verifier, signer=long.signer)
    note, bundles = later.note(), {at: later.tiles.read("entries", at) for at in range(5)}
    later.append(entries_with({5}, TILE_WIDTH))
    assert places(later) == {7, 300, SIZE + 5}
    (long.folder / "checkpoint").write_bytes(note)
    for at, data in bundles.items():
        if data:
            long.tiles.path("entries", at).write_bytes(data)
    assert places(long) == {7, 300}


def test_entries_that_were_changed_are_never_signed(long):
    (long.folder / INDEX).unlink()
    bundle = long.tiles.path("entries", 0)
    data = bundle.read_bytes()
    bundle.write_bytes(data.replace(withdrawn(7).to_bytes(), withdrawn(8).to_bytes()))
    with pytest.raises(Error) as caught:
        places(long)
    assert caught.value.code == "log.root-mismatch"
    assert not (long.folder / INDEX).exists()
    bundle.write_bytes(data)
    assert places(long) == {7, 300}


def test_a_folder_that_cannot_be_written_still_answers(long, monkeypatch):
    (long.folder / INDEX).unlink()

    def refuse(*_, **__):
        raise Error("disk.full", "no room to write")

    monkeypatch.setattr("provenance.log.recall_index.write_private", refuse)
    assert places(long) == {7, 300}


def test_the_index_is_no_checkpoint(long):
    note = (long.folder / INDEX).read_bytes().rpartition(b"\n\n")[0] + b"\n"
    with pytest.raises(Error):
        open_checkpoint(note, long.verifier)


def test_a_published_log_needs_no_index_and_believes_none(long):
    write_index(long.folder, replace(index_of(long), leaves={}), long.signer)
    assert set(recalled_in(long.folder, long.verifier)) == {7, 300}


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    import provenance.files as files
    from provenance.log.checkpoint import NoteSigner
    from provenance.log.recalled import recalled_here

    def killed(*arguments, **options):
        os.kill(os.getpid(), signal.SIGKILL)

    where = sys.argv[2]
    if where == "half written":
        files.replace_atomically = killed
    elif where == "while reading":
        import provenance.log.recalled as recalled
        seen = []
        kept = recalled.leaf_hash
        recalled.leaf_hash = lambda entry: killed() if len(seen) > 400 else (seen.append(1), kept(entry))[1]
    else:
        kept = files.replace_atomically
        files.replace_atomically = lambda *a, **o: (kept(*a, **o), killed())
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    recalled_here(Path(sys.argv[1]), NoteSigner(name="log.example/1", private_key=key))
"""


@pytest.mark.parametrize("where", ["while reading", "half written", "renamed"])
def test_killed_while_building_the_next_one_finds_all(where, long):
    (long.folder / INDEX).unlink()
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(long.folder), where],
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    assert ran.returncode == -signal.SIGKILL
    assert (long.folder / INDEX).exists() == (where == "renamed")
    assert places(long) == {7, 300}
    long.append([ALLOWED])  # the next writer clears away what a killed one left
    assert temporaries_in(long.folder) == ()
