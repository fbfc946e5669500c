"""Lists of attacks by name: ``core35``, ``ci12``, ``sweeps``, ``sweep-jpeg``, …, ``adversarial``,
``regeneration``.

A list depends on its seed alone. ``digest`` names what a list does, not only what it is called: it
covers what each attack makes of a small made-up picture here, codec versions and all.
"""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from audits.robustness import attacks, filters
from audits.robustness.regeneration import autoencode
from audits.robustness.scales import (
    BLUR,
    BRIGHTNESS,
    CONTRAST,
    CROP,
    DENOISING,
    JPEG,
    NOISE,
    RESIZE,
    ROTATION,
    SCALES,
    Attack,
    Family,
    Scale,
    combined,
    fixed,
)
from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from audits.robustness.attacks import Picture, Transform

NONE = fixed("none", Family.NONE, lambda pixels: pixels)


def core35(seed: int = 0) -> tuple[Attack, ...]:
    """Thirty-four things that happen to pictures on the web, and nothing: the table of every comparison."""
    return (
        NONE,
        *(JPEG.at(quality, name=f"jpeg{quality}") for quality in (90, 75, 50, 30)),
        *_sizes(),
        *(CROP.at(percent / 100, name=f"crop{percent}%") for percent in (10, 25, 50, 75)),
        *_turns(),
        *(BLUR.at(deviation, name=f"blur{deviation}") for deviation in (1, 2)),
        *(NOISE.at(deviation, name=f"noise{deviation}", seed=seed) for deviation in (5, 12)),
        BRIGHTNESS.at(0.2, name="bright+.2"),
        CONTRAST.at(0.6, name="contrast0.6"),
        fixed("contrast1.5", Family.PHOTOMETRIC, attacks.levels(0, 1.5), waves="Dist-Contrast"),
        fixed("gray", Family.PHOTOMETRIC, attacks.gray),
        fixed("text", Family.DEGRADATION, filters.lettering),
        fixed("webp50", Family.DEGRADATION, attacks.encode("WEBP", 50)),
        fixed("avif50", Family.DEGRADATION, attacks.encode("AVIF", 50)),
        fixed("median3", Family.DEGRADATION, filters.median(3)),
        *_combinations(),
    )


def _sizes() -> tuple[Attack, ...]:
    return (
        RESIZE.at(0.5, name="resize0.5"),
        RESIZE.at(0.75, name="resize0.75"),
        fixed("resize1.5", Family.GEOMETRIC, filters.resample(1.5)),
        fixed("resize0.5-back", Family.DEGRADATION, filters.there_and_back(0.5)),
    )


def _turns() -> tuple[Attack, ...]:
    return (
        ROTATION.at(2, name="rot2"),
        ROTATION.at(10, name="rot10"),
        fixed("rot45x", Family.GEOMETRIC, attacks.rotate(45, expand=True)),
        fixed("rot90", Family.GEOMETRIC, attacks.quarter_turn),
        fixed("hflip", Family.GEOMETRIC, attacks.mirror),
        fixed("aspect0.9", Family.GEOMETRIC, filters.resample(1, 0.9)),
    )


def _combinations() -> tuple[Attack, ...]:
    small, half = filters.resample(0.7), filters.resample(0.5)
    return (
        combined("screenshot", filters.screen_copy, attacks.jpeg(85)),
        combined("comb1:crop25+rs0.7+jpeg60", attacks.crop(0.25), small, attacks.jpeg(60)),
        combined("comb2:rot5+crop+jpeg50", attacks.rotate(5), attacks.crop(0.25), attacks.jpeg(50)),
        combined("comb3:rs0.5+jpeg50+bright", half, attacks.jpeg(50), attacks.levels(0.1, 1.1)),
    )


_CI12 = (
    "none",
    "jpeg50",
    "jpeg30",
    "resize0.5",
    "crop25%",
    "rot10",
    "hflip",
    "noise12",
    "contrast0.6",
    "gray",
    "webp50",
    "screenshot",
)


def ci12(seed: int = 0) -> tuple[Attack, ...]:
    """Twelve of ``core35``, at least one of every family in it: quick enough for every change."""
    return tuple(attack for attack in core35(seed) if attack.name in _CI12)


def sweeps(seed: int = 0) -> tuple[Attack, ...]:
    """Every scale from mild to destructive, and nothing."""
    return (NONE, *(attack for scale in SCALES for attack in scale.sweep(seed)))


def _sweep(scale: Scale, seed: int = 0) -> tuple[Attack, ...]:
    return (NONE, *scale.sweep(seed))


def adversarial(seed: int = 0) -> tuple[Attack, ...]:
    """What somebody does who wants the mark gone and has one picture, no key and no model."""
    smooth = filters.non_local_means(10)
    return (
        NONE,
        *DENOISING.sweep(),
        fixed("median5", Family.ADVERSARIAL, filters.median(5)),
        combined("removal:jpeg20+back0.5", attacks.jpeg(20), filters.there_and_back(0.5)),
        combined("removal:noise12+denoise10", attacks.noise(12, seed), smooth),
        combined("removal:back0.7+denoise10+jpeg50", filters.there_and_back(0.7), smooth, attacks.jpeg(50)),
    )


def regeneration(seed: int = 0) -> tuple[Attack, ...]:  # noqa: ARG001 - no chance in it
    """The picture drawn again by the bundled model's autoencoder; needs the generate extra."""
    drawn = fixed("Regen-KLVAE", Family.REGENERATION, autoencode(), waves="Regen-KLVAE")
    return (NONE, drawn)


SETS: dict[str, Callable[[int], tuple[Attack, ...]]] = {
    "core35": core35,
    "ci12": ci12,
    "sweeps": sweeps,
    **{f"sweep-{scale.kind}": partial(_sweep, scale) for scale in SCALES},
    "adversarial": adversarial,
    "regeneration": regeneration,
}


def attack_set(names: str, seed: int = 0, *, remark: Transform | None = None) -> tuple[Attack, ...]:
    """The attacks of one set, or of several with commas between; each name once, in order.

    Args:
        names: of sets.
        seed: of noise and places.
        remark: marks a picture with the same method under another key; becomes one more adversarial attack.

    Raises:
        InputError: ``bench.attacks`` for a set that does not exist.
    """
    found: dict[str, Attack] = {}
    for name in names.split(","):
        if name.strip() not in SETS:
            raise InputError(
                "bench.attacks",
                f"no set of attacks is called {name.strip()!r}",
                hint=f"choose from {', '.join(SETS)}",
            )
        for attack in SETS[name.strip()](seed):
            found.setdefault(attack.name, attack)
    if remark is not None and adversarial in (SETS[name.strip()] for name in names.split(",")):
        found["rewatermark"] = fixed("rewatermark", Family.ADVERSARIAL, remark)
    return tuple(found.values())


def digest(listed: tuple[Attack, ...]) -> str:
    """SHA-256, in hex, over names, severities and what each makes of a made-up picture."""
    probe, sum_ = _probe(), hashlib.sha256()
    for attack in listed:
        made = attack(probe)
        sum_.update(f"{attack.name}\0{attack.family}\0{attack.severity:.4f}\0{made.shape}\0".encode())
        sum_.update(made.tobytes())
    return sum_.hexdigest()


def _probe() -> Picture:
    """96 × 128: slopes, an edge and some texture, computed with whole numbers only."""
    y, x = np.mgrid[0:96, 0:128]
    texture = (x * x * 7 + y * y * 13 + x * y * 5) % 31
    planes = [x * 2 % 256, y * 2 % 256, np.where(x + y < 110, 40, 200)]
    return np.stack([(plane + texture) % 256 for plane in planes], axis=-1).astype(np.uint8)
