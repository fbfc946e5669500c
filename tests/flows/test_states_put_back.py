"""What is known of an added registry is not believed where its pin has seen more, nor lost unnoticed."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from guard.api import verify_file
from guard.cli._registry_text import DamagedRow, row_of
from guard.home import Home
from guard.registries import add, kept_registries, publish, update
from guard.setup import initialise
from guard.verdict import State
from guard.withdrawing import withdraw
from provenance.errors import Error
from provenance.keys import load_log_key
from provenance.log.checkpoint import NoteSigner
from provenance.log.store import Log
from provenance.registry_head import fingerprint_of
from provenance.registry_publish import Contents
from provenance.registry_publish import publish as publish_files
from provenance.registry_source import FetchLimits
from provenance.registry_state import read_pin

NOW = datetime.now(UTC)
LATER = NOW + timedelta(hours=1)
STATE = ("kept.json", "pin.json")

_DOOMED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path

from guard.home import Home
from guard.registries import add
from provenance.registry_source import FetchLimits

left = int(sys.argv[3])

def die(event, _):
    global left
    if event == "os.rename":
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(die)
add(Home(folder=Path(sys.argv[1])), sys.argv[2], name="pub", at=datetime.now(UTC), limits=FetchLimits())
"""


def code_of(action, *arguments, **options):
    with pytest.raises(Error) as caught:
        action(*arguments, **options)
    return caught.value.code


def added(home, place, name="pub", key=None):
    return add(home, str(place), name=name, key=key, at=NOW, limits=FetchLimits())


def updated(home):
    return update(home, "pub", at=NOW, limits=FetchLimits())


def key_of(home):
    return fingerprint_of(load_log_key(home.log_key_path).verifier)


@pytest.fixture
def other(tmp_path):
    made = Home(folder=tmp_path / "other")
    initialise(made, now=NOW, random=secrets.token_bytes)
    return made


@pytest.fixture
def place(other):
    return other.registries_folder / "pub"


@pytest.fixture
def states(home, signed, tmp_path):
    """The same registry before and after a withdrawal."""
    publish(home, tmp_path / "old", locator=True, now=NOW)
    withdraw(home, str(signed[".png"]), "by mistake", now=NOW, random=secrets.token_bytes)
    publish(home, tmp_path / "new", locator=True, now=LATER)
    return tmp_path / "old", tmp_path / "new"


def renamed_log(home, entries, place):
    """A registry with the key of ``home``, of a log with another name and these entries."""
    key = load_log_key(home.log_key_path)
    signer = NoteSigner(name="elsewhere.example/log", private_key=key.private_key)
    log = Log.create(place.with_name(f"{place.name}-log"), signer)
    log.append(entries)
    nothing = Contents(
        places=(), manifest=lambda _: (b"", None), fingerprints={}, withdrawals={}, locators={}
    )
    publish_files(nothing, log, signer, place, now=int((LATER + timedelta(hours=1)).timestamp()))
    return place


def test_a_state_from_before_a_withdrawal_that_is_put_back_is_damage(states, signed, other, place, tmp_path):
    old, new = states
    added(other, old)
    backup = shutil.copytree(place, tmp_path / "backup")
    added(other, new)
    assert verify_file(signed[".png"], home=other).state is State.WITHDRAWN
    pin = (place / "pin.json").read_bytes()
    for path in [*place.glob("copy-*"), place / "kept.json"]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(backup, place, ignore=lambda *_: ["pin.json"], dirs_exist_ok=True)
    row = row_of(kept_registries(other), "pub")
    assert isinstance(row, DamagedRow)
    assert "its pin has seen a later state" in row.damaged
    assert row.hint == "guard registry update pub"
    assert code_of(verify_file, signed[".png"], home=other) == "registry.published-damaged"
    assert code_of(added, other, old) == "registry.rolled-back"
    assert (place / "pin.json").read_bytes() == pin
    assert updated(other).mended
    assert verify_file(signed[".png"], home=other).state is State.WITHDRAWN
    assert (place / "pin.json").read_bytes() == pin


def test_copies_without_anything_that_is_known_of_them_are_a_lost_pin(states, signed, other, place):
    old, new = states
    added(other, new)
    for name in STATE:
        (place / name).unlink()
    known = kept_registries(other)
    assert known.names() == ("pub",)
    assert isinstance(row_of(known, "pub"), DamagedRow)
    assert code_of(verify_file, signed[".png"], home=other) == "registry.published-damaged"
    assert code_of(added, other, old) == "registry.pin-lost"
    assert code_of(updated, other) == "registry.pin-lost"


def test_with_its_key_it_is_mended_and_never_by_an_older_state(states, home, signed, other, place):
    old, new = states
    added(other, new)
    for name in STATE:
        (place / name).unlink()
    assert code_of(added, other, old, key=key_of(home)) == "registry.rolled-back"
    assert code_of(added, other, new, key=key_of(other)) == "registry.key-changed"
    assert added(other, new, key=key_of(home)).mended
    assert verify_file(signed[".png"], home=other).state is State.WITHDRAWN
    for name in STATE:
        (place / name).unlink()
    kept_registries(other).remove("pub")
    assert kept_registries(other).names() == ()


def killed_in(other, source, renames):
    """Whether adding was killed before so many files had got their name."""
    doomed = [sys.executable, "-c", _DOOMED, str(other.folder), str(source), str(renames)]
    return subprocess.run(doomed, capture_output=True, check=False).returncode != 0


def test_a_first_add_that_is_killed_is_no_lost_pin_and_is_ended_by_the_next(states, other, place):
    _, new = states
    for renames in range(10):
        if not killed_in(other, new, renames):
            break
        assert not list(place.glob("copy-*")), "a copy has its name only when something is known of it"
        known = kept_registries(other)
        if renames:
            assert isinstance(row_of(known, "pub"), DamagedRow)
            assert updated(other).kept == known.get("pub")
        else:
            assert known.names() == ()
            added(other, new)
        assert not updated(other).new
        assert sorted(path.name for path in place.glob("[!.]*")) == [known.get("pub").copy, *STATE]
        assert not list(place.glob(".new-*"))
        known.remove("pub")
    assert renames == 3, "kept.json, pin.json and the copy"


def test_an_update_that_is_killed_leaves_the_one_or_the_other_and_no_lower_pin(states, signed, other, place):
    old, new = states
    for renames in range(10):
        before = added(other, old).kept
        if not killed_in(other, new, renames):
            break
        kept, pin = kept_registries(other).get("pub"), read_pin(place)
        assert before.sequence <= pin.sequence <= kept.sequence
        assert verify_file(signed[".png"], home=other).state in {State.WITHDRAWN, State.UNKNOWN_SIGNER}
        assert not added(other, new).mended
        assert read_pin(place) == kept_registries(other).get("pub").pin
        assert verify_file(signed[".png"], home=other).state is State.WITHDRAWN
        kept_registries(other).remove("pub")
    assert renames == 3, "the copy, kept.json and pin.json"


def test_another_history_of_one_key_is_told_where_a_lost_checkpoint_cannot_show_it(
    states, home, other, place
):
    _, new = states
    copy = place / added(other, new).kept.copy
    fork = renamed_log(home, [one for _, one in home.log_as_found().entries()][-2::-1], new.with_name("fork"))
    assert code_of(added, other, fork, "other-name") == "registry.log-contradicts"
    (place / "kept.json").write_text("{}")
    assert code_of(added, other, fork, "other-name") == "registry.log-contradicts", "its copy still shows it"
    (copy / "log/checkpoint").unlink()
    for damaged in (True, False):
        if not damaged:
            updated(other)
            (next(place.glob("copy-*")) / "log/checkpoint").write_bytes(b"\0" * 200)
        found = added(other, fork, "other-name")
        assert found.not_compared == ("pub",)
        kept_registries(other).remove("other-name")
