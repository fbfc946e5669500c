"""Group commit: one append for many threads, every entry once, errors to those they concern."""

import os
import threading
import time

import pytest

from provenance.errors import ConfigurationError, InputError
from provenance.log.group import GroupCommit, shared
from provenance.log.store import Log


def together(count, action):
    """Run ``action(number)`` in ``count`` threads that start at once; their results and errors."""
    barrier, results = threading.Barrier(count), [None] * count

    def run(number):
        barrier.wait()
        try:
            results[number] = action(number)
        except Exception as error:  # noqa: BLE001 - handed to the test
            results[number] = error

    threads = [threading.Thread(target=run, args=[number]) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def observed(log, *, first_waits_for=None):
    """The log, and a list that gets an item a checkpoint.

    ``first_waits_for`` is called in the first append until it is true: others have arrived by then.
    """
    checkpoints = []

    def step(name):
        while name == "entries written" and not checkpoints and first_waits_for and not first_waits_for():
            time.sleep(0.001)
        if name == "checkpoint renamed":
            checkpoints.append(1)

    return Log(folder=log.folder, verifier=log.verifier, signer=log.signer, step=step), checkpoints


def test_a_single_writer_is_not_kept_waiting(log, entries):
    watched, checkpoints = observed(log)
    group = GroupCommit(watched, wait_s=3600)
    for number, entry in enumerate(entries(5)):
        assert group.append([entry]).indexes == (number,)
    assert len(checkpoints) == 5
    assert group.append([]).indexes == ()


@pytest.mark.parametrize("size", [1, 3])
def test_every_entry_is_written_once_at_the_place_that_was_told(log, size):
    watched, checkpoints = observed(log, first_waits_for=lambda: group.callers == 16)
    group = GroupCommit(watched)

    def work(number):
        return [
            (group.append(own), own)
            for turn in range(5)
            for own in [[f"{number} {turn} {part}".encode() for part in range(size)]]
        ]

    results = [pair for found in together(16, work) for pair in found]
    stored = [entry for _, entry in log.entries()]
    assert len(stored) == 16 * 5 * size
    for place, own in results:
        assert [stored[at] for at in place.indexes] == own
        assert place.checkpoint.size > place.indexes[-1]
    assert log.verify(known=[place.note for place, _ in results]).ok
    assert len(checkpoints) <= 2 + 16 * 4, "the fifteen that came meanwhile shared a checkpoint"


def test_a_group_has_no_more_than_its_most_entries(log):
    sizes = []

    def note(name):
        if name == "folder synced":
            sizes.append(log.checkpoint().size)

    watched = Log(folder=log.folder, verifier=log.verifier, signer=log.signer, step=note)
    group = GroupCommit(watched, most=4)
    together(12, lambda number: group.append([b"%d a" % number, b"%d b" % number]))
    assert log.checkpoint().size == 24
    assert max(b - a for a, b in zip([0, *sizes], sizes, strict=False)) <= 4
    large = GroupCommit(watched, most=4).append([b"%d" % at for at in range(9)])
    assert len(large.indexes) == 9, "one caller's entries stay together"


def test_what_does_not_fit_is_refused_alone(log):
    group = GroupCommit(log)
    results = together(6, lambda number: group.append([bytes(65_536 if number == 3 else 10)]))
    assert isinstance(results[3], InputError)
    assert sum(not isinstance(result, Exception) for result in results) == 5
    assert log.checkpoint().size == 5


def test_an_error_of_the_log_reaches_every_caller_and_the_next_group_goes_on(log, monkeypatch):
    group = GroupCommit(log)

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        results = together(6, lambda number: group.append([b"lost %d" % number]))
    assert all(isinstance(result, ConfigurationError) for result in results)
    assert log.checkpoint().size == 0
    assert group.append([b"after"]).indexes == (0,)
    assert log.verify().ok


def test_an_interrupted_leader_leaves_the_log_to_others(log):
    def interrupted(name):
        if name == "entries written":
            raise KeyboardInterrupt

    group = GroupCommit(Log(folder=log.folder, verifier=log.verifier, signer=log.signer, step=interrupted))
    with pytest.raises(KeyboardInterrupt):
        group.append([b"never acknowledged"])
    group.log = log
    assert group.append([b"next"]).indexes == (0,)
    assert log.verify().ok


def test_groups_of_two_instances_take_turns(log):
    """As of two processes: each has groups of its own, the log's lock keeps them apart."""
    groups = [GroupCommit(Log.open(log.folder, log.verifier, signer=log.signer)) for _ in range(2)]
    results = together(12, lambda number: groups[number % 2].append([b"%d" % number]).indexes[0])
    assert sorted(results) == list(range(12))
    assert log.verify().ok


def test_a_shared_log_is_a_log_whose_appends_are_gathered(log):
    watched, checkpoints = observed(log, first_waits_for=lambda: one.group.callers == 24)
    one = shared(watched)
    results = together(24, lambda number: one.append([b"%d" % number]))
    assert sorted(result.indexes[0] for result in results) == list(range(24))
    assert len(checkpoints) <= 24 // 2
    assert one.checkpoint() == log.checkpoint()
    assert one.verify(known=[result.note for result in results]).ok
    stored = [entry for _, entry in one.entries()]
    assert [stored[result.indexes[0]] for result in results] == [b"%d" % number for number in range(24)]
