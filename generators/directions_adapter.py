"""Directions in w along which pictures change in one respect: found, kept, and how much else they change.

A direction is as long as one standard deviation of w along it; strength 1 goes that far.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from safetensors.torch import save_file
from torch.nn import functional

from generators.gan_files import DIRECTIONS
from generators.oracle.network import SIDE
from generators.oracle.reading_adapter import network_of
from generators.tensors_adapter import read_tensors
from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from generators.gan_conditions import Conditions
    from generators.stylegan2_adapter import StyleGAN2

    Reader = Callable[[torch.Tensor], Mapping[str, torch.Tensor]]

_SAMPLES = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Entanglement:
    """What a direction changes, as a reader of the pictures tells it.

    Attributes:
        changed: question to the share of pictures whose answer changed, 0 … 1.
        toward: share of pictures that had the wanted answer before, and after; None if none was named.
        pictures: how many were compared.
    """

    changed: Mapping[str, float]
    toward: tuple[float, float] | None
    pictures: int


def factorised(model: StyleGAN2, count: int, *, seed: int) -> dict[str, torch.Tensor]:
    """``sefa-1`` …: what the layers' styles react to most, in closed form (SeFa, Shen and Zhou 2021).

    Eigenvectors of AᵀA, A being the affine weights of all convolutions; no picture is looked at.
    """
    affine = [
        v.double() for k, v in model.state_dict().items() if k.endswith("affine.weight") and "conv" in k
    ]
    stacked = torch.cat(affine)
    _, vectors = torch.linalg.eigh(stacked.T @ stacked)
    strongest = vectors.flip(1).T[:count].float()
    w = _sampled(model, None, seed=seed)
    return {f"sefa-{i + 1}": scaled(vector, w) for i, vector in enumerate(strongest)}


def difference(
    model: StyleGAN2, conditions: Conditions, attribute: str, before: str, after: str, *, seed: int
) -> torch.Tensor:
    """Mean of w for one label less the mean for another, everything else being equal.

    Raises:
        InputError: ``request.condition``.
    """
    means = [
        _sampled(model, conditions, seed=seed, fixed={attribute: value}).mean(0) for value in (before, after)
    ]
    return scaled(means[1] - means[0], _sampled(model, conditions, seed=seed))


def scaled(direction: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    """As long as the standard deviation of ``w`` along it."""
    unit = direction / direction.norm().clamp(min=1e-12)
    return unit * (w @ unit).std()


def entanglement(
    model: StyleGAN2,
    direction: torch.Tensor,
    read: Reader,
    *,
    conditions: Conditions | None = None,
    strength: float = 2.0,
    wanted: tuple[str, int] | None = None,
    count: int = 64,
    seed: int = 0,
) -> Entanglement:
    """Draw pictures with and without the direction, from the same w and noise, and compare what is read.

    Args:
        model: whose pictures.
        direction: from ``factorised`` or ``difference``.
        read: (N, 3, S, S) pictures in [-1, 1] to the (N,) answers of each question (``oracle_reader``).
        conditions: of the model, drawn uniformly; None: any vector of its training is left at zero.
        strength: how far.
        wanted: question and answer that the direction is meant to lead to.
        count: pictures.
        seed: of z and conditions.
    """
    w = _sampled(model, conditions, seed=seed, count=count)
    with torch.no_grad():
        plain, moved = (read(model.synthesis(place).clamp(-1, 1)) for place in (w, w + strength * direction))
    changed = {question: float((moved[question] != plain[question]).float().mean()) for question in plain}
    toward = None
    if wanted is not None:
        question, answer = wanted
        before, after = (float((side[question] == answer).float().mean()) for side in (plain, moved))
        toward = before, after
    return Entanglement(changed=changed, toward=toward, pictures=count)


def oracle_reader(weights: Path) -> Reader:
    """The bundled classifier, from its safetensors file."""
    network = network_of(weights)

    def read(pictures: torch.Tensor) -> dict[str, torch.Tensor]:
        seen = functional.interpolate(pictures, size=(SIDE, SIDE), mode="bicubic", antialias=True)
        with torch.no_grad():
            return {question: logits.argmax(1) for question, logits in network(seen.clamp(-1, 1)).items()}

    return read


def save_directions(directions: Mapping[str, torch.Tensor], folder: Path) -> None:
    """Write them beside the weights, where the loader finds them."""
    tensors = {name: vector.detach().float().contiguous() for name, vector in directions.items()}
    save_file(tensors, folder / DIRECTIONS)
    (folder / DIRECTIONS).chmod(0o644)


def read_directions(folder: Path, model: StyleGAN2) -> dict[str, torch.Tensor]:
    """Those beside the weights.

    Raises:
        InputError: ``gan.layout``; not directions of this model.
    """
    found = read_tensors(folder / DIRECTIONS, refusal=_not_of_this(DIRECTIONS))
    width = (model.shape.mapping[-1],)
    for name, vector in found.items():
        if tuple(vector.shape) != width or not torch.isfinite(vector).all():
            raise _not_of_this(name)
    return found


def _sampled(
    model: StyleGAN2,
    conditions: Conditions | None,
    *,
    seed: int,
    fixed: Mapping[str, str] | None = None,
    count: int = _SAMPLES,
) -> torch.Tensor:
    """(count, w) of random z and conditions, the same ones for the same seed whatever is ``fixed``."""
    rng = torch.Generator().manual_seed(seed)
    z = torch.randn(count, model.shape.z, generator=rng)
    rows = torch.zeros(count, model.shape.condition)
    if conditions is not None:
        said = dict(fixed or {})
        chances = torch.rand(count, len(conditions.blocks), generator=rng).tolist()
        rows = torch.tensor([conditions.vector({**conditions.drawn(said, c), **said}) for c in chances])
    with torch.no_grad():
        w: torch.Tensor = model.mapping(z, rows if model.shape.condition else None)
    return w


def _not_of_this(where: str) -> InputError:
    return InputError("gan.layout", f"{DIRECTIONS} holds no directions of this model", where=where)
