"""Asking a time-stamp authority over HTTP (RFC 3161 §3.4): several, in turn, each answer checked.

An authority sees a digest, a random number and the address it is asked from. It is asked only where an
operator named it, and only while signing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from http.client import HTTPException
from secrets import token_bytes
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from provenance.errors import ConfigurationError, IntegrityError
from provenance.timestamp.der import DerError
from provenance.timestamp.messages import request, token_of
from provenance.timestamp.token import MOST_BYTES, verify_token

if TYPE_CHECKING:
    from collections.abc import Callable
    from urllib.request import OpenerDirector

    from provenance.timestamp.token import TimeStamp

_QUERY = "application/timestamp-query"
_HINT = 'see [timestamp] in config.toml; policy = "preferred" signs without one'


class TimePolicy(StrEnum):
    """What a signature without a time-stamp is worth to the operator."""

    REQUIRED = "required"
    """Nothing is signed without one of an authority that a list vouches for."""
    PREFERRED = "preferred"
    """Signed anyway, and said so."""
    NONE = "none"
    """None is asked for."""


class _UnansweredError(Exception):
    """No token from one authority; ``again`` where it may answer in a moment."""

    def __init__(self, why: str, *, again: bool) -> None:
        super().__init__(why)
        self.again = again


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeStamper:
    """Asks ``authorities`` one after the other until one gives a token that holds.

    Attributes:
        authorities: http or https addresses, the preferred first.
        policy: what to do when none answers; acted on by whoever signs.
        rounds: how often those that did not answer are asked; with growing pauses between.
        timeout_s: for one answer, altogether.
        random: n random bytes.
        wait: sleeps.

    Raises:
        ConfigurationError: ``timestamp.bad-authority`` for an address that is none.
    """

    authorities: tuple[str, ...]
    policy: TimePolicy = TimePolicy.PREFERRED
    rounds: int = 2
    timeout_s: float = 10.0
    random: Callable[[int], bytes] = token_bytes
    wait: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        for address in self.authorities:
            require_address(address)

    def timestamp(self, data: bytes) -> bytes:
        """A token (DER) over ``data``, checked; as ``stamp``."""
        return self.stamp(data).token

    def stamp(self, data: bytes) -> TimeStamp:
        """A time-stamp over ``data``.

        Raises:
            ConfigurationError: ``timestamp.unavailable``, with what each authority answered.
        """
        left, said = self.authorities, dict[str, str]()
        for number in range(self.rounds):
            if number and left:
                self.wait(0.5 * 2 ** (number - 1))
            again = []
            for address in left:
                try:
                    return self._asked(address, data)
                except _UnansweredError as error:
                    said[address] = str(error)
                    again += [address] if error.again else []
            left = tuple(again)
        why = "; ".join(f"{host_of(address)}: {text}" for address, text in said.items())
        raise ConfigurationError("timestamp.unavailable", f"no time-stamp was given: {why}", hint=_HINT)

    def _asked(self, address: str, data: bytes) -> TimeStamp:
        nonce = int.from_bytes(self.random(8), "big")
        reply = _post(address, request(data, nonce), self.timeout_s)
        try:
            stamp = verify_token(token_of(reply), data)
        except (DerError, IntegrityError) as error:
            raise _UnansweredError(str(error), again=False) from error
        if stamp.nonce != nonce:  # an old answer, which somebody kept
            raise _UnansweredError("the answer is one to another request", again=False)
        return stamp


def require_address(address: str) -> None:
    """Raises:
    ConfigurationError: ``timestamp.bad-authority``.
    """
    try:
        parts = urlsplit(address)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
        good = good and (parts.port is None or parts.port > 0) and address.isascii() and address.isprintable()
    except ValueError:
        good = False
    if not good or " " in address:
        what = "a time-stamp authority is named by an http or https address, without a user or password"
        raise ConfigurationError("timestamp.bad-authority", what, hint="see [timestamp] in config.toml")


def host_of(address: str) -> str:
    """The part of an address that a person knows it by."""
    return urlsplit(address).netloc


def _post(address: str, body: bytes, timeout_s: float) -> bytes:
    """The body of the answer.

    Raises:
        _UnansweredError: there is none, in time and of a size that a token has.
    """
    from urllib.request import Request  # noqa: PLC0415 - only where one is asked

    end = time.monotonic() + timeout_s
    asked = Request(address, data=body, headers={"Content-Type": _QUERY, "User-Agent": "mediaguard"})  # noqa: S310 - require_address
    try:
        with _opener().open(asked, timeout=timeout_s) as answer:
            found = b""
            while part := answer.read1(MOST_BYTES):
                found += part
                if len(found) > MOST_BYTES:
                    raise _UnansweredError("its answer is too long", again=False)
                if time.monotonic() > end:
                    raise _UnansweredError("it did not finish its answer in time", again=True)
            return found
    except HTTPError as error:
        error.close()
        raise _UnansweredError(
            f"HTTP status {error.code}", again=error.code >= 500 or error.code == 429
        ) from error
    except TimeoutError as error:
        raise _UnansweredError("it did not answer in time", again=True) from error
    except URLError as error:
        late = isinstance(error.reason, TimeoutError)
        reason = "it did not answer in time" if late else "it cannot be reached"
        raise _UnansweredError(reason, again=True) from error
    except (OSError, HTTPException, ValueError) as error:
        raise _UnansweredError("the connection broke off", again=True) from error


def _opener() -> OpenerDirector:
    """HTTP and HTTPS, through the proxies of the environment, and no way to be sent elsewhere."""
    from urllib import request as http  # noqa: PLC0415

    opener = http.OpenerDirector()
    for handler in (
        http.ProxyHandler(),
        http.HTTPHandler(),
        http.HTTPSHandler(),
        http.HTTPDefaultErrorHandler(),
        http.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener
