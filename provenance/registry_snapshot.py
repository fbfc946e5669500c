"""The signed head of a published registry: which files belong to it, and which state of it this is.

A note in the envelope of C2SP signed-note, signed with the publisher's log key::

    org.mediaguard.registry.v1
    mediaguard.local/0123456789abcdef
    sequence 1795372800
    time 1795372800
    files 123 <hex SHA-256 of SHA256SUMS>
    log 246 <base64 root>

The first line keeps it from being taken for a checkpoint, whose first line is the log's name. A mirror that
drops, changes or adds a file breaks the digest; one that shows an older state shows a smaller number.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from provenance.errors import IntegrityError
from provenance.log.checkpoint import NoteSigner, NoteVerifier, open_note
from provenance.registry_layout import SNAPSHOT, VKEY, unreadable

_TYPE = "org.mediaguard.registry.v1"
_TEXT = re.compile(
    re.escape(_TYPE) + r"\n(\S{1,200})\nsequence ([0-9]{1,15})\ntime ([0-9]{1,12})\n"
    r"files ([0-9]{1,9}) ([0-9a-f]{64})\nlog ([0-9]{1,18}) ([A-Za-z0-9+/]{43}=)\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One state of a published registry.

    Attributes:
        origin: name of the publisher's log, which is also that of the signing key.
        sequence: grows with every publication that changed something.
        time: of publication, seconds since 1970 by the publisher's clock.
        files: how many ``SHA256SUMS`` lists.
        sums_sha256: hex digest of ``SHA256SUMS``.
        log_size: entries of the log that came with it.
        log_root: root over them, 32 bytes.
    """

    origin: str
    sequence: int
    time: int
    files: int
    sums_sha256: str
    log_size: int
    log_root: bytes

    def text(self) -> str:
        """The signed part."""
        return (
            f"{_TYPE}\n{self.origin}\nsequence {self.sequence}\ntime {self.time}\n"
            f"files {self.files} {self.sums_sha256}\n"
            f"log {self.log_size} {base64.b64encode(self.log_root).decode()}\n"
        )


def sign_snapshot(snapshot: Snapshot, signer: NoteSigner) -> bytes:
    """The note to publish."""
    return signer.sign(snapshot.text())


def open_snapshot(note: bytes, verifier: NoteVerifier) -> Snapshot:
    """The snapshot in ``note``, its signature checked.

    Raises:
        IntegrityError: ``registry.published-signature``, ``registry.published-damaged``.
    """
    try:
        match = _TEXT.fullmatch(open_note(note, verifier))
    except IntegrityError as error:
        what = f"the registry's snapshot is not signed by {verifier.name}: {error.what}"
        hint = "fetch it again; if it stays so, somebody else wrote it"
        raise IntegrityError("registry.published-signature", what, where=SNAPSHOT, hint=hint) from error
    if match is None or match[1] != verifier.name:
        raise unreadable(SNAPSHOT, "what is signed is no snapshot of this registry")
    try:
        root = base64.b64decode(match[7], validate=True)
    except binascii.Error as error:
        raise unreadable(SNAPSHOT, "the root is not base64") from error
    return Snapshot(
        origin=match[1],
        sequence=int(match[2]),
        time=int(match[3]),
        files=int(match[4]),
        sums_sha256=match[5],
        log_size=int(match[6]),
        log_root=root,
    )


def parse_vkey(data: bytes) -> NoteVerifier:
    """The publisher's key.

    Raises:
        IntegrityError: ``registry.published-damaged``.
    """
    try:
        return NoteVerifier.parse(data.decode("ascii").strip())
    except (ValueError, UnicodeDecodeError) as error:
        raise unreadable(VKEY, f"it is no key: {error}") from error
