"""What travels arrives, whole and as it was, or not at all."""

from __future__ import annotations

import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.policy.fact import Status, failed
from guard.policy.facts import Facts, Media
from guard.signer.facts import facts_from_wire, facts_to_wire
from guard.signer.wire import Wire, WireLimits
from provenance.errors import Error
from provenance.spool import IN_MEMORY, Spool
from provenance.stored import sha256_of

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def sent(header, parts=(), limits=None):
    """What the other end receives."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    sender, receiver = Wire(here), Wire(there, limits)
    thread = threading.Thread(target=sender.send, args=(header, parts))
    thread.start()
    try:
        return receiver.receive()
    finally:
        receiver.close()
        thread.join()
        sender.close()


@given(st.dictionaries(st.text(max_size=8).filter(lambda key: key != "parts"), VALUES, max_size=5))
def test_a_header_arrives_as_it_was(header):
    assert sent(header).header == {**header, "parts": []}


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_parts_arrive_as_they_were(parts):
    assert sent({"op": "x"}, parts).parts == tuple(parts)


def test_a_large_part_lies_where_nobody_can_read_it():
    large = bytes(range(256)) * (IN_MEMORY // 256 + 4000)
    (part,) = sent({"op": "x"}, [large]).parts
    assert isinstance(part, Spool)
    assert sha256_of(part) == sha256_of(large)
    held = Spool()
    held.write_at(0, large)
    assert sha256_of(sent({"op": "x"}, [held]).parts[0]) == sha256_of(large)


def test_a_message_beyond_the_bounds_is_refused_before_it_is_read():
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    sender, receiver = Wire(here), Wire(there, WireLimits(part_bytes=10))
    sender.send({"op": "x"}, [bytes(11)])
    with pytest.raises(Error) as caught:
        receiver.receive()
    assert caught.value.code == "signer.message"
    sender.close()
    receiver.close()


@given(st.text(max_size=600))
def test_a_reason_that_quotes_a_file_does_not_stop_a_release(reason):
    facts = Facts(media=Media(generator_traces=failed(reason or "x")))
    back = facts_from_wire(facts_to_wire(facts)).media.generator_traces
    assert back.status is Status.ERROR
    assert back.producer == "claimed"
    assert back.reason.isprintable()
    assert len(back.reason) <= 300
