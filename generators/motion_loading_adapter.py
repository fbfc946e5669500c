"""Loads motion models: the picture model that the card names, and the motion laid into it.

Called through the string table of ``generators.registry``.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from generators import registry, vocabulary
from generators.adapter_files import PRIVATE
from generators.defaults import Defaults
from generators.diffusers_adapter import DiffusersGenerator
from generators.motion_adapter import MotionGenerator, capabilities
from generators.motion_files import PHRASES, WEIGHTS, examine_motion, read_card
from generators.motion_modules_adapter import animated, read_motion
from generators.recipe import AdapterRecord, ModelRecord, WeightFile
from generators.trained_models import named_record
from provenance.canonical import digest
from provenance.errors import InputError, IntegrityError
from provenance.files import read_bounded

if TYPE_CHECKING:
    from pathlib import Path

    from generators.motion_files import MotionCard
    from generators.registry import ModelRef
    from generators.vocabulary import Vocabulary
    from generators.weights import Weights

_MOST_PRIVATE = 2**28
"""Bytes: it holds the captions of all that was learned from."""


def load_bundled(ref: ModelRef, *, threads: int | None, online: bool) -> MotionGenerator:
    """A motion model that ships with mediaguard, checked against its published digests."""
    folder = registry.bundled_folder(ref)
    card = read_card(folder)
    return _generator(str(ref), examine_motion(folder, pinned=card.weights), card, threads, online=online)


def load_folder(ref: ModelRef, *, threads: int | None, online: bool) -> MotionGenerator:
    """A motion model in a folder of this machine. The recipe names the folder, not the path to it."""
    folder = registry.folder_of(ref)
    public = f"dir:{folder.resolve().name}"
    return _generator(public, examine_motion(folder), read_card(folder), threads, online=online)


def _generator(
    ref: str, weights: Weights, card: MotionCard, threads: int | None, *, online: bool
) -> MotionGenerator:
    trained = _trained(weights)
    base = _base(weights.folder, card, threads, online=online)
    card = replace(card, size=card.size or base.defaults.finished_size)
    pipeline = animated(base.pipeline, read_motion(weights.folder))
    files = _files(base.model.weights, weights.files)
    settings = _files(base.model.settings, weights.settings)
    drawing = DiffusersGenerator(
        info=base.info,
        model=ModelRecord(
            ref=ref, revision=None, pipeline=weights.pipeline, weights=files, settings=settings
        ),
        pipeline=pipeline,
        scheduler=pipeline.scheduler,
        defaults=_defaults(card, base.defaults),
        vocabulary=_words(base.vocabulary, weights.folder / PHRASES),
        threads=threads,
    )
    side = card.size or base.info.width
    info = replace(
        base.info,
        id=ref,
        name=card.name,
        kind="video",
        width=side,
        height=side,
        licence=card.licence,
        data_licence=card.data_licence,
        weights_sha256=digest([[file.path, file.sha256] for file in files]),
        capabilities=capabilities(_own(drawing)),
    )
    return MotionGenerator(info=info, drawing=replace(drawing, info=info), card=card, adapters=trained)


def _defaults(card: MotionCard, base: Defaults) -> Defaults:
    return Defaults(
        steps=card.steps or base.steps,
        most_frames=card.most_frames,
        guidance_scale=base.guidance_scale if card.guidance_scale is None else card.guidance_scale,
    )


def _words(own: Vocabulary | None, phrases: Path) -> Vocabulary | None:
    if own is None or not phrases.is_file():
        return own
    return vocabulary.taught_movements(own, phrases)


def _own(drawing: DiffusersGenerator) -> tuple[str, ...]:
    from generators.ability_adapter import ability_of  # noqa: PLC0415 - beside the class that it describes

    return ability_of(drawing.pipeline, drawing.defaults).capabilities


def _base(folder: Path, card: MotionCard, threads: int | None, *, online: bool) -> Any:
    """The picture model, which must be the one that was trained on."""
    reference = _reference(folder, card)
    if registry.is_motion(reference):
        what = "its base is a motion model, and a picture model is needed"
        raise InputError("motion.bad-card", what, where=folder.name)
    base: Any = registry.load(reference, threads=threads, online=online)
    if not hasattr(base, "pipeline") or not hasattr(base, "defaults"):
        raise InputError("motion.bad-card", "its base is no diffusers model", where=card.base)
    if base.info.weights_sha256 != card.base_sha256:
        raise IntegrityError(
            "motion.other-base",
            "the picture model is not the one that this motion was trained on",
            where=card.base,
            hint="install the version that both came with, or train the motion again",
        )
    return base


def _reference(folder: Path, card: MotionCard) -> str:
    if not card.base.startswith("dir:sha256:"):
        return card.base
    try:
        said = json.loads(read_bounded(folder / PRIVATE, most=_MOST_PRIVATE))["base"]
    except (InputError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            "motion.base-unknown",
            "where the picture model lies is said in a private file that is not here",
            where=folder.name,
            hint=f"put {PRIVATE} beside the motion model again, or train it again",
        ) from error
    return str(said)


def _files(base: tuple[WeightFile, ...], own: tuple[WeightFile, ...]) -> tuple[WeightFile, ...]:
    """The base's files stand under ``base/``."""
    return (*(replace(file, path=f"base/{file.path}") for file in base), *own)


def _trained(weights: Weights) -> tuple[AdapterRecord, ...]:
    """The record of a training run that the weights name becomes a part of every recipe."""
    record = named_record(weights.folder, weights.folder / WEIGHTS)
    if record is None:
        return ()
    return (AdapterRecord(method="motion", sha256=weights.sha256, scale=1.0, training_sha256=record),)
