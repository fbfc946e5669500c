"""The instruments of ``guard bench generators``: oracle, features, optical flow, pictures of a reference."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from audits.quality.features import Extractor, PixelGrid
from audits.robustness.samples import Refused, files_in, find_samples, pixels_of
from provenance.errors import Error, InputError, missing_extra

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audits.quality.oracle_adapter import OracleInstrument
    from audits.quality.warp import Flow

_GRID = re.compile(r"pixels-([1-9]\d?)x\1")
_ONNX = re.compile(r"onnx:(.+)@([0-9a-fA-F]{64})")
_MOST_REFERENCE = 20_000
"""Pictures of a reference."""


def oracle_of(folder: Path | None, *, needed: bool) -> OracleInstrument | None:
    """The oracle in ``folder`` or of this installation, where there is something for it to read.

    Raises:
        ConfigurationError: ``oracle.missing``, ``extra.missing``.
        IntegrityError: ``oracle.damaged``.
    """
    if not needed:
        return None
    if find_spec("torch") is None or find_spec("safetensors") is None:
        raise missing_extra("generate", "the oracle")
    from audits.quality.oracle_adapter import load_oracle  # noqa: PLC0415 - torch

    return load_oracle(folder)


def extractor_of(name: str, oracle: OracleInstrument | None, folder: Path | None) -> Extractor:
    """The features of this name: ``pixels-8x8``, ``oracle``, ``onnx:FILE@SHA256``.

    Raises:
        InputError: ``bench.features``.
        ConfigurationError: ``oracle.missing``, ``extra.missing``, ``weights.…``.
    """
    if (grid := _GRID.fullmatch(name)) is not None:
        return PixelGrid(side=int(grid[1]))
    if name == "oracle":
        found = oracle or oracle_of(folder, needed=True)
        assert found is not None
        return found
    if (foreign := _ONNX.fullmatch(name)) is not None:
        from audits.quality.foreign import load_features  # noqa: PLC0415 - onnxruntime

        return load_features(Path(foreign[1]), foreign[2])
    raise InputError(
        "bench.features",
        "there are no features of this name",
        where=name,
        hint="pixels-8x8, oracle, or onnx:FILE@SHA256 with the 64 digits of the file's digest",
    )


def flow_of() -> tuple[str, Flow] | None:
    """Optical flow and its name; None without OpenCV."""
    if find_spec("cv2") is None:
        return None
    from audits.quality.flow_adapter import NAME, flow  # noqa: PLC0415 - OpenCV

    return NAME, flow


def reference_of(
    folder: Path | None, extractor: Extractor | None
) -> tuple[NDArray[np.float64] | None, tuple[Refused, ...]]:
    """Features (N, D) of the pictures in a folder, and the files that could not be used.

    Raises:
        InputError: ``bench.folder``, ``bench.no-pictures``.
    """
    if folder is None or extractor is None:
        return None, ()
    samples, left = find_samples(files_in(folder), most=_MOST_REFERENCE)
    rows, refused = [], list(left)
    for sample in samples:
        try:
            rows.append(extractor(pixels_of(sample)))
        except Error as error:
            refused.append(Refused.of(sample.name, error))
    if not rows:
        what, hint = "there is no picture to measure from", "put PNG, JPEG, WebP or TIFF pictures there"
        raise InputError("bench.no-pictures", what, where=str(folder), hint=hint)
    return np.stack(rows), tuple(refused)
