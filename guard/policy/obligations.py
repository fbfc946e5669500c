"""Obligations: what a file still has to get before it may leave. The strictest of all rules wins."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class MarkDuty(StrEnum):
    """Whether the pixels get a watermark, in rising strictness."""

    OFF = "off"
    """No mark is made."""
    IF_CAPABLE = "if_capable"
    """Where the picture can carry it at the quality floor; otherwise its absence is recorded."""
    REQUIRED = "required"
    """A file without a readable mark does not leave (``base.mark-read-back``)."""


_STRICTNESS = tuple(MarkDuty)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the release flow does to a file.

    Attributes:
        watermark: duty to mark the pixels.
        c2pa: sign a manifest.
        xmp: state the digital source type in XMP before signing.
        log: record manifest and decision in the log.
        min_side: enlarge a smaller picture to this shorter side, in pixels, before marking; 0: never.
    """

    watermark: MarkDuty = MarkDuty.OFF
    c2pa: bool = False
    xmp: bool = False
    log: bool = False
    min_side: int = 0


def strictest(*plans: Plan) -> Plan:
    """The union of the duties; of no plans, a plan without duties."""
    return Plan(
        watermark=max((plan.watermark for plan in plans), key=_STRICTNESS.index, default=MarkDuty.OFF),
        c2pa=any(plan.c2pa for plan in plans),
        xmp=any(plan.xmp for plan in plans),
        log=any(plan.log for plan in plans),
        min_side=max((plan.min_side for plan in plans), default=0),
    )
