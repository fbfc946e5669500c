"""Adapter files (LoRA and learned words): looked through before any library sees them, digested.

An adapter is one safetensors file, alone or as ``adapter.safetensors`` in a folder beside the record of its
training. The file names that record by digest in its metadata, and the record names the weights.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generators.lora_strength import SAID
from generators.tensor_files import metadata_of, read_header
from provenance.errors import InputError, IntegrityError
from provenance.files import can_be_named, read_bounded

if TYPE_CHECKING:
    from generators.request import AdapterRef

ADAPTER, RECORD, PRIVATE = "adapter.safetensors", "training.json", "training.private.json"
"""Names in the folder of a trained adapter. The last is for its owner only: names of files, words, seeds, and
where the base lies."""
METHOD, BASE, TRAINING = "mediaguard.method", "mediaguard.base", "mediaguard.training"
"""Metadata: how it was trained, digest of the weights it was trained on, digest of the training record."""
RECORDED = "mediaguard.record"
"""Metadata of whole models: the file name of their record, which in turn names their digest."""
MADE_OF = "mediaguard.made-of"
"""Metadata of whole models: digest of what their record says that they were made of."""
_MOST = 4 * 2**30
"""Bytes of one adapter; beyond this it is a whole model."""
_MOST_RECORD = 64 * 2**20
"""Bytes of a record; one of ten thousand pictures has two million."""
_MOST_SCALE = 10.0
_SHOWN = 200
"""Characters of a name that is none."""
_OURS = {METHOD: re.compile(r"[a-z0-9-]{1,64}"), TRAINING: re.compile(r"[0-9a-f]{64}")}
"""What becomes public, in manifests of whatever is made with the adapter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterFile:
    """An adapter that was looked through and may be loaded.

    Attributes:
        path: the safetensors file.
        method: how it was trained; "unknown" for files of other programs.
        sha256: of the file, lower-case hex.
        base: digest of the weights it was trained on, None if the file does not say.
        training: SHA-256 of the record of its training, None if the file does not name one.
        recorded: whether that record lies beside the file.
        words: names of learned words, as ``<pet>``.
        lora: whether it holds low-rank changes of weights.
        strength: what its header says of the strength of these, as ``generators.lora_strength`` reads it.
        scale: strength asked for.
    """

    path: Path
    method: str
    sha256: str
    base: str | None
    training: str | None
    recorded: bool
    words: tuple[str, ...]
    lora: bool
    strength: str | None
    scale: float


def examine_adapter(asked: AdapterRef) -> AdapterFile:
    """Look through one adapter.

    Raises:
        InputError: ``adapter.not-found``, ``adapter.not-safetensors``, ``adapter.unknown-layout``,
            ``adapter.scale``.
        IntegrityError: ``adapter.record-differs``: the record beside it is not the one it was made with.
    """
    if not 0 <= asked.scale <= _MOST_SCALE:
        raise _bad_scale(f"the scale of an adapter is 0 to {_MOST_SCALE:g}", f"0 to {_MOST_SCALE:g}", asked)
    if not can_be_named(asked.ref):
        raise _bad("adapter.not-found", "no folder can have this name", asked.ref[:_SHOWN])
    path = Path(os.path.expanduser(asked.ref))  # noqa: PTH111 - Path raises where there is no such user
    path = path / ADAPTER if path.is_dir() else path
    if not path.is_file():
        raise _bad("adapter.not-found", "there is no adapter here", asked.ref)
    header, sha256 = _read(path)
    said = metadata_of(header)
    words = tuple(sorted(name for name in header if name.startswith("<") and name.endswith(">")))
    lora = any(".lora" in name or "_lora." in name for name in header)
    if not (words or lora):
        raise _bad("adapter.unknown-layout", "the file holds neither a LoRA nor a learned word", asked.ref)
    if words and asked.scale not in (0, 1):
        raise _bad_scale("a learned word is there or not: its scale is 0 or 1", "0 or 1", asked)
    if any(name in said and not form.fullmatch(str(said[name])) for name, form in _OURS.items()):
        raise _bad("adapter.unknown-layout", "what the file says of its training is damaged", asked.ref)
    recorded = _is_recorded(path, said.get(TRAINING))
    return AdapterFile(
        path=path,
        method=str(said.get(METHOD, "unknown")),
        sha256=sha256,
        base=said.get(BASE),
        training=said.get(TRAINING),
        recorded=recorded,
        words=words,
        lora=lora,
        strength=said.get(SAID),
        scale=float(asked.scale),
    )


def _read(path: Path) -> tuple[dict[str, Any], str]:
    header = read_header(path) if path.stat().st_size <= _MOST else None
    if header is None:
        raise not_safetensors(path)
    with path.open("rb") as file:
        return header, hashlib.file_digest(file, "sha256").hexdigest()


def _is_recorded(path: Path, named: object) -> bool:
    """Whether a record lies beside an adapter, which must then be the one that it names."""
    if path.name != ADAPTER or not (path.parent / RECORD).is_file():
        return False
    if record_sha256(path.parent) != named:
        raise IntegrityError(
            "adapter.record-differs",
            "the training record beside the adapter is not the one it was made with",
            where=str(path.parent / RECORD),
            hint="restore the folder from a copy, or train again",
        )
    return True


def record_beside(folder: Path) -> bytes | None:
    """The record of training in ``folder``, whole; None where there is none.

    Raises:
        InputError: ``input.too-large``.
    """
    path = folder / RECORD
    return read_bounded(path, most=_MOST_RECORD) if path.is_file() else None


def record_sha256(folder: Path) -> str | None:
    """SHA-256 of ``record_beside``, lower-case hex."""
    record = record_beside(folder)
    return None if record is None else hashlib.sha256(record).hexdigest()


def not_safetensors(path: Path) -> InputError:
    """The error for an adapter that is no such file, or damaged."""
    return _bad("adapter.not-safetensors", "the file is no safetensors file of an adapter", str(path))


def _bad_scale(what: str, values: str, asked: AdapterRef) -> InputError:
    hint = f"the scale stands behind the last colon, {values}; 1 is as trained"
    return InputError("adapter.scale", what, where=asked.ref, hint=hint)


def _bad(code: str, what: str, where: str) -> InputError:
    return InputError(
        code, what, where=where, hint="name a folder that holds adapter.safetensors and training.json"
    )
