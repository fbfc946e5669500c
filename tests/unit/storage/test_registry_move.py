"""A registry in another database: all of it, or nothing."""

from __future__ import annotations

import hashlib
import zlib
from contextlib import closing

import pytest

from provenance.errors import Error
from provenance.registry import Registry
from provenance.registry_entry import RegistryEntry
from provenance.registry_file import SqliteDatabase
from provenance.registry_move import Moved, move
from provenance.registry_postgres import PostgresDatabase

TABLES = ("manifest", "reservation", "entry", "fingerprint")


def entry(number, manifest, **facts):
    return RegistryEntry(
        algorithm="test.tile.1",
        key_id="Kk_-"[number % 4] * 16,  # which locales order otherwise than bytes
        epoch=1,
        content_id=number.to_bytes(8, "big"),
        manifest=manifest,
        manifest_sha256=hashlib.sha256(manifest).hexdigest(),
        asset_sha256=f"{number:064x}",
        mime="image/png",
        created_at=1_780_000_000,
        **facts,
    )


@pytest.fixture
def filled(tmp_path):
    """Releases, one pending, a discarded one, an id that was only claimed, one manifest of two ids."""
    path = tmp_path / "one.sqlite"
    with Registry.open(path) as registry:
        for number in range(70):  # more than a page of manifests
            one = entry(number, f"manifest {number}".encode())
            registry.record(one)
            if number != 7:
                registry.mark_released(one.manifest_sha256, 70 - number)
        registry.record(entry(900, b"manifest 3", state="released", log_index=67))
        registry.record(entry(901, b"gone"))
        registry.discard(hashlib.sha256(b"gone").hexdigest())
        registry.reserve("test.tile.1", "k" * 16, 2, bytes(8))
        places = registry.places()
        registry.keep_fingerprints({place.manifest_sha256: bytes(8) for place in places[:20]})
        registry.keep_fingerprints({places[30].manifest_sha256: b""})
    return path


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.debian)])
def target(request, tmp_path):
    """An empty one, and how to open it as a registry."""
    if request.param == "sqlite":
        path = tmp_path / "two.sqlite"
        return SqliteDatabase.open(path, access="create", busy_timeout_s=1), lambda: Registry.open(path)
    url = request.getfixturevalue("postgresql")(f"m{zlib.crc32(request.node.name.encode()):08x}")
    return PostgresDatabase.open(url, access="create", busy_timeout_s=1), lambda: Registry.connect(url)


def moved(path, target):
    with closing(SqliteDatabase.open(path, access="write", busy_timeout_s=1)) as source:
        return move(source, target)


def failed(path, target):
    with pytest.raises(Error) as caught:
        moved(path, target)
    assert [target.rows(f"SELECT count(*) FROM {table}") for table in TABLES] == [[(0,)]] * 4
    return caught.value.code


def test_everything_is_there_and_in_the_same_order(filled, target):
    database, opened = target
    with closing(database):
        assert moved(filled, database) == Moved(entries=71, manifests=70, ids=73, fingerprints=21)
    with opened() as there, Registry.open(filled) as here:
        assert there.places() == here.places()
        assert there.releases() == here.releases()
        assert there.pending() == here.pending() != ()
        assert there.fingerprints() == here.fingerprints()
        assert there.clips(5) == here.clips(5)
        for place in here.places():
            assert there.by_manifest(place.manifest_sha256) == here.by_manifest(place.manifest_sha256)
        assert there.verify_integrity() == here.verify_integrity() == 71
        for claimed in (bytes(8), (901).to_bytes(8, "big")):
            epoch, key = (2, "k" * 16) if claimed == bytes(8) else (1, "k" * 16)
            assert there.reserve("test.tile.1", key, epoch, claimed) == here.reserve(
                "test.tile.1", key, epoch, claimed
            )
        new = entry(1000, b"after the move")
        there.record(new)  # it goes on where the other ended
        assert there.pending()[-1] == new


def test_a_registry_that_holds_something_is_left_alone(filled, target):
    database, opened = target
    with opened() as there:
        there.reserve("a", "k", 1, bytes(8))
    with closing(database), pytest.raises(Error) as caught:
        moved(filled, database)
    assert caught.value.code == "registry.not-empty"
    with opened() as there:
        assert not there.reserve("a", "k", 1, bytes(8))
        assert there.verify_integrity() == 0


def test_a_damaged_source_leaves_nothing_behind(filled, target):
    last = "(SELECT max(sha256) FROM manifest)"
    with closing(SqliteDatabase.open(filled, access="write", busy_timeout_s=1)) as source:
        source.change(f"UPDATE manifest SET data = :data WHERE sha256 = {last}", {"data": b"x"})
    with closing(target[0]):
        assert failed(filled, target[0]) == "registry.damaged"
        assert target[0].rows("SELECT 1 FROM entry") == []


def test_a_target_that_gives_back_something_else_keeps_nothing(filled, target, monkeypatch):
    database, _ = target
    rows = type(database).rows

    def forgetful(self, statement, values=None):
        found = rows(self, statement, values)
        return found[:-1] if self is database and "ORDER BY number" in statement else found

    with closing(database):
        monkeypatch.setattr(type(database), "rows", forgetful)
        assert failed(filled, database) == "registry.damaged"


def test_nobody_writes_meanwhile(filled, target):
    with Registry.open(filled) as writer, writer._database.transaction(), closing(target[0]):
        assert failed(filled, target[0]) == "registry.busy"
