"""The guarded path as a ``Sampler``: what an audit measures is what users get.

1. the words are reviewed and the packs asked, as for ``guard generate``
2. the packs are asked about the plan
3. pictures are drawn, and the packs asked about each

What they refuse reaches nobody: not the audit, and not the disk. Nothing is released or written here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits.sampler import Sampled, Withheld
from guard.errors import Denied
from guard.generate import approve, origin_of
from guard.inspect import pixel_facts
from guard.plan import ask
from guard.policy.decide import decide
from guard.policy.decision import authorise
from guard.policy.fact import Kind
from guard.policy.rule import Stage
from guard.release import inspected
from guard.stages import Draft

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generators.interface import Generation, Generator, GeneratorInfo
    from generators.request import GenerationRequest
    from guard.stages import Origin
    from guard.tools import Tools

_COMMAND = "generate"
"""To the rules it is what it stands for."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GuardedSampler:
    """A ``audits.sampler.Sampler`` over a loaded model.

    Attributes:
        generator: the model.
        tools: packs, clock and inspectors; nothing is signed (``guard.replay.deciding``).
    """

    generator: Generator
    tools: Tools

    @property
    def info(self) -> GeneratorInfo:
        """The model behind it."""
        return self.generator.info

    def __call__(self, request: GenerationRequest) -> Iterator[Sampled | Withheld]:
        """One outcome a seed. A refusal of the words or of the plan is one of every picture.

        Raises:
            InputError: the words cannot be reviewed, or the model cannot honour a field.
        """
        try:
            approved = approve(request, self.tools)  # (1)
            origin = origin_of(self.generator, approved.review)
            kind = Kind.VIDEO if self.info.kind == "video" else Kind.IMAGE
            ask(Stage.PLAN, origin, self.tools, command=_COMMAND, kind=kind)  # (2)
        except Denied as refused:
            yield from [_withheld(refused)] * len(request.seeds)
            return
        for made in self.generator.generate(approved.request):  # (3)
            yield self._looked_at(made, origin, clip=kind is Kind.VIDEO)

    def _looked_at(self, made: Generation, origin: Origin, *, clip: bool) -> Sampled | Withheld:
        mime = "video/mp4" if clip else "image/png"
        draft = Draft(frames=made.frames, mime=mime, origin=origin)
        seen = inspected(draft, self.tools)
        facts = pixel_facts(draft, command=_COMMAND, include_prompt=False, inspected=seen)
        subject = self.tools.random(16).hex()
        decision = decide(self.tools.packs, Stage.PIXELS, facts, now=self.tools.clock(), subject=subject)
        try:
            authorise(decision, stage=Stage.PIXELS, subject=subject)
        except Denied as refused:
            return _withheld(refused)
        return Sampled(frames=made.frames, warnings=tuple(warned.code for warned in made.warnings))


def _withheld(refused: Denied) -> Withheld:
    decision = refused.decision
    return Withheld(stage=decision.stage.value, rules=tuple(result.rule for result in decision.reasons))
