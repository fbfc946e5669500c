"""The training record: what an adapter was made of, without names, words or paths.

It lies beside the adapter and becomes an ingredient, by its digest, of whatever is made with it.
"""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from provenance.canonical import canonical_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provenance.canonical import Json

SCHEMA_VERSION = 1
_LIBRARIES = ("torch", "diffusers", "transformers", "peft", "numpy", "Pillow")


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFile:
    """One file that was learned from.

    Attributes:
        sha256: of the file, lower-case hex.
        licence: SPDX id or text, None if nobody said.
        consent: of whoever is shown or made it: "given", "not-needed" or "unknown".
    """

    sha256: str
    licence: str | None
    consent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRecord:
    """How one adapter or model was trained.

    Attributes:
        method: "lora", "dreambooth", …
        created_at: RFC 3339, UTC.
        base: reference of the model trained on; of a folder only its weights' digest; "none" for none.
        base_weights_sha256: digest over its weights.
        weights_sha256: digest over the tensors of the result.
        data: every file, sorted by digest.
        settings: everything numeric that was asked for: steps, seed, rank, rate, …
        class_seeds: of pictures that the base drew to keep its class.
        loss_before: mean loss on fixed draws of noise before the first step.
        loss_after: the same after the last; None of both for players against each other.
        environment: versions, device, threads.
        energy: of all sessions: joules, grams of CO2 equivalents, whether measured or estimated, and the
            assumptions; None in records of before.
    """

    method: str
    created_at: str
    base: str
    base_weights_sha256: str
    weights_sha256: str
    data: tuple[DataFile, ...]
    settings: Mapping[str, Json]
    class_seeds: tuple[int, ...]
    loss_before: float | None
    loss_after: float | None
    environment: Mapping[str, Json]
    energy: Mapping[str, Json] | None = None

    @classmethod
    def from_bytes(cls, data: bytes) -> TrainingRecord:
        """The record that ``to_bytes`` wrote.

        Raises:
            ValueError, KeyError, TypeError: it is none, or of another version.
        """
        body = json.loads(data)
        if body.pop("schema_version") != SCHEMA_VERSION:
            raise ValueError("a record of another version")
        files = tuple(DataFile(**one) for one in body.pop("data"))
        return cls(data=files, class_seeds=tuple(body.pop("class_seeds")), **body)

    def to_bytes(self) -> bytes:
        """Canonical JSON, as it is written."""
        body = asdict(self)
        body |= {"data": [asdict(one) for one in self.data], "class_seeds": list(self.class_seeds)}
        return canonical_bytes({"schema_version": SCHEMA_VERSION, **body})

    @property
    def sha256(self) -> str:
        """Of ``to_bytes``."""
        return hashlib.sha256(self.to_bytes()).hexdigest()


def environment(device: str, threads: int) -> dict[str, Json]:
    """Versions of what computes, and where."""
    libraries: dict[str, Json] = {name.lower(): version(name) for name in _LIBRARIES}
    return {
        "python": platform.python_version(),
        "libraries": libraries,
        "device": device,
        "threads": threads,
    }
