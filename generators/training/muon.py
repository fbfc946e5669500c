"""Muon: momentum whose matrices are orthogonalised before they are applied.

K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks" (2024). On this autoencoder
it reached in 110 s what AdamW had not reached in 370 s (measured on one core, same batches).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Iterable

_QUINTIC = (3.4445, -4.7750, 2.0315)
"""Coefficients of the published Newton-Schulz iteration; singular values land near 1, not at it."""


def orthogonalised(matrix: torch.Tensor, steps: int = 5) -> torch.Tensor:
    """The nearest semi-orthogonal matrix, approximately: (rows, columns) to the same shape.

    Every step of the iteration multiplies by a polynomial of the Gram matrix, and these commute: the
    product is gathered in the small square matrix and meets the long one once (2 to 4 times as fast).
    """
    a, b, c = _QUINTIC
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    gram = x @ x.T
    product = torch.eye(len(x))
    for _ in range(steps):
        factor = torch.addmm(gram, gram, gram, beta=b, alpha=c)
        factor.diagonal().add_(a)
        product = factor @ product
        gram = factor @ gram @ factor
    x = product @ x
    return x.T if tall else x


class Muon(torch.optim.Optimizer):  # type: ignore[misc]  # torch is untyped to mypy here
    """For weights of two or more dimensions; convolution kernels count as (out, in × height × width)."""

    def __init__(self, parameters: Iterable[Any], lr: float, momentum: float = 0.95) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum})

    def step(self, closure: Any = None) -> None:  # noqa: ARG002 the base's signature
        """Apply one update; parameters without a gradient are left alone."""
        with torch.no_grad():
            for group in self.param_groups:
                for parameter in group["params"]:
                    if parameter.grad is not None:
                        self._update(parameter, group["lr"], group["momentum"])

    def _update(self, parameter: torch.Tensor, rate: float, momentum: float) -> None:
        state = self.state[parameter]
        if "mean" not in state:
            state["mean"] = torch.zeros_like(parameter)
        state["mean"].lerp_(parameter.grad, 1 - momentum)
        ahead = parameter.grad.lerp(state["mean"], momentum)  # Nesterov
        update = orthogonalised(ahead.reshape(len(ahead), -1))
        shape = max(1.0, update.shape[0] / update.shape[1]) ** 0.5
        parameter.add_(update.reshape(parameter.shape), alpha=-rate * shape)


def is_matrix(parameter: torch.Tensor) -> bool:
    """True for the weights Muon is for: at least 8 rows and 8 input channels."""
    return parameter.ndim in (2, 4) and min(parameter.shape[:2]) >= 8
