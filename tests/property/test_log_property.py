"""A log keeps what it acknowledged, forgets what it did not, and notices every changed byte."""

import os
import tempfile
from pathlib import Path
from unittest.mock import patch

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.errors import IntegrityError
from provenance.log.audit import audit
from provenance.log.checkpoint import NoteSigner
from provenance.log.export import export_log
from provenance.log.merkle import leaf_hash, tree_hash
from provenance.log.published import Published
from provenance.log.store import Log

SIGNER = NoteSigner(name="log.example/1", private_key=Ed25519PrivateKey.from_private_bytes(bytes(32)))


@pytest.fixture(autouse=True, scope="module")
def _no_waiting_for_the_disk():
    with patch.object(os, "fsync", lambda descriptor: None):
        yield


def tile_files(log):
    return sorted(path for path in (log.folder / "tile").rglob("*") if path.is_file())


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 300), st.binary(max_size=5)), min_size=1, max_size=6), st.randoms())
def test_whatever_a_crash_leaves_behind_the_acknowledged_entries_stay(batches, chance):
    with tempfile.TemporaryDirectory() as scratch:
        log, expected = Log.create(Path(scratch) / "log", SIGNER), []
        for count, torn in batches:
            entries = [b"%d" % chance.getrandbits(chance.randrange(1, 200)) for _ in range(count)]
            assert log.append(entries).indexes == tuple(range(len(expected), len(expected) + count))
            expected += entries
            if expected:  # torn writes: bytes behind the last tile of each level
                last = {path.parent: path for path in tile_files(log)}
                for path in last.values():
                    full = path.stat().st_size == 8192 and path.parent.name != "entries"
                    if not full and len(expected) % 256:
                        path.write_bytes(path.read_bytes() + torn)
            log = Log.open(log.folder, SIGNER.verifier, signer=SIGNER)
            assert [entry for _, entry in log.entries()] == expected
            assert log.checkpoint().root == tree_hash([leaf_hash(entry) for entry in expected])
            assert log.verify().ok


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_every_changed_byte_is_noticed(data):
    with tempfile.TemporaryDirectory() as scratch:
        log = Log.create(Path(scratch) / "log", SIGNER)
        log.append([b"entry %d" % index for index in range(data.draw(st.sampled_from([1, 3, 256, 300])))])
        path = data.draw(st.sampled_from([*tile_files(log), log.folder / "checkpoint"]))
        content = bytearray(path.read_bytes())
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] ^= data.draw(st.integers(1, 255))
        path.write_bytes(content)
        try:
            report = log.verify()
        except IntegrityError:
            return
        assert not report.ok


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 300), st.integers(1, 64)), min_size=1, max_size=5))
def test_any_series_of_exports_is_one_readable_log(series):
    """Whatever is appended and in whatever batches it is published, nothing immutable changes."""
    with tempfile.TemporaryDirectory() as scratch:
        log, out = Log.create(Path(scratch) / "log", SIGNER), Path(scratch) / "public"
        kept, notes = {}, []
        for count, batch in series:
            log.append([b"entry %d" % index for index in range(count)])
            done = export_log(log, out, batch=batch)
            notes.append(done.note)
            assert log.checkpoint().size - batch < done.checkpoint.size <= log.checkpoint().size
            assert all((out / name).read_bytes() == data for name, data in kept.items())
            kept = {
                name: (out / name).read_bytes() for name in (*kept, *done.written) if name != "checkpoint"
            }
            seen = Published.open(out, SIGNER.verifier)
            report = audit(seen.tiles, seen.note, SIGNER.verifier, notes)
            assert report.ok
            assert report.size == done.checkpoint.size
