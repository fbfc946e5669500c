"""Fetching: where from, and what a server cannot make us do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulators.https import HttpsServer
from simulators.loopback import Answer

from provenance.fetch import BeyondLimitError, Connection, FetchError, parts_of

REDIRECT = Answer(status=301, headers={"Location": "http://127.0.0.1/other"})


@pytest.fixture
def server(tmp_path):
    """One that speaks plain http, which is for this machine alone."""
    with HttpsServer(folder=tmp_path / "server", secure=False) as running:
        yield running


def connected(server, *, seconds=30.0, ticks=None):
    moments = iter(ticks or ())
    parts = parts_of(server.url("/"), query=False)
    return Connection(parts, seconds=seconds, clock=lambda: next(moments, 0.0))


@pytest.mark.enable_socket
def test_one_connection_fetches_many(server):
    server.answers = {"/a?x=1": Answer(body=b"one"), "/b": Answer(body=b"two" * 100_000)}
    connection = connected(server)
    assert connection.get("/a?x=1", most=3) == b"one"
    assert connection.get("/b", most=300_000) == b"two" * 100_000
    connection.close()


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("answer", "status", "why"),
    [
        (REDIRECT, 301, "sends elsewhere"),
        (Answer(status=404), 404, "answers with 404"),
        (Answer(body=b"x", headers={"Content-Encoding": "gzip"}), 200, "compressed"),
        (Answer(body=b"12345"), None, "more than 4 bytes"),
    ],
    ids=["elsewhere", "absent", "compressed", "large"],
)
def test_what_is_refused_ends_the_connection_and_not_the_next_one(server, answer, status, why):
    server.answers = {"/x": answer, "/fine": Answer(body=b"fine")}
    connection = connected(server)
    with pytest.raises(FetchError, match=why) as caught:
        connection.get("/x", most=4)
    assert caught.value.status == status
    assert isinstance(caught.value, BeyondLimitError) == (status is None)
    assert server.asked == ["/x"]
    assert connection.get("/fine", most=4) == b"fine"
    connection.close()


@pytest.mark.enable_socket
def test_the_time_is_that_of_the_whole_connection(server):
    server.answers = {"/a": Answer(body=b"one")}
    connection = connected(server, seconds=10, ticks=[0.0, 9.0, 11.0])
    assert connection.get("/a", most=10) == b"one"
    with pytest.raises(BeyondLimitError, match="10 s"):
        connection.get("/a", most=10)


@pytest.mark.enable_socket
def test_nobody_answers(server):
    connection = connected(server)
    server.__exit__()
    with pytest.raises(FetchError, match="Error"):
        connection.get("/a", most=10)
    server.__enter__()  # which the fixture ends


def test_plain_http_is_for_this_machine_by_number():
    for url in ("http://127.0.0.1:8000/x", "http://[::1]/", "https://example.org/x"):
        assert parts_of(url, query=False).hostname
    for url in ("http://localhost/", "http://example.org/", "http://127.0.0.1.example.org/", "http://0/"):
        with pytest.raises(ValueError, match="cannot be fetched"):
            parts_of(url, query=False)


@pytest.mark.parametrize(
    "url",
    [
        "https://u:p@x/",
        "https://x:0/",
        "https://x:99999/",
        "https://",
        "https://x/ y",
        "https://x\n/",
        "file:///etc",
    ],
)
def test_addresses_that_are_refused(url):
    with pytest.raises(ValueError):
        parts_of(url, query=True)


def test_queries_where_they_are_asked_for():
    assert parts_of("https://x/?a", query=True).query == "a"
    for url in ("https://x/?a", "https://x/#a"):
        with pytest.raises(ValueError, match="cannot be fetched"):
            parts_of(url, query=False)


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_a_value_error(text):
    try:
        parts = parts_of(text, query=True)
    except ValueError:
        return
    assert parts.scheme in ("https", "http")
    assert parts.hostname
