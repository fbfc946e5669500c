"""What the reference models learn from: the bundled digits, a folder of pictures, or one picture."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from provenance.codecs import decode, read_asset, resize
from provenance.errors import InputError, missing_extra
from provenance.media import Frames

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
_MOST = 20_000
"""Pictures of a folder; the reference models are not for more."""
_FEWEST = 10
UNSAID = "unknown"
"""Licence of data that nobody stated one of."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pictures:
    """Many small pictures with classes, a fifth of them held out.

    Attributes:
        values: (N, C, H, W) uint8, whole numbers from 0 to ``depth`` - 1.
        depth: how many values a channel can have: 17 for the digits, 256 for pictures.
        labels: (N,) int64, indices into ``classes``.
        name: what the data are, for the card.
        licence: SPDX expression of what they are under, or ``UNSAID``.
        licence_source: who says so, for the card; "" for whoever trained.
    """

    values: torch.Tensor
    depth: int
    labels: torch.Tensor
    classes: tuple[str, ...]
    name: str
    licence: str
    licence_source: str = ""

    @property
    def held_out(self) -> torch.Tensor:
        """(N,) bool: every fifth."""
        return torch.arange(len(self.values)) % 5 == 4

    @property
    def signed(self) -> torch.Tensor:
        """All pictures as float32 in [-1, 1]."""
        return self.values.float() * (2 / (self.depth - 1)) - 1

    @property
    def sha256(self) -> str:
        """Of values and labels."""
        return _digest(self.values, self.labels)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Picture:
    """One picture: ``rgba`` is (4, H, W) float32 in [0, 1], not premultiplied."""

    rgba: torch.Tensor
    name: str
    licence: str

    @property
    def sha256(self) -> str:
        """Of the pixels as they are used."""
        return _digest(self.rgba)


def digits() -> Pictures:
    """1797 handwritten digits, 8 × 8 pixels, 17 grey values.

    Raises:
        ConfigurationError: scikit-learn, which brings them, is not installed.
    """
    try:
        from sklearn.datasets import load_digits  # noqa: PLC0415  # optional, and only needed here
    except ImportError as error:
        raise missing_extra("train", "the digits") from error
    found = load_digits()
    return Pictures(
        values=torch.from_numpy(found.images.astype(np.uint8))[:, None],
        depth=17,
        labels=torch.from_numpy(found.target.astype(np.int64)),
        classes=tuple("0123456789"),
        name="Optical Recognition of Handwritten Digits (Alpaydin and Kaynak 1998), as scikit-learn has it",
        licence="CC-BY-4.0",
        licence_source="by the UCI repository's donation policy (doi:10.24432/C50P49); "
        "scikit-learn's description of its copy points there and names no licence",
    )


def folder(path: Path, *, size: int, licence: str | None = None) -> Pictures:
    """The pictures of a folder, cut square and brought to ``size``; its subfolders are the classes.

    Raises:
        InputError: too few or too many pictures, or one that cannot be read.
    """
    files = sorted(f for f in path.rglob("*") if f.suffix.lower() in SUFFIXES and f.is_file())
    if not _FEWEST <= len(files) <= _MOST:
        what = f"a folder to learn from holds {_FEWEST} to {_MOST} pictures; this one has {len(files)}"
        raise InputError("reference.data", what, where=str(path))
    names = [f.relative_to(path).parts[0].strip() if f.parent != path else "all" for f in files]
    classes = tuple(sorted(set(names)))
    values = np.stack([_square(f, size) for f in files]).transpose(0, 3, 1, 2)
    return Pictures(
        values=torch.from_numpy(np.ascontiguousarray(values)),
        depth=256,
        labels=torch.tensor([classes.index(name) for name in names]),
        classes=classes,
        name=f"{len(files)} pictures of a folder, {size} × {size}",
        licence=licence or UNSAID,
    )


def picture(path: Path, *, size: int, licence: str | None = None) -> Picture:
    """One picture, its longest side at most ``size`` pixels; opaque where it has no alpha."""
    frames = _still(path)
    share = min(1.0, size / max(frames.width, frames.height))
    wide, high = (max(1, round(side * share)) for side in (frames.width, frames.height))
    small = resize(frames, wide, high) if share < 1 else frames
    colours = _eight(small)
    alpha = np.full((high, wide), 255) if small.alpha is None else small.alpha[0] >> (small.depth - 8)
    rgba = np.concatenate([colours, alpha[..., None]], axis=2).transpose(2, 0, 1)
    return Picture(
        rgba=torch.from_numpy(rgba.astype(np.float32) / 255),
        name=f"one picture, {wide} × {high}",
        licence=licence or UNSAID,
    )


def _square(path: Path, size: int) -> NDArray[np.uint8]:
    frames = _still(path)
    side = min(frames.width, frames.height)
    y, x = (frames.height - side) // 2, (frames.width - side) // 2
    cut = Frames(pixels=frames.pixels[:, y : y + side, x : x + side].copy())
    return _eight(resize(cut, size, size))


def _still(path: Path) -> Frames:
    frames = decode(read_asset(path))
    if len(frames.pixels) != 1:
        raise InputError("reference.data", "the reference models learn from still pictures", where=str(path))
    return frames


def _eight(frames: Frames) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 of the first frame."""
    values = frames.pixels[0] >> (frames.depth - 8)
    return np.broadcast_to(values.astype(np.uint8), (*values.shape[:2], 3))


def _digest(*tensors: torch.Tensor) -> str:
    found = hashlib.sha256()
    parts: Sequence[bytes] = [part.contiguous().numpy().tobytes() for part in tensors]
    for part in parts:
        found.update(part)
    return found.hexdigest()
