"""Epochs: what a renewal keeps, what it never gives away, and what a crash in the middle leaves."""

from __future__ import annotations

import stat
import threading

import pytest

from provenance import key_ring
from provenance.errors import Error
from provenance.key_ring import RING, earlier_folder, locator_ring, renew_locator
from provenance.keys import create_locator_key, create_private_mark_key, load_locator_key


@pytest.fixture
def path(tmp_path):
    create_locator_key(tmp_path / "locator.json")
    return tmp_path / "locator.json"


def test_an_earlier_epoch_goes_on_reading(path):
    first = load_locator_key(path)
    second = renew_locator(path)
    third = renew_locator(path)
    assert (first.epoch, second.epoch, third.epoch) == (1, 2, 3)
    assert len({key.secret for key in (first, second, third)}) == 3
    assert len({key.key_id for key in (first, second, third)}) == 3
    assert locator_ring(path) == (third, second, first)
    assert load_locator_key(path) == third


def test_each_epoch_is_drawn_afresh(path):
    """Nothing of one epoch follows from another (promise 9): the secret is what the source of chance gave."""
    drawn = bytes(range(100, 132))
    assert renew_locator(path, random=lambda _: drawn).secret == drawn


def test_earlier_epochs_are_as_private_as_the_one_in_force(path):
    renew_locator(path)
    (kept,) = earlier_folder(path).iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(earlier_folder(path).stat().st_mode) == 0o700
    kept.chmod(0o644)
    with pytest.raises(Error) as caught:
        locator_ring(path)
    assert caught.value.code == "key.permissions"


@pytest.mark.parametrize("step", ["write_private", "fsync_folder", "renew_in_place"])
@pytest.mark.parametrize("done", [False, True])
def test_a_crash_loses_no_key(path, monkeypatch, step, done):
    """Before or after each step: what marked is still there, and renewing again goes on."""
    before = renew_locator(path)
    real = getattr(key_ring, step)

    def crash(*arguments, **options):
        if done:
            real(*arguments, **options)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(key_ring, step, crash)
        with pytest.raises(KeyboardInterrupt):
            renew_locator(path)
    ring = locator_ring(path)
    assert before in ring
    assert len(ring) == (3 if done and step == "renew_in_place" else 2)
    after = renew_locator(path)
    assert locator_ring(path)[0] == after
    assert set(ring) <= set(locator_ring(path))
    assert len(locator_ring(path)) == len(ring) + 1


def test_two_renewals_at_once_make_two_epochs(path):
    both = [threading.Thread(target=renew_locator, args=(path,)) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert [key.epoch for key in locator_ring(path)] == [3, 2, 1]


def test_no_more_epochs_than_are_tried(path):
    for _ in range(RING - 1):
        renew_locator(path)
    before = path.read_bytes()
    with pytest.raises(Error) as caught:
        renew_locator(path)
    assert caught.value.code == "key.ring-full"
    assert path.read_bytes() == before


def test_a_foreign_file_under_the_name_of_an_epoch_is_noticed(path):
    key = load_locator_key(path)
    earlier_folder(path).mkdir()
    create_locator_key(earlier_folder(path) / f"{key.epoch:04}-{key.key_id}.json", epoch=9)
    before = path.read_bytes()
    with pytest.raises(Error) as caught:
        renew_locator(path)
    assert caught.value.code == "key.damaged"
    assert path.read_bytes() == before


def test_a_ring_holds_one_kind_of_key(path):
    earlier_folder(path).mkdir()
    create_private_mark_key(earlier_folder(path) / "0000.json")
    with pytest.raises(Error) as caught:
        locator_ring(path)
    assert caught.value.code == "key.kind"
