"""GPNN, "Drop the GAN" (Granot, Feinstein, Shocher, Bagon and Irani 2022): new pictures from one, untrained.

From coarse to fine every patch of a first guess is replaced by its nearest patch of the picture, and
overlapping patches are averaged. Distances are divided by how well each patch of the picture is already
used (eq. 1 there), so that all of them get used.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from generators import reference_files
from generators.reference.outputs import TrainedReference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generators.reference.data import Picture
    from generators.reference.outputs import SampleRequest, TrainingTask

NEEDS = "Picture"
SIZE = 64
STEPS = 5
_CHUNK = 1024
"""Queries that are compared with all keys at a time: bounds the memory."""
_MEASURED = 16
"""Pictures over which the figures are taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the paper calls p, r, α, σ and T, and the side at which the pyramid ends.

    The noise is for values in [-1, 1] and stronger than the paper's 0.75, which at so few pixels gives
    the picture back.
    """

    patch: int = 7
    ratio: float = 0.75
    alpha: float = 0.005
    noise: float = 2.0
    rounds: int = STEPS
    coarsest: int = 14


def generate(picture: torch.Tensor, rng: torch.Generator, settings: Settings) -> torch.Tensor:
    """A new picture of the size of ``picture``, (3, H, W) in [-1, 1]; without noise, the picture itself."""
    levels = pyramid(picture, settings)
    guess = levels[0] + settings.noise * torch.randn(levels[0].shape, generator=rng)
    keys = levels[0]
    for i, level in enumerate(levels):
        if i:
            guess, keys = _resized(guess, level), _resized(levels[i - 1], level)
        for turn in range(settings.rounds):
            # What a guess looks like is a blurred picture at first, a sharp one once it is made of patches.
            guess = replaced(guess, level if turn else keys, level, settings)
    return guess


def pyramid(picture: torch.Tensor, settings: Settings) -> list[torch.Tensor]:
    """The picture at all sizes, coarsest first."""
    levels, sides = [picture], (picture.shape[1], picture.shape[2])
    while min(sides) * settings.ratio >= max(settings.coarsest, settings.patch):
        sides = (round(sides[0] * settings.ratio), round(sides[1] * settings.ratio))
        smaller = functional.interpolate(picture[None], sides, mode="bicubic", antialias=True)
        levels.append(smaller[0])
    return levels[::-1]


def replaced(
    guess: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, settings: Settings
) -> torch.Tensor:
    """Each patch of ``guess`` by the patch of ``values`` where ``keys`` is nearest, folded."""
    queries, known = patches(guess, settings.patch), patches(keys, settings.patch)
    found = patches(values, settings.patch)[nearest(queries, known, settings.alpha)]
    return folded(found, guess.shape, settings.patch)


def patches(picture: torch.Tensor, side: int) -> torch.Tensor:
    """(C, H, W) to all patches that overlap, (n, C × side × side)."""
    return functional.unfold(picture[None], side)[0].T


def folded(rows: torch.Tensor, shape: torch.Size, side: int) -> torch.Tensor:
    """Patches at their places, a pixel being the weighted mean of those over it: more from their middles."""
    at = torch.arange(side) - (side - 1) / 2
    bell = torch.exp(-0.5 * (at / (side / 4)).square())
    weights = (bell[:, None] * bell).flatten().repeat(shape[0])
    size = (shape[1], shape[2])
    total = functional.fold((rows * weights).T[None], size, side)
    share = functional.fold(weights.expand(len(rows), -1).T[None], size, side)
    return (total / share)[0]


def nearest(queries: torch.Tensor, keys: torch.Tensor, alpha: float) -> torch.Tensor:
    """For each query the index of the key with the best score: distance / (alpha + the key's own best)."""
    centre = keys.mean(0)
    queries, keys = queries - centre, keys - centre  # smaller numbers, smaller rounding
    best = torch.full((len(keys),), torch.inf)
    for _, distances in _distances(queries, keys):
        best = torch.minimum(best, distances.amin(0))
    chosen = [(distances / (alpha + best)).argmin(1) for _, distances in _distances(queries, keys)]
    return torch.cat(chosen)


def coherence(made: torch.Tensor, picture: torch.Tensor, side: int) -> torch.Tensor:
    """Root mean square difference of every patch of ``made`` to the nearest of ``picture``."""
    distances = [part.amin(1) for _, part in _distances(patches(made, side), patches(picture, side))]
    return torch.cat(distances).sqrt()


def _distances(queries: torch.Tensor, keys: torch.Tensor) -> Iterator[tuple[int, torch.Tensor]]:
    """Mean square differences, some queries at a time, with where they begin."""
    squares = keys.square().sum(1)
    for start in range(0, len(queries), _CHUNK):
        part = queries[start : start + _CHUNK]
        sums = part.square().sum(1)[:, None] + squares - 2 * part @ keys.T
        yield start, (sums / keys.shape[1]).clamp(min=0)


def _resized(picture: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(picture[None], tuple(like.shape[1:]), mode="bicubic")[0]


class Source(nn.Module):  # type: ignore[misc]  # torch is untyped to mypy here
    """What there is instead of weights: the picture, (3, H, W) uint8, and how patches of it are taken."""

    def __init__(self, shape: tuple[int, int, int], patches: Settings) -> None:
        super().__init__()
        self.patches = patches
        self.register_buffer("picture", torch.zeros(shape, dtype=torch.uint8))


def settings(picture: Picture, task: TrainingTask) -> reference_files.Settings:
    """How pictures are drawn from this one."""
    _, high, wide = picture.rgba.shape
    said = dataclasses.asdict(Settings(rounds=task.steps))
    return reference_files.Settings(kind="gpnn", shape=(3, high, wide), patches=said)


def blank(said: reference_files.Settings) -> Source:
    """Without its picture."""
    numbers: dict[str, Any] = dict(said.patches)
    return Source(said.shape, Settings(**numbers))


def draw(source: Source, asked: SampleRequest) -> torch.Tensor:
    """(3, H, W) in [0, 1]."""
    signed = 2 * (source.picture.float() / 255) - 1
    return (generate(signed, torch.Generator().manual_seed(asked.seed), source.patches) + 1) / 2


def make(picture: Picture, task: TrainingTask) -> TrainedReference:
    """Draw new pictures; measure how coherent they are with the one given, against noise of its colours."""
    patches = Settings(rounds=task.steps)
    source = 2 * picture.rgba[:3] - 1
    seeds = range(task.seed, task.seed + _MEASURED)
    made = [generate(source, torch.Generator().manual_seed(seed), patches) for seed in seeds]
    rng = torch.Generator().manual_seed(task.seed)
    shuffled = source.flatten(1)[:, torch.randperm(source[0].numel(), generator=rng)]
    found = torch.cat([coherence(one, source, patches.patch) for one in made])
    apart = coherence(shuffled.reshape(source.shape), source, patches.patch)
    change = torch.stack([(one - source).square().mean().sqrt() for one in made])
    return TrainedReference(
        title='GPNN, "Drop the GAN" (Granot et al. 2022)',
        about="Patch nearest neighbours, coarse to fine: nothing is trained. Every part of an output is a "
        "part of the picture that was given; rights in it go on in the outputs, and it lies in this folder.",
        weights={"picture": (picture.rgba[:3] * 255).round().byte()},
        figures={
            f"patch of {patches.patch} × {patches.patch} to the nearest of the picture, of 255 (mean)": (
                f"{127.5 * float(found.mean()):.1f}"
            ),
            "the same after shuffling the picture's pixels": f"{127.5 * float(apart.mean()):.1f}",
            "output to the picture itself, of 255 (rms)": f"{127.5 * float(change.mean()):.1f}",
        },
    )
