"""Linear layers in 8-bit integers: weights by output channel, activations by row.

The scheme of Dettmers et al. 2022 ("LLM.int8()") without its outlier columns. A row has its own scale, so a
picture does not depend on its neighbours in a batch. Convolutions stay as they are.

The product is torch's own ``quantized::linear_dynamic`` (FBGEMM, oneDNN): torchao, which is to follow it,
multiplies with ``torch._int_mm``, thirty times slower than floats on a processor without VNNI.
"""

from __future__ import annotations

import warnings
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provenance.canonical import Json

_MOST = 127
_LEFT = ("norm", "emb")
"""Parts of names: what scales and shifts whole channels, or tells the time, is one row and delicate."""


class Int8Linear(nn.Module):  # type: ignore[misc]  # torch is untyped to mypy here
    """A linear layer with int8 weights, one scale for each output, and its own bias."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        weight = layer.weight.detach().float()
        scale = (weight.abs().amax(1) / _MOST).clamp_min(_TINY)
        whole = (weight / scale[:, None]).round().to(torch.int8)
        self.packed = _packed(whole, scale)
        # The product takes one range for all rows: with each row in -1 … 1, and one that has both ends, the
        # range is that whatever the others are.
        self.ends = torch.zeros(1, layer.in_features)
        self.ends[0, :2] = torch.tensor([1.0, -1.0])[: layer.in_features]
        self.bias = layer.bias

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - some call it by this name
        """(…, inputs) to (…, outputs), in the precision of ``input``."""
        values = input
        rows = values.reshape(-1, values.shape[-1]).float()
        size = rows.abs().amax(1, keepdim=True).clamp_min(_TINY)
        ranged = torch.cat([rows / size, self.ends])
        # 7 bits for activations: with 8, sums of two products overflow 16 bits on processors without VNNI.
        product = torch.ops.quantized.linear_dynamic(ranged, self.packed, reduce_range=True)[:-1] * size
        if self.bias is not None:
            product += self.bias
        return product.to(values.dtype).reshape(*values.shape[:-1], -1)


_TINY = torch.finfo(torch.float32).tiny


def _packed(whole: torch.Tensor, scale: torch.Tensor) -> Any:
    """(outputs, inputs) int8 and their scales, as the product wants them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch announces that quantised tensors will leave it
        zero = torch.zeros(len(scale), dtype=torch.long)
        tensor = torch._make_per_channel_quantized_tensor(whole, scale.double(), zero, 0)  # noqa: SLF001
    return torch.ops.quantized.linear_prepack(tensor, None)


@contextmanager
def in_int8(network: Any) -> Iterator[dict[str, Json]]:
    """``network`` with 8-bit linear layers in its blocks; what the recipe says of it.

    Raises:
        InputError: ``request.fast``.
    """
    found = tuple(_linear(network))
    if not found:
        raise InputError("request.fast", "no block of this network has linear layers", where="int8")
    with ExitStack() as undo:
        for parent, name, layer in found:
            setattr(parent, name, Int8Linear(layer))
            undo.callback(setattr, parent, name, layer)
        yield {
            "engine": str(torch.backends.quantized.engine),
            "layers": len(found),
            "weights": sum(layer.weight.numel() for _, _, layer in found),
            "of": sum(parameter.numel() for parameter in network.parameters()),
        }


def _linear(network: nn.Module) -> Iterator[tuple[nn.Module, str, nn.Linear]]:
    """Every linear layer of a block: the module it belongs to, its name there, itself."""
    for path, parent in list(network.named_modules()):
        for name, layer in list(parent.named_children()):
            whole = f"{path}.{name}"
            inside = "block" in whole.partition(".")[0]
            if type(layer) is nn.Linear and inside and not any(part in whole for part in _LEFT):
                yield parent, name, layer
