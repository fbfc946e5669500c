"""Loads reference models: the network from the configuration, its tensors from safetensors, nothing else.

The file's own header is held against the network before any tensor is read, so that a folder costs what
its kind can cost and no more.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import torch

from generators.interface import GeneratorInfo
from generators.recipe import ModelRecord
from generators.reference import MODELS
from generators.reference_adapter import ReferenceGenerator
from generators.reference_asking import labelled
from generators.reference_files import NAMES, WEIGHTS, Settings, examine, misfit, read_settings
from generators.registry import folder_of
from generators.tensor_files import METADATA
from generators.tensors_adapter import header_of, read_tensors

if TYPE_CHECKING:
    from pathlib import Path

    from generators.registry import ModelRef

_DTYPES = {torch.float32: "F32", torch.uint8: "U8"}
"""As the header of a file names them; the reference models have no others."""


def load_folder(ref: ModelRef, *, threads: int | None, online: bool) -> ReferenceGenerator:  # noqa: ARG001
    """A reference model on this machine. The recipe names the folder, not the path to it.

    Raises:
        InputError: ``reference.model``, ``weights.…``: whatever does not fit, in one line.
    """
    folder = folder_of(ref)
    settings = read_settings(folder)
    weights, name = examine(folder, settings.kind), f"dir:{folder.resolve().name}"
    module = import_module(MODELS[settings.kind])
    _, high, wide = settings.shape
    info = GeneratorInfo(
        id=name,
        name=NAMES[settings.kind],
        kind="image",
        width=wide * settings.factor,
        height=high * settings.factor,
        licence=settings.licence,
        data_licence=settings.data_licence,
        weights_sha256=weights.sha256,
        capabilities=_capabilities(settings),
    )
    return ReferenceGenerator(
        info=info,
        model=ModelRecord(ref=name, revision=None, pipeline=weights.pipeline, weights=weights.files),
        settings=settings,
        network=filled(module, settings, folder / WEIGHTS),
        draw=module.draw,
        threads=threads,
    )


def filled(module: Any, settings: Settings, file: Path) -> torch.nn.Module:
    """The network of ``settings`` with the tensors of ``file``.

    Raises:
        InputError: ``reference.model``; a tensor is missing, foreign, of another shape or type or not
            finite. ``weights.not-safetensors``.
    """
    with torch.random.fork_rng(devices=[]):  # whoever loads a model keeps their own random stream
        network = module.blank(settings)
    _check_header(file, dict(network.state_dict()))
    tensors = read_tensors(file, single=False)
    for name, value in tensors.items():
        if not torch.isfinite(value).all():
            raise misfit("a tensor holds numbers that are none (NaN, infinity)", name)
    network.load_state_dict(tensors)
    return network.eval().requires_grad_(requires_grad=False)


def _check_header(file: Path, expected: dict[str, torch.Tensor]) -> None:
    header = header_of(file)
    names = header.keys() - {METADATA}
    for name in sorted(expected.keys() | names):
        if name not in expected or name not in names:
            what = "a tensor is missing" if name in expected else "no such tensor belongs here"
            raise misfit(what, name[:100])
        shape, dtype, wanted = header[name].get("shape"), header[name].get("dtype"), expected[name]
        if shape != list(wanted.shape) or dtype != _DTYPES[wanted.dtype]:
            needed = f"{_DTYPES[wanted.dtype]} {list(wanted.shape)}"
            raise misfit(f"a tensor is {dtype} {shape}, not {needed}"[:200], name)


def _capabilities(settings: Settings) -> tuple[str, ...]:
    has = {"labels": labelled(settings), "guidance": labelled(settings), "steps": settings.kind == "nca"}
    return (*(name for name, there in has.items() if there), "size")
