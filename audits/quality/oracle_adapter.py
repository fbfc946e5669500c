"""The emoji oracle as an instrument: its answers to a picture, its features, and its confusion matrix.

Its weights and ``confusion.json`` lie in one folder (``generators/oracle``, or where they were trained to).
It answers for pictures of the emoji models only, and it answers for every picture: what it says of others
means nothing.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors.torch import load as load_tensors

from audits.quality.confusion import Confusion
from audits.quality.features import resized
from audits.quality.reading import Reading
from generators.oracle import network
from generators.oracle.network import QUESTIONS, SIDE, OracleNetwork
from provenance.errors import ConfigurationError, IntegrityError
from provenance.files import read_bounded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

BUNDLED = Path(network.__file__).parent
"""Where the weights of this installation lie."""
WEIGHTS, TABLE = "oracle.safetensors", "confusion.json"
_MOST = 64 * 2**20
"""Bytes of either file."""


class Oracle:
    """A loaded oracle: an ``Extractor`` and a ``Reader``.

    Attributes:
        sha256: of the weights file.
        confusion: by question.
    """

    def __init__(self, model: OracleNetwork, sha256: str, confusion: Mapping[str, Confusion]) -> None:
        self._model = model.eval().requires_grad_(requires_grad=False)
        heads = model.heads["subject"]
        self._whole = heads.in_features // 5
        self._seen: list[torch.Tensor] = []
        heads.register_forward_pre_hook(lambda _head, given: self._seen.append(given[0]))
        self.sha256 = sha256
        self.confusion = confusion

    @property
    def name(self) -> str:
        """Of its features: the mean over the whole picture, as the heads see it."""
        return f"emoji-oracle-{self._whole}@{self.sha256[:12]}"

    def __call__(self, picture: NDArray[np.uint8]) -> NDArray[np.float64]:
        """(192,): the part of the penultimate features that is the mean over the whole picture.

        The means of its quarters are left out: with them there are 960 numbers, whose covariance takes
        thousands of pictures.
        """
        return self.read(picture).features

    def read(self, picture: NDArray[np.uint8]) -> Reading:
        """The answers to every question, and the features, in one pass; picture (H, W, 3) uint8."""
        logits = self._model(_tensor(picture))
        said = {question: QUESTIONS[question][int(row[0].argmax())] for question, row in logits.items()}
        features = np.asarray(self._seen[-1][0, : self._whole].double().numpy(), np.float64)
        self._seen.clear()
        return Reading(answers=said, features=features)


def load_oracle(folder: Path | None = None) -> Oracle:
    """The oracle in ``folder``, or this installation's.

    Raises:
        ConfigurationError: ``oracle.missing``.
        IntegrityError: ``oracle.damaged``.
    """
    folder = BUNDLED if folder is None else folder
    if not (folder / WEIGHTS).is_file() or not (folder / TABLE).is_file():
        raise ConfigurationError(
            "oracle.missing",
            f"the oracle's {WEIGHTS} and {TABLE} are not here",
            where=str(folder),
            hint="name the folder that they lie in: --oracle DIR",
        )
    data = read_bounded(folder / WEIGHTS, most=_MOST)
    try:
        model = OracleNetwork()
        model.load_state_dict({name: value.float() for name, value in load_tensors(data).items()})
        confusion = _confusion(json.loads(read_bounded(folder / TABLE, most=_MOST)))
    except Exception as error:  # safetensors and torch raise classes of their own
        first = (str(error).splitlines() or [""])[0][:200]
        raise IntegrityError(
            "oracle.damaged", f"the oracle cannot be read: {first}", where=str(folder), hint=_OTHER
        ) from error
    return Oracle(model, hashlib.sha256(data).hexdigest(), confusion)


_OTHER = "it may be of another version of mediaguard: take the files that were trained together with it"


def _confusion(document: Mapping[str, Any]) -> dict[str, Confusion]:
    tables = {}
    for question, answers in QUESTIONS.items():
        if tuple(document["answers"][question]) != answers:
            raise ValueError(f"its table has other answers to the question {question!r}")
        counts = tuple(tuple(int(count) for count in row) for row in document["counts"][question])
        if any(len(row) != len(answers) for row in (counts, *counts)) or min(map(min, counts)) < 0:
            raise ValueError(f"its table of the question {question!r} is no square of counts")
        tables[question] = Confusion(question=question, answers=answers, counts=counts)
    return tables


def _tensor(picture: NDArray[np.uint8]) -> torch.Tensor:
    values = resized(picture, SIDE).astype(np.float32) * 2 - 1
    return torch.from_numpy(values).permute(2, 0, 1)[None].contiguous()
