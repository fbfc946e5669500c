"""Structured pruning: the weakest inner channels of residual and feed-forward blocks are left out.

"Inner" channels lie between two layers of one block, so inputs and outputs keep their size. A channel's
strength is the product of the L1 norms of what leads into it and out of it (Li et al. 2017 take the first
alone). Residual blocks lose whole groups of their normalisation, which leaves the groups that stay exactly
as they were. Nothing is trained afterwards; the same weights always lose the same channels.
"""

from __future__ import annotations

import hashlib
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import torch
from diffusers.models.attention import FeedForward
from diffusers.models.resnet import ResnetBlock2D
from torch import nn
from torch.nn.utils import skip_init

from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provenance.canonical import Json

SHARE = 0.25
"""Of the inner channels of each block, rounded down to whole groups."""


@contextmanager
def pruned(network: Any) -> Iterator[dict[str, Json]]:
    """``network`` without the weakest inner channels; what the recipe says of it.

    Raises:
        InputError: ``request.fast``.
    """
    before, kept = _size(network), hashlib.sha256()
    with ExitStack() as undo, torch.no_grad():
        for path, block in list(network.named_modules()):
            for parent, name, layer in _thinner(block, kept, path):
                undo.callback(setattr, parent, name, getattr(parent, name))
                setattr(parent, name, layer)
        now = _size(network)
        if now == before:
            raise InputError("request.fast", "no block of this network has channels to spare", where="pruned")
        yield {"share": SHARE, "weights": now, "of": before, "kept_sha256": kept.hexdigest()}


def _size(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _thinner(block: nn.Module, kept: Any, path: str) -> Iterator[tuple[nn.Module, str, nn.Module]]:
    """Layers to put in place: the module each belongs to, its name there, itself. Notes what stays."""
    if isinstance(block, ResnetBlock2D) and block.time_embedding_norm in _NORMS:
        stay = _groups(block)
        found = _residual(block, stay)
    elif isinstance(block, FeedForward):
        stay = _channels(block)
        found = _forward(block, stay)
    else:
        return
    kept.update(f"{path}:{stay.tolist()}\n".encode())
    yield from found


_NORMS = ("default", "scale_shift")


def _groups(block: Any) -> torch.Tensor:
    """Indices of the inner channels of a residual block that stay: those of its strongest groups."""
    into = block.conv1.weight.abs().sum((1, 2, 3))
    out = block.conv2.weight.abs().sum((0, 2, 3))
    groups = block.norm2.num_groups
    strength = (into * out).reshape(groups, -1)
    best = _best(strength.sum(1))
    return torch.arange(len(into)).reshape(groups, -1)[best].flatten()


def _channels(block: Any) -> torch.Tensor:
    """The same of a feed-forward block, channel by channel."""
    enter, leave = block.net[0].proj, block.net[2]
    inner = leave.in_features
    into = enter.weight.abs().sum(1).reshape(-1, inner).sum(0)
    return _best(into * leave.weight.abs().sum(0))


def _best(strength: torch.Tensor) -> torch.Tensor:
    """Indices of all but the weakest, ascending; of equals the first stay."""
    count = len(strength) - int(SHARE * len(strength))
    return strength.double().argsort(descending=True, stable=True)[:count].sort().values


def _residual(block: Any, stay: torch.Tensor) -> Iterator[tuple[nn.Module, str, nn.Module]]:
    norm, count = block.norm2, len(stay)
    groups = norm.num_groups * count // norm.num_channels
    thin = skip_init(nn.GroupNorm, groups, count, eps=norm.eps, **_where(norm))
    yield block, "conv1", _convolution(block.conv1, block.conv1.weight[stay], block.conv1.bias[stay])
    yield block, "norm2", _filled(thin, norm.weight[stay], norm.bias[stay])
    yield block, "conv2", _convolution(block.conv2, block.conv2.weight[:, stay], block.conv2.bias)
    time = block.time_emb_proj
    if time is not None:
        rows = _repeated(stay, norm.num_channels, time.out_features)
        yield block, "time_emb_proj", _linear(time, time.weight[rows], time.bias[rows])


def _forward(block: Any, stay: torch.Tensor) -> Iterator[tuple[nn.Module, str, nn.Module]]:
    enter, leave = block.net[0].proj, block.net[2]
    rows = _repeated(stay, leave.in_features, enter.out_features)
    yield block.net[0], "proj", _linear(enter, enter.weight[rows], _rows(enter.bias, rows))
    yield block.net, "2", _linear(leave, leave.weight[:, stay], leave.bias)


def _repeated(stay: torch.Tensor, inner: int, whole: int) -> torch.Tensor:
    """The same channels of each part that a layer gives one behind another: scale and shift, gates."""
    return torch.cat([stay + start for start in range(0, whole, inner)])


def _rows(bias: torch.Tensor | None, rows: torch.Tensor) -> torch.Tensor | None:
    return None if bias is None else bias[rows]


def _convolution(layer: Any, weight: torch.Tensor, bias: torch.Tensor) -> nn.Module:
    how = {"stride": layer.stride, "padding": layer.padding, **_where(layer)}
    made = skip_init(nn.Conv2d, weight.shape[1], weight.shape[0], layer.kernel_size, **how)
    return _filled(made, weight, bias)


def _linear(layer: Any, weight: torch.Tensor, bias: torch.Tensor | None) -> nn.Module:
    made = skip_init(nn.Linear, weight.shape[1], weight.shape[0], bias=bias is not None, **_where(layer))
    return _filled(made, weight, bias)


def _where(layer: Any) -> dict[str, Any]:
    return {"device": layer.weight.device, "dtype": layer.weight.dtype}


def _filled(layer: Any, weight: torch.Tensor, bias: torch.Tensor | None) -> nn.Module:
    layer.weight.copy_(weight)
    if bias is not None:
        layer.bias.copy_(bias)
    result: nn.Module = layer.requires_grad_(requires_grad=False).eval()
    return result
