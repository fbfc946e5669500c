"""A damaged copy of an added registry concerns its own publisher alone, is told, and can be mended."""

from __future__ import annotations

import json
import secrets
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image
from simulators.poisoner import edit, sign

from guard.api import recover_file, release_file, verify_file
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

NOW = datetime.now(UTC)
LATER = NOW + timedelta(hours=1)

DAMAGE = {
    "empty": lambda place: place.write_bytes(b""),
    "cut off": lambda place: place.write_bytes(place.read_bytes()[:-20]),
    "other fields": lambda place: place.write_text('{"schema_version": 1, "name": "them"}'),
    "a copy elsewhere": lambda place: changed(place, copy="../../elsewhere"),
    "gone": lambda place: place.unlink(),
}
"""All that can be wrong in it: ``tests/unit/storage/test_registry_state.py``."""


def changed(place, **values):
    place.write_text(json.dumps({**json.loads(place.read_text()), **values}))


def code_of(action, *arguments, **options):
    with pytest.raises(Error) as caught:
        action(*arguments, **options)
    return caught.value.code


@pytest.fixture(scope="module")
def world(tmp_path_factory, photographs):
    """Two publishers with a picture each and a copy of it without its manifest, and who added both."""
    folder = tmp_path_factory.mktemp("two")
    homes = {name: Home(folder=folder / name / "home") for name in ("them", "others", "reader")}
    for number, (name, home) in enumerate(homes.items()):
        initialise(home, now=NOW, random=secrets.token_bytes)
        if name == "reader":
            break
        Image.fromarray(photographs[number]).save(folder / name / "in.png")
        release_file(folder / name / "in.png", folder / name / "out.png", source="digitalCapture", home=home)
        publish(home, folder / name / "pub", locator=True, now=NOW)
        with Image.open(folder / name / "out.png") as picture:
            picture.convert("RGB").save(folder / name / "copy.jpg", quality=80)
    return folder


@pytest.fixture
def reader(world, tmp_path):
    home = Home(folder=shutil.copytree(world / "reader" / "home", tmp_path / "reader"))
    for name in ("them", "others"):
        fetched(home, world, name)
    return home


def fetched(home, world, name, *, key=None, place=None):
    found = place or world / name / "pub"
    return add(home, str(found), name=name, key=key, at=NOW, limits=FetchLimits())


def key_of(world, name):
    return fingerprint_of(load_log_key(Home(folder=world / name / "home").log_key_path).verifier)


def state_of(home, name="them"):
    return home.registries_folder / name / "kept.json"


def verified(world, name, home):
    return verify_file(world / name / "out.png", home=home)


@pytest.mark.parametrize("how", DAMAGE)
def test_the_others_are_not_blocked_and_the_damaged_one_is_named_mended_or_removed(how, world, reader):
    DAMAGE[how](state_of(reader))
    verdict = verified(world, "others", reader)
    assert verdict.state is State.UNKNOWN_SIGNER
    assert [one for one in verdict.not_checked if one.startswith("withdrawals: ") and "registry them" in one]
    with pytest.raises(Error) as caught:
        verified(world, "them", reader)
    assert caught.value.code == "registry.published-damaged"
    assert "registry them" in caught.value.what
    mended = update(reader, "them", at=NOW, limits=FetchLimits())
    assert (mended.mended, mended.new, mended.not_compared) == (True, True, ())
    assert verified(world, "them", reader).state is State.UNKNOWN_SIGNER
    DAMAGE[how](state_of(reader))
    kept_registries(reader).remove("them")
    assert kept_registries(reader).names() == ("others",)
    assert [one.name for one in reader.registries_folder.iterdir()] == ["others"]


@pytest.mark.parametrize("how", ["empty", "gone"])
def test_marks_of_the_others_are_looked_up(how, world, reader):
    DAMAGE[how](state_of(reader))
    found = recover_file(world / "others" / "copy.jpg", home=reader)
    assert found.candidates[0].entry.publisher == "others"
    assert [note for note in found.notes if note.startswith("registry them was not looked into")]
    assert recover_file(world / "them" / "copy.jpg", home=reader).candidates == ()


def test_the_pin_of_a_damaged_copy_refuses_another_key_and_an_older_state(world, reader, tmp_path):
    place = world / "them" / "pub"
    state_of(reader).write_text("{}")
    for name in ("them", "others"):
        shutil.copytree(world / name / "pub", tmp_path / name)
    moved = shutil.move(place, tmp_path / "aside")
    try:
        shutil.copytree(tmp_path / "others", place)
        assert code_of(update, reader, "them", at=NOW, limits=FetchLimits()) == "registry.key-changed"
        shutil.rmtree(place)
        shutil.copytree(tmp_path / "them", place)
        signer = load_log_key(Home(folder=world / "them" / "home").log_key_path)
        edit(place, "services/status", lambda document: document.update(status="other"))
        sign(place, signer)
        newer = update(reader, "them", at=NOW, limits=FetchLimits())
        assert newer.mended
        state_of(reader).write_text("{}")
        shutil.rmtree(place)
        shutil.copytree(tmp_path / "them", place)
        assert code_of(update, reader, "them", at=NOW, limits=FetchLimits()) == "registry.rolled-back"
    finally:
        shutil.rmtree(place, ignore_errors=True)
        shutil.move(moved, place)


@pytest.mark.parametrize("path", ["matches/byBinding/all.json", "log/checkpoint", "locator", "manifests"])
def test_whatever_file_of_a_copy_is_damaged_update_fetches_it_again(path, world, reader):
    kept = kept_registries(reader).get("them")
    place = reader.registries_folder / "them" / kept.copy / path
    place = place if place.is_file() else next(one for one in sorted(place.rglob("*")) if one.is_file())
    place.write_bytes(place.read_bytes()[:-1])
    assert update(reader, "them", at=NOW, limits=FetchLimits()).new
    assert not update(reader, "them", at=NOW, limits=FetchLimits()).new


def test_a_lost_pin_is_said_and_the_key_asked_for_again(world, reader):
    state_of(reader).write_text("{}")
    state_of(reader).with_name("pin.json").write_text("{}")
    assert verified(world, "others", reader).state is State.UNKNOWN_SIGNER
    assert code_of(verified, world, "them", reader) == "registry.published-damaged"
    for attempt in (
        lambda: update(reader, "them", at=NOW, limits=FetchLimits()),
        lambda: fetched(reader, world, "them"),
    ):
        with pytest.raises(Error) as caught:
            attempt()
        assert caught.value.code == "registry.pin-lost"
        assert "--key FINGERPRINT" in caught.value.hint
    assert code_of(fetched, reader, world, "them", key=key_of(world, "others")) == "registry.key-changed"
    assert fetched(reader, world, "them", key=key_of(world, "them")).mended
    assert verified(world, "them", reader).state is State.UNKNOWN_SIGNER


def test_without_a_pin_the_copies_here_still_refuse_an_older_state(world, reader, tmp_path):
    older = shutil.copytree(world / "them" / "pub", tmp_path / "older")
    signer = load_log_key(Home(folder=world / "them" / "home").log_key_path)
    newer = shutil.copytree(older, tmp_path / "newer")
    sign(newer, signer)
    kept_registries(reader).remove("them")
    fetched(reader, world, "them", place=newer)
    for name in ("kept.json", "pin.json"):
        state_of(reader).with_name(name).write_text("{}")
    shutil.rmtree(newer)
    shutil.copytree(older, newer)
    key = key_of(world, "them")
    assert code_of(fetched, reader, world, "them", key=key, place=newer) == "registry.rolled-back"


def test_an_expected_key_is_held_against_the_first_one(world, tmp_path):
    home = Home(folder=shutil.copytree(world / "reader" / "home", tmp_path / "reader"))
    assert code_of(fetched, home, world, "them", key=key_of(world, "others")) == "registry.key-changed"
    assert code_of(fetched, home, world, "them", key="nothing") == "registry.key-changed"
    assert kept_registries(home).names() == ()
    assert fetched(home, world, "them", key=key_of(world, "them").upper()).known is False


def test_a_withdrawal_is_never_taken_for_none_while_its_list_is_damaged(world, tmp_path):
    them = Home(folder=shutil.copytree(world / "them" / "home", tmp_path / "them"))
    withdraw(them, str(world / "them" / "out.png"), "by mistake", now=NOW, random=secrets.token_bytes)
    publish(them, tmp_path / "pub", locator=True, now=LATER)
    home = Home(folder=shutil.copytree(world / "reader" / "home", tmp_path / "reader"))
    fetched(home, world, "them", place=tmp_path / "pub")
    assert verified(world, "them", home).state is State.WITHDRAWN
    for lost in ((), ("pin.json",)):
        for name in ("kept.json", *lost):
            state_of(home).with_name(name).write_bytes(b"\0" * 400)
        assert code_of(verified, world, "them", home) == "registry.published-damaged"
        assert recover_file(world / "them" / "copy.jpg", home=home).candidates == ()
    key = key_of(world, "them")
    assert fetched(home, world, "them", key=key, place=tmp_path / "pub").mended
    assert verified(world, "them", home).state is State.WITHDRAWN


def test_a_copy_without_a_pin_still_concerns_the_publisher_whose_key_lies_in_it(world, reader, tmp_path):
    """Another copy of the same publisher may be older: what it does not know may stand in the damaged one."""
    fetched(reader, world, "mirror", place=shutil.copytree(world / "them" / "pub", tmp_path / "mirror"))
    for name in ("kept.json", "pin.json"):
        state_of(reader, "mirror").with_name(name).write_text("{}")
    assert code_of(verified, world, "them", reader) == "registry.published-damaged"
    verdict = verified(world, "others", reader)
    assert verdict.state is State.UNKNOWN_SIGNER
    assert [one for one in verdict.not_checked if "registry mirror" in one]


def test_damaged_keys_of_one_copy_keep_nobody_from_looking_with_the_others(world, reader):
    kept = kept_registries(reader).get("them")
    for key in (reader.registries_folder / "them" / kept.copy / "locator").iterdir():
        key.write_text("{")
    found = recover_file(world / "others" / "copy.jpg", home=reader)
    assert found.candidates[0].entry.publisher == "others"
    assert [note for note in found.notes if note.startswith("registry them was not looked into")]


def test_a_new_copy_says_which_damaged_ones_it_was_not_held_against(world, reader, tmp_path):
    for name in ("kept.json", "pin.json"):
        state_of(reader).with_name(name).write_text("{}")
    mirror = shutil.copytree(world / "others" / "pub", tmp_path / "mirror")
    added = add(reader, str(mirror), name="mirror", at=NOW, limits=FetchLimits())
    assert added.not_compared == ("them",)


def test_a_registry_added_before_pins_had_a_file_gets_one(world, reader):
    pin = state_of(reader).with_name("pin.json")
    before = pin.read_bytes()
    pin.unlink()
    assert update(reader, "them", at=NOW, limits=FetchLimits()).new is False
    assert pin.read_bytes() == before


def test_a_failed_mending_leaves_what_there_was(world, reader):
    state_of(reader).write_text("{}")
    with pytest.raises(Error):
        update(reader, "them", at=NOW, limits=FetchLimits(most_files=1))
    assert kept_registries(reader).names() == ("others", "them")
    assert update(reader, "them", at=NOW, limits=FetchLimits()).mended


def test_a_key_that_calls_its_log_otherwise_shows_no_other_history(world, reader, tmp_path):
    """A publisher's key is one publisher, whatever its log is called: older states and forks are refused."""
    them = Home(folder=shutil.copytree(world / "them" / "home", tmp_path / "them"))
    key = load_log_key(them.log_key_path)
    renamed = NoteSigner(name="elsewhere.example/log", private_key=key.private_key)
    contents = Contents(
        places=(), manifest=lambda _: (b"", None), fingerprints={}, withdrawals={}, locators={}
    )
    old = [entry for _, entry in them.log_as_found().entries()]
    for number, (entries, code) in enumerate(
        [(old[::-1], "registry.log-contradicts"), (old[:1], "registry.log-contradicts"), (old, None)]
    ):
        log = Log.create(tmp_path / f"log-{number}", renamed)
        log.append(entries)
        publish_files(contents, log, renamed, tmp_path / f"pub-{number}", now=int(LATER.timestamp()))
        place = str(tmp_path / f"pub-{number}")
        if code is None:
            assert add(reader, place, name="other-name", at=NOW, limits=FetchLimits()).new
        else:
            assert code_of(add, reader, place, name="other-name", at=NOW, limits=FetchLimits()) == code
