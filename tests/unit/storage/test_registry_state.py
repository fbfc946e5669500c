"""What is known of an added registry is read whole or not at all, and its pin outlives it."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provenance.errors import Error, IntegrityError
from provenance.log.checkpoint import NoteSigner
from provenance.registry_state import KEPT, PIN, Kept, keep_pin, read_kept, read_pin, write_state

KEY = NoteSigner(name="log.example/1", private_key=Ed25519PrivateKey.from_private_bytes(bytes(32))).verifier
OTHER = NoteSigner(name="log.example/1", private_key=Ed25519PrivateKey.from_private_bytes(b"1" * 32)).verifier
OTHER_KEY = {"publisher": str(OTHER), "sequence": 1}
STATE = Kept(
    name="them",
    source="https://example.org/registry",
    publisher=str(KEY),
    copy="copy-7-0123abcd",
    sequence=7,
    snapshot_sha256="0" * 64,
    published_at=1_780_000_000,
    fetched_at=1_780_000_001,
)
WRONG = {
    "no version": {"schema_version": None},
    "a later version": {"schema_version": 2},
    "another field": {"more": 1},
    "a number as text": {"sequence": "7"},
    "a truth as a number": {"sequence": True},
    "a number as a fraction": {"sequence": 7.0},
    "a negative number": {"sequence": -1},
    "no digest": {"snapshot_sha256": "0" * 63},
    "no key": {"publisher": "x+00000000+AAAA"},
    "no text": {"publisher": None},
    "a key that was misspelled": {"publisher": str(KEY).replace("log.example", "log.exemple")},
}
WRONG_KEPT = {
    "another name": {"name": "others"},
    "a copy elsewhere": {"copy": "../../elsewhere"},
    "a time beyond all calendars": {"fetched_at": 10**15},
}


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "them"
    folder.mkdir()
    write_state(folder, STATE)
    return folder


def changed(path, values):
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def damage_of(place):
    with pytest.raises(Error) as caught:
        read_kept(place)
    assert caught.value.what.startswith("what is known of the copy of registry them cannot be read: ")
    return caught.value.code


def test_what_was_written_is_read(place):
    assert read_kept(place) == STATE
    assert read_pin(place) == STATE.pin


@pytest.mark.parametrize("how", {**WRONG, **WRONG_KEPT})
def test_what_was_not_written_here_is_damage_and_the_pin_stays(how, place):
    changed(place / KEPT, {**WRONG, **WRONG_KEPT}[how])
    assert damage_of(place) == "registry.published-damaged"
    assert read_pin(place) == STATE.pin


@pytest.mark.parametrize("how", WRONG)
def test_a_damaged_pin_is_none_and_written_anew_beside_what_is_whole(how, place):
    changed(place / PIN, WRONG[how])
    assert read_pin(place) is None
    keep_pin(place, read_kept(place))
    assert read_pin(place) == STATE.pin


@given(at=st.integers(0, 10**6), by=st.integers(1, 255), cut=st.booleans())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_changed_byte_is_told_or_changes_one_value(at, by, cut, place):
    write_state(place, STATE)
    data = bytearray((place / KEPT).read_bytes())
    at %= len(data)
    data[at] ^= by
    (place / KEPT).write_bytes(data[:at] if cut else data)
    with suppress(IntegrityError):
        assert read_kept(place).publisher == STATE.publisher, "a key id fits no other key"


@pytest.mark.parametrize("name", [KEPT, PIN])
def test_a_folder_a_link_to_nowhere_or_a_huge_file_is_damage(name, place):
    path = place / name
    for make in (path.mkdir, lambda: path.symlink_to("nowhere"), lambda: path.write_bytes(b" " * 10**6)):
        path.unlink() if path.is_symlink() or path.is_file() else path.rmdir() if path.is_dir() else None
        make()
        if name == PIN:
            assert read_pin(place) is None
        else:
            assert damage_of(place) == "registry.published-damaged"


@pytest.mark.parametrize(
    "how",
    [{"sequence": 8}, {"snapshot_sha256": "1" * 64}, {"sequence": 8, "snapshot_sha256": "1" * 64}, OTHER_KEY],
)
def test_a_pin_that_has_seen_more_is_right_and_never_goes_down(how, place):
    changed(place / PIN, how)
    pin = (place / PIN).read_bytes()
    for action in (read_kept, lambda one: write_state(one, STATE), lambda one: keep_pin(one, STATE)):
        with pytest.raises(IntegrityError) as caught:
            action(place)
        assert caught.value.code == "registry.published-damaged"
        assert caught.value.what.startswith("what is known of the copy of registry them cannot be true: ")
    assert (place / PIN).read_bytes() == pin


def test_a_pin_that_is_behind_is_brought_up(place):
    changed(place / PIN, {"sequence": 6, "snapshot_sha256": "1" * 64, "source": "/elsewhere"})
    assert read_kept(place) == STATE
    keep_pin(place, STATE)
    assert read_pin(place) == STATE.pin
