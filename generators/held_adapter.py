"""A diffusers pipeline that a program holds already, behind the ``Generator`` protocol.

Its weights may never have been files, so their digest is over the tensors in memory: for each component, the
SHA-256 over name, type, shape and bytes of every tensor of its state and every buffer, sorted by name.
Adapters that are laid over the model are part of that state and so of the digest; their strength and what
else decides a picture stand in ``generators.held_settings_adapter``.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from generators.defaults import Defaults
from generators.diffusers_adapter import DiffusersGenerator
from generators.held_settings_adapter import settings_digests
from generators.loading_adapter import info_of
from generators.recipe import ModelRecord, WeightFile
from generators.weights import Weights
from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable


def hold(pipeline: Any, *, ref: str, name: str, licence: str, data_licence: str) -> DiffusersGenerator:
    """``pipeline`` as a generator; it stays the caller's, and is called in this process only.

    Args:
        pipeline: a ``diffusers.DiffusionPipeline``.
        ref: stands for it in requests and recipes.
        name: for people.
        licence: SPDX expression of its weights, or ``"unknown"``.
        data_licence: the same of what they were trained on.

    Raises:
        InputError: ``wrap.unsupported``: there is no scheduler, a weight that cannot be digested, or
            a network that is being trained.
    """
    if getattr(pipeline, "scheduler", None) is None:
        raise InputError("wrap.unsupported", "the pipeline has no scheduler, which recipes name", where=name)
    _check_settled(pipeline)
    kind = type(pipeline).__name__
    files, settings = tensor_digests(pipeline), settings_digests(pipeline)
    weights = Weights(folder=Path(), pipeline=kind, files=files, settings=settings)
    card = {"name": name, "licence": licence, "data_licence": data_licence}
    return DiffusersGenerator(
        info=info_of(ref, weights, pipeline, card, Defaults()),
        model=ModelRecord(ref=ref, revision=None, pipeline=kind, weights=files, settings=settings),
        pipeline=pipeline,
        scheduler=pipeline.scheduler,
        defaults=Defaults(),
    )


def _check_settled(pipeline: Any) -> None:
    """No layer draws by chance beside the seed, or learns from what it sees, as some do in training."""
    for name, part in sorted(pipeline.components.items()):
        layers = part.modules() if isinstance(part, torch.nn.Module) else ()
        if any(layer.training and _unsettled(layer) for layer in layers):
            what = "a network is in training mode, where the same seed gives other pixels each time"
            raise InputError("wrap.unsupported", what, where=name, hint=f"call pipe.{name}.eval() before")


def _unsettled(layer: torch.nn.Module) -> bool:
    kinds = torch.nn.modules
    return isinstance(layer, kinds.batchnorm._BatchNorm) or (  # noqa: SLF001 - the only name for all of them
        isinstance(layer, kinds.dropout._DropoutNd) and layer.p > 0  # noqa: SLF001
    )


def watch(generator: DiffusersGenerator) -> Callable[[], None]:
    """A check for each use: that weights and settings are still those that are told of the pictures.

    Tensors that lie where they lay, and were not written to since, are not digested again. What writes
    behind torch's back (``tensor.data``) goes unnoticed, and so does code put in place of a layer's own.
    """
    pipeline, seen = generator.pipeline, _places(generator.pipeline)

    def check() -> None:
        if _places(pipeline) != seen and tensor_digests(pipeline) != generator.model.weights:
            raise _changed(generator, "the weights of the pipeline were")
        other = sorted({one.path for one in {*settings_digests(pipeline)} ^ {*generator.model.settings}})
        if other:
            raise _changed(generator, f"what decides the pictures beside the weights ({other[0]}) was")

    return check


def _changed(generator: DiffusersGenerator, what: str) -> InputError:
    hint = "wrap it again: guard.wrap(pipe)"
    return InputError(
        "wrap.changed", f"{what} changed since it was wrapped", where=generator.info.id, hint=hint
    )


def _places(pipeline: Any) -> list[tuple[str, str, int, int]]:
    """Where each tensor lies, and how often it was written to."""
    parts = sorted(pipeline.components.items())
    tensors = (
        (name, key, one) for name, part in parts if isinstance(part, torch.nn.Module)
        for key, one in _tensors(name, part)
    )  # fmt: skip
    return [(name, key, t.data_ptr(), 0 if t.is_inference() else t._version) for name, key, t in tensors]  # noqa: SLF001


def tensor_digests(pipeline: Any) -> tuple[WeightFile, ...]:
    """One entry for each component with weights: its name, size in bytes and digest (see the module)."""
    parts = sorted(pipeline.components.items())
    return tuple(_digest(name, part) for name, part in parts if isinstance(part, torch.nn.Module))


def _tensors(name: str, part: torch.nn.Module) -> list[tuple[str, torch.Tensor]]:
    """Its state, and the buffers that are not saved with it."""
    found = sorted({**dict(part.named_buffers()), **part.state_dict()}.items())
    for key, tensor in found:
        if not isinstance(tensor, torch.Tensor) or tensor.is_meta:
            what = "a weight lies elsewhere or in a form of its own (offloaded, quantised), and has no digest"
            hint = "wrap it before that, or as a function"
            raise InputError("wrap.unsupported", what, where=f"{name}.{key}", hint=hint)
    return found


def _digest(name: str, part: torch.nn.Module) -> WeightFile:
    found, size = hashlib.sha256(), 0
    for key, tensor in _tensors(name, part):
        data = tensor.detach().contiguous().cpu().reshape(-1).view(torch.uint8).numpy()
        found.update(f"{key}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        found.update(data.data)
        size += data.nbytes
    return WeightFile(path=f"tensors/{name}", size=size, sha256=found.hexdigest())
