"""A loss that is no number ends a run, before anything is changed or written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from provenance.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Iterable


def finite(loss: torch.Tensor) -> torch.Tensor:
    """The loss, if it is a number.

    Raises:
        IntegrityError: ``train.not-finite``.
    """
    check_finite([loss], "the loss is no number any more")
    return loss


def check_finite(tensors: Iterable[torch.Tensor], what: str) -> None:
    """Refuse infinite values and what is no number.

    Raises:
        IntegrityError: ``train.not-finite``, saying ``what``.
    """
    if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors):
        raise IntegrityError("train.not-finite", what, hint="--rate with a lower number, in another folder")
