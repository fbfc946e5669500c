"""What the tests of time-stamps have in common."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def stamp(clock):
    """A token over ``b"data"`` and what it says."""
    from provenance.timestamp.messages import request, token_of
    from provenance.timestamp.token import verify_token

    return verify_token(token_of(clock.reply(request(b"data", 2**64 - 1))), b"data")
