"""Loads diffusers pipelines: safetensors only, no code of strangers, no network unless asked.

Called through the string table of ``generators.registry``.
"""

from __future__ import annotations

import json
import logging
import os
import re
import warnings
from dataclasses import replace
from importlib.util import find_spec
from traceback import walk_tb
from typing import TYPE_CHECKING, Any

from generators import vocabulary
from generators.interface import GeneratorInfo
from generators.recipe import ModelRecord
from generators.registry import bundled_folder, folder_of
from generators.tensor_files import damage, numbers, read_header
from generators.trained_models import training_of
from generators.weights import Weights, check_pinned, examine
from provenance.errors import ConfigurationError, InputError, reason

# Read once, when the hub library is imported: from then on it opens no socket unless told to.
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import diffusers
import torch
import transformers

from generators.ability_adapter import ability_of
from generators.defaults import Defaults
from generators.diffusers_adapter import DiffusersGenerator
from generators.families import FAMILIES
from generators.finishes import PLAIN
from generators.hub_adapter import quiet_hub, snapshot
from generators.index_adapter import check_index
from generators.surplus_adapter import check_surplus

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from generators.registry import ModelRef

_UNKNOWN = "unknown"
_OTHER_SHAPE = re.compile(r"because (\S+) expected shape|(`ignore_mismatched_sizes`)")
_NOT_THERE = "meta tensor"
"""What diffusers and transformers say of a tensor of another shape, and of one that no file held."""


def load_bundled(ref: ModelRef, *, threads: int | None, online: bool) -> DiffusersGenerator:  # noqa: ARG001
    """A model that ships with mediaguard, checked against its published digests."""
    return with_card(bundled_folder(ref), str(ref), threads)


def with_card(folder: Path, ref: str, threads: int | None) -> DiffusersGenerator:
    """The model in a folder that says what it is in ``card.json``, with its words in ``words.json``."""
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    weights = examine(folder)
    check_pinned(weights, card["weights"])
    pipeline = _pipeline(weights)
    defaults = Defaults(
        steps=card["steps"],
        guidance_scale=card["guidance_scale"],
        batch=card["batch"],
        finished_size=card["size"],
        finish=card.get("finish", PLAIN),
    )
    return DiffusersGenerator(
        info=info_of(ref, weights, pipeline, card, defaults),
        model=_record(ref, None, weights),
        pipeline=pipeline,
        scheduler=pipeline.scheduler,
        defaults=defaults,
        vocabulary=vocabulary.load(folder / "words.json"),
        threads=threads,
    )


def load_folder(ref: ModelRef, *, threads: int | None, online: bool) -> DiffusersGenerator:  # noqa: ARG001
    """A diffusers folder on this machine. The recipe names the folder, not the path to it."""
    folder = folder_of(ref)
    public = f"dir:{folder.resolve().name}"
    return _plain(public, None, examine(folder), threads)


def load_hub(ref: ModelRef, *, threads: int | None, online: bool) -> DiffusersGenerator:
    """A hub model at its pinned commit, from the local cache unless ``online``."""
    folder = snapshot(ref, online=online)
    # The cache keeps snapshots as links into a folder of blobs beside them.
    weights = examine(folder, links_within=folder.parent.parent)
    return _plain(str(ref), ref.revision, weights, threads)


def _plain(ref: str, revision: str | None, weights: Weights, threads: int | None) -> DiffusersGenerator:
    pipeline, told = _pipeline(weights), training_of(weights)
    card = {} if told is None else {"data_licence": told.data_licence}
    info = info_of(ref, weights, pipeline, card, Defaults())
    return DiffusersGenerator(
        info=replace(info, training_sha256=None if told is None else told.sha256),
        model=_record(ref, revision, weights),
        pipeline=pipeline,
        scheduler=pipeline.scheduler,
        defaults=Defaults(),
        threads=threads,
    )


def quiet_libraries() -> None:
    """Lines and bars of the libraries stay off stderr, which is for those of ``guard``."""
    quiet_hub()
    diffusers.utils.logging.set_verbosity(logging.CRITICAL)  # what they call an error is raised as well
    transformers.utils.logging.set_verbosity(logging.CRITICAL)
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()


def _pipeline(weights: Weights) -> Any:
    quiet_libraries()
    require_packages(weights.pipeline)
    _check_whole(weights)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = torch.float32 if device == "cpu" else torch.bfloat16
    _only_this_folder(weights.pipeline)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            check_index(weights)
            pipeline = diffusers.DiffusionPipeline.from_pretrained(
                weights.folder, use_safetensors=True, local_files_only=True, torch_dtype=dtype
            ).to(device)
            check_surplus(pipeline, weights.folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, ImportError) as error:
        raise _misfit(error, weights) or _not_loadable(error, weights.folder) from error
    _check_filled(pipeline, weights)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _check_whole(weights: Weights) -> None:
    """Files that were copied in part or written over are named here; the libraries do not say which it is."""
    for file in weights.files:
        wrong = damage(weights.folder / file.path)
        if wrong:
            raise InputError(
                "weights.damaged",
                f"the file is damaged: {wrong}",
                where=f"{weights.folder.name}/{file.path}",
                hint="copy or download the whole model again",
            )


def _check_filled(pipeline: Any, weights: Weights) -> None:
    """A network of transformers draws anew what no file holds, and says so in a log at most."""
    for name, part in pipeline.components.items():
        if not isinstance(part, transformers.PreTrainedModel):
            continue
        files = (weights.folder / name).glob("*.safetensors")
        needed = sum(one.numel() for one in part.parameters() if one.is_floating_point())
        held = sum(map(numbers, files))
        if held < needed:
            raise InputError(
                "weights.damaged",
                f"the files hold {held:,} of the {needed:,} numbers that the network has",
                where=f"{weights.folder.name}/{name}",
                hint="copy or download the whole model again",
            )


def _misfit(error: Exception, weights: Weights) -> InputError | None:
    """The error for weights of another network than the configuration's; None: it is something else."""
    shape = _OTHER_SHAPE.search(str(error))
    if shape is None and _NOT_THERE not in str(error):
        return None
    name = shape[1] if shape else next(_missing(weights), None)
    what = "the weights do not fit the configuration" + (f": {name}" if name else "")
    hint = "copy or download the whole model again"
    return InputError("model.not-loadable", what, where=weights.folder.name, hint=hint)


def _missing(weights: Weights) -> Iterator[str]:
    """Component and name of tensors that networks of diffusers have, and no file here."""
    for config in sorted(weights.folder.glob("*/config.json")):
        said = json.loads(config.read_text(encoding="utf-8"))
        kind = said.get("_class_name") if isinstance(said, dict) else None
        network: Any = getattr(diffusers, str(kind), None)
        known = isinstance(network, type) and issubclass(network, diffusers.ModelMixin)
        if not known:
            continue
        with torch.device("meta"):
            expected = network.from_config(said).state_dict()
        held = {name for file in config.parent.glob("*.safetensors") for name in read_header(file) or ()}
        yield from (f"{config.parent.name}/{name}" for name in sorted(expected.keys() - held))


def _not_loadable(error: Exception, folder: Path) -> InputError:
    """The component stands in a frame of diffusers only; where that is called otherwise, none is named."""
    frames = [frame for frame, _ in walk_tb(error.__traceback__) if frame.f_code.co_name == "load_sub_model"]
    name = str(frames[0].f_locals.get("name", "")) if frames else ""
    what = f"diffusers cannot load this model: {reason(error)}"
    where = f"{folder.name}/{name}".rstrip("/")
    return InputError("model.not-loadable", what, where=where, hint="copy or download the whole model again")


def _only_this_folder(name: str) -> None:
    """Pipelines of two stages look into the model card for other repositories to load; ours was digested."""
    pipeline: Any = getattr(diffusers, name, None)
    if getattr(pipeline, "_load_connected_pipes", False):
        pipeline._load_connected_pipes = False  # noqa: SLF001 - there is no argument for it


def require_packages(pipeline: str) -> None:
    """Say now which optional package a family needs, not with a NameError in its midst.

    Raises:
        ConfigurationError: ``model.missing-package``.
    """
    family = FAMILIES.get(pipeline)
    for name in family.packages if family else ():
        if find_spec(name) is None:
            raise ConfigurationError(
                "model.missing-package",
                f"this kind of model reads its prompt with the package {name}, which is not installed",
                where=pipeline,
                hint=f"pip install {name}",
            )


def info_of(
    ref: str, weights: Weights, pipeline: Any, card: dict[str, Any], defaults: Defaults
) -> GeneratorInfo:
    """What is said of a loaded pipeline.

    Args:
        ref: as recipes name it.
        weights: what was digested.
        pipeline: a ``diffusers.DiffusionPipeline``.
        card: name, licence and data_licence, where they are known.
        defaults: of the model.

    Raises:
        InputError: ``model.not-loadable``: its configuration gives no size.
    """
    try:
        ability = ability_of(pipeline, defaults)
    except (TypeError, ValueError, AttributeError) as error:  # of sizes that are no numbers
        what = "the sizes in the model's configuration are no numbers that a picture has"
        raise InputError("model.not-loadable", what, where=weights.folder.name) from error
    return GeneratorInfo(
        id=ref,
        name=card.get("name", weights.pipeline),
        kind=ability.family.kind,
        width=ability.width,
        height=ability.height,
        licence=card.get("licence", _UNKNOWN),
        data_licence=card.get("data_licence", _UNKNOWN),
        weights_sha256=weights.sha256,
        capabilities=ability.capabilities,
    )


def _record(ref: str, revision: str | None, weights: Weights) -> ModelRecord:
    return ModelRecord(
        ref=ref,
        revision=revision,
        pipeline=weights.pipeline,
        weights=weights.files,
        settings=weights.settings,
    )
