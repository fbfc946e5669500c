"""Ctrl-C that waits for the end of a block, and the second one that does not."""

from __future__ import annotations

import signal
import threading

import pytest

from guard.interruption import held


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def test_a_ctrl_c_waits_for_the_end_of_the_block() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - what was done before it is what counts
        with held():
            interrupt()
            done.append("the rest of the block")
        done.append("what comes after it")
    assert done == ["the rest of the block"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_ctrl_c_ends_a_block_that_hangs() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), held():  # noqa: PT012 - as above
        interrupt()
        done.append("first")
        interrupt()
        done.append("second")
    assert done == ["first"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_failure_of_the_block_does_not_swallow_it() -> None:
    with pytest.raises(KeyboardInterrupt), held():  # noqa: PT012 - as above
        interrupt()
        raise OSError("the disk")


def test_a_handler_of_the_program_around_is_called_once_and_stays() -> None:
    heard = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: heard.append(number))
    try:
        with held():
            interrupt()
            assert heard == []
        assert heard == [signal.SIGINT]
        interrupt()
        assert len(heard) == 2
    finally:
        signal.signal(signal.SIGINT, before)


def test_another_thread_has_nothing_to_hold() -> None:
    done = []

    def work() -> None:
        with held():
            done.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [signal.default_int_handler]
