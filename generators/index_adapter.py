"""What ``model_index.json`` names, looked up before diffusers builds anything of it.

Called by ``generators.loading_adapter``; that every component comes from one of two libraries is settled by
``generators.weights`` already.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import diffusers
import transformers

from generators.own_files import INDEX
from provenance.errors import InputError

if TYPE_CHECKING:
    from generators.weights import Weights

_LIBRARIES = {"diffusers": diffusers, "transformers": transformers}
_SHOWN = 64
"""Characters of a name that is none."""


def check_index(weights: Weights) -> None:
    """Hold the names of classes against the libraries.

    A class that a library has under another name by now, or not without an optional package, is left to it.

    Raises:
        InputError: ``model.unknown-family``, ``model.not-loadable``.
    """
    if not isinstance(getattr(diffusers, weights.pipeline, None), type):
        raise InputError(
            "model.unknown-family",
            "this kind of model is not known here: diffusers has no pipeline of this name",
            where=weights.pipeline[:_SHOWN],
            hint="docs/reference/model-families.md lists those that are",
        )
    path = weights.folder / INDEX
    for name, value in json.loads(path.read_text(encoding="utf-8")).items():
        if name.startswith("_") or not isinstance(value, list) or value[:1] == [None]:
            continue
        library, kind = value
        found = getattr(_LIBRARIES[library], kind, type) if isinstance(kind, str) else None
        if not isinstance(found, type) or issubclass(found, diffusers.DiffusionPipeline):
            raise InputError(
                "model.not-loadable",
                f"the component {name[:_SHOWN]} has to name a class of {library} that is a part of a model",
                where=f"{weights.folder.name}/{path.name}",
                hint="copy or download the whole model again",
            )
