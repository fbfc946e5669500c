"""The stages of one or many releases, told in one line a stage."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from generators.energy import Meter
from guard.cli._output import stage_line, warning, write_path
from guard.kept import KEPT

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence
    from pathlib import Path
    from typing import Self

    from generators.energy import Energy
    from generators.interface import Generation
    from guard.cli._batch import Batch
    from guard.generate import Approved
    from guard.policy.decision import Decision
    from guard.stages import Marked, Released


_MOST_NAMED = 5
"""Files that a warning names."""


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


@dataclass(slots=True, kw_only=True)
class Report:
    """What was released, told at the end of the ``with`` block, also when something then failed.

    Attributes:
        batch: results and errors, for programs.
        many: several files come in; each is then also named as soon as it is released.
        told: warnings that stand on stderr already.
        code: the exit code, once the block has ended.
    """

    batch: Batch
    many: bool = False
    told: set[str] = field(default_factory=set)
    released: list[Released] = field(default_factory=list)
    code: int = 0

    def add(self, released: Released, *, file: Path | None = None) -> None:
        """One file has its final name."""
        self.released.append(released)
        self.batch.add(summary(released), file=file)
        if self.many and file is not None:
            stage_line("released", f"{file} → {released.path}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failure: object, *_: object) -> None:
        """One line a stage over all on stderr, then the paths on stdout."""
        for stage, text in stages(self.released):
            stage_line(stage, text)
        for message in warned(self.released, besides=self.told):
            warning(message)
        if self.batch.format_ == "text":
            for one in self.released:
                write_path(one.path)
        if failure is None:
            self.code = self.batch.close()


@dataclass(slots=True, kw_only=True)
class Making:
    """Counts pictures as they come out of the model, and tells of them once."""

    count: int
    meter: Meter = field(default_factory=Meter)
    sizes: set[str] = field(default_factory=set)
    kind: str = "picture"
    seeds: list[int] = field(default_factory=list)
    told: set[str] = field(default_factory=set)

    def made(self, generation: Generation) -> None:
        """One picture came out of the model."""
        self.sizes.add(_size(generation))
        self.seeds.append(generation.recipe.seed)
        for item in generation.warnings:
            if item.message not in self.told:
                self.told.add(item.message)
                warning(item.message)

    def tell(self, *, kept: int) -> None:
        """How many, how large, from which seeds; what they took, refused ones included."""
        if self.seeds:
            sizes = ", ".join(sorted(self.sizes))
            seeds = str(self.seeds[0]) if len(self.seeds) == 1 else f"{self.seeds[0]}–{self.seeds[-1]}"
            stage_line("generated", f"{len(self.seeds)} of {self.count}, {sizes}, seed {seeds}")
            stage_line("energy", energy(self.meter.total, kept, self.kind))


def _size(generation: Generation) -> str:
    frames, fps = generation.frames, generation.frames.fps
    size = f"{frames.width}×{frames.height}"
    return size if fps is None else f"{size}, {len(frames.pixels)} frames at {fps:g} a second"


def energy(spent: Energy, kept: int, kind: str = "picture") -> str:
    """What a run took, refused pictures included, for each picture or clip that was kept.

    What the figures rest on is too long for a line: it is in each private record and in ``summary``.
    """
    share, each = (spent.shared(kept), f" a {kind}") if kept else (spent, f" in all, no {kind} kept")
    return amount(share, each)


def amount(spent: Energy, each: str = "") -> str:
    """Joules and grams, each to two digits, ``each`` behind them, and how they were found."""
    about = "about " if spent.method == "estimated" else ""
    joules, grams = _two_digits(spent.joules), _two_digits(spent.grams)
    return f"{about}{joules} J, {grams} g CO2e{each} ({spent.method})"


def _two_digits(value: float) -> str:
    """Two significant digits, written out: more would claim too much of an estimate."""
    rounded = float(f"{value:.1e}")
    decimals = max(0, 1 - math.floor(math.log10(rounded))) if rounded > 0 else 0
    return f"{rounded:,.{decimals}f}"


def summary(released: Released) -> dict[str, object]:
    """What a script wants to know of a released file."""
    marked = released.signed.marked
    return {
        "path": str(released.path),
        "sidecar": None if released.sidecar is None else str(released.sidecar),
        "asset_sha256": released.signed.asset.sha256,
        "content_id": released.signed.content_id,
        "state": released.proof.manifest.state,
        "watermark_db": None if marked.mark is None else round(marked.mark.psnr, 1),
        "private_layer": _layer(marked.mark),
        "latent_mark": _shaded(released),
        "unmarked_reason": marked.unmarked_reason,
        "enlarged_from": marked.enlarged_from,
        "log_entries": released.leaves,
        "energy": released.signed.marked.checked.draft.energy,
        "warnings": released.warnings,
    }


def stages(released: Sequence[Released]) -> Iterator[tuple[str, str]]:
    """(stage, what became of the pictures there)."""
    if not released:
        return
    marked = [one.signed.marked for one in released]
    for one, picture in zip(released, marked, strict=True):
        if picture.enlarged_from is not None:
            (w, h), frames = picture.enlarged_from, picture.frames
            yield "enlarged", f"{one.path.name}: {w}×{h} → {frames.width}×{frames.height}, to carry a mark"
    marks = [one.mark.psnr for one in marked if one.mark is not None]
    if marks:
        lossy = any(
            one.checked.draft.quality is not None or one.clip for one in marked if one.mark is not None
        )
        before = " before compression" if lossy else ""
        yield "watermark", f"{len(marks)} of {len(marked)}, {_range(marks)} dB{before}, decoded back"
        yield from _layers([_layer(one.mark) for one in marked])
    shaded = sum(map(_shaded, released))
    if shaded:
        yield "latent mark", f"in the noise of {shaded} of {len(released)}; not read back"
    for one in released:
        reason = one.signed.marked.unmarked_reason
        if reason:
            yield "watermark", f"none on {one.path.name}: {reason}"
    first = released[0]
    labelled = [one for one in marked if _is_labelled(one)]
    if labelled:
        some = "" if len(labelled) == len(marked) else f" in {len(labelled)} of {len(marked)}"
        yield "metadata", f"IPTC {labelled[0].checked.draft.origin.source_type.term}{some}"
    for one in released:
        if one.sidecar is not None:
            yield "manifest", f"{one.sidecar}, which has to travel with {one.path.name}"
    if first.proof.manifest.signer is not None:
        yield "signed", str(first.proof.manifest.signer)
    leaves = [index for one in released for index in one.leaves]
    yield "logged", f"entries {min(leaves)}–{max(leaves)} (local, no outside witness)"
    states = ", ".join(dict.fromkeys(one.proof.manifest.state.value for one in released))
    yield "read back", f"{len(released)} of {len(released)}: {states}"


def _is_labelled(marked: Marked) -> bool:
    """Whether a statement in XMP was written into it."""
    draft = marked.checked.draft
    return marked.checked.plan.xmp and not draft.beside and draft.mime not in KEPT


def warned(released: Sequence[Released], *, besides: Container[str] = ()) -> Iterator[str]:
    """Each warning once, with the names of its files where it is not of all of them."""
    names: dict[str, list[str]] = {}
    for one in released:
        for message in dict.fromkeys(said for said in one.warnings if said not in besides):
            names.setdefault(message, []).append(one.path.name)
    for message, files in names.items():
        more = "" if len(files) <= _MOST_NAMED else f" and {len(files) - _MOST_NAMED} more"
        where = f" ({', '.join(files[:_MOST_NAMED])}{more})"
        yield message if len(files) == len(released) else message + where


def _range(values: list[float]) -> str:
    low, high = f"{min(values):.1f}", f"{max(values):.1f}"
    return low if low == high else f"{low}–{high}"


def _layers(written: Sequence[bool | None]) -> Iterator[tuple[str, str]]:
    if any(layer is not None for layer in written):
        count = sum(layer is True for layer in written)
        yield "private layer", f"{count} of {len(written)}, decoded back" if count else "none"


def _layer(mark: object) -> bool | None:
    """Whether a picture's mark has the private layer; None where none was asked for, and in clips."""
    from provenance.watermark.interface import Marked  # noqa: PLC0415

    return mark.private_layer if isinstance(mark, Marked) else None


def _shaded(released: Released) -> bool:
    """Whether the picture was drawn from noise that carries a mark."""
    from guard.latent import STAGE  # noqa: PLC0415

    recipe = released.signed.marked.checked.draft.origin.recipe
    return recipe is not None and any(stage.name == STAGE for stage in recipe.hooks)
