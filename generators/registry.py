"""From a model reference to a generator; nothing heavy is imported until one is loaded.

bundled:NAME              ships with mediaguard
dir:PATH                  on this machine: a diffusers folder, a GAN, a motion or a reference model
hf:ORG/NAME@COMMIT        a hub model at a full commit id, from the local cache unless ``online``
plugin:NAME               what an installed package offers (``generators.plugins``)
"""

from __future__ import annotations

import importlib
import json
import os
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import urlsplit

from generators import gan_files, motion_files, reference_files
from generators.plugins import load_plugin, plugins
from provenance.errors import ConfigurationError, InputError, missing_extra, reason
from provenance.files import can_be_named

if TYPE_CHECKING:
    from collections.abc import Callable

    from generators.interface import Generator

_BUNDLED = Path(__file__).with_name("bundled")
_LOADERS = {
    "bundled": "generators.loading_adapter:load_bundled",
    "dir": "generators.loading_adapter:load_folder",
    "hf": "generators.loading_adapter:load_hub",
}
_GAN_LOADERS = {
    "bundled": "generators.gan_loading_adapter:load_bundled",
    "dir": "generators.gan_loading_adapter:load_folder",
}
_MOTION_LOADERS = {
    "bundled": "generators.motion_loading_adapter:load_bundled",
    "dir": "generators.motion_loading_adapter:load_folder",
}
_REFERENCE_LOADER = "generators.reference_loading_adapter:load_folder"
_DELTA_LOADER = "generators.skewed_adapter:load_bundled"
INSTRUMENTS = frozenset({"bundled:emoji-skewed"})
"""Models that are wrong on purpose, for audits; never anybody's default."""
_TRAINED_BY = {
    "emoji-skewed": ("generators.training.emoji_skew", "docs/reference/emoji-models.md"),
    "gan": ("generators.training.gan", "docs/reference/gan.md"),
}
"""Module and page, of bundled models that not every version has the weights of (``video``: motion_files)."""
_NEEDED = ("torch", "diffusers", "transformers", "safetensors")
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_SHOWN = 200
"""Characters of a path that is none."""
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRef:
    """A parsed reference: where the model comes from, its name or path, its commit for hub models."""

    kind: Literal["bundled", "dir", "hf", "plugin"]
    name: str
    revision: str | None = None

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" + (f"@{self.revision}" if self.revision else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class BundledModel:
    """One line of the list of bundled models."""

    ref: str
    summary: str
    licence: str
    folder: Path


def parse(reference: str) -> ModelRef:
    """Read a model reference.

    Raises:
        InputError: not one of the four forms, or a hub model without a full commit id.
    """
    kind, separator, name = reference.partition(":")
    if kind == "wrapped":
        raise InputError(
            "model.held",
            "this model was handed over by a program, and no reference leads to it",
            where=reference,
            hint="use it in that program: guard.wrap(model).replay(NAME); or say --model where it lies now",
        )
    if not separator or kind not in (*_LOADERS, "plugin") or not name or "\0" in name:
        raise InputError(
            "model.bad-reference",
            "a model is bundled:NAME, dir:PATH, hf:ORG/NAME@COMMIT or plugin:NAME",
            where=reference,
            hint="guard generate … --model bundled:emoji",
        )
    if kind == "dir" and not can_be_named(name):
        what = "no folder can have the name that stands behind dir:"
        raise InputError("model.bad-reference", what, where=reference[:_SHOWN], hint="check the path")
    if kind != "hf":
        return ModelRef(kind=cast(Literal["bundled", "dir", "plugin"], kind), name=name)
    repository, _, revision = name.partition("@")
    if not _HUB_NAME.fullmatch(repository) or not _COMMIT.fullmatch(revision):
        raise InputError(
            "model.not-pinned",
            "a hub model is named with the 40 digits of a commit, so that it cannot change later",
            where=reference,
            hint="write it as hf:ORG/NAME@COMMIT; the commit is on the model's Files page",
        )
    return ModelRef(kind="hf", name=repository, revision=revision)


def bundled() -> tuple[BundledModel, ...]:
    """The models that ship with this installation, by name."""
    found = []
    for card in sorted(_BUNDLED.glob("*/card.json")):
        data = json.loads(card.read_text(encoding="utf-8"))
        ref = f"bundled:{card.parent.name}"
        found.append(
            BundledModel(ref=ref, summary=data["summary"], licence=data["licence"], folder=card.parent)
        )
    return tuple(found)


def available() -> tuple[str, ...]:
    """What can be named without a path or a hub; nothing is loaded, and no package imported."""
    offered = (f"{one.ref} ({one.distribution or 'no package'})" for one in plugins())
    return (*(one.ref for one in bundled()), *offered)


def load(reference: str, *, threads: int | None = None, online: bool = False) -> Generator:
    """The generator behind a reference, ready to run on this machine.

    Args:
        reference: see the module.
        threads: of torch; None keeps torch's own choice. The recipe records it either way.
        online: allow the network for ``hf:`` references.

    Raises:
        InputError: unknown reference or model, pickles, code of strangers.
        ConfigurationError: missing extra, a bundled model without weights in this version, a hub model
            that is not on this machine, a plugin that fails.
        IntegrityError: bundled weights differ from the published ones.
    """
    ref = parse(reference)
    if ref.kind == "plugin":
        return load_plugin(ref.name, threads=threads, online=online)
    if ref.kind == "bundled":
        _known_bundled(ref)
    if any(find_spec(name) is None for name in _NEEDED):
        raise missing_extra("generate", "making pictures")
    module, _, name = _loader(ref).partition(":")
    loader = cast("Callable[..., Generator]", getattr(_imported(module), name))
    return loader(ref, threads=threads, online=online)


_OF_THE_HUB: dict[str, tuple[str, Callable[[str], object]]] = {
    "HF_ENDPOINT": ("address", lambda address: urlsplit(address).port),
    "HF_HUB_ETAG_TIMEOUT": ("number of seconds", int),
    "HF_HUB_DOWNLOAD_TIMEOUT": ("number of seconds", int),
}
"""Settings of the environment, and how that library reads them."""


def _imported(module: str) -> Any:
    """A module of loaders; the hub's library takes its settings apart as it is imported with them."""
    for name, (kind, read) in _OF_THE_HUB.items():
        try:
            read(os.environ.get(name, "1"))
        except ValueError as error:
            what = f"{name} is no {kind} that models can be fetched with: {reason(error)}"
            hint = f"unset {name}, or correct it"
            raise ConfigurationError("model.not-local", what, where=name, hint=hint) from error
    return importlib.import_module(module)


def _loader(ref: ModelRef) -> str:
    """By where the model comes from, and what lies there: a diffusers folder or one of ours."""
    if ref.kind == "bundled" and str(ref) in INSTRUMENTS:
        return _DELTA_LOADER
    if ref.kind in _GAN_LOADERS:
        place = _place(ref)
        if motion_files.is_motion(place):
            return _MOTION_LOADERS[ref.kind]
        if gan_files.kind_of(place):
            return _GAN_LOADERS[ref.kind]
        if ref.kind == "dir" and reference_files.kind_of(place) is not None:
            return _REFERENCE_LOADER
    return _LOADERS[ref.kind]


def is_motion(reference: str) -> bool:
    """Whether a reference leads to a motion model.

    Raises:
        InputError: ``model.bad-reference``, ``model.not-pinned``.
    """
    ref = parse(reference)
    return ref.kind in _MOTION_LOADERS and motion_files.is_motion(_place(ref))


def _place(ref: ModelRef) -> Path:
    return bundled_folder(ref) if ref.kind == "bundled" else folder_of(ref)


def folder_of(ref: ModelRef) -> Path:
    """Where a ``dir:`` reference leads; a user that there is none of is part of the path."""
    return Path(os.path.expanduser(ref.name))  # noqa: PTH111 - Path raises where there is no such user


def bundled_folder(ref: ModelRef) -> Path:
    """Where a bundled model lies."""
    return _BUNDLED / ref.name


def _known_bundled(ref: ModelRef) -> None:
    models = bundled()
    if str(ref) in [model.ref for model in models]:
        return
    listed = ", ".join(model.ref for model in models)
    if ref.name == "video":
        raise motion_files.no_weights(str(ref))
    if ref.name in _TRAINED_BY:
        module, page = _TRAINED_BY[ref.name]
        raise ConfigurationError(
            "weights.not-installed",
            f"the weights of {ref} do not ship with this version",
            where=str(ref),
            hint=f"python -m {module} trains them, as {page} says; here is {listed or 'no bundled model'}",
        )
    if not models:
        raise ConfigurationError("model.none-bundled", "this installation holds no bundled models")
    raise InputError(
        "model.unknown", "no bundled model has this name", where=str(ref), hint=f"choose from {listed}"
    )
