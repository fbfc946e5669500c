"""Recipes: everything needed to make the same pixels again, except the prompt.

Exact repetition needs the same versions, device, thread count and batch size: with another batch size
pixels move by up to 1/255, with another thread count some bytes change. So all of these are recorded.
The prompt stays in the caller's private record; a recipe is committed to with a keyed digest there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provenance.canonical import canonical_bytes, digest
from provenance.errors import IntegrityError

if TYPE_CHECKING:
    from provenance.canonical import Json

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightFile:
    """One file of a model: path relative to the model's folder, size in bytes, lower-case hex SHA-256."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRecord:
    """Which model.

    Attributes:
        ref: reference.
        revision: pinned, if there is one.
        pipeline: class.
        weights: all files of weights.
        settings: the files beside them that decide what is drawn, as configurations and tokenizers; empty
            where there are none, and in recipes of before.
    """

    ref: str
    revision: str | None
    pipeline: str
    weights: tuple[WeightFile, ...]
    settings: tuple[WeightFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerRecord:
    """Scheduler class and its configuration after construction (pipelines edit it while being built)."""

    name: str
    config: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRecord:
    """A hook, or a step after the model that changes pixels: name, version, public parameters."""

    name: str
    version: str
    parameters: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterRecord:
    """An adapter laid over the model.

    Attributes:
        method: how it was trained, as "lora"; "unknown" for files of other programs.
        sha256: of the file, lower-case hex.
        scale: strength.
        training_sha256: of the record of its training, None if the file names none.
    """

    method: str
    sha256: str
    scale: float
    training_sha256: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Where it ran.

    Attributes:
        python: version, as "3.11.9".
        libraries: name and version of each library that computes pixels.
        device: "cpu", "cuda", …
        dtype: of weights and activations, as "float32".
        threads: of torch within one operation.
    """

    python: str
    libraries: Mapping[str, str]
    device: str
    dtype: str
    threads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How one picture was made.

    Attributes:
        model: which weights.
        seed: of the picture's own random stream, always drawn on the CPU.
        scheduler: as it was configured.
        steps: denoising steps taken.
        guidance_scale: classifier-free guidance.
        width: pixels of the result.
        height: pixels of the result.
        hooks: between steps, in order.
        finish: after the model, in order (enlarging, grain).
        options: further arguments of the model's call.
        environment: versions, device, threads.
        batch_size: pictures computed together.
        batch_index: place of this one among them.
        frames: of a clip; 1 for pictures.
        fps: of a clip; None for pictures.
        init_sha256: ``generators.starting_points.pixels_digest`` of what it started from; None for nothing.
        mask_sha256: the same of the mask.
        adapters: laid over the model, in order.
        fast: profiles it was drawn with, and what they did to the model.
    """

    model: ModelRecord
    seed: int
    scheduler: SchedulerRecord
    steps: int
    guidance_scale: float
    width: int
    height: int
    hooks: tuple[StageRecord, ...]
    finish: tuple[StageRecord, ...]
    options: Mapping[str, Json]
    environment: Environment
    batch_size: int
    batch_index: int
    frames: int = 1
    fps: float | None = None
    init_sha256: str | None = None
    mask_sha256: str | None = None
    adapters: tuple[AdapterRecord, ...] = ()
    fast: tuple[StageRecord, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """Plain JSON values with a schema version; ``from_json`` reads it back."""
        return {"schema_version": SCHEMA_VERSION, **_plain(self)}

    def canonical(self) -> bytes:
        """The one canonical byte form."""
        return canonical_bytes(self.to_json())

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form. Public only where the recipe itself is: seeds can be guessed."""
        return digest(self.to_json())

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Recipe:
        """Read a recipe.

        Raises:
            IntegrityError: other version, missing or unknown fields, wrong types of nested parts.
        """
        try:
            return _read(data)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise IntegrityError(
                "recipe.malformed", "the recipe does not have the fields of a recipe"
            ) from error


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _read(data: Mapping[str, Any]) -> Recipe:
    fields = dict(data)
    if fields.pop("schema_version") != SCHEMA_VERSION:
        raise ValueError("schema_version")
    model = dict(fields.pop("model"))
    weights = tuple(WeightFile(**item) for item in model.pop("weights"))
    settings = tuple(WeightFile(**item) for item in model.pop("settings", ()))
    return Recipe(
        model=ModelRecord(weights=weights, settings=settings, **model),
        scheduler=SchedulerRecord(**fields.pop("scheduler")),
        hooks=tuple(StageRecord(**item) for item in fields.pop("hooks")),
        finish=tuple(StageRecord(**item) for item in fields.pop("finish")),
        environment=Environment(**fields.pop("environment")),
        # Recipes from before there were adapters lack these fields, which have defaults.
        adapters=tuple(AdapterRecord(**item) for item in fields.pop("adapters", ())),
        fast=tuple(StageRecord(**item) for item in fields.pop("fast", ())),
        **fields,
    )
