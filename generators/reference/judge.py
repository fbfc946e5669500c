"""Who says whether a drawn picture shows what was asked: a support vector machine, no kin of the networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generators.proportion import wilson
from provenance.errors import missing_extra

if TYPE_CHECKING:
    import torch

    from generators.reference.data import Pictures


class Judge:
    """Trained on the pixels of the training pictures; its own share on real held-out ones is ``real``."""

    def __init__(self, pictures: Pictures) -> None:
        try:
            from sklearn.svm import SVC  # noqa: PLC0415  # optional, and only needed here
        except ImportError as error:
            raise missing_extra("train", "judging pictures") from error
        known = ~pictures.held_out
        pixels = pictures.signed.flatten(1)
        self._machine = SVC().fit(pixels[known].numpy(), pictures.labels[known].numpy())
        self.real = self.share(pictures.signed[~known], pictures.labels[~known])

    def share(self, pictures: torch.Tensor, labels: torch.Tensor) -> str:
        """Right answers of all, with the Wilson interval of 95 %."""
        right = int((self._machine.predict(pictures.flatten(1).numpy()) == labels.numpy()).sum())
        found = wilson(right, len(labels))
        return f"{right} of {len(labels)} ({100 * found.low:.0f}-{100 * found.high:.0f} %)"
