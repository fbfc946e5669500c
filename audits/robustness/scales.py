"""Attacks as values: a name, a family, how hard, and the function; and the scales they are taken from.

A ``Scale`` turns the natural parameter of one kind of attack (JPEG quality, share cropped away, degrees)
into an ``Attack`` whose ``severity`` runs from 0 (nothing is done) to 1 (the hardest of its sweep), so that
success can be drawn over severity and the areas under such curves compared.

Families and, where the attack is the same, names follow WAVES (An et al., ICML 2024): distortions
(geometric, photometric, degradation, and their combinations), regeneration, and adversarial attacks.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from audits.robustness import attacks, filters

if TYPE_CHECKING:
    from collections.abc import Callable

    from audits.robustness.attacks import Picture, Transform


class Family(StrEnum):
    """What an attack does to a picture."""

    NONE = "none"
    GEOMETRIC = "geometric"
    """Pixels move: crops, turns, scaling."""
    PHOTOMETRIC = "photometric"
    """Values change as a function of themselves."""
    DEGRADATION = "degradation"
    """Detail is lost or noise is added; pixels stay where they are."""
    COMBINED = "combined"
    """Several of these, one after the other."""
    REGENERATION = "regeneration"
    """The picture is drawn again by a model."""
    ADVERSARIAL = "adversarial"
    """Aimed at marks."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Attack:
    """One attack, ready to use; calling it applies it.

    Attributes:
        name: unique within a set; stands in tables and results.
        family: see ``Family``.
        kind: the scale it lies on, or its own name.
        severity: 0 (nothing is done) to 1; 1 where there is no scale.
        apply: (H, W, 3) uint8 to (H', W', 3) uint8; the same result at every call, the input untouched.
        waves: the name of the same attack in WAVES, or None.
    """

    name: str
    family: Family
    kind: str
    severity: float
    apply: Transform
    waves: str | None = None

    def __call__(self, pixels: Picture) -> Picture:
        """``pixels`` after the attack."""
        return self.apply(pixels)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scale:
    """One kind of attack with its parameter.

    Attributes:
        kind: name of the scale.
        family: of all its attacks.
        mildest: parameter at severity 0, which changes nothing (JPEG: next to nothing).
        levels: parameters of the sweep, mildest first; the last has severity 1.
        make: from parameter and seed to the function; most have no use for the seed.
        waves: name of the kind in WAVES, or None.
    """

    kind: str
    family: Family
    mildest: float
    levels: tuple[float, ...]
    make: Callable[[float, int], Transform]
    waves: str | None = None

    def severity(self, parameter: float) -> float:
        """Where ``parameter`` lies between ``mildest`` and the last level, not below 0 or above 1."""
        return min(max((parameter - self.mildest) / (self.levels[-1] - self.mildest), 0.0), 1.0)

    def at(self, parameter: float, *, name: str | None = None, seed: int = 0) -> Attack:
        """The attack with that parameter."""
        return Attack(
            name=name or f"{self.kind}:{parameter:g}",
            family=self.family,
            kind=self.kind,
            severity=self.severity(parameter),
            apply=self.make(parameter, seed),
            waves=self.waves,
        )

    def sweep(self, seed: int = 0) -> tuple[Attack, ...]:
        """All levels, mildest first."""
        return tuple(self.at(parameter, seed=seed) for parameter in self.levels)


def fixed(name: str, family: Family, apply: Transform, *, waves: str | None = None) -> Attack:
    """An attack without a scale."""
    severity = 0.0 if family is Family.NONE else 1.0
    return Attack(name=name, family=family, kind=name, severity=severity, apply=apply, waves=waves)


def combined(name: str, *steps: Transform, waves: str | None = None) -> Attack:
    """Several attacks, one after the other, as one."""
    return fixed(name, Family.COMBINED, attacks.chain(*steps), waves=waves)


JPEG = Scale(
    kind="jpeg",
    family=Family.DEGRADATION,
    mildest=100,
    levels=(95, 90, 75, 60, 50, 40, 30, 20, 10),
    make=lambda quality, _: attacks.jpeg(round(quality)),
    waves="Dist-JPEG",
)
RESIZE = Scale(
    kind="resize",
    family=Family.GEOMETRIC,
    mildest=1,
    levels=(0.9, 0.75, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2),
    make=lambda factor, _: filters.resample(factor),
)
CROP = Scale(
    kind="crop",
    family=Family.GEOMETRIC,
    mildest=0,
    levels=(0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.85, 0.9),
    make=lambda share, _: attacks.crop(share),
)
ROTATION = Scale(
    kind="rotation",
    family=Family.GEOMETRIC,
    mildest=0,
    levels=(1, 2, 5, 9, 15, 22.5, 30, 45),
    make=lambda degrees, _: attacks.rotate(degrees),
    waves="Dist-Rotation",
)
NOISE = Scale(
    kind="noise",
    family=Family.DEGRADATION,
    mildest=0,
    levels=(2, 5, 8, 12, 18, 25, 36, 48),
    make=attacks.noise,
    waves="Dist-Noise",
)
BLUR = Scale(
    kind="blur",
    family=Family.DEGRADATION,
    mildest=0,
    levels=(0.5, 1, 1.5, 2, 2.5, 3, 4, 5),
    make=lambda deviation, _: filters.blur(deviation),
    waves="Dist-Blur",
)
BRIGHTNESS = Scale(
    kind="brightness",
    family=Family.PHOTOMETRIC,
    mildest=0,
    levels=(0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6),
    make=lambda shift, _: attacks.levels(shift, 1),
    waves="Dist-Bright",
)
CONTRAST = Scale(
    kind="contrast",
    family=Family.PHOTOMETRIC,
    mildest=1,
    levels=(0.9, 0.75, 0.6, 0.45, 0.3, 0.2, 0.1),
    make=lambda factor, _: attacks.levels(0, factor),
    waves="Dist-Contrast",
)
ERASING = Scale(
    kind="erasing",
    family=Family.DEGRADATION,
    mildest=0,
    levels=(0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6),
    make=filters.erase,
    waves="Dist-Erase",
)
DENOISING = Scale(
    kind="denoising",
    family=Family.ADVERSARIAL,
    mildest=0,
    levels=(3, 6, 10, 15, 20),
    make=lambda strength, _: filters.non_local_means(strength),
)
SCALES = (JPEG, RESIZE, CROP, ROTATION, NOISE, BLUR, BRIGHTNESS, CONTRAST, ERASING)
"""What ``sweeps`` sweeps. Denoising belongs to the adversarial set."""
