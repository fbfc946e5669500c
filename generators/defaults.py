"""What a model prefers, as a value."""

from __future__ import annotations

from dataclasses import dataclass

from generators.finishes import PLAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What a model prefers when the request says nothing.

    Attributes:
        steps: denoising steps; None leaves it to the pipeline.
        guidance_scale: None leaves it to the pipeline.
        most_frames: the longest clip; None leaves it to the pipeline.
        batch: pictures computed together; part of what exact repetition needs.
        finished_size: side in pixels that results are enlarged to; None keeps the model's pixels.
        finish: how they are enlarged, a name in ``generators.finishes``.
    """

    steps: int | None = None
    guidance_scale: float | None = None
    most_frames: int | None = None
    batch: int = 1
    finished_size: int | None = None
    finish: str = PLAIN
