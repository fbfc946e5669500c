"""Authorities that are dead, slow or lying: the next one is asked, and each is named with its reason."""

from __future__ import annotations

import pytest
from simulators.loopback import Refused
from simulators.tsa import Clock, Server, hang

from provenance.errors import ConfigurationError
from provenance.timestamp.client import TimePolicy, TimeStamper
from provenance.timestamp.messages import request
from provenance.timestamp.token import verify_token

pytestmark = pytest.mark.enable_socket
DEAD = "http://127.0.0.1:9/tsr"


def stamper(*authorities: str, **more) -> TimeStamper:
    more = {"wait": lambda _: None, "rounds": 1, **more}
    return TimeStamper(authorities=authorities, policy=TimePolicy.REQUIRED, **more)


def refusal(asked: TimeStamper) -> str:
    with pytest.raises(ConfigurationError) as caught:
        asked.stamp(b"data")
    assert caught.value.code == "timestamp.unavailable"
    assert "[timestamp]" in caught.value.hint
    return caught.value.what


def test_an_authority_sees_a_digest_and_gives_a_token(clock):
    with Server(clock.reply) as server:
        token = stamper(server.url).timestamp(b"secret data")
    assert b"secret data" not in server.asked[0]
    assert verify_token(token, b"secret data").nonce


def test_the_second_is_asked_where_the_first_is_dead(clock):
    with Server(clock.reply) as living:
        assert stamper(DEAD, living.url).stamp(b"data").at
    assert len(living.asked) == 1


def test_all_dead_is_one_line_with_every_reason():
    what = refusal(stamper(DEAD, "http://[::1]:9/"))
    assert what == "no time-stamp was given: 127.0.0.1:9: it cannot be reached; [::1]:9: it cannot be reached"


def test_who_is_busy_is_asked_again_and_who_refuses_is_not(clock):
    busy, pauses = [503, 429], []

    def answer(body: bytes) -> bytes:
        if busy:
            raise Refused(busy.pop(0))
        return clock.reply(body)

    with Server(answer) as slow, Server(lambda _: (_ for _ in ()).throw(Refused(404))) as gone:
        asked = stamper(slow.url, gone.url, rounds=3, wait=pauses.append)
        assert asked.stamp(b"data").at
    assert (len(slow.asked), len(gone.asked)) == (3, 1)
    assert pauses == [0.5, 1.0]


def test_a_redirect_is_an_answer_and_not_a_way(clock):
    with Server(clock.reply) as elsewhere:
        headers = {"Location": elsewhere.url}
        with Server(lambda _: (_ for _ in ()).throw(Refused(302, b"", **headers))) as server:
            assert "HTTP status 302" in refusal(stamper(server.url))
        assert elsewhere.asked == []


def test_one_that_hangs_is_left_after_its_time():
    with Server(hang(60)) as server:  # and then gives an answer that is garbage
        assert "did not answer in time" in refusal(stamper(server.url, timeout_s=0.2))


def test_one_that_never_stops_talking_is_cut_off():
    with Server(lambda _: bytes(2**20)) as server:
        assert "too long" in refusal(stamper(server.url))


@pytest.mark.parametrize("garbage", [b"", b"<html>", b"\x30\x80", bytes(100)])
def test_garbage_is_no_token(garbage):
    with Server(lambda _: garbage) as server:
        assert refusal(stamper(server.url))


def test_an_answer_to_another_request_is_refused(clock):
    """A token that somebody kept: right data, right signature, another number."""
    kept = clock.reply(request(b"data", 1))
    with Server(lambda _: kept) as server:
        assert "another request" in refusal(stamper(server.url))


def test_a_token_over_other_data_is_refused(clock):
    with Server(lambda _: clock.reply(request(b"other", 1))) as server:
        assert "other data" in refusal(stamper(server.url))


def test_an_authority_that_wants_another_digest_says_so(tmp_path, clock):
    picky = Clock(folder=tmp_path / "picky", digests="sha512")
    with Server(picky.reply) as server:
        assert "it does not know the digest algorithm" in refusal(stamper(server.url))


@pytest.mark.parametrize(
    "address",
    ["file:///etc/passwd", "ftp://x/", "https://user:word@x/", "x", "http://", "http://a b/", "http://x:y/"],
)
def test_only_an_address_is_an_address(address):
    with pytest.raises(ConfigurationError) as caught:
        TimeStamper(authorities=(address,))
    assert caught.value.code == "timestamp.bad-authority"
    assert "word" not in caught.value.what.replace("password", "")
