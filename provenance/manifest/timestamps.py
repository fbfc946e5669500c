"""A time-stamp in a manifest: over the signature, beside it, in the place that padding kept free.

The token stands in the header ``sigTst2`` of the COSE signature (C2PA §10.3.2.5), which nothing hashes and
nobody signs: it proves itself. It can only be asked for once the claim is signed, so the file is complete by
then, and is changed in place: store and file keep their length, and every other byte.
"""

from __future__ import annotations

import base64
import binascii
import logging
from typing import TYPE_CHECKING, NamedTuple

from provenance.errors import ConfigurationError
from provenance.manifest import jumbf
from provenance.manifest.cbor import Decoder
from provenance.manifest.containers import find_store
from provenance.metadata import png
from provenance.timestamp.client import TimePolicy, host_of
from provenance.timestamp.token import authority_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from provenance.manifest.containers import Embedded
    from provenance.manifest.signers import Signer
    from provenance.manifest.trust import TrustLists
    from provenance.stored import Bytes
    from provenance.timestamp.client import TimeStamper
    from provenance.timestamp.token import TimeStamp

_LOG = logging.getLogger("guard")
_TEXT, _BYTES, _ARRAY, _MAP = 0x60, 0x40, 0x80, 0xA0
_LIST_IT = "guard trust add NAME PEM --kind tsa, with the root of that authority"
_EMPTY_PAD = 5
"""Bytes of a padding header without padding."""


class StampedSigner:
    """A signer whose signatures are time-stamped by an outside authority.

    Args:
        signer: signs.
        stamper: whom to ask, and what to do when nobody answers.
    """

    __slots__ = ("__weakref__", "signer", "stamper")

    def __init__(self, *, signer: Signer, stamper: TimeStamper) -> None:
        self.signer = signer
        self.stamper = stamper

    def __repr__(self) -> str:
        """The signer, and whom it asks."""
        return f"StampedSigner({self.signer!r}, {', '.join(map(host_of, self.stamper.authorities))})"

    @property
    def algorithm(self) -> str:
        """As that of the signer."""
        return self.signer.algorithm

    @property
    def chain(self) -> bytes:
        """As that of the signer."""
        return self.signer.chain

    def sign(self, data: bytes) -> bytes:
        """As the signer."""
        return self.signer.sign(data)


class _Change(NamedTuple):
    """Bytes that take the place of as many others in a store."""

    at: int
    data: bytes


def token_for(store: bytes, stamper: TimeStamper, trust: TrustLists) -> TimeStamp | None:
    """A time-stamp over the signature of the active manifest in ``store``; None: signed without one.

    Where one is preferred, a warning says that there is none, or none whose authority a list vouches for.

    Raises:
        ConfigurationError: where one is required: ``timestamp.unavailable``, or ``timestamp.unlisted`` when
            no list vouches for its authority, so that it would prove the time to nobody here.
    """
    required = stamper.policy is TimePolicy.REQUIRED
    try:
        stamp = stamper.stamp(_countersigned(store))
    except ConfigurationError as error:
        if required or error.code != "timestamp.unavailable":
            raise
        _LOG.warning("warning: signed without a time-stamp; %s", error.what)
        return None
    if authority_of(stamp, trust) is None:
        what = "the time-stamp is of an authority that is on no list here"
        if required:
            raise ConfigurationError("timestamp.unlisted", what, hint=_LIST_IT)
        _LOG.warning("warning: %s, so it proves the time to nobody with these lists; %s", what, _LIST_IT)
    return stamp


def place_token(token: bytes, store: bytes, data: Bytes | None, out: BinaryIO | None) -> bytes:
    """``store`` with ``token`` in it; the same change is made in ``out``, where ``data`` was written.

    Args:
        token: over the signature of the active manifest.
        store: the manifest store.
        data: the file that holds it; None where it lies beside the file.
        out: that file, to be written to.

    Raises:
        ConfigurationError: ``timestamp.no-room`` when the padding does not suffice for the token;
            ``timestamp.no-place`` when the store is not found in the file as it is.
    """
    change = _change(token, store)
    changed = store[: change.at] + change.data + store[change.at + len(change.data) :]
    if data is not None and out is not None:
        embedded = find_store(data)
        if embedded is None or embedded.store != store or not _lies_there(embedded, store, data):
            what = "a time-stamp cannot be put into this kind of file"
            raise ConfigurationError("timestamp.no-place", what, hint="save it as PNG, JPEG, WebP or MP4")
        _write(changed, embedded, data, out)
    return changed


def _written(store: bytes, embedded: Embedded) -> Iterator[tuple[int, bytes]]:
    """Where the parts of a store stand in the file, and as what."""
    if embedded.base64:
        yield embedded.pieces[0].file, base64.b64encode(store)
        return
    for piece in embedded.pieces:
        yield piece.file, store[piece.store : piece.store + piece.length]


def _lies_there(embedded: Embedded, store: bytes, data: Bytes) -> bool:
    """Whether the file holds the store as we would write it, byte for byte."""
    parts = tuple(_written(store, embedded))
    whole = embedded.base64 or sum(len(part) for _, part in parts) == len(store)
    return whole and all(data[at : at + len(part)] == part for at, part in parts)


def _write(changed: bytes, embedded: Embedded, data: Bytes, out: BinaryIO) -> None:
    for at, part in _written(changed, embedded):
        out.seek(at)
        out.write(part)
    if data.startswith(png.SIGNATURE):  # the one container with a checksum over it
        out.write(binascii.crc32(b"caBX" + changed).to_bytes(4, "big"))
    out.flush()


def _parts(store: bytes) -> tuple[int, list[tuple[int, int]]]:
    """Where the COSE_Sign1 of the active manifest begins to differ, and its four parts."""
    box = jumbf.parse_store(store).boxes[-1].only(jumbf.SIGNATURE).contents[0]
    reader = Decoder(store, box.start, box.end)
    reader.head()  # the tag
    reader.head()  # four parts
    found = []
    for _ in range(4):
        start = reader.position
        reader.item()
        found.append((start, reader.position))
    return box.end, found


def _countersigned(store: bytes) -> bytes:
    """What the authority stamps: the countersignature structure over the signature (RFC 9052 §4.4)."""
    _, (protected, _, _, signature) = _parts(store)
    payload = _encode(_BYTES, store[slice(*signature)])  # with its header: the field, not its value
    context, external = _encode(_TEXT, b"CounterSignature"), _encode(_BYTES, b"")
    return b"\x84" + context + store[slice(*protected)] + external + payload


def _change(token: bytes, store: bytes) -> _Change:
    """The part of the signature box behind the protected header, with the token and less padding."""
    end, (_, (start, stop), payload, signature) = _parts(store)
    kept = _other_headers(store, start)
    tail = store[slice(*payload)] + store[slice(*signature)]
    value = _head(_MAP, 1) + _encode(_TEXT, b"val") + _encode(_BYTES, token)
    headers = [*kept, _encode(_TEXT, b"sigTst2") + _tokens(value)]
    padding = _padding(end - start - len(tail) - sum(map(len, headers)) - 1)
    if padding is None or stop - start + len(tail) != end - start:
        raise ConfigurationError(
            "timestamp.no-room",
            f"the time-stamp has {len(token)} bytes and the manifest has no room for it",
            hint="use an authority that sends fewer certificates, or a shorter chain of your own",
        )
    everything = [*headers, *padding]
    return _Change(start, _head(_MAP, len(everything)) + b"".join(everything) + tail)


def _tokens(value: bytes) -> bytes:
    return _head(_MAP, 1) + _encode(_TEXT, b"tstTokens") + _head(_ARRAY, 1) + value


def _other_headers(store: bytes, start: int) -> list[bytes]:
    """Everything beside the signature but padding and an earlier token."""
    reader = Decoder(store, start)
    _, _, count = reader.head()
    kept = []
    for _ in range(count or 0):
        begun = reader.position
        key, _ = reader.item(), reader.item()
        if key not in ("pad", "pad2", "sigTst2"):
            kept.append(store[begun : reader.position])
    return kept


def _padding(room: int) -> tuple[bytes, ...] | None:
    """Zeros that fill ``room`` bytes exactly, headers included; None: they cannot.

    A length of one byte more may need a header of one byte more, so some rooms take two strings.
    """
    if room == 0:
        return ()
    if (one := _pad(b"pad", room)) is not None:
        return (one,)
    empty = _pad(b"pad", _EMPTY_PAD)
    rest = _pad(b"pad2", room - _EMPTY_PAD)
    return None if empty is None or rest is None else (empty, rest)


def _pad(name: bytes, room: int) -> bytes | None:
    key = _encode(_TEXT, name)
    for head, most in ((1, 24), (2, 2**8), (3, 2**16)):
        size = room - len(key) - head
        if 0 <= size < most and len(_head(_BYTES, size)) == head:
            return key + _encode(_BYTES, bytes(size))
    return None


def _encode(major: int, body: bytes) -> bytes:
    return _head(major, len(body)) + body


def _head(major: int, argument: int) -> bytes:
    """Type and argument in the shortest form (RFC 8949 §4.2.1)."""
    if argument < 24:
        return bytes((major | argument,))
    size = 1 if argument < 2**8 else 2 if argument < 2**16 else 4
    return bytes((major | 23 + size.bit_length(),)) + argument.to_bytes(size, "big")
