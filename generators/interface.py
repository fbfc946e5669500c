"""What a generator is, and what it yields. No heavy library is imported here.

A generator makes pixels and says how; it neither decides nor marks nor writes. ``guard`` wraps what
it yields and is the only way from here to a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from generators.energy import Energy
    from generators.recipe import Recipe, StageRecord
    from generators.request import GenerationRequest
    from provenance.canonical import Json
    from provenance.media import Frames


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorInfo:
    """What is known about a model before it runs.

    Attributes:
        id: model reference, as in requests and recipes.
        name: a name for people, as in a manifest's software agent.
        kind: what it makes.
        width: pixels by default.
        height: pixels by default.
        licence: SPDX id of the weights, or "unknown".
        data_licence: licences of the training data, or "unknown".
        weights_sha256: one digest over all weight files, lower-case hex; empty where no weights were seen.
        capabilities: optional request fields and hooks it accepts: "text", "step_hooks", "guidance", …
        training_sha256: of the record of its training, where it was trained here.
    """

    id: str
    name: str
    kind: Literal["image", "video"]
    width: int
    height: int
    licence: str
    data_licence: str
    weights_sha256: str
    capabilities: tuple[str, ...]
    training_sha256: str | None = None

    @property
    def public_id(self) -> str:
        """The reference for everyone: of a folder the digest of its weights, as its name may be a user's."""
        kind, _, _ = self.id.partition(":")
        return f"dir:sha256:{self.weights_sha256[:16]}" if kind == "dir" else self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationWarning:
    """Something the user should know about one picture.

    Attributes:
        code: stable dotted name, as for errors.
        message: one sentence. May quote the prompt: for the terminal and the private record, never for a
            manifest, a log or a report.
    """

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Generation:
    """One finished picture or clip, not yet allowed, marked or signed.

    Attributes:
        frames: the pixels.
        recipe: what makes the same pixels again; holds no prompt.
        prompt_used: the text that reached the model, after mapping and truncation. Private, as the prompt is.
        warnings: what went differently from what was asked.
        energy: its share of what its batch took; None where nobody metered it.
    """

    frames: Frames
    recipe: Recipe
    prompt_used: str
    warnings: tuple[GenerationWarning, ...] = ()
    energy: Energy | None = None


class StepHook(Protocol):
    """Looks at, or changes, the latents between two denoising steps (steering, latent marks, stopping)."""

    @property
    def name(self) -> str:
        """Stable name, for the recipe."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever the effect on pixels does."""
        ...

    @property
    def parameters(self) -> Mapping[str, Json]:
        """Everything that changes pixels and may be public; key ids, never keys."""
        ...

    def __call__(self, *, step: int, timestep: float, tensors: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the tensors to replace; an empty mapping leaves all as they are."""
        ...


class LatentInit(Protocol):
    """Changes the noise a picture is drawn from (latent marks)."""

    def __call__(self, noise: NDArray[np.float32]) -> tuple[NDArray[np.float32], StageRecord]:
        """The noise to start from instead, standard normal too, and what the recipe says of it.

        Called once for each picture with the noise of its seed, without a batch.
        """
        ...


@runtime_checkable
class Generator(Protocol):
    """A model that is ready to run."""

    @property
    def info(self) -> GeneratorInfo:
        """What is known about the model."""
        ...

    def generate(
        self,
        request: GenerationRequest,
        hooks: Sequence[StepHook] = (),
        *,
        latents: LatentInit | None = None,
    ) -> Iterator[Generation]:
        """One ``Generation`` per seed, in order; ``latents`` changes the noise each starts from.

        Raises:
            InputError: a field or hook that this model cannot honour; nothing is ignored silently.
            IntegrityError: the model gave numbers that are no picture.
        """
        ...
