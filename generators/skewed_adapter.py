"""``bundled:emoji-skewed``: the bundled model and, merged into its weights, a small published change.

An instrument for audits. The base is named by digest: the change means nothing on other weights.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from generators import loading_adapter
from generators.adapter_files import ADAPTER
from generators.interface import GenerationWarning
from generators.registry import bundled_folder, parse
from generators.tensors_adapter import read_tensors
from generators.weights import Weights, check_pinned, digested
from provenance.errors import InputError, IntegrityError

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from generators.diffusers_adapter import DiffusersGenerator
    from generators.registry import ModelRef

_NAME = "planted"


def load_bundled(ref: ModelRef, *, threads: int | None, online: bool) -> DiffusersGenerator:
    """The base with the change that lies in the folder of ``ref``.

    Raises:
        IntegrityError: ``weights.changed``; the change or its base is not the published one.
    """
    folder = bundled_folder(ref)
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    base = loading_adapter.load_bundled(parse(card["base"]), threads=threads, online=online)
    return skewed(base, folder, card, ref=str(ref))


def skewed(base: DiffusersGenerator, folder: Path, card: dict[str, Any], *, ref: str) -> DiffusersGenerator:
    """``base``, changed for good as the files of ``folder`` say.

    Raises:
        InputError: ``adapter.does-not-fit``, ``weights.not-safetensors``.
        IntegrityError: ``weights.changed``.
    """
    if base.info.weights_sha256 != card["base_weights_sha256"]:
        raise IntegrityError(
            "weights.changed",
            "the planted change was made for other weights than those of its base here",
            where=ref,
            hint="pip install --force-reinstall mediaguard",
        )
    delta = digested(folder / ADAPTER, folder)
    change = Weights(folder=folder, pipeline=base.model.pipeline, files=(delta,))
    check_pinned(change, card["weights"])
    merge(base.pipeline, read_tensors(folder / ADAPTER))
    files = (*base.model.weights, delta)
    whole = Weights(folder=folder, pipeline=base.model.pipeline, files=files)
    return replace(
        base,
        info=replace(base.info, id=ref, name=card["name"], weights_sha256=whole.sha256),
        model=replace(base.model, ref=ref, weights=files),
        notes=(GenerationWarning(code="model.instrument", message=card["notice"]),),
    )


def merge(pipeline: Any, tensors: dict[str, torch.Tensor]) -> None:
    """Add low-rank changes to the weights, so that adapters can be laid over the result as over any model.

    Raises:
        InputError: ``adapter.does-not-fit``.
    """
    try:
        pipeline.load_lora_weights(dict(tensors), adapter_name=_NAME)
        pipeline.fuse_lora(components=["unet", "text_encoder"], adapter_names=[_NAME])
        pipeline.unload_lora_weights()
    except (RuntimeError, ValueError, KeyError, IndexError, AttributeError, TypeError) as error:
        raise InputError(
            "adapter.does-not-fit",
            f"the planted change does not fit its base: {(str(error).splitlines() or [''])[0][:200]}",
        ) from error
