"""What went into a file, as its maker names it: ``[KIND:]FILE`` → ``Ingredient``."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from provenance.codecs import encode, read_asset
from provenance.errors import InputError
from provenance.manifest.ingredient import Ingredient, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generators.interface import GeneratorInfo
    from generators.recipe import AdapterRecord
    from generators.request import GenerationRequest
    from provenance.media import Asset

_TITLES = {Kind.PICTURE: "input", Kind.COMPONENT: "component"}
"""Of pictures: names of downloads often tell the prompt, so theirs stay here."""


def ingredients_of(words: Sequence[str]) -> tuple[Ingredient, ...]:
    """Every ``[KIND:]FILE`` as a value; without a kind it is a picture or clip that was looked at.

    Raises:
        InputError: a file cannot be read, or is no picture where one is meant; ``ingredient.unreadable``.
    """
    return tuple(_ingredient(word) for word in words)


def model_ingredient(info: GeneratorInfo) -> Ingredient:
    """The weights that make pictures here; the last part of a model's name is public, its folder is not."""
    return Ingredient(
        kind=Kind.MODEL,
        title=info.name.replace("\\", "/").rpartition("/")[2][:256],
        sha256=info.weights_sha256,
    )


def training_ingredients(info: GeneratorInfo) -> tuple[Ingredient, ...]:
    """The record of how a model was trained, where it was trained here."""
    if info.training_sha256 is None:
        return ()
    return (Ingredient(kind=Kind.TRAINING, title="training record", sha256=info.training_sha256),)


def start_ingredients(request: GenerationRequest, file: Asset | None = None) -> tuple[Ingredient, ...]:
    """The picture or clip that a request starts from; a mask shows nothing.

    Args:
        request: what is asked of the model.
        file: where ``request.init`` was read from; its own manifest is kept. None: a picture is taken in as
            it was handed to the model. A clip without a file is no ingredient: it would have to be
            compressed first, and be another.
    """
    start, title = request.init, _TITLES[Kind.PICTURE]
    if start is None or (file is None and len(start.pixels) > 1):
        return ()
    return (Ingredient(kind=Kind.PICTURE, title=title, asset=file or encode(start, "image/png")),)


def adapter_ingredients(adapters: Sequence[AdapterRecord]) -> tuple[Ingredient, ...]:
    """What was laid over a model, and the record of how each was trained; one switched off went not in."""
    used = [one for one in adapters if one.scale]
    weights = [
        Ingredient(kind=Kind.ADAPTER, title=f"{one.method} adapter"[:256], sha256=one.sha256) for one in used
    ]
    records = [
        Ingredient(kind=Kind.TRAINING, title="training record", sha256=one.training_sha256)
        for one in used
        if one.training_sha256 is not None
    ]
    return (*weights, *records)


def _ingredient(word: str) -> Ingredient:
    name, found, rest = word.partition(":")
    kind = Kind(name) if found and name in set(Kind) else Kind.PICTURE
    path = Path(rest if found and name in set(Kind) else word)
    if kind in _TITLES:
        return Ingredient(kind=kind, title=_TITLES[kind], asset=read_asset(path))
    return Ingredient(kind=kind, title=path.name[:256], sha256=_digest(path))


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(
            "ingredient.unreadable",
            f"an ingredient cannot be read: {error.strerror}",
            where=str(path),
            hint="name the file of the model, adapter or record, e.g. --ingredient adapter:style.safetensors",
        ) from error
