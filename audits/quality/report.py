"""The values of a report of ``guard bench generators``; ``summary`` makes them, ``tables`` shows them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from audits.plain import plain

if TYPE_CHECKING:
    from audits.quality.accuracy import AsAsked, Item
    from audits.quality.delete_half import Estimate
    from audits.quality.manifolds import Manifolds
    from audits.quality.recovery import Recovery
    from audits.robustness.samples import Refused
    from audits.statistics import Proportion
    from provenance.canonical import Json

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Distances:
    """Between reference pictures and generated ones, over named features.

    Attributes:
        features: name of the extractor; none of them is Inception, so nothing here is an FID.
        dimensions: numbers a picture.
        frechet: None with fewer pictures than dimensions.
        frechet_extrapolated: without most of its bias; None likewise.
        frechet_null: of two halves of the reference with each other; None likewise.
        kernel: unbiased, as squared maximum mean discrepancy.
        kernel_null: of two halves of the reference.
        manifolds: precision, recall, density, coverage.
        left_out: why there is no Fréchet distance; empty where there is.
    """

    features: str
    dimensions: int
    frechet: Estimate | None
    frechet_extrapolated: float | None
    frechet_null: float | None
    kernel: Estimate
    kernel_null: float
    manifolds: Manifolds
    left_out: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Clips:
    """Temporal warp error over the clips of a set; differences in 8-bit steps.

    Attributes:
        flow: name of the optical flow.
        clips: measured.
        error: mean.
        shuffled: mean of the same with the frames in random order.
        motion: mean length of the flow, pixels a frame.
        agreeing: mean share of pixels where the flow forth and back agrees.
        steadier: clips whose error is below that of their shuffled frames.
    """

    flow: str
    clips: int
    error: float
    shuffled: float
    motion: float
    agreeing: float
    steadier: Proportion


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSummary:
    """One model on one set of prompts.

    Attributes:
        set: its name.
        guidance: scale; None: the model's own.
        pictures: drawn.
        withheld: refused by policy, by stage and rule.
        warnings: pictures by the code of what went differently from what was asked.
        accuracy: a row a question.
        items: prompts with what was asked, the worst first.
        distances: from the reference; None without one.
        clips: None for pictures.
    """

    set: str
    guidance: float | None
    pictures: int
    withheld: dict[str, int]
    warnings: dict[str, int]
    accuracy: tuple[AsAsked, ...]
    items: tuple[Item, ...]
    distances: Distances | None
    clips: Clips | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSummary:
    """One model.

    Attributes:
        model: reference and digest of its weights.
        name: for people.
        licence: of the weights.
        data_licence: of what they were trained on.
        sets: by set and guidance.
        recovery: of planted shares; None where no set leaves attributes open.
    """

    model: str
    name: str
    licence: str
    data_licence: str
    sets: tuple[SetSummary, ...]
    recovery: Recovery | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole measurement.

    Attributes:
        command: that makes it again.
        about: seed, digests, versions, machine.
        models: in the order asked for.
        confusion: of the oracle: question → truth → answer → pictures, those that were any.
        reference: pictures that distances were measured from.
        refused: files of the reference that could not be used.
    """

    command: str
    about: dict[str, Json]
    models: tuple[ModelSummary, ...]
    confusion: dict[str, Json]
    reference: int
    refused: tuple[Refused, ...]


def as_json(report: Report) -> dict[str, Json]:
    """The report as plain values; rates with n and interval, numbers to four places."""
    return {"schema_version": SCHEMA_VERSION, **cast("dict[str, Json]", plain(report))}


def as_text(report: Report) -> str:
    """``as_json`` as the text of a file."""
    return json.dumps(as_json(report), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
