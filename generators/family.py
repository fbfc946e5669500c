"""What is known of a family of models before one is loaded, as values. ``generators.families`` lists them."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provenance.canonical import Json

Layout = Literal["BCHW", "BCTHW", "BTCHW", "packed"]
"""Axes of the latents: batch, channels, time, height, width; "packed" is (B, places, channels)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameRule:
    """How many frames a clip may have: ``step`` × k + ``offset``.

    Attributes:
        step: frames between two allowed numbers.
        offset: 1 where the first frame has a latent of its own, else 0.
        default: of the pipeline's call; None where the loaded model says it.
        group: latent frames that are decoded together; ``step`` is that many times what one stands for.
    """

    step: int = 1
    offset: int = 0
    default: int | None = None
    group: int = 1

    def __str__(self) -> str:
        factor = "k" if self.step == 1 else f"{self.step}k"
        return factor + (f" + {self.offset}" if self.offset else "")

    def allows(self, count: int, most: int | None) -> bool:
        """Whether a clip can have ``count`` frames."""
        return count >= 1 and count % self.step == self.offset % self.step and count <= (most or count)

    def nearest(self, count: int, most: int | None) -> tuple[int, ...]:
        """The allowed numbers next to ``count``, below and above."""
        below = count - (count - self.offset) % self.step
        around = (below, below + self.step)
        if most is not None:
            top = most - (most - self.offset) % self.step
            around = (min(below, top), min(below + self.step, top))
        return tuple(dict.fromkeys(n for n in around if self.allows(n, most)))


@dataclass(frozen=True, slots=True, kw_only=True)
class TextEncoder:
    """One reader of the prompt, and where it stops.

    Attributes:
        tokenizer: component of the pipeline.
        limit: tokens it reads; None is the tokenizer's own limit.
        argument: option that changes the limit.
        template: argument of the call whose default wraps the prompt, and whose head is cut off again.
    """

    tokenizer: str = "tokenizer"
    limit: int | None = None
    argument: str | None = None
    template: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InitRule:
    """How a family takes ``GenerationRequest.init`` and ``mask``.

    Attributes:
        argument: of the call.
        clip: whether it is a clip rather than one picture.
        single: argument for one picture, where clips are taken too.
        required: nothing is made without it.
        same_size: the result is as large as it; otherwise the result's size is the model's own.
        mask: argument of the mask, None where there is none.
        mask_required: nothing is made without it.
    """

    argument: str = "image"
    clip: bool = False
    single: str | None = None
    required: bool = True
    same_size: bool = True
    mask: str | None = None
    mask_required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What one pipeline class takes, refuses and returns.

    Attributes:
        pipeline: class name in diffusers, as in ``model_index.json``.
        name: for people.
        kind: what it makes.
        multiple: width and height are multiples of it; the loaded model can ask for more.
        sized: whether pictures can have other sizes than the model's own.
        frames: how many frames a clip may have; None for pictures.
        fps: at which clips play by default.
        fps_argument: argument that tells the model, for those that want to know.
        returns: attribute of the result.
        guidance: argument for ``guidance_scale``; None where there is no guidance.
        guidance_embedded: the number is an input of the network, which may have been trained without it.
        negative: option that must exceed 1 for a negative prompt to count; ``"guidance"`` is the guidance
            itself, None: there are no negative prompts.
        layout: axes of the latents.
        conditioning: what the prompt is: text, the name or number of a class, or nothing, and must be "".
        encoders: every reader of the prompt.
        init: how a picture or clip to start from is taken.
        hooks: tensors that hooks see between steps; none: it takes no hooks.
        latents: whether the noise to start from can be handed in.
        schedulers: names in ``generators.families.SCHEDULERS`` that fit it.
        fixed: arguments that are always given, against surprises; they cannot be asked for.
        packages: optional packages that it does not run without.
        batches: whether pictures can be computed together, each with its own random stream.
        fast: profiles of ``generators.fast`` that its models can be drawn with.
    """

    pipeline: str
    name: str
    kind: Literal["image", "video"] = "image"
    multiple: int = 8
    sized: bool = True
    frames: FrameRule | None = None
    fps: float | None = None
    fps_argument: str | None = None
    returns: Literal["images", "frames"] = "images"
    guidance: str | None = "guidance_scale"
    guidance_embedded: bool = False
    negative: str | None = "guidance"
    layout: Layout = "BCHW"
    conditioning: Literal["prompt", "label", "none"] = "prompt"
    encoders: tuple[TextEncoder, ...] = (TextEncoder(),)
    init: InitRule | None = None
    hooks: tuple[str, ...] = ()
    latents: bool = True
    schedulers: tuple[str, ...] = ()
    fixed: Mapping[str, Json] = field(default_factory=lambda: MappingProxyType({}))
    packages: tuple[str, ...] = ()
    batches: bool = True
    fast: tuple[str, ...] = ()
