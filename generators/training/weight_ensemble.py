"""Two trainings of one model as one: the weighted mean of their weights (Wortsman et al. 2022, WiSE-FT).

A model that went on from another one's weights lies in the same valley of the loss: between the two are
models that have some of what the later one learnt and some of what it forgot.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from safetensors.torch import save_file

from generators.tensors_adapter import read_tensors
from generators.training.emoji_export import tidy
from generators.weights import examine

if TYPE_CHECKING:
    from pathlib import Path

    import torch


def ensemble(later: Path, earlier: Path, share: float, out: Path) -> None:
    """Write ``later``, a diffusers folder with a ``card.json``, with ``share`` of its own weights.

    Args:
        later: what everything but the weights is taken from.
        earlier: a folder with the same parts and tensors; what it has beyond them is left alone.
        share: of the weights of ``later``, in [0, 1]; the others are those of ``earlier``.
        out: a folder that is not there yet.

    Raises:
        ValueError: ``share``, or tensors that are not of one network.
        InputError: ``weights.not-safetensors``, of one of the files.
        FileExistsError: ``out``.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share {share}")
    means = {file.path: _mean(later / file.path, earlier / file.path, share) for file in examine(later).files}
    card = json.loads((later / "card.json").read_text(encoding="utf-8"))
    shutil.copytree(later, out)
    for path, tensors in means.items():
        save_file(tensors, out / path, metadata={"format": "pt"})
    card["weights"] = {file.path: file.sha256 for file in examine(out).files}
    (out / "card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    tidy(out)


def _mean(later: Path, earlier: Path, share: float) -> dict[str, torch.Tensor]:
    """In the precision of ``later``, computed in single."""
    ours, theirs = read_tensors(later, single=False), read_tensors(earlier, single=False)
    shapes = [{name: value.shape for name, value in tensors.items()} for tensors in (ours, theirs)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"{later} and {earlier} are not of one network")
    return {
        name: (share * value.float() + (1 - share) * theirs[name].float()).to(value.dtype).contiguous()
        if value.is_floating_point()
        else value  # places and counts, no weights
        for name, value in ours.items()
    }
