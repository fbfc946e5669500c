"""The stages of one or many releases, told in one line a stage."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from guard.cli._output import stage_line, warning

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generators.interface import Generation
    from guard.generate import Approved
    from guard.policy.decision import Decision
    from guard.stages import Released


def packs_of(decision: Decision) -> str:
    """Names and versions of the packs that decided."""
    return ", ".join(f"{pack.name} {pack.version}" for pack in decision.packs)


def tell_approved(approved: Approved) -> None:
    """What the packs and the review said of the words."""
    stage_line("policy", f"{packs_of(approved.decision)}: the words may be used")
    flags = ", ".join(flag.token for flag in approved.review.flags)
    edits = len(approved.review.edits)
    stage_line("prompt review", f"{edits or 'no'} edits, {'flags ' + flags if flags else 'no flags'}")
    for warned in approved.decision.warnings:
        warning(warned.message)


@dataclass(slots=True)
class GenerationReport:
    """Collects pictures as they are made and released, and tells of them once."""

    count: int
    started: float = field(default_factory=time.perf_counter)
    seconds: float = 0.0
    sizes: set[tuple[int, int]] = field(default_factory=set)
    seeds: list[int] = field(default_factory=list)
    said: dict[str, None] = field(default_factory=dict)
    released: list[Released] = field(default_factory=list)

    def made(self, generation: Generation) -> None:
        """One picture came out of the model."""
        self.seconds = time.perf_counter() - self.started
        self.sizes.add((generation.frames.width, generation.frames.height))
        self.seeds.append(generation.recipe.seed)
        for item in generation.warnings:
            if item.message not in self.said:
                self.said[item.message] = None
                warning(item.message)

    def close(self) -> None:
        """Tell of everything released so far, also when something then failed."""
        if self.seeds:
            sizes = ", ".join(f"{width}×{height}" for width, height in sorted(self.sizes))
            seeds = str(self.seeds[0]) if len(self.seeds) == 1 else f"{self.seeds[0]}–{self.seeds[-1]}"
            stage_line("generated", f"{len(self.seeds)} of {self.count}, {sizes}, seed {seeds}")
        tell(self.released)


def tell(released: Sequence[Released]) -> None:
    """One line a stage over all of ``released`` on stderr, then their paths on stdout."""
    if not released:
        return
    for stage, text in stages(released):
        stage_line(stage, text)
    for message in dict.fromkeys(w.message for one in released for w in one.decision.warnings):
        warning(message)
    for one in released:
        click.echo(str(one.path))


def stages(released: Sequence[Released]) -> Iterator[tuple[str, str]]:
    """(stage, what became of the pictures there)."""
    marked = [one.signed.marked for one in released]
    for one in marked:
        if one.enlarged_from is not None:
            (w, h), frames = one.enlarged_from, one.frames
            yield "enlarged", f"{w}×{h} → {frames.width}×{frames.height}, to carry a mark"
    marks = [one.mark.psnr for one in marked if one.mark is not None]
    if marks:
        yield "watermark", f"{len(marks)} of {len(marked)}, {_range(marks)} dB, decoded back"
    for reason in dict.fromkeys(one.unmarked_reason for one in marked if one.unmarked_reason):
        yield "watermark", f"none: {reason}"
    first = released[0]
    if first.signed.marked.checked.plan.xmp:
        yield "metadata", f"IPTC {first.signed.marked.checked.draft.origin.source_type.term}"
    if first.proof.manifest.signer is not None:
        yield "signed", str(first.proof.manifest.signer)
    leaves = [index for one in released for index in one.leaves]
    yield "logged", f"entries {min(leaves)}–{max(leaves)} (local, no outside witness)"
    states = ", ".join(dict.fromkeys(one.proof.manifest.state.value for one in released))
    yield "read back", f"{len(released)} of {len(released)}: {states}"


def _range(values: list[float]) -> str:
    low, high = f"{min(values):.1f}", f"{max(values):.1f}"
    return low if low == high else f"{low}–{high}"
