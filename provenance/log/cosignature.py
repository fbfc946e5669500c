"""Cosignatures: what a witness of a log says, in the form of C2SP tlog-cosignature (Ed25519, v1).

A cosignature under a checkpoint says that at this time its signer had seen no larger tree of this log,
and that this tree extends every tree of the log that the signer saw before. It says nothing about what
the entries claim.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from provenance.errors import IntegrityError
from provenance.log.checkpoint import NoteVerifier, split_note

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LATEST_TIME = 2**63 - 1
"""Of C2SP tlog-cosignature; the signature carries the time in 64 bits."""
_TIME_BYTES, _SIGNATURE_BYTES = 8, 64


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessVerifier(NoteVerifier):
    """A witness's public key under the name it signs with."""

    algorithm: ClassVar[bytes] = b"\x04"
    """Signature type: Ed25519 over a time and the note's text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessSigner:
    """A witness's private key under the name it signs with."""

    name: str
    private_key: Ed25519PrivateKey

    @property
    def verifier(self) -> WitnessVerifier:
        """The public half."""
        return WitnessVerifier(name=self.name, public_key=self.private_key.public_key().public_bytes_raw())

    def cosign(self, note: bytes, time: int) -> bytes:
        """``note`` with this witness's signature line behind the others.

        Only ``provenance.log.witness`` should call this: it knows what was signed before.

        Args:
            note: a checkpoint that was found consistent.
            time: seconds since 1970.
        """
        text, _ = split_note(note)
        signature = self.private_key.sign(_message(text, time))
        blob = self.verifier.key_id + time.to_bytes(_TIME_BYTES, "big") + signature
        return merged(note, note + _line(self.name, blob))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosignature:
    """One witness's statement under a checkpoint, its signature checked.

    Attributes:
        witness: the witness's name.
        time: when it signed, seconds since 1970 by its own clock.
    """

    witness: str
    time: int


def cosignatures(note: bytes, witnesses: Iterable[WitnessVerifier]) -> tuple[Cosignature, ...]:
    """What the ``witnesses`` say under ``note``; signatures of all others are passed over.

    Raises:
        IntegrityError: ``log.cosignature`` for a false one in the name of a known key;
            ``log.checkpoint-malformed``.
    """
    text, signatures = split_note(note)
    known = {(witness.name, witness.key_id): witness for witness in witnesses}
    return tuple(
        _checked(text, blob[4:], known[name, blob[:4]])
        for name, blob in signatures
        if (name, blob[:4]) in known
    )


def merged(note: bytes, other: bytes) -> bytes:
    """``note`` with the signature lines of ``other`` that it lacks: one for each name and key.

    Raises:
        ValueError: they are of two checkpoints.
        IntegrityError: ``log.checkpoint-malformed``.
    """
    (text, ours), (their_text, theirs) = split_note(note), split_note(other)
    if text != their_text:
        raise ValueError("the signatures are of another checkpoint")
    lines: dict[tuple[str, bytes], bytes] = {}
    for name, blob in (*ours, *theirs):
        lines.setdefault((name, blob[:4]), _line(name, blob))
    return f"{text}\n".encode() + b"".join(lines.values())


def only_by(note: bytes, signers: Sequence[NoteVerifier]) -> bytes:
    """``note`` without the lines of others than ``signers``."""
    text, signatures = split_note(note)
    kept = {(signer.name, signer.key_id) for signer in signers}
    lines = [_line(name, blob) for name, blob in signatures if (name, blob[:4]) in kept]
    return f"{text}\n".encode() + b"".join(lines)


def _checked(text: str, signature: bytes, witness: WitnessVerifier) -> Cosignature:
    time = int.from_bytes(signature[:_TIME_BYTES], "big")
    if len(signature) != _TIME_BYTES + _SIGNATURE_BYTES or time > _LATEST_TIME:
        raise _false(witness)
    key = Ed25519PublicKey.from_public_bytes(witness.public_key)
    try:
        key.verify(signature[_TIME_BYTES:], _message(text, time))
    except InvalidSignature as error:
        raise _false(witness) from error
    return Cosignature(witness=witness.name, time=time)


def _false(witness: WitnessVerifier) -> IntegrityError:
    what = f"the cosignature in the name of {witness.name} does not fit the checkpoint"
    return IntegrityError("log.cosignature", what)


def _message(text: str, time: int) -> bytes:
    if not 0 <= time <= _LATEST_TIME:
        raise ValueError(f"{time} is no time of a cosignature")
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def _line(name: str, blob: bytes) -> bytes:
    return f"— {name} {base64.b64encode(blob).decode()}\n".encode()
