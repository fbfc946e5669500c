"""Models that were trained here: the record of their training lies in their folder, bound to their weights.

``training.json`` names the digest over all weight files; so it cannot stand beside others unnoticed. The
weights say that they have a record, and name the digest of what it says that they were made of; so it can be
neither taken away nor edited unnoticed. Motion weights, as adapters do, name the digest of the whole record
instead.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from generators.adapter_files import MADE_OF, RECORDED, TRAINING, record_beside, record_sha256
from generators.tensor_files import metadata_of, read_header
from provenance.canonical import canonical_bytes, digest
from provenance.errors import IntegrityError

if TYPE_CHECKING:
    from pathlib import Path

    from generators.weights import Weights

_OURS = frozenset({"schema_version", "method", "weights_sha256", "data"})
_OF_ONE_RUN = frozenset({"created_at", "energy", "weights_sha256"})
"""What two runs that make the same weights do not share: when and at what cost; and the digest over files
that cannot hold a digest over it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What a folder says of how its model was trained.

    Attributes:
        sha256: of the record, lower-case hex.
        data_licence: of what was learned from, joined with AND; "unknown" where one file had none.
    """

    sha256: str
    data_licence: str


def training_of(weights: Weights) -> Training | None:
    """The record beside the weights; None where there is none, or a file of that name of another program's.

    Raises:
        IntegrityError: ``model.record-differs``: the record is of other weights, or was edited; or it is
            gone or none, and the weights say that they have one.
    """
    data, said = record_beside(weights.folder), _said(weights)
    told = _told(data)
    if data is None or told is None:
        if any(RECORDED in one for one in said):
            what = "is not there" if data is None else "is none"
            raise _differs(weights.folder, f"the training record that belongs to the weights {what}")
        return None
    if told["weights_sha256"] != weights.sha256:
        raise _differs(weights.folder, "the training record in the model's folder is of other weights")
    named = {one[MADE_OF] for one in said if MADE_OF in one}
    if named and named != {made_of_sha256(data)}:
        raise _differs(weights.folder, "the training record in the model's folder was edited")
    return Training(sha256=hashlib.sha256(data).hexdigest(), data_licence=_licences(told["data"]))


def is_recorded(weights: Weights) -> bool:
    """Whether one of the files says that a record belongs to it; models of before say nothing."""
    return any(RECORDED in one for one in _said(weights))


def made_of_sha256(record: bytes) -> str | None:
    """SHA-256 of all that a record says but when, at what cost and for which weights.

    None of bytes that are not written as records are: a name that stands there twice would mean one thing
    here and another elsewhere.
    """
    told = _told(record)
    try:
        if told is None or canonical_bytes(told) != record:
            return None
    except ValueError:
        return None
    return digest({name: value for name, value in told.items() if name not in _OF_ONE_RUN})


def _said(weights: Weights) -> list[dict[str, Any]]:
    """The texts in each file's header."""
    return [metadata_of(read_header(weights.folder / file.path)) for file in weights.files]


def _told(data: bytes | None) -> dict[str, Any] | None:
    """What a record of ours says; None of anything else."""
    try:
        told: Any = json.loads(data or b"")
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) and told.keys() >= _OURS else None


def named_record(folder: Path, weights: Path) -> str | None:
    """SHA-256 of the record beside a file of weights that names it; None: it names none, and none is here.

    Raises:
        IntegrityError: ``model.record-differs``: the record is another, gone, or beside weights without one.
    """
    named, found = metadata_of(read_header(weights)).get(TRAINING), record_sha256(folder)
    if named != found:
        what = "the training record in the model's folder is not the one that the weights name"
        raise _differs(folder, what if found else "the training record that the weights name is not there")
    return found


def _differs(folder: Path, what: str) -> IntegrityError:
    hint = "restore the folder from a copy, or train again"
    return IntegrityError("model.record-differs", what, where=folder.name, hint=hint)


def _licences(files: Any) -> str:
    said = [one.get("licence") for one in files if isinstance(one, dict)] if isinstance(files, list) else []
    if not said or not all(isinstance(licence, str) for licence in said):
        return "unknown"
    return " AND ".join(sorted({str(licence) for licence in said}))
