"""Captioned clips of moving emoji: drawn from the corpus, encoded once, put together anew in every step.

A clip is one drawing on one ground that moves along one of four paths (``generators.movements``). Its frames
are encoded once; played backwards they show the opposite movement, and any frame held shows none, so that
four paths give nine movements.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save_file
from torch.nn import functional

from generators.movements import MOVEMENTS, PATHS, STILL, path_of
from generators.tensors_adapter import read_tensors
from generators.training.emoji_autoencoder import draw
from generators.training.emoji_data import ground_colours, grounds

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from generators.training.emoji_data import Corpus

FRAMES = 16
"""Encoded frames of a clip, from one end of its path to the other."""
_SHARD = 24
"""Clips in one file of the bank: what is lost at most when its making is interrupted."""
_NOTO = 0.2
_LOG = logging.getLogger(__name__)


def poses(path: str, count: int, rng: torch.Generator, *, frames: int = FRAMES) -> torch.Tensor:
    """(count, frames, 4): scale, clockwise angle in radians, shift right and down in half pictures.

    The paths pass through the pose in which the picture model draws: upright, whole, in the middle.
    """
    u = torch.linspace(-1, 1, frames)
    reach = 1 + 0.3 * (torch.rand(count, 1, generator=rng) - 0.5)
    found = torch.zeros(count, frames, 4)
    found[..., 0] = 0.9 + 0.1 * torch.rand(count, 1, generator=rng)
    found[..., 2:] = 0.04 * (torch.rand(count, 1, 2, generator=rng) - 0.5)
    if path == "across":
        found[..., 2] += 0.24 * reach * u
    elif path == "along":
        found[..., 3] += 0.24 * reach * u
    elif path == "scale":
        found[..., 0] *= torch.exp(0.23 * reach * (u - 1))
    else:
        found[..., 1] = 0.42 * reach * u
    return found


def render(rgba: torch.Tensor, pose: torch.Tensor, base: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """One drawing (4, S, S) uint8 in the poses (T, 4) on a still ground: (T, 3, S, S) in [-1, 1].

    Args:
        rgba: the drawing.
        pose: of each frame, as ``poses`` gives them.
        base: (3,) colour of the ground.
        rng: of the ground's gradient and texture.
    """
    pixels = rgba[None].float() / 255
    pixels = torch.cat([pixels[:, :3] * pixels[:, 3:], pixels[:, 3:]], dim=1)
    grid = functional.affine_grid(_inverse(pose), [len(pose), *pixels.shape[1:]], align_corners=False)
    moved = functional.grid_sample(
        pixels.expand(len(pose), -1, -1, -1), grid, align_corners=False, mode="bilinear"
    )
    ground = grounds(base[None], rgba.shape[-1], rng)
    return (moved[:, :3] + ground * (1 - moved[:, 3:])) * 2 - 1


def _inverse(pose: torch.Tensor) -> torch.Tensor:
    """(T, 2, 3): from places in the frame to places in the drawing, as ``affine_grid`` wants them."""
    scale, angle, shift = pose[:, 0], pose[:, 1], pose[:, 2:]
    cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
    # Clockwise on a screen, whose y points down, turns x towards y; this is its inverse.
    matrix = torch.stack([torch.stack([cos, sin], 1), torch.stack([-sin, cos], 1)], 1)
    return torch.cat([matrix, -(matrix @ shift[:, :, None])], dim=2)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bank:
    """Encoded clips.

    Attributes:
        latents: (N, ``FRAMES``, C, h, w) float16, scaled as the picture model takes them.
        drawings: index into the corpus, one a clip.
        paths: key of ``PATHS``, one a clip.
        grounds: name of the ground's colour, one a clip.
    """

    latents: torch.Tensor
    drawings: tuple[int, ...]
    paths: tuple[str, ...]
    grounds: tuple[str, ...]

    def of_path(self, path: str) -> tuple[int, ...]:
        """The clips that follow ``path``."""
        return tuple(i for i, one in enumerate(self.paths) if one == path)


def fill_bank(
    corpus: Corpus, autoencoder: Any, folder: Path, count: int, *, seed: int, among: torch.Tensor
) -> Bank:
    """Draw and encode ``count`` clips, a quarter of each path; goes on where an earlier call stopped.

    Args:
        corpus: the drawings.
        autoencoder: of the picture model.
        folder: of the encoded clips.
        count: of clips; a multiple of the shard's size is made.
        seed: of everything random.
        among: indices of drawings that may be shown.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shards = -(-count // _SHARD)
    for shard in range(shards):
        if not (folder / f"{shard:04d}.json").exists():
            rng = torch.Generator().manual_seed(seed * 100_003 + shard)
            _write(folder / f"{shard:04d}", *_shard(corpus, autoencoder, among, rng))
            _LOG.info("encoded %d of %d clips", (shard + 1) * _SHARD, shards * _SHARD)
    return load_bank(folder, shards=shards)


def _shard(
    corpus: Corpus, autoencoder: Any, among: torch.Tensor, rng: torch.Generator
) -> tuple[torch.Tensor, list[list[Any]]]:
    chosen = draw(corpus, among, _SHARD, _NOTO, rng)
    colours, names = ground_colours(_SHARD, rng)
    latents, rows = [], []
    for i, index in enumerate(chosen.tolist()):
        path = tuple(PATHS)[i % len(PATHS)]
        clip = render(corpus.rgba[index], poses(path, 1, rng)[0], colours[i], rng)
        latents.append(encoded(autoencoder, clip).half())
        rows.append([index, path, names[i]])
    return torch.stack(latents), rows


def encoded(autoencoder: Any, frames: torch.Tensor) -> torch.Tensor:
    """(T, 3, H, W) in [-1, 1] to scaled latents (T, C, h, w)."""
    config = autoencoder.config
    with torch.no_grad():
        plain: torch.Tensor = autoencoder.encode(frames.to(autoencoder.dtype)).latent_dist.mean.float()
    return (plain - (getattr(config, "shift_factor", None) or 0)) * config.scaling_factor


def _write(stem: Path, latents: torch.Tensor, rows: list[list[Any]]) -> None:
    """The list last: a shard without it is made again."""
    save_file({"latents": latents.contiguous()}, stem.with_suffix(".safetensors"))
    part = stem.with_suffix(".part")
    part.write_text(json.dumps(rows), encoding="utf-8")
    part.replace(stem.with_suffix(".json"))


def load_bank(folder: Path, *, shards: int | None = None) -> Bank:
    """What ``fill_bank`` wrote; the first ``shards`` files of it, or all."""
    lists = sorted(folder.glob("*.json"))[:shards]
    latents = [read_tensors(path.with_suffix(".safetensors"), single=False)["latents"] for path in lists]
    rows = [row for path in lists for row in json.loads(path.read_text(encoding="utf-8"))]
    return Bank(
        latents=torch.cat(latents),
        drawings=tuple(int(row[0]) for row in rows),
        paths=tuple(row[1] for row in rows),
        grounds=tuple(row[2] for row in rows),
    )


def take(bank: Bank, row: int, movement: str, frames: int, rng: torch.Generator) -> torch.Tensor:
    """(frames, C, h, w) float32 of one clip, showing ``movement``; ``frames`` ≤ ``FRAMES``.

    Short clips take every other frame where there are enough, else a window of the path.
    """
    clip = bank.latents[row]
    if movement == STILL:
        return clip[_pause(bank.paths[row], rng)].float().expand(frames, -1, -1, -1)
    _, backwards = path_of(movement)
    stride = 2 if 2 * frames <= FRAMES else 1
    spare = FRAMES - stride * (frames - 1) - 1
    first = int(torch.randint(spare + 1, (1,), generator=rng))
    part = clip[first : first + stride * (frames - 1) + 1 : stride].float()
    return part.flip(0) if backwards else part


def _pause(path: str, rng: torch.Generator) -> int:
    """A frame near the pose in which the picture model draws: the middle, or the large end."""
    last = FRAMES - 1 if path == "scale" else FRAMES // 2 + 1
    return last - int(torch.randint(3, (1,), generator=rng))


def drawn_movements(count: int, rng: torch.Generator) -> tuple[str, ...]:
    """``count`` movements at random, each as likely as any other."""
    return tuple(MOVEMENTS[i] for i in torch.randint(len(MOVEMENTS), (count,), generator=rng).tolist())


def rows_for(bank: Bank, movements: Sequence[str], rng: torch.Generator) -> tuple[int, ...]:
    """One clip of the bank for each movement, of a path that shows it."""
    by_path = {path: bank.of_path(path) for path in PATHS}
    found = []
    for movement in movements:
        rows = range(len(bank.paths)) if movement == STILL else by_path[path_of(movement)[0]]
        found.append(rows[int(torch.randint(len(rows), (1,), generator=rng))])
    return tuple(found)
