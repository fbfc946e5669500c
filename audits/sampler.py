"""Where an audit gets its pictures: a ``Sampler`` handed in, so that what is measured is what users get.

``guard.sampling`` makes one of the guarded path: prompts are reviewed, the packs are asked, and pictures that
they refuse never arrive here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generators.interface import GeneratorInfo
    from generators.request import GenerationRequest
    from provenance.media import Frames


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sampled:
    """One picture or clip, in memory only.

    Attributes:
        frames: the pixels, before any mark.
        warnings: codes of what went differently from what was asked; no words of the prompt.
    """

    frames: Frames
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """A picture that policy refused.

    Attributes:
        stage: where: prompt, plan or pixels.
        rules: ids of the rules that refused it.
    """

    stage: str
    rules: tuple[str, ...]


class Sampler(Protocol):
    """Draws what is asked for, one outcome a seed, in the order of the seeds."""

    @property
    def info(self) -> GeneratorInfo:
        """The model behind it."""
        ...

    def __call__(self, request: GenerationRequest) -> Iterator[Sampled | Withheld]:
        """The outcomes.

        Raises:
            InputError: the model cannot honour a field.
        """
        ...
