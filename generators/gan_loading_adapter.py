"""Loads GANs: tensors from safetensors, the architecture from their names and shapes, nothing else.

One loader for our own weights and for converted ``G_ema`` files. Whatever does not fit is one error.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

import torch

from generators import dcgan_adapter, vocabulary
from generators.directions_adapter import read_directions
from generators.gan_adapter import GanGenerator
from generators.gan_conditions import Conditions, read_conditions
from generators.gan_files import KIND_DCGAN, WORDS, Card, examine, read_card
from generators.interface import GeneratorInfo
from generators.recipe import ModelRecord
from generators.registry import bundled_folder, folder_of
from generators.stylegan2_adapter import Architecture, StyleGAN2, setup_filter
from generators.tensors_adapter import read_tensors
from generators.trained_models import is_recorded, training_of
from generators.weights import Weights, check_pinned
from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generators.registry import ModelRef
    from generators.tensors_adapter import Tensors

_MAX_SIDE = 2048
_MAX_LAYERS = 64


def load_bundled(ref: ModelRef, *, threads: int | None, online: bool) -> GanGenerator:  # noqa: ARG001
    """A GAN that ships with mediaguard, checked against its published digests."""
    folder = bundled_folder(ref)
    weights, card = examine(folder), read_card(folder)
    check_pinned(weights, dict(card.weights))
    return _generator(str(ref), weights, card, threads)


def load_folder(ref: ModelRef, *, threads: int | None, online: bool) -> GanGenerator:  # noqa: ARG001
    """A GAN on this machine: a folder, or one safetensors file. The recipe names it, not the path to it."""
    path = folder_of(ref)
    weights, card = examine(path), read_card(path)
    # A record beside a single file that says nothing of it belongs to something else.
    told = training_of(weights) if path.is_dir() or is_recorded(weights) else None
    public = f"dir:{path.resolve().name}"
    if told is None:
        return _generator(public, weights, card, threads)
    made = _generator(public, weights, replace(card, data_licence=told.data_licence), threads)
    return replace(made, info=replace(made.info, training_sha256=told.sha256))


def _generator(ref: str, weights: Weights, card: Card, threads: int | None) -> GanGenerator:
    file = weights.folder / weights.files[0].path
    tensors = read_tensors(file)
    network = dcgan_adapter.build(tensors) if card.kind == KIND_DCGAN else build(tensors)
    conditions = None if card.conditions is None else read_conditions(card.conditions)
    _check_conditions(network, conditions)
    # Words beside a single file belong to something else.
    words = weights.folder / WORDS
    side = card.size or network.shape.side
    texts = conditions is not None and words.is_file()
    info = GeneratorInfo(
        id=ref,
        name=card.name,
        kind="image",
        width=side,
        height=side,
        licence=card.licence,
        data_licence=card.data_licence,
        weights_sha256=weights.sha256,
        capabilities=("text",) if texts else (),
    )
    return GanGenerator(
        info=info,
        model=ModelRecord(
            ref=ref,
            revision=None,
            pipeline=weights.pipeline,
            weights=weights.files,
            settings=weights.settings,
        ),
        network=network.eval(),
        conditions=conditions,
        vocabulary=vocabulary.load(words) if texts else None,
        truncation=float(card.truncation),
        finish=card.finish,
        directions=_directions(weights, network),
        threads=threads,
    )


def _directions(weights: Weights, network: Any) -> dict[str, torch.Tensor]:
    if len(weights.files) < 2 or not isinstance(network, StyleGAN2):
        return {}
    return read_directions(weights.folder, network)


def build(tensors: Mapping[str, torch.Tensor]) -> StyleGAN2:
    """The network these tensors are of.

    Raises:
        InputError: ``gan.layout``; a tensor is missing, has another shape or belongs elsewhere.
    """
    shape = architecture(tensors)
    with torch.device("meta"):
        model = StyleGAN2(shape)
    filled = _with_filters(model, tensors)
    expected = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    for name in sorted(expected.keys() | filled.keys()):
        found = tuple(filled[name].shape) if name in filled else None
        if found != expected.get(name):
            raise layout_error(name, found, expected.get(name))
        if not torch.isfinite(filled[name]).all():
            raise InputError("gan.layout", "a tensor holds numbers that are none (NaN, infinity)", where=name)
    model.load_state_dict(filled, assign=True)
    return model


def _with_filters(model: StyleGAN2, tensors: Mapping[str, torch.Tensor]) -> Tensors:
    """The low-pass filters may be left out, being constants; others than the usual ones are refused."""
    filled = dict(tensors)
    for name in model.state_dict():
        if name.endswith("resample_filter"):
            given = filled.setdefault(name, setup_filter())
            if given.shape == (4, 4) and not torch.allclose(given, setup_filter(), atol=1e-3):
                raise InputError("gan.layout", "the filter of this model is not [1, 3, 3, 1]", where=name)
    return filled


def architecture(tensors: Mapping[str, torch.Tensor]) -> Architecture:
    """What the shapes say.

    Raises:
        InputError: ``gan.layout``.
    """

    def size(name: str, axis: int) -> int:
        if name not in tensors or tensors[name].ndim <= axis or 0 in tensors[name].shape:
            raise layout_error(name, tuple(tensors[name].shape) if name in tensors else None, ())
        return int(tensors[name].shape[axis])

    layers = next(i for i in count() if f"mapping.fc{i}.weight" not in tensors)
    blocks = next(i for i in count() if f"synthesis.b{4 << i}.torgb.weight" not in tensors)
    if not 0 < layers <= _MAX_LAYERS or blocks < 1 or 2 << blocks > _MAX_SIDE:
        missing = "mapping.fc0.weight" if not layers else "synthesis.b4.torgb.weight"
        raise layout_error(missing, None, ())
    conditional = "mapping.embed.weight" in tensors
    embedded = size("mapping.embed.weight", 0) if conditional else 0
    z = size("mapping.fc0.weight", 1) - embedded
    if z < 1:
        raise layout_error("mapping.fc0.weight", tuple(tensors["mapping.fc0.weight"].shape), ())
    return Architecture(
        z=z,
        condition=size("mapping.embed.weight", 1) if conditional else 0,
        embedded=embedded,
        mapping=tuple(size(f"mapping.fc{i}.weight", 0) for i in range(layers)),
        channels=tuple(size(f"synthesis.b{4 << i}.torgb.weight", 1) for i in range(blocks)),
        colours=size("synthesis.b4.torgb.weight", 0),
    )


def layout_error(name: str, found: Any, expected: Any) -> InputError:
    """One tensor that does not fit, in one line."""
    if found is None:
        what = "a tensor that a generator of this kind has is missing"
    elif expected is None:
        what = "the file holds a tensor that a generator of this kind does not have"
    else:
        what = f"a tensor has the shape {list(found)}" + (f", not {list(expected)}" if expected else "")
    return InputError(
        "gan.layout",
        what,
        where=name,
        hint="save the state_dict of G_ema (skip architecture) as safetensors, unchanged",
    )


def _check_conditions(network: Any, conditions: Conditions | None) -> None:
    if conditions is not None and conditions.length != network.shape.condition:
        raise InputError(
            "gan.card",
            f"the card describes a condition of {conditions.length} numbers, the network takes "
            f"{network.shape.condition}",
            where="conditions",
        )
