"""The index of withdrawals beside a log: a file that says how far it goes, signed with the log's key.

One line for each withdrawal (place, manifest, commitment to the reason, time), behind a signed note::

    org.mediaguard.recalled.v1
    mediaguard.local/0123456789abcdef
    entries 246 <base64 of the roots of the largest complete subtrees, from left to right>
    withdrawals 2 <hex SHA-256 of these lines>

Who could write it? Whoever can write the log's folder: a backup put back, a shared disk, another program. So
it is believed only where the log's own key signed it, and where its tree and the entries behind it give the
root of the log's checkpoint. A forged or torn one fails its signature, an older one covers less and the rest
is read from the entries, one of another history does not lead to the log's root: each of them costs time and
hides nothing. It is built from entries that were hashed up to the signed root, so what was changed in the
files is never signed either. Whoever holds the log's key could write another log; against that stand
witnesses, not this file.
"""

from __future__ import annotations

import base64
import hashlib
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from provenance.errors import Error
from provenance.files import read_bounded, write_private
from provenance.log.checkpoint import open_note
from provenance.log.leaves import WithdrawalLeaf
from provenance.log.merkle import Frontier

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from provenance.log.checkpoint import NoteSigner, NoteVerifier

INDEX = "recalled"
"""Beside the checkpoint in the log's working folder; it is not exported."""
_MOST_BYTES = 64 * 2**20
_TYPE = "org.mediaguard.recalled.v1"
"""The first line, which keeps the note from being taken for a checkpoint: there it is the log's name."""
_TEXT = re.compile(
    re.escape(_TYPE) + r"\n(\S{1,200})\nentries ([0-9]{1,18})((?: [A-Za-z0-9+/]{43}=){0,63})\n"
    r"withdrawals ([0-9]{1,9}) ([0-9a-f]{64})\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallIndex:
    """What the first entries of a log withdrew.

    Attributes:
        size: how many entries.
        peaks: of the tree over them, as in ``provenance.log.merkle.Frontier``.
        leaves: every withdrawal among them, by its place.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()
    leaves: Mapping[int, WithdrawalLeaf] = field(default_factory=dict)

    def frontier(self) -> Frontier:
        """The tree, for entries to be added."""
        return Frontier(size=self.size, peaks=list(self.peaks))


def read_index(folder: Path, verifier: NoteVerifier) -> RecallIndex:
    """The one in ``folder``, if the log's key signed it; otherwise that of an empty tree."""
    with suppress(Error, ValueError):
        stored = read_bounded(folder / INDEX, most=_MOST_BYTES)
        text, signatures, lines = stored.split(b"\n\n", 2)
        match = _TEXT.fullmatch(open_note(text + b"\n\n" + signatures + b"\n", verifier))
        if match is not None and match[1] == verifier.name and match[5] == hashlib.sha256(lines).hexdigest():
            peaks = tuple(base64.b64decode(one, validate=True) for one in match[3].split())
            leaves = dict(map(_parsed, lines.decode().splitlines()))
            return RecallIndex(size=int(match[2]), peaks=peaks, leaves=leaves)
    return RecallIndex()


def write_index(folder: Path, index: RecallIndex, signer: NoteSigner) -> None:
    """Put ``index`` in the place of the one before, in one piece.

    Raises:
        InputError: ``output.unwritable``.
        ConfigurationError: ``disk.full``, ``disk.failed``.
    """
    lines = "".join(
        f"{at} {leaf.manifest_sha256} {leaf.reason_commitment} {leaf.time}\n"
        for at, leaf in sorted(index.leaves.items())
    ).encode()
    peaks = "".join(f" {base64.b64encode(one).decode()}" for one in index.peaks)
    text = (
        f"{_TYPE}\n{signer.name}\nentries {index.size}{peaks}\n"
        f"withdrawals {len(index.leaves)} {hashlib.sha256(lines).hexdigest()}\n"
    )
    write_private(folder / INDEX, signer.sign(text) + b"\n" + lines, overwrite=True)


def _parsed(line: str) -> tuple[int, WithdrawalLeaf]:
    at, manifest, reason, time = line.split(" ")
    return int(at), WithdrawalLeaf(manifest_sha256=manifest, reason_commitment=reason, time=int(time))
