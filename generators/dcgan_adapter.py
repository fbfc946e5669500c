"""A DCGAN generator (Radford et al. 2016): transposed convolutions, batch normalisation, tanh.

In the layout that PyTorch's tutorial gave to most of those around: ``main.0`` convolution, ``main.1`` norm, …
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count, pairwise
from typing import TYPE_CHECKING

import torch
from torch import nn

from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class DcganShape:
    """Channels of z, of every map, and of the picture; there is no condition."""

    channels: tuple[int, ...]
    condition: int = 0

    @property
    def z(self) -> int:
        """Numbers drawn at random for a picture."""
        return self.channels[0]

    @property
    def side(self) -> int:
        """Pixels of the picture: 4, doubled by every layer but the first."""
        return 2 << (len(self.channels) - 1)


class DCGAN(nn.Module):  # type: ignore[misc]  # torch is untyped to mypy here
    """(N, z) to (N, colours, side, side) in [-1, 1]."""

    def __init__(self, shape: DcganShape) -> None:
        super().__init__()
        self.shape = shape
        layers: list[nn.Module] = []
        pairs = list(pairwise(shape.channels))
        for i, (before, after) in enumerate(pairs):
            stride, padding = (2, 1) if i else (1, 0)
            layers.append(nn.ConvTranspose2d(before, after, 4, stride, padding, bias=False))
            if i + 1 < len(pairs):
                layers += [nn.BatchNorm2d(after), nn.ReLU()]
        self.main = nn.Sequential(*layers, nn.Tanh())

    def forward(
        self,
        z: torch.Tensor,
        condition: None = None,  # noqa: ARG002 - the call of every GAN here
        *,
        noise: Sequence[torch.Tensor] | None = None,  # noqa: ARG002
    ) -> torch.Tensor:
        """Without condition and noise."""
        pictures: torch.Tensor = self.main(z[:, :, None, None])
        return pictures


def build(tensors: Mapping[str, torch.Tensor]) -> DCGAN:
    """The network these tensors are of.

    Raises:
        InputError: ``gan.layout``.
    """
    convolutions = next(i for i in count() if f"main.{3 * i}.weight" not in tensors)
    kernels = [tensors[f"main.{3 * i}.weight"] for i in range(convolutions)]
    if len(kernels) < 2 or len(kernels) > 9 or any(k.ndim != 4 or 0 in k.shape for k in kernels):
        raise _refused("main.0.weight")
    channels = (kernels[0].shape[0], *(kernel.shape[1] for kernel in kernels))
    # Batch normalisation counts its batches; exporters leave that out at times, and nothing depends on it.
    given = {name: value for name, value in tensors.items() if not name.endswith("num_batches_tracked")}
    model = DCGAN(DcganShape(channels=tuple(map(int, channels))))
    expected = {n: v for n, v in model.state_dict().items() if not n.endswith("num_batches_tracked")}
    for name in sorted(expected.keys() | given.keys()):
        both = name in expected and name in given
        if not both or expected[name].shape != given[name].shape or not torch.isfinite(given[name]).all():
            raise _refused(name)
    model.load_state_dict(given, strict=False)
    return model


def _refused(name: str) -> InputError:
    return InputError(
        "gan.layout",
        "the tensors are not those of a DCGAN generator: one is missing, foreign or of another shape",
        where=name,
    )
