"""Networks from local files: read once, checked against their digest, run by onnxruntime.

The bytes that were hashed are the bytes that run. Nothing is ever downloaded, and ONNX is the only format:
it holds a graph of known operations, where a pickle or TorchScript file holds code (ADR 4).
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from provenance.errors import ConfigurationError, InputError, missing_extra
from provenance.files import read_bounded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import onnxruntime
    from numpy.typing import NDArray

_LARGEST = 2 * 2**30
"""Bytes; protobuf cannot hold more in one ONNX file."""
_ERRORS_ONLY = 3
"""onnxruntime's log level: its warnings about unused initialisers concern nobody here."""

Shape = tuple[int | None, ...]
"""Expected sizes; None where any size will do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What a published network takes and returns, by name.

    Attributes:
        inputs: name → shape.
        outputs: name → shape.
    """

    inputs: Mapping[str, Shape]
    outputs: Mapping[str, Shape]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Network:
    """A loaded network.

    Attributes:
        session: of onnxruntime.
        sha256: of its file.
        contract: it keeps.
    """

    session: onnxruntime.InferenceSession
    sha256: str
    contract: Contract

    def run(self, **inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """The first output of the contract.

        Raises:
            ConfigurationError: ``weights.contract`` when the network cannot take the inputs.
        """
        return self.run_named(inputs)

    def run_named(self, inputs: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """As ``run``, for input names that Python has no word for."""
        try:
            made = self.session.run([next(iter(self.contract.outputs))], dict(inputs))
        except Exception as error:  # onnxruntime raises a class of its own for each status
            raise _broken("the network does not run on this input", error) from error
        return np.asarray(made[0], np.float32)


def load(path: Path, sha256: str, contract: Contract | None, *, threads: int, feature: str) -> Network:
    """The network in ``path``.

    Args:
        path: an ONNX file.
        sha256: hex digest it must have.
        contract: names and shapes it must have; None takes it with those it has.
        threads: to run on; one thread gives the same sums in the same order everywhere on one machine type.
        feature: what needs it, for the message.

    Raises:
        ConfigurationError: ``extra.missing`` without onnxruntime, ``weights.missing``, ``weights.digest`` or
            ``weights.contract``.
    """
    if find_spec("onnxruntime") is None:
        raise missing_extra("detect", feature)
    data = _read(path, feature)
    found = hashlib.sha256(data).hexdigest()
    if found != sha256.lower():
        raise ConfigurationError(
            "weights.digest",
            f"{path.name} is not the file that was asked for: its SHA-256 is {found}",
            where=str(path),
            hint="get the file again from where it is published, and check what digest is published with it",
        )
    session = _session(data, threads)
    if contract is not None:
        _check(session, contract, path)
    return Network(session=session, sha256=found, contract=contract or _own(session))


def _read(path: Path, feature: str) -> bytes:
    try:
        return read_bounded(path, most=_LARGEST)
    except InputError as error:
        if error.code == "input.too-large":
            what = f"{path.name} is too large for an ONNX file"
            raise ConfigurationError("weights.contract", what, where=str(path)) from error
        raise ConfigurationError(
            "weights.missing",
            f"{feature} needs the weights file {path.name}, which cannot be read",
            where=str(path),
            hint="weights are never downloaded: put the file there, or name the one that you have",
        ) from error


def _session(data: bytes, threads: int) -> onnxruntime.InferenceSession:
    import onnxruntime  # noqa: PLC0415 - optional

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = _ERRORS_ONLY
    # A network may name further files for its tensors, which no digest covers: look for them nowhere.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", os.devnull)
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises a class of its own for each status
        raise _broken("this is not an ONNX network that onnxruntime can load", error) from error


def _own(session: onnxruntime.InferenceSession) -> Contract:
    def sizes(nodes: Sequence[Any]) -> dict[str, Shape]:
        return {node.name: tuple(n if isinstance(n, int) else None for n in node.shape) for node in nodes}

    return Contract(inputs=sizes(session.get_inputs()), outputs=sizes(session.get_outputs()))


def _check(session: onnxruntime.InferenceSession, contract: Contract, path: Path) -> None:
    for kind, wanted, found in (
        ("input", contract.inputs, session.get_inputs()),
        ("output", contract.outputs, session.get_outputs()),
    ):
        shapes = {node.name: node.shape for node in found}
        for name, shape in wanted.items():
            if name not in shapes or not _fits(shapes[name], shape):
                raise ConfigurationError(
                    "weights.contract",
                    f"{path.name} has no {kind} {name!r} of shape {_shown(shape)}",
                    where=str(path),
                    hint=f"its {kind}s are {', '.join(f'{k} {_shown(v)}' for k, v in shapes.items())}",
                )


def _fits(found: list[int | str | None], wanted: Shape) -> bool:
    """Sizes that a file leaves open have names instead of numbers."""
    return len(found) == len(wanted) and all(
        size is None or not isinstance(have, int) or have == size
        for have, size in zip(found, wanted, strict=True)
    )


def _shown(shape: Shape | list[int | str | None]) -> str:
    return "x".join("?" if size is None else str(size) for size in shape)


def _broken(what: str, error: Exception) -> ConfigurationError:
    said = " ".join(str(error).split())[:200]
    return ConfigurationError("weights.contract", f"{what}: {said}")
