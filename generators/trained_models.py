"""Models that were trained here: the record of their training lies in their folder, bound to their weights.

``training.json`` names the digest over all weight files; so it cannot stand beside others unnoticed.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from generators.adapter_files import RECORD
from provenance.errors import IntegrityError
from provenance.files import read_bounded

if TYPE_CHECKING:
    from generators.weights import Weights

_MOST = 64 * 2**20
"""Bytes of a record; one of ten thousand pictures has two million."""
_OURS = frozenset({"schema_version", "method", "weights_sha256", "data"})


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
        IntegrityError: ``model.record-differs``: the record is of other weights.
    """
    path = weights.folder / RECORD
    if not path.is_file():
        return None
    data = read_bounded(path, most=_MOST)
    try:
        told: Any = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or not told.keys() >= _OURS:
        return None
    if told["weights_sha256"] != weights.sha256:
        raise IntegrityError(
            "model.record-differs",
            "the training record in the model's folder is of other weights",
            where=weights.folder.name,
            hint="restore the folder from a copy, or train again",
        )
    return Training(sha256=hashlib.sha256(data).hexdigest(), data_licence=_licences(told["data"]))


def _licences(files: Any) -> str:
    said = [one.get("licence") for one in files if isinstance(one, dict)] if isinstance(files, list) else []
    if not said or not all(isinstance(licence, str) for licence in said):
        return "unknown"
    return " AND ".join(sorted({str(licence) for licence in said}))
