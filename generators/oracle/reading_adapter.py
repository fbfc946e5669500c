"""The classifier at work: pictures of any size to frozen answers."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from generators.oracle.network import SIDE, OracleNetwork
from generators.oracle.questions import QUESTIONS
from generators.oracle.reading import Answer, OracleReading
from generators.tensors_adapter import filled
from provenance.digest_grid import opaque_rgb

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from provenance.media import Frames

_TOGETHER = 32
"""Frames of a clip that are looked at together."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Oracle:
    """The network and the digest of its weights."""

    network: OracleNetwork
    weights_sha256: str

    def read(self, frames: Frames) -> tuple[OracleReading, ...]:
        """One reading for every frame, of any size; what is transparent stands on white."""
        return self.look(frames)[0]

    def look(self, frames: Frames) -> tuple[tuple[OracleReading, ...], NDArray[np.float64]]:
        """A reading for every frame, and what it was read off.

        Returns:
            The readings, and (T, D) the part of the features that is the mean over the whole picture. With
            its quarters they would be five times as many, whose covariance takes thousands of pictures.
        """
        pictures = torch.cat([_small(frames, at) for at in range(len(frames.pixels))])
        said: list[OracleReading] = []
        seen: list[torch.Tensor] = []
        for part in pictures.split(_TOGETHER):
            with torch.no_grad():
                features = self.network.features(part)
                logits = self.network.answers(features)
            seen.append(features[:, : features.shape[1] // 5])
            shares = {question: logits[question].softmax(1).tolist() for question in QUESTIONS}
            said += [self._reading({q: rows[i] for q, rows in shares.items()}) for i in range(len(part))]
        return tuple(said), torch.cat(seen).double().numpy()

    def _reading(self, shares: dict[str, list[float]]) -> OracleReading:
        answers = {}
        for question, row in shares.items():
            names = QUESTIONS[question]
            likely = names[int(np.argmax(row))]
            answers[question] = Answer(
                answer=likely, probabilities=MappingProxyType(dict(zip(names, row, strict=True)))
            )
        return OracleReading(answers=MappingProxyType(answers), weights_sha256=self.weights_sha256)


def _small(frames: Frames, at: int) -> torch.Tensor:
    """(1, 3, 128, 128) in [-1, 1] of one frame."""
    rgb = torch.from_numpy(np.ascontiguousarray(opaque_rgb(_single(frames, at), 1.0))).float()
    seen = functional.interpolate(
        rgb.permute(2, 0, 1)[None] * 2 - 1, size=(SIDE, SIDE), mode="bicubic", antialias=True
    )
    return seen.clamp(-1, 1)


def _single(frames: Frames, at: int) -> Frames:
    if len(frames.pixels) == 1:
        return frames
    alpha = None if frames.alpha is None else frames.alpha[at : at + 1]
    return type(frames)(pixels=frames.pixels[at : at + 1], alpha=alpha)


def read(path: Path, sha256: str) -> Oracle:
    """The oracle with the weights of a file.

    Raises:
        InputError: ``weights.not-safetensors``: no such file, or of another network.
    """
    return Oracle(network=network_of(path), weights_sha256=sha256)


def network_of(path: Path) -> OracleNetwork:
    """The network alone, at work and not to be trained.

    Raises:
        InputError: as ``read``.
    """
    what = "the file does not hold the network that reads pictures"
    network: OracleNetwork = filled(OracleNetwork(), path, what=what).eval()
    network.requires_grad_(requires_grad=False)
    return network
