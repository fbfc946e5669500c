"""Two time-stamp authorities that ``openssl ts`` speaks for."""

from __future__ import annotations

import shutil

import pytest
from simulators.tsa import Clock


@pytest.fixture(scope="session")
def clock(tmp_path_factory) -> Clock:
    if shutil.which("openssl") is None:
        pytest.skip("the time-stamp authority is openssl ts")
    return Clock(folder=tmp_path_factory.mktemp("clock"))


@pytest.fixture(scope="session")
def stamp(clock):
    """A token over ``b"data"`` and what it says."""
    from provenance.timestamp.messages import request, token_of
    from provenance.timestamp.token import verify_token

    return verify_token(token_of(clock.reply(request(b"data", 2**64 - 1))), b"data")
