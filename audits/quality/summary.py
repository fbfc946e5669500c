"""From trials to the values of a report."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

import numpy as np

from audits.quality.accuracy import as_asked, items
from audits.quality.delete_half import LEAST, enough
from audits.quality.distances import frechet, frechet_estimate, kernel, kernel_estimate
from audits.quality.manifolds import manifolds
from audits.quality.planted import uniform
from audits.quality.recovery import recovered
from audits.quality.report import Clips, Distances, ModelSummary, Report, SetSummary
from audits.quality.trial import unpacked
from audits.statistics import wilson
from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from audits.quality.confusion import Confusion
    from audits.quality.lab import Measured, Setup
    from audits.quality.recovery import Recovery
    from audits.quality.sets import PromptSet
    from audits.quality.trial import Trial
    from audits.robustness.samples import Refused
    from provenance.canonical import Json

    Table = Mapping[str, Mapping[str, Mapping[str, float]]]

UNIFORM = "uniform"
"""The table for models without one of their own."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Against:
    """What trials are held against.

    Attributes:
        confusion: of the oracle, by question; empty without one.
        reference: features (N, D) of pictures; None without any.
        planted: model → name and table of planted shares; the others are held against ``uniform``.
        refused: files of the reference that could not be used.
        small: Fréchet distances also with fewer pictures than dimensions.
    """

    confusion: Mapping[str, Confusion] = field(default_factory=lambda: MappingProxyType({}))
    reference: NDArray[np.float64] | None = None
    planted: Mapping[str, tuple[str, Table]] = field(default_factory=lambda: MappingProxyType({}))
    refused: tuple[Refused, ...] = ()
    small: bool = False


def check_enough(setup: Setup, reference: NDArray[np.float64] | None) -> None:
    """Refuse before anything is drawn what ``summarise`` would refuse when all is.

    Args:
        setup: what will be drawn.
        reference: features (N, D) of pictures; None: no distances are asked for.

    Raises:
        InputError: ``quality.too-few``.
    """
    if reference is None:
        return
    enough(len(reference), LEAST, "reference")
    for set_ in setup.sets:
        drawn = sum(len(setup.seeds(set_, item)) for item in range(len(set_.asked)))
        enough(drawn, LEAST, f"generated ({set_.name})")


def summarise(measured: Measured, against: Against, *, command: str) -> Report:
    """The report.

    Raises:
        InputError: ``quality.too-few``: a reference, and too few pictures of it or of a set, of which the
            packs may have refused some.
    """
    return Report(
        command=command,
        about=dict(measured.about),
        models=tuple(_model(name, measured, against) for name in measured.models),
        confusion={name: _published(table) for name, table in against.confusion.items()},
        reference=0 if against.reference is None else len(against.reference),
        refused=against.refused,
    )


def _published(table: Confusion) -> Json:
    """Every count that is not 0."""
    counts = {
        truth: {answer: count for answer, count in zip(table.answers, row, strict=True) if count}
        for truth, row in zip(table.answers, table.counts, strict=True)
    }
    return cast("Json", counts)


def _model(name: str, measured: Measured, against: Against) -> ModelSummary:
    info = measured.models[name]
    own = [trial for trial in measured.trials if trial.model == name]
    return ModelSummary(
        model=name,
        name=info.name,
        licence=info.licence,
        data_licence=info.data_licence,
        sets=tuple(
            _set(
                [trial for trial in own if (trial.set, trial.guidance) == (set_.name, guidance)],
                set_,
                guidance,
                measured,
                against,
            )
            for set_ in measured.setup.sets
            for guidance in set_.guidance
        ),
        recovery=_recovery(name, own, measured, against),
    )


def _set(
    trials: Sequence[Trial],
    set_: PromptSet,
    guidance: float | None,
    measured: Measured,
    against: Against,
) -> SetSummary:
    drawn = [trial for trial in trials if not trial.withheld]
    refused = Counter(" ".join(trial.withheld) for trial in trials if trial.withheld)
    warned = Counter(code for trial in trials for code in set(trial.warnings))
    read = any(trial.answers for trial in drawn)
    return SetSummary(
        set=set_.name,
        guidance=guidance,
        pictures=len(drawn),
        withheld=dict(sorted(refused.items())),
        warnings=dict(sorted(warned.items())),
        accuracy=as_asked(trials, set_, against.confusion) if read else (),
        items=items(trials, set_) if read else (),
        distances=_distances(drawn, measured, against),
        clips=_clips(drawn, str(measured.about.get("flow"))),
    )


def _distances(drawn: Sequence[Trial], measured: Measured, against: Against) -> Distances | None:
    reference, seed = against.reference, measured.setup.seed
    if reference is None or not drawn:
        return None
    made = np.stack([unpacked(trial.features) for trial in drawn])
    one, other = np.array_split(reference[np.random.default_rng(seed).permutation(len(reference))], 2)
    left_out, estimate = "", None
    try:
        estimate = frechet_estimate(reference, made, seed=seed, small=against.small)
    except InputError as error:
        left_out = error.what
    return Distances(
        features=str(measured.about["features"]),
        dimensions=reference.shape[1],
        frechet=estimate,
        frechet_extrapolated=None if estimate is None else estimate.extrapolated,
        frechet_null=None if estimate is None else frechet(one, other),
        kernel=kernel_estimate(reference, made, seed=seed),
        kernel_null=kernel(one, other),
        manifolds=manifolds(reference, made),
        left_out=left_out,
    )


def _clips(drawn: Sequence[Trial], flow: str) -> Clips | None:
    seen = [trial.steadiness for trial in drawn if trial.steadiness is not None]
    if not seen:
        return None
    steadier = sum(one.error < one.shuffled for one in seen)
    return Clips(
        flow=flow,
        clips=len(seen),
        error=float(np.mean([one.error for one in seen])),
        shuffled=float(np.mean([one.shuffled for one in seen])),
        motion=float(np.mean([one.motion for one in seen])),
        agreeing=float(np.mean([one.agreeing for one in seen])),
        steadier=wilson(steadier, len(seen)),
    )


def _recovery(name: str, own: Sequence[Trial], measured: Measured, against: Against) -> Recovery | None:
    bare = next((set_ for set_ in measured.setup.sets if set_.bare), None)
    if bare is None or not against.confusion:
        return None
    table, planted = against.planted.get(name, (UNIFORM, uniform()))
    return recovered(
        [trial for trial in own if trial.set == bare.name],
        [asked.expected["subject"] for asked in bare.asked],
        planted,
        against.confusion,
        table=table,
        seed=measured.setup.seed,
    )
