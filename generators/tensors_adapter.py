"""The one reader of tensors: safetensors files, bounded, whatever the library says in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file

from generators.tensor_files import read_header
from provenance.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

MOST = 8 * 2**30
"""Bytes of a file that is read whole; larger models are read by diffusers, part by part."""
Tensors = dict[str, torch.Tensor]


def read_tensors(
    path: Path, *, most: int = MOST, single: bool = True, refusal: InputError | None = None
) -> Tensors:
    """The tensors of a file, sorted by name.

    Args:
        path: of a file that was looked through (``generators.weights``).
        most: bytes that it may have.
        single: in single precision; else in their own.
        refusal: what is raised instead of ``weights.not-safetensors``.

    Raises:
        InputError: ``weights.not-safetensors``: no such file, none of that format, or damaged;
            ``weights.too-large``.
    """
    refusal = refusal or not_safetensors(path)
    try:
        if path.stat().st_size > most:
            what = f"the file has more than {most >> 20} MiB"
            raise InputError("weights.too-large", what, where=str(path))
        tensors = sorted(load_file(path).items())
        return {name: value.float() if single else value for name, value in tensors}
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise refusal from error


def header_of(path: Path) -> dict[str, Any]:
    """What ``generators.tensor_files.read_header`` reads, of a file that the library would open.

    Raises:
        InputError: ``weights.not-safetensors``.
    """
    try:
        with safe_open(path, framework="pt"):
            header = read_header(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise not_safetensors(path) from error
    if header is None:
        raise not_safetensors(path)
    return header


def filled(network: Any, path: Path, *, what: str) -> Any:
    """``network`` with the tensors of a file, in single precision.

    Raises:
        InputError: ``weights.not-safetensors``, saying ``what``: no such file, or of another network.
    """
    refusal = InputError("weights.not-safetensors", what, where=path.name)
    try:
        network.load_state_dict(read_tensors(path, refusal=refusal))
    except RuntimeError as error:
        raise refusal from error
    return network


def not_safetensors(path: Path) -> InputError:
    """The error for a file that is none of that format, or damaged."""
    return InputError("weights.not-safetensors", "the file cannot be read as safetensors", where=str(path))
