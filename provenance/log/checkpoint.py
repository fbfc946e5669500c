"""Checkpoints: the log's size and root as a signed note.

Text of C2SP tlog-checkpoint v1.0.0 inside the envelope of C2SP signed-note v1.0.0::

    example.com/log
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — example.com/log Az3grlgt...=
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import ClassVar, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from provenance.errors import IntegrityError
from provenance.log.merkle import HASH_BYTES

_NAME = re.compile(r"[^\s+\x00-\x1f\x7f]+")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_SIGNATURE_LINE = re.compile(r"— (\S+) ([A-Za-z0-9+/]+={0,2})")
MOST_NOTE_BYTES, _MAX_SIGNATURES = 16_384, 32
"""A note holds three lines and a few witnesses; anything longer is hostile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The head of a log.

    Attributes:
        origin: the log's name, unique to it; the first line and the key name.
        size: number of entries.
        root: Merkle tree hash over them, 32 bytes.
    """

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The signed part, ending in a newline."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteVerifier:
    """A log's public key under the name it signs with."""

    algorithm: ClassVar[bytes] = b"\x01"
    """Signature type: Ed25519 over the note's text. Part of the key id and of the key's text form."""

    name: str
    public_key: bytes
    """Raw Ed25519 public key, 32 bytes."""

    def __post_init__(self) -> None:
        if not self.can_be_named(self.name):
            raise ValueError(f"{self.name!r} cannot name a note key")
        if len(self.public_key) != 32:
            raise ValueError("an Ed25519 public key has 32 bytes")

    @staticmethod
    def can_be_named(name: str) -> bool:
        """Whether a key may have this name: no white space, no plus sign, no control characters."""
        return _NAME.fullmatch(name) is not None

    @property
    def key_id(self) -> bytes:
        """First 4 bytes of SHA-256(name || 0x0A || signature type || public key)."""
        return hashlib.sha256(self.name.encode() + b"\n" + self.algorithm + self.public_key).digest()[:4]

    def __str__(self) -> str:
        """The "vkey" text form that C2SP tools exchange: ``name+key id+base64``."""
        return (
            f"{self.name}+{self.key_id.hex()}+{base64.b64encode(self.algorithm + self.public_key).decode()}"
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        """The verifier whose text form is ``text``.

        Raises:
            ValueError: ``text`` is malformed, or its key id is not that of its name and key.
        """
        name, _, rest = text.partition("+")
        key_id, _, encoded = rest.partition("+")
        key = base64.b64decode(encoded, validate=True)
        if key[:1] != cls.algorithm:
            raise ValueError("the key is of another kind")
        verifier = cls(name=name, public_key=key[1:])
        if verifier.key_id.hex() != key_id:
            raise ValueError("the key id does not belong to this name and key")
        return verifier


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSigner:
    """A log's private key under the name it signs with."""

    name: str
    private_key: Ed25519PrivateKey

    @property
    def verifier(self) -> NoteVerifier:
        """The public half."""
        return NoteVerifier(name=self.name, public_key=self.private_key.public_key().public_bytes_raw())

    def sign(self, text: str) -> bytes:
        """The signed note over ``text``, which ends in a newline."""
        verifier = self.verifier
        signature = verifier.key_id + self.private_key.sign(text.encode())
        return f"{text}\n— {self.name} {base64.b64encode(signature).decode()}\n".encode()


def sign_checkpoint(checkpoint: Checkpoint, signer: NoteSigner) -> bytes:
    """The note to be published for ``checkpoint``; the signer bears the log's origin as its name."""
    if signer.name != checkpoint.origin:
        raise ValueError(f"{signer.name} cannot sign for {checkpoint.origin}")
    return signer.sign(checkpoint.text())


def open_checkpoint(note: bytes, verifier: NoteVerifier) -> Checkpoint:
    """The checkpoint in ``note`` after its signature by ``verifier`` has been checked.

    Signatures of other keys (witnesses) are allowed and ignored; extension lines after the root too.

    Raises:
        IntegrityError: ``log.checkpoint-malformed``, ``log.checkpoint-signature``, ``log.origin``.
    """
    checkpoint = parse_checkpoint(open_note(note, verifier))
    if checkpoint.origin != verifier.name:
        raise IntegrityError(
            "log.origin", f"the checkpoint is of {checkpoint.origin!r}, not {verifier.name!r}"
        )
    return checkpoint


def open_by_key(note: bytes, verifier: NoteVerifier) -> Checkpoint:
    """The same under whatever name the key of ``verifier`` has signed it.

    A key has one history. Whoever shows it under another name to others tells two stories all the same, and
    both have to fit into one tree.

    Raises:
        IntegrityError: as ``open_checkpoint``.
    """
    origin = parse_checkpoint(split_note(note)[0]).origin
    if origin != verifier.name and NoteVerifier.can_be_named(origin):
        verifier = NoteVerifier(name=origin, public_key=verifier.public_key)
    return open_checkpoint(note, verifier)


def open_note(note: bytes, verifier: NoteVerifier) -> str:
    """The text of ``note``, ending in a newline, after its signature by ``verifier`` has been checked.

    Raises:
        IntegrityError: ``log.checkpoint-malformed``, ``log.checkpoint-signature``.
    """
    text, signatures = split_note(note)
    _check_signature(text, signatures, verifier)
    return text


def split_note(note: bytes) -> tuple[str, tuple[tuple[str, bytes], ...]]:
    """The text of a signed note, and its signatures: who by name, then key id and signature in bytes.

    No signature is checked here.

    Raises:
        IntegrityError: ``log.checkpoint-malformed``.
    """
    if len(note) > MOST_NOTE_BYTES:
        raise _malformed("it is too long")
    try:
        whole = note.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _malformed("it is not UTF-8") from error
    if any(ord(char) < 0x20 and char != "\n" for char in whole) or not whole.endswith("\n"):
        raise _malformed("it has control characters or no last newline")
    text, found, lines = whole.rpartition("\n\n")
    if not found:
        raise _malformed("it has no signature block")
    matches = [_SIGNATURE_LINE.fullmatch(line) for line in lines[:-1].split("\n")]
    if len(matches) > _MAX_SIGNATURES:
        raise _malformed("it has too many signatures")
    return text + "\n", tuple(_signature(match) for match in matches)


def _signature(match: re.Match[str] | None) -> tuple[str, bytes]:
    if match is None:
        raise _malformed("a signature line is not one")
    try:
        blob = base64.b64decode(match[2], validate=True)
    except binascii.Error as error:
        raise _malformed("a signature is not base64") from error
    # Base64 has spare bits at its end; only one spelling of them is the signature that was written.
    if len(blob) < 5 or base64.b64encode(blob).decode() != match[2]:
        raise _malformed("a signature is too short or oddly spelled")
    return match[1], blob


def _check_signature(text: str, signatures: tuple[tuple[str, bytes], ...], verifier: NoteVerifier) -> None:
    """At least one signature by the key; a false one in its name spoils the note even beside a true one."""
    ours = [blob[4:] for name, blob in signatures if name == verifier.name and blob[:4] == verifier.key_id]
    if not ours:
        raise IntegrityError("log.checkpoint-signature", f"the checkpoint is not signed by {verifier.name}")
    key = Ed25519PublicKey.from_public_bytes(verifier.public_key)
    try:
        for signature in ours:
            key.verify(signature, text.encode())
    except InvalidSignature as error:
        raise IntegrityError(
            "log.checkpoint-signature", "the checkpoint's signature does not fit its text"
        ) from error


def parse_checkpoint(text: str) -> Checkpoint:
    """The checkpoint whose signed part is ``text``, believed as it stands.

    Raises:
        IntegrityError: ``log.checkpoint-malformed``.
    """
    origin, size, root, *_ = [*text.split("\n"), "", ""]
    if not origin or not _SIZE.fullmatch(size):
        raise _malformed("origin or size is missing")
    try:
        decoded = base64.b64decode(root, validate=True)
    except binascii.Error as error:
        raise _malformed("the root is not base64") from error
    if len(decoded) != HASH_BYTES or base64.b64encode(decoded).decode() != root:
        raise _malformed("the root is not a SHA-256 hash")
    return Checkpoint(origin=origin, size=int(size), root=decoded)


def _malformed(why: str) -> IntegrityError:
    return IntegrityError("log.checkpoint-malformed", f"the checkpoint cannot be read: {why}")
