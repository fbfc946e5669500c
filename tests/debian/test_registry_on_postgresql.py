"""An installation whose registry is on a real PostgreSQL server: every flow works as with SQLite."""

from __future__ import annotations

import secrets
import shutil
import threading
from datetime import UTC, datetime

import pytest
from PIL import Image

from guard.api import recover_file, release_file
from guard.home import Home
from guard.registries import publish
from guard.setup import initialise
from guard.verdict import State
from provenance.errors import Error
from provenance.registry import Registry
from provenance.registry_entry import UNMARKED
from provenance.registry_published import PublishedRegistry

pytestmark = pytest.mark.debian
NOW = datetime.now(UTC)


def code_of(action, *arguments, **options):
    with pytest.raises(Error) as caught:
        action(*arguments, **options)
    return caught.value.code


def served(folder, url):
    """A home whose settings name the server."""
    home = Home(folder=folder)
    initialise(home, now=NOW, random=secrets.token_bytes)
    with home.config_path.open("a", encoding="utf-8") as file:
        file.write(f'\n[registry]\nurl = "{url}"\n')
    home.registry_path.unlink()
    made = initialise(home, now=NOW, random=secrets.token_bytes)
    assert [part.what for part in made if part.new] == ["registry"]
    return home


def test_release_recover_and_publish(postgresql, photograph, tmp_path):
    home = served(tmp_path / "home", postgresql("flows"))
    Image.fromarray(photograph).save(tmp_path / "photo.png")
    (tmp_path / "out").mkdir()
    release_file(tmp_path / "photo.png", tmp_path / "out" / "x.png", source="digitalCapture", home=home)
    with Image.open(tmp_path / "out" / "x.png") as picture:
        picture.convert("RGB").save(tmp_path / "copy.jpg", quality=80)
    assert recover_file(tmp_path / "copy.jpg", home=home).state is State.RECOVERED
    assert not home.registry_path.exists()
    publish(home, tmp_path / "pub", locator=True, now=NOW)
    assert PublishedRegistry.open(tmp_path / "pub").snapshot.files > 10
    with home.registry_as_found() as registry:
        assert registry.verify_integrity() == 1
        assert code_of(registry.reserve, "a", "k", 1, bytes(8)) == "registry.unwritable"


def foreign(home, url):
    """What init says of a home whose settings name that database from now on."""
    with home.config_path.open("a", encoding="utf-8") as file:
        file.write(f'\n[registry]\nurl = "{url}"\n')
    with pytest.raises(Error) as caught:
        initialise(home, now=NOW, random=secrets.token_bytes)
    assert "name this one's" in caught.value.hint
    assert "registry.sqlite" not in caught.value.hint
    return caught.value.code


def test_init_takes_no_database_of_another_home_for_its_own(postgresql, photograph, tmp_path):
    """It shows by the key of its marks, by the log, or by what this log allowed; what helps fits a server."""
    empty, filled = postgresql("begun"), postgresql("filled")
    served(tmp_path / "new", empty)
    theirs = served(tmp_path / "theirs", filled)
    ours = [Home(folder=tmp_path / f"ours-{number}") for number in range(3)]
    for home in ours:
        initialise(home, now=NOW, random=secrets.token_bytes)
    Image.fromarray(photograph).save(tmp_path / "in.png")
    for number, home in enumerate((theirs, ours[2])):
        out = tmp_path / f"{number}.png"
        release_file(tmp_path / "in.png", out, source="digitalCapture", home=home)
    assert foreign(ours[0], filled) == "key.not-of-registry"
    shutil.copy(theirs.locator_path, ours[1].locator_path)
    assert foreign(ours[1], filled) == "log.behind-registry"
    assert foreign(ours[2], empty) == "registry.behind-log"
    assert not any(part.new for part in initialise(theirs, now=NOW, random=secrets.token_bytes))


def test_init_names_the_database_and_no_file(postgresql, guard_cli, tmp_path, monkeypatch):
    url = postgresql("named")
    home = served(tmp_path / "home", url)
    monkeypatch.setenv("GUARD_HOME", str(home.folder))
    monkeypatch.setenv("PGPASSWORD", "open sesame")
    ran = guard_cli("init")
    (line,) = [line for line in ran.out.splitlines() if line.startswith("  kept  registry ")]
    assert line.endswith(f" {url}")
    assert "registry.sqlite" not in ran.out
    assert "open sesame" not in ran.out + ran.err


def test_tables_are_made_only_where_asked(postgresql):
    url = postgresql("empty")
    for access in ("read", "write"):
        assert code_of(Registry.connect, url, access=access) == "registry.missing"
    Registry.connect(url, access="create").close()
    Registry.connect(url, access="create").close()
    with Registry.connect(url, access="read") as registry:
        assert registry.verify_integrity() == 0
        registry._database._connection.rollback()
    with Registry.connect(url, access="write") as registry:
        registry._database._run("UPDATE mediaguard_schema SET version = 99", {})
        registry._database._connection.commit()
    assert code_of(Registry.connect, url) == "registry.too-new"


def test_rows_of_an_earlier_version_that_led_to_unmarked_files_are_mended(postgresql, tmp_path):
    url = postgresql("unmarked")
    home = served(tmp_path / "home", url)
    Image.new("RGB", (320, 320), "white").save(tmp_path / "white.png")
    release_file(tmp_path / "white.png", tmp_path / "left.png", source="digitalCapture", home=home)
    with home.registry() as registry, registry._database.transaction():
        registry._database._run("UPDATE entry SET algorithm = 'some.mark'", {})
        registry._database._run("DELETE FROM mediaguard_schema WHERE version > 1", {})
    with home.registry_as_found() as registry:
        assert [one.algorithm for one in registry.places()] == ["some.mark"]
    for _ in range(2):
        with home.registry() as registry:
            assert [one.algorithm for one in registry.places()] == [UNMARKED]


def test_writers_wait_and_say_when_it_takes_too_long(postgresql):
    url = postgresql("busy")
    with Registry.connect(url) as one, Registry.connect(url, busy_timeout_s=0.05) as other:
        with one._database.transaction():
            assert code_of(other.reserve, "a", "k", 1, bytes(8)) == "registry.busy"
            assert other.pending() == ()  # readers do not wait for writers
        assert other.reserve("a", "k", 1, bytes(8))


def test_two_writers_at_once_claim_each_id_once(postgresql):
    url, won = postgresql("claims"), []
    Registry.connect(url).close()

    def claim():
        with Registry.connect(url) as registry:
            won.extend(registry.reserve("a", "k", 1, n.to_bytes(8, "big")) for n in range(40))

    threads = [threading.Thread(target=claim) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), sum(won)) == (80, 40)


def test_damage_is_noticed(postgresql, tmp_path):
    with Registry.connect(postgresql("damage")) as registry:
        with registry._database.transaction():
            registry._database.change(
                "INSERT INTO manifest VALUES (:sha, :data)", {"sha": "0" * 64, "data": b"x"}
            )
        assert code_of(registry.verify_integrity) == "registry.damaged"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://guard:secret@host/db",
        "postgresql+psycopg://guard@host/db?password=secret",
        "postgresql://guard@host/db",
        "sqlite:///x",
        "http://[",
    ],
)
def test_urls_with_passwords_or_of_others_are_refused(url):
    with pytest.raises(Error) as caught:
        Registry.connect(url)
    assert caught.value.code == "registry.url"
    assert "secret" not in f"{caught.value.what}{caught.value.where}{caught.value.hint}"


def test_a_server_that_is_not_there(tmp_path):
    url = f"postgresql+psycopg://guard@/none?host={tmp_path}"
    assert code_of(Registry.connect, url) == "registry.unreachable"


def test_a_filled_registry_moves_to_the_server(postgresql, photograph, tmp_path, guard_cli, monkeypatch):
    home, url = Home(folder=tmp_path / "home"), postgresql("moved")
    monkeypatch.setenv("GUARD_HOME", str(home.folder))
    initialise(home, now=NOW, random=secrets.token_bytes)
    Image.fromarray(photograph).save(tmp_path / "photo.png")
    (tmp_path / "out").mkdir()
    release_file(tmp_path / "photo.png", tmp_path / "out" / "x.png", source="digitalCapture", home=home)
    with Image.open(tmp_path / "out" / "x.png") as picture:
        picture.convert("RGB").save(tmp_path / "copy.jpg", quality=80)
    ran = guard_cli("registry", "move", url)
    assert (ran.code, ran.out.splitlines()[0]) == (0, f"MOVED  {url}")
    assert "entries    1, of 1 manifests" in ran.out
    assert guard_cli("registry", "move", url).err.startswith("error[registry.not-empty]")
    with home.config_path.open("a", encoding="utf-8") as file:
        file.write("\n" + ran.err[ran.err.index("[registry]") :])
    home.registry_path.unlink()
    assert recover_file(tmp_path / "copy.jpg", home=home).state is State.RECOVERED
    release_file(tmp_path / "photo.png", tmp_path / "out" / "y.png", source="digitalCapture", home=home)
    assert "agree on 2 releases" in guard_cli("doctor").out
    assert guard_cli("registry", "move", url).err.startswith("error[registry.served]")
