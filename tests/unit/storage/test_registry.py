import hashlib
import sqlite3
import stat
import subprocess
import sys
import textwrap
import zlib
from dataclasses import replace

import pytest

from provenance.errors import ConfigurationError, Error
from provenance.registry import Registry
from provenance.registry_entry import RegistryEntry

ID, OTHER = bytes(range(8)), bytes(8)


def entry(manifest=b"manifest", content_id=ID, asset="a", **facts):
    return RegistryEntry(
        algorithm="test.tile.1",
        key_id="k" * 16,
        epoch=1,
        content_id=content_id,
        manifest=manifest,
        manifest_sha256=hashlib.sha256(manifest).hexdigest(),
        asset_sha256=asset * 64,
        mime="image/png",
        created_at=1_780_000_000,
        **facts,
    )


def place(of):
    return of.algorithm, of.key_id, of.epoch, of.content_id


def code_of(action, *arguments, **options):
    with pytest.raises(Error) as caught:
        action(*arguments, **options)
    return caught.value.code


@pytest.fixture
def path(tmp_path):
    return tmp_path / "registry.sqlite"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.debian)])
def registry(request, path):
    """One logic, two databases: what holds for the one has to hold for the other."""
    if request.param == "sqlite":
        opened = Registry.open(path)
    else:
        name = f"t{zlib.crc32(request.node.name.encode()):08x}"
        opened = Registry.connect(request.getfixturevalue("postgresql")(name))
    with opened:
        yield opened


def test_an_entry_is_pending_until_it_is_released(registry):
    one = entry()
    registry.record(one)
    assert registry.pending() == (one,)
    assert registry.find(*place(one)) == registry.by_asset(one.asset_sha256) == ()
    assert registry.find(*place(one), include_pending=True) == (one,)
    assert registry.by_asset(one.asset_sha256, include_pending=True) == (one,)
    registry.mark_released(one.manifest_sha256, 7)
    released = replace(one, state="released", log_index=7)
    assert registry.find(*place(one)) == registry.by_asset(one.asset_sha256) == (released,)
    assert registry.pending() == ()
    assert registry.verify_integrity() == 1


def test_steps_may_be_repeated_after_a_crash_but_not_contradicted(registry):
    one = entry()
    for _ in range(2):
        registry.record(one)
    assert registry.verify_integrity() == 1
    assert code_of(registry.record, replace(one, asset_sha256="b" * 64)) == "registry.conflict"
    for _ in range(2):
        registry.mark_released(one.manifest_sha256, 7)
    registry.record(one)
    assert registry.pending() == ()
    assert code_of(registry.mark_released, one.manifest_sha256, 8) == "registry.conflict"
    assert code_of(registry.mark_released, "0" * 64, 8) == "registry.unknown-manifest"
    assert registry.find(*place(one))[0].log_index == 7


def test_one_id_may_lead_to_several_manifests(registry):
    entries = [entry(b"first"), entry(b"second", asset="b"), entry(b"other", content_id=OTHER, asset="c")]
    for number, one in enumerate(entries):
        registry.record(one)
        registry.mark_released(one.manifest_sha256, number)
    assert [found.manifest for found in registry.find(*place(entries[0]))] == [b"first", b"second"]
    for field, value in (("algorithm", "x"), ("key_id", "x"), ("epoch", 2), ("content_id", b"unknown!")):
        assert registry.find(*place(replace(entries[0], **{field: value}))) == ()


def test_ids_are_unique_per_algorithm_key_and_epoch(registry):
    assert registry.reserve("a", "k", 1, ID)
    assert not registry.reserve("a", "k", 1, ID)
    for other in (("b", "k", 1, ID), ("a", "l", 1, ID), ("a", "k", 2, ID), ("a", "k", 1, OTHER)):
        assert registry.reserve(*other)
    one = entry()
    registry.record(one)
    assert not registry.reserve(*place(one))


def test_what_was_never_released_can_be_forgotten_but_its_id_stays_taken(registry):
    pending, released = entry(b"pending"), entry(b"released", asset="b")
    for one in (pending, released):
        registry.record(one)
    registry.mark_released(released.manifest_sha256, 3)
    assert registry.discard(pending.manifest_sha256) == 1
    assert registry.discard(pending.manifest_sha256) == 0
    assert registry.discard(released.manifest_sha256) == 0
    assert [found.manifest for found in registry.find(*place(released), include_pending=True)] == [
        b"released"
    ]
    assert not registry.reserve(*place(pending))
    assert registry.verify_integrity() == 1


def test_entries_check_themselves():
    with pytest.raises(ValueError, match="8 bytes"):
        entry(content_id=b"short")
    with pytest.raises(ValueError, match="digest of manifest"):
        replace(entry(), manifest=b"other")
    with pytest.raises(ValueError, match="asset_sha256"):
        entry(asset="g")
    with pytest.raises(ValueError, match="log index"):
        entry(state="released")
    with pytest.raises(ValueError, match="log index"):
        entry(log_index=1)


def test_what_is_written_is_there_for_the_next_process(path):
    with Registry.open(path) as first:
        first.record(entry())
    with Registry.open(path) as second:
        assert second.pending() == (entry(),)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_failed_step_changes_nothing(registry):
    registry.record(entry())
    wrong = replace(entry(), mime="image/jpeg")
    assert code_of(registry.record, wrong) == "registry.conflict"
    assert registry.pending() == (entry(),)
    registry.record(entry(b"after", content_id=OTHER))
    assert len(registry.pending()) == 2


def test_two_processes_at_once(path):
    script = """
        import hashlib, pathlib, sys
        from provenance.registry import Registry
        from provenance.registry_entry import RegistryEntry
        path, name = pathlib.Path(sys.argv[1]), sys.argv[2]
        won = 0
        with Registry.open(path) as registry:
            for number in range(60):
                won += registry.reserve("a", "k", 1, number.to_bytes(8, "big"))
                manifest = f"{name} {number}".encode()
                digest = hashlib.sha256(manifest).hexdigest()
                registry.record(RegistryEntry(
                    algorithm="a", key_id="k", epoch=1, content_id=number.to_bytes(8, "big"),
                    manifest=manifest, manifest_sha256=digest, asset_sha256=digest,
                    mime="image/png", created_at=number,
                ))
                registry.mark_released(digest, number)
        print(won)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(path)]
    workers = [subprocess.Popen([*command, name], stdout=subprocess.PIPE, text=True) for name in "ab"]
    won = [int(worker.communicate()[0]) for worker in workers]
    assert sum(won) == 60
    with Registry.open(path) as registry:
        assert registry.verify_integrity() == 120
        assert registry.pending() == ()
        assert len(registry.find("a", "k", 1, (5).to_bytes(8, "big"))) == 2


def test_a_process_killed_in_a_transaction_leaves_the_state_before_it(path):
    script = """
        import os, pathlib, signal, sys
        from provenance.registry import Registry
        registry = Registry.open(pathlib.Path(sys.argv[1]))
        with registry._database.transaction():
            registry._database.change("DELETE FROM entry", {})
            os.kill(os.getpid(), signal.SIGKILL)
    """
    with Registry.open(path) as registry:
        registry.record(entry())
    subprocess.run([sys.executable, "-c", textwrap.dedent(script), str(path)], check=False)
    with Registry.open(path) as registry:
        assert registry.pending() == (entry(),)
        assert registry.verify_integrity() == 1


def test_a_busy_registry_says_so(path):
    with Registry.open(path, busy_timeout_s=0.05) as registry:
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        assert code_of(registry.reserve, "a", "k", 1, ID) == "registry.busy"
        assert registry.pending() == ()  # readers do not wait for writers
        holder.execute("ROLLBACK")
        holder.close()
        assert registry.reserve("a", "k", 1, ID)


def corrupt(path, sql, *values):
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute(sql, values)
    connection.close()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE manifest SET data = x'00'",
        "UPDATE entry SET state = 'released'",
        "UPDATE entry SET content_id = x'00'",
        "UPDATE entry SET state = 'lost'",
        "DELETE FROM manifest",
        "DROP TABLE manifest",
    ],
)
def test_changed_rows_are_noticed(path, sql):
    with Registry.open(path) as registry:
        registry.record(entry())
    corrupt(path, sql)
    with Registry.open(path) as registry:
        assert code_of(registry.verify_integrity) == "registry.damaged"


def test_damaged_files_are_noticed(path):
    with Registry.open(path) as registry:
        for number in range(200):
            registry.record(entry(b"%d" % number * 500, content_id=number.to_bytes(8, "big")))
    good = path.read_bytes()
    path.write_bytes(b"not a database, " * 500)
    assert code_of(Registry.open, path) == "registry.damaged"
    path.write_bytes(good[:4096] + b"\xff" * 8192 + good[12_288:])

    def use():
        with Registry.open(path) as registry:
            registry.verify_integrity()

    assert code_of(use) == "registry.damaged"
    path.write_bytes(good[: len(good) // 2])
    assert code_of(use) == "registry.damaged"


def test_other_programs_and_later_versions_are_left_alone(path, tmp_path):
    other = tmp_path / "other.sqlite"
    corrupt(other, "CREATE TABLE theirs (a)")
    before = other.read_bytes()
    assert code_of(Registry.open, other) == "registry.foreign"
    assert other.read_bytes() == before
    Registry.open(path).close()
    corrupt(path, "PRAGMA user_version = 99")
    with pytest.raises(ConfigurationError) as caught:
        Registry.open(path)
    assert caught.value.code == "registry.too-new"
    assert caught.value.hint


def test_places_where_no_registry_can_be(tmp_path):
    assert code_of(Registry.open, tmp_path) == "output.unwritable"
    assert code_of(Registry.open, tmp_path / "absent" / "registry.sqlite") == "output.unwritable"


def test_a_full_disk_changes_nothing(path):
    script = """
        import pathlib, resource, sys
        sys.path.insert(0, sys.argv[2])
        from provenance.errors import Error
        from provenance.registry import Registry
        registry = Registry.open(pathlib.Path(sys.argv[1]))
        registry._database._connection.execute("PRAGMA max_page_count = 12")
        try:
            for number in range(10_000):
                registry.reserve("a" * 400, "k", 1, number.to_bytes(8, "big"))
        except Error as error:
            print(error.code)
        registry.close()
    """
    with Registry.open(path) as registry:
        registry.record(entry())
    command = [sys.executable, "-c", textwrap.dedent(script), str(path), "."]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "disk.full"
    with Registry.open(path) as registry:
        assert registry.verify_integrity() == 1


def test_only_creating_makes_a_file(path):
    for access in ("read", "write"):
        assert code_of(Registry.open, path, access=access) == "registry.missing"
        assert not path.exists()
    path.touch()
    for access in ("read", "write"):
        assert code_of(Registry.open, path, access=access) == "registry.missing"
    assert path.read_bytes() == b""
    Registry.open(path, access="create").close()
    Registry.open(path, access="write").close()


def test_reading_changes_nothing_and_sees_what_others_write(path):
    strange = path.with_name("100% registry? #1.sqlite")
    with Registry.open(strange) as writer:
        writer.record(entry())
        with Registry.open(strange, access="read") as reader:
            assert reader.pending() == (entry(),)
            writer.mark_released(entry().manifest_sha256, 4)
            assert reader.find(*place(entry()))[0].log_index == 4
            assert code_of(reader.reserve, "a", "k", 1, ID) == "registry.unwritable"
    before = strange.read_bytes()
    with Registry.open(strange, access="read") as reader:
        assert reader.verify_integrity() == 1
    assert strange.read_bytes() == before


def test_releases_name_their_place_in_the_log(registry):
    assert registry.latest_release() is None
    for index, name in ((5, b"a"), (9, b"b"), (7, b"c")):
        one = entry(name, content_id=name * 8)
        registry.record(one)
        registry.mark_released(one.manifest_sha256, index)
    registry.record(entry(b"pending", content_id=OTHER))
    assert [release.log_index for release in registry.releases()] == [9, 7, 5]
    assert registry.latest_release() == registry.releases()[0]


def test_a_release_without_its_place_is_damage(path):
    with Registry.open(path) as registry:
        registry.record(entry())
    corrupt(path, "UPDATE entry SET state = 'released'")
    with Registry.open(path) as registry:
        assert code_of(registry.latest_release) == "registry.damaged"


def test_an_earlier_schema_is_read_as_it_is_and_brought_up_by_a_writer(path):
    with Registry.open(path) as registry:
        registry.record(entry())
    corrupt(path, "DROP INDEX entry_by_log_index")
    corrupt(path, "DROP TABLE fingerprint")
    corrupt(path, "PRAGMA user_version = 1")

    def version():
        with sqlite3.connect(path) as connection:
            found = connection.execute("PRAGMA user_version").fetchone()[0]
        connection.close()
        return found

    with Registry.open(path, access="read") as registry:
        assert registry.pending() == (entry(),)
    assert version() == 1
    with Registry.open(path, access="write") as registry:
        assert registry.verify_integrity() == 1
        assert registry.latest_release() is None
    assert version() == 4
