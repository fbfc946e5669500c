"""Convert the faces of the ``gan-face-generate`` wheel: ``python -m generators.training.dcgan_convert …``.

A DCGAN of 64 pixels (MIT) that was trained on renders of DigiFace-1M, whose own terms are said to allow
research only: the card says that its data licence is unclear, and policies can act on that. The wheel is
read, never installed or imported; it has to have the SHA-256 that was asked for; and its one file of weights
is read by PyTorch's restricted reader, which builds tensors and refuses everything else.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import pickle
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save_file

from generators.dcgan_adapter import build
from generators.gan_files import CARD, KIND_DCGAN, WEIGHTS
from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

WHEEL_SHA256 = "24102f4be41d164e44251168ede0458a45e498a888c81493e2aea48529640569"
"""Of ``gan_face_generate-1.1.1-py3-none-any.whl``."""
_MEMBER, _PLAYER = "gan_face_generate/weights.tar", "netG_state_dict"
_MAX_BYTES = 64 * 2**20
DATA_LICENCE = "unclear: trained on DigiFace-1M, whose terms are reported as non-commercial research only"


def convert(wheel: Path, sha256: str, out: Path) -> None:
    """Write ``generator.safetensors`` and ``card.json`` into ``out``.

    Raises:
        InputError: ``weights.digest``, ``weights.contract``, ``gan.layout``.
    """
    tensors = _tensors(wheel, sha256)
    build(tensors)
    out.mkdir(parents=True, exist_ok=True)
    save_file({name: value.contiguous() for name, value in tensors.items()}, out / WEIGHTS)
    (out / WEIGHTS).chmod(0o644)
    card = {
        "kind": KIND_DCGAN,
        "name": "gan-face-generate DCGAN",
        "licence": "MIT",
        "data_licence": DATA_LICENCE,
    }
    (out / CARD).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def _tensors(wheel: Path, sha256: str) -> dict[str, torch.Tensor]:
    data = wheel.read_bytes() if wheel.is_file() and wheel.stat().st_size <= _MAX_BYTES else b""
    if hashlib.sha256(data).hexdigest() != sha256.lower():
        raise InputError(
            "weights.digest",
            "there is no file with the digest that was asked for",
            where=str(wheel),
            hint="pip download --no-deps gan-face-generate==1.1.1",
        )
    try:
        state: Mapping[str, torch.Tensor] = _loaded(data)[_PLAYER]
        return {name: value for name, value in state.items() if value.is_floating_point()}
    except (
        zipfile.BadZipFile,
        pickle.UnpicklingError,
        LookupError,
        ValueError,
        RuntimeError,
        TypeError,
        AttributeError,
    ) as error:
        raise InputError(
            "weights.contract", "the wheel does not hold the weights of this DCGAN", where=wheel.name
        ) from error


def _loaded(data: bytes) -> Any:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        member = archive.getinfo(_MEMBER)
        if member.file_size > _MAX_BYTES:
            raise ValueError(member.file_size)
        content = io.BytesIO(archive.read(member))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of formats it will then refuse
        return torch.load(content, weights_only=True, map_location="cpu")


def main(arguments: list[str] | None = None) -> None:
    """Command-line entry."""
    parser = argparse.ArgumentParser(prog="python -m generators.training.dcgan_convert", description=__doc__)
    parser.add_argument("--wheel", type=Path, required=True)
    parser.add_argument("--sha256", default=WHEEL_SHA256, help="of the wheel")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    convert(options.wheel, options.sha256, options.out)


if __name__ == "__main__":
    main()
