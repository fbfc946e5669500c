"""What the adapters of foreign marks share: weights from local files, pictures in and residuals out.

``trustmark:FILE`` and the like name a list of digests as ``sha256sum`` writes it, beside the networks it
lists:

    3f0c…  encoder_Q.onnx
    91ab…  decoder_Q.onnx

A decoder alone is enough to read. What the networks take and return is checked when they are loaded; how
they are used follows what their authors publish, cited in each adapter. Their weights were not at hand when
these were written: they were tried on small networks with the same inputs and outputs (ADR 4).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image

from provenance.errors import ConfigurationError, InputError
from provenance.watermark.weights import Contract, load

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provenance.watermark.methods import MethodOptions
    from provenance.watermark.weights import Network

SIDE = 256
"""Pixels that the embedding networks work at."""
_LONGEST_LIST = 64 * 1024
"""Bytes of a list of digests."""


def listed_files(options: MethodOptions, name: str) -> dict[Path, str]:
    """File → digest, from a list as ``sha256sum`` writes it; files lie beside the list."""
    if options.file is None:
        raise InputError(
            "watermark.method",
            f"{name} needs a list of its weights' digests, which are never downloaded",
            hint=f"sha256sum *.onnx > {name}.sha256, beside the files, then {name}:{name}.sha256",
        )
    path = Path(options.file)
    try:
        with path.open("rb") as file:
            lines = file.read(_LONGEST_LIST).decode("ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            "weights.missing",
            f"the list of digests of {name}'s weights cannot be read",
            where=options.file,
            hint=f"sha256sum *.onnx > {name}.sha256, beside the files",
        ) from error
    return dict(_entry(line, path) for line in lines if line.strip())


def _entry(line: str, path: Path) -> tuple[Path, str]:
    digest, _, name = line.strip().partition(" ")
    name = name.strip().removeprefix("*")
    if len(digest) != 64 or not set(digest.lower()) <= set("0123456789abcdef") or Path(name).name != name:
        raise unlike(path, "each line must be a SHA-256 digest and the name of a file beside the list")
    return path.parent / name, digest


def only(listed: dict[Path, str], start: str) -> Path:
    """The one ONNX file whose name begins so.

    Raises:
        ConfigurationError: ``weights.missing`` when there is none or another.
    """
    found = [path for path in listed if path.name.startswith(start) and path.suffix == ".onnx"]
    if len(found) != 1:
        raise ConfigurationError(
            "weights.missing",
            f"the list must name one file {start}….onnx; it names {len(found)}",
            hint="TorchScript and checkpoints are not loaded: docs/guide/legacy-marks.md says how to export",
        )
    return found[0]


def optional(
    listed: dict[Path, str], name: str, contract: Contract, options: MethodOptions
) -> Network | None:
    """The network in the file of this name; None when the list does not name it."""
    for path, digest in listed.items():
        if path.name == name:
            return load(path, digest, contract, threads=options.threads, feature=name)
    return None


def needed(encoder: Network | None, name: str) -> Network:
    """``encoder``.

    Raises:
        ConfigurationError: ``weights.missing`` without one.
    """
    if encoder is None:
        raise ConfigurationError(
            "weights.missing",
            f"{name} can only be read here: its list of digests names no embedding network",
            hint="add the embedding network's file and digest to the list",
        )
    return encoder


def reduced(pixels: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
    """(1, 3, side, side) in 0..1; Pillow's bilinear filter averages over what it leaves out, as theirs do."""
    small = Image.fromarray(np.ascontiguousarray(pixels)).resize((side, side), Image.Resampling.BILINEAR)
    return np.ascontiguousarray(np.asarray(small, np.float32).transpose(2, 0, 1)[None] / np.float32(255))


def added(pixels: NDArray[np.uint8], residual: NDArray[np.float32]) -> NDArray[np.uint8]:
    """``pixels`` with a (1, 3, h, w) ``residual`` in units of 0..1, enlarged to their size."""
    change = np.ascontiguousarray(residual[0].transpose(1, 2, 0)) * np.float32(255)
    full = cv2.resize(change, (pixels.shape[1], pixels.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.add(pixels, full, dtype=cv2.CV_8U))


def digests(encoder: Network | None, decoder: Network) -> str:
    """The networks' digests, for ``Method.identity``."""
    told = [network.sha256[:16] for network in (encoder, decoder) if network is not None]
    return f"sha256 {' and '.join(told)}"


def unlike(path: Path, why: str) -> ConfigurationError:
    """``weights.contract``: a file is not what its method is published with."""
    return ConfigurationError("weights.contract", f"{path.name}: {why}", where=str(path))
