"""Receipts: that the publisher's log allowed a release, for whoever has nothing of the log but its key.

A receipt holds the entry, its proof and the checkpoint that the proof leads to. The checkpoint is that of
the day of publication, so a receipt is written once and stays right however the log grows. The form is that
of the C2PA Soft Binding Resolution API 2.4, which leaves the proof to the repository. That it was verified is
not said in it, but found by its reader.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provenance.errors import IntegrityError
from provenance.log.checkpoint import open_checkpoint
from provenance.log.leaves import ALLOW, DecisionLeaf, parse_leaf
from provenance.log.merkle import leaf_hash, verify_inclusion
from provenance.registry_layout import LOG, parsed, receipts_path, unreadable, written

if TYPE_CHECKING:
    from provenance.canonical import Json
    from provenance.log.checkpoint import NoteVerifier
    from provenance.log.store import Log

TYPE = "org.mediaguard.log-inclusion"
RECEIPT = "org.c2pa.manifest-receipt"
_CONTEXT: dict[str, Json] = {
    "c2pa": "https://c2pa.org/ns/",
    "receipt": "https://c2pa.org/ns/manifest-receipt#",
}
_MOST_STEPS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """That the log allowed a release.

    Attributes:
        log_index: of the ALLOW.
        leaf: that entry.
    """

    log_index: int
    leaf: DecisionLeaf


def receipt_document(log: Log, origin: str, manifest_sha256: str, index: int) -> bytes:
    """The file that proves that ``log`` holds the ALLOW of a manifest at ``index``.

    Raises:
        IntegrityError: the log is damaged.
    """
    return written(
        {
            "@context": _CONTEXT,
            "@type": RECEIPT,
            # Relative to this file, so that they hold wherever the folder is served from.
            "repository": {"uri": "../..", "manifestId": manifest_sha256},
            "anchor": {
                "uri": f"../../{LOG}/checkpoint",
                "parameters": {"type": TYPE, "origin": origin, "logIndex": index},
                "proof": {
                    "entry": base64.b64encode(log.entry(index)).decode(),
                    "checkpoint": log.note().decode(),
                    "path": [base64.b64encode(step).decode() for step in log.prove_inclusion(index)],
                },
            },
        }
    )


def receipt_of(data: bytes, manifest_sha256: str, publisher: NoteVerifier) -> Receipt:
    """The receipt of a manifest in the file ``data``, its proof followed to a checkpoint of ``publisher``.

    Raises:
        IntegrityError: ``registry.not-logged``, ``registry.published-damaged``, ``log.…``.
    """
    path = receipts_path(manifest_sha256)
    found = _checked(parsed(data, path), path, publisher)
    if found is None or found.leaf.action != ALLOW or found.leaf.manifest_sha256 != manifest_sha256:
        raise not_logged(manifest_sha256)
    return found


def not_logged(manifest_sha256: str) -> IntegrityError:
    """The publisher's log does not hold the release."""
    return IntegrityError(
        "registry.not-logged",
        f"the publisher's log does not show that manifest {manifest_sha256[:16]}… was released",
        hint="ask the publisher",
    )


def _checked(document: dict[str, Any], path: str, publisher: NoteVerifier) -> Receipt | None:
    try:
        anchor = document["anchor"]
        index, proof = anchor["parameters"]["logIndex"], anchor["proof"]
        entry = base64.b64decode(proof["entry"], validate=True)
        steps = [base64.b64decode(step, validate=True) for step in proof["path"][:_MOST_STEPS]]
        note = proof["checkpoint"].encode()
    except (KeyError, TypeError, AttributeError, ValueError, binascii.Error) as error:
        raise unreadable(path, "it is no receipt") from error
    head = open_checkpoint(note, publisher)
    whole = type(index) is int and verify_inclusion(index, head.size, leaf_hash(entry), steps, head.root)
    leaf = parse_leaf(entry) if whole else None
    return Receipt(log_index=index, leaf=leaf) if isinstance(leaf, DecisionLeaf) else None
