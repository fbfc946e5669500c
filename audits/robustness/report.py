"""The values of a report of the attack lab; ``summary`` makes them, ``tables`` and ``plots`` show them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from audits.plain import plain

if TYPE_CHECKING:
    from audits.robustness.samples import Refused
    from audits.robustness.scales import Family
    from audits.statistics import Proportion
    from provenance.canonical import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A score, and how often pictures without a mark pass it.

    Attributes:
        score: marks are detected above it.
        passed: scores of unmarked pictures above it.
        n: scores of unmarked pictures.
    """

    score: float
    passed: int
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One method under one attack.

    Attributes:
        attack: its name.
        family: of the attack.
        kind: scale of the attack.
        severity: 0 to 1 on that scale.
        waves: name of the same attack in WAVES, or None.
        exact: pictures from which every bit came back.
        wrong: pictures from which other bits came back as valid; None for methods without a check.
        accuracy: mean share of right bits; a method that returned none counts as a guess, 0.5.
        detected: pictures detected at ``COMMON_RATE``; None where too few looks measure that.
        detected_strictly: pictures detected above every score of an unmarked picture; None without any.
        present: pictures that the method itself called marked; None for methods that take no decision.
        milliseconds: median processor time of reading; None where nothing was read.
        psnr: median dB between before and after the attack; None where pixels moved.
        ssim: median, likewise.
    """

    attack: str
    family: Family
    kind: str
    severity: float
    waves: str | None
    exact: Proportion
    wrong: int | None
    accuracy: float
    detected: Proportion | None
    detected_strictly: Proportion | None
    present: Proportion | None
    milliseconds: float | None
    psnr: float | None
    ssim: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodSummary:
    """One method over all attacks.

    Attributes:
        method: as ``trial.shown``.
        identity: of the method.
        payload_bits: that it carries.
        pictures: marked or refused.
        sources: files that these pictures come from.
        refused: pictures that it refused to mark.
        psnr: mean dB of the mark; None where nothing was marked.
        ssim: mean, likewise.
        embed_ms: median processor time of marking.
        decode_ms: median processor time of reading, over all attacks.
        null_looks: looks at pictures without a mark.
        null_marks: of these, in how many the method said that there was one; None if it never says so.
        common: threshold at ``COMMON_RATE``; None where too few looks measure that.
        strict: threshold that no unmarked picture passed; None without looks.
        overall: all attacks together, as a row of its own.
        rows: one for each attack.
        areas: kind of attack → area under exact recovery over severity, 0 to 1, for kinds that were
            swept up to severity 1.
    """

    method: str
    identity: str
    payload_bits: int
    pictures: int
    sources: int
    refused: int
    psnr: float | None
    ssim: float | None
    embed_ms: float
    decode_ms: float | None
    null_looks: int
    null_marks: int | None
    common: Threshold | None
    strict: Threshold | None
    overall: Row
    rows: tuple[Row, ...]
    areas: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole measurement.

    Attributes:
        command: that makes it again.
        pictures: in all.
        sources: files that these come from.
        about: attacks, seed, digests, versions, machine.
        methods: in the order asked for.
        refused: files and trials that could not be used.
    """

    command: str
    pictures: int
    sources: int
    about: dict[str, Json]
    methods: tuple[MethodSummary, ...]
    refused: tuple[Refused, ...]


def as_json(report: Report) -> dict[str, Json]:
    """The report as plain values; rates with n and interval, numbers to four places."""
    return cast("dict[str, Json]", plain(report))


def as_text(report: Report) -> str:
    """``as_json`` as the text of a file."""
    return json.dumps(as_json(report), indent=1, ensure_ascii=False) + "\n"
