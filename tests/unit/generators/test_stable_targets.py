"""Targets of little variance: what a noisy picture lets one expect, against arithmetic and against draws."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest
import torch

from generators.training.emoji_diffusion import calibrated, lessons
from generators.training.emoji_labels import (
    OBJECTS,
    PRESENTATIONS,
    PROFESSIONS,
    STYLES,
    TONES,
    Kept,
    Label,
    caption,
    draw_kept,
)
from generators.training.stable_targets import Encoded, Shown, fits

BARE = Kept(presentation=False, tone=False, style=False, ground=False)
SIGNALS = torch.linspace(0.9999, 0.0, 1000)
"""ᾱ of a thousand times, the last of which is pure noise."""


def people(subject: str = "judge") -> list[Label]:
    return [
        Label(subject=subject, presentation=p, tone=t, style=s)
        for s in STYLES
        for p in PRESENTATIONS
        for t in TONES
    ]


def encoded(*, variants: int = 2, side: int = 4) -> Encoded:
    """Random latents of all judges and one thing; the first ground is red, the second blue."""
    labels = (*people(), Label(subject="cat", style="flat"))
    values = torch.randn(variants, len(labels), 8, side, side, generator=torch.Generator().manual_seed(3))
    grounds = tuple(("red", "blue")[v % 2] for v in range(variants))
    return Encoded(values=values, grounds=tuple((g,) * len(labels) for g in grounds), labels=labels)


def test_a_caption_fits_what_has_the_same_caption() -> None:
    """And nothing else, but that without a style no Noto drawing is meant."""
    rng = random.Random(0)
    labels = [
        *people(),
        *people("pilot"),
        *(Label(subject="cat", style=style) for style in STYLES),
    ]
    for _ in range(300):
        said, kept = rng.choice(labels), draw_kept(rng, 0.5)
        assert fits(said, said, kept)
        for label in labels:
            worded = said.presentation in PRESENTATIONS[1:] and kept.presentation
            same = caption(label, kept) == caption(said, kept)
            if worded or not said.is_person:
                assert fits(label, said, kept) == same
            elif same:
                assert fits(label, said, kept)


def test_a_silent_caption_means_every_presentation_and_tone() -> None:
    """The neutral drawing has no word, and yet is meant as often as the others."""
    drawings = encoded()
    meant = drawings.meant(Shown(variant=0, row=0, kept=BARE))
    labels = [drawings.labels[row] for _, row in meant]
    assert {label.style for label in labels} == {"flat", "modern"}
    for presentation in PRESENTATIONS:
        for tone in TONES:
            assert sum((x.presentation, x.tone) == (presentation, tone) for x in labels) == 2 * 2
    only = drawings.meant(Shown(variant=1, row=0, kept=Kept(presentation=False)))
    assert {variant for variant, _ in only} == {1}
    assert {drawings.labels[row].presentation for _, row in only} == set(PRESENTATIONS)
    assert drawings.meant(Shown(variant=1, row=5, kept=None)) == [(1, 5)]
    assert drawings.caption(Shown(variant=1, row=5, kept=None)) == ()
    assert drawings.caption(Shown(variant=1, row=0, kept=Kept()))[-2:] == ("on", "blue")


def test_two_pictures_are_weighed_as_bayes_says() -> None:
    drawings = encoded()
    among, signal = [(0, 1), (1, 7)], torch.tensor(0.004)
    a, b = drawings.values[0, 1], drawings.values[1, 7]
    noisy = signal.sqrt() * a + (1 - signal).sqrt() * torch.randn(
        a.shape, generator=torch.Generator().manual_seed(1)
    )
    shares = {drawings.labels[1]: 0.3, drawings.labels[7]: 0.7}
    far = [float((noisy - signal.sqrt() * x).square().sum()) / (2 * (1 - 0.004)) for x in (a, b)]
    odds = 0.3 / 0.7 * math.exp(far[1] - far[0])
    weight = odds / (1 + odds)
    assert 0.05 < weight < 0.95  # else any rule would do
    found = drawings.expected(noisy, signal, among, shares.__getitem__)
    torch.testing.assert_close(found, weight * a + (1 - weight) * b)


def test_pure_noise_gives_the_mean_and_no_noise_the_picture() -> None:
    drawings = encoded()
    among = drawings.meant(Shown(variant=0, row=0, kept=BARE))
    pictures = torch.stack([drawings.values[v, r] for v, r in among])
    noise = torch.randn(8, 4, 4, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(drawings.expected(noise, torch.tensor(0.0), among), pictures.mean(0))
    signal = torch.tensor(0.999)
    noisy = signal.sqrt() * pictures[4] + (1 - signal).sqrt() * noise
    torch.testing.assert_close(drawings.expected(noisy, signal, among), pictures[4])
    # A drawing with a share of 0 is never expected, whatever the picture looks like.
    of_women = drawings.expected(noisy, signal, among, lambda label: float(label.presentation == "woman"))
    assert drawings.labels[among[4][1]].presentation != "woman"
    assert (of_women - pictures[4]).norm() > 1


def test_the_mean_of_the_targets_is_that_of_plain_denoising_and_varies_less() -> None:
    """Law of total expectation, at a time where a picture hardly shows through."""
    drawings, rng = encoded(), torch.Generator().manual_seed(5)
    rows = [row for row, label in enumerate(drawings.labels) if label.style != "noto" and label.is_person]
    chosen = torch.randint(len(rows), (4000,), generator=rng).tolist()
    lessons = [Shown(variant=i % 2, row=rows[c], kept=BARE) for i, c in enumerate(chosen)]
    signals = torch.full((1000,), 0.004)
    noised = drawings.noised(lessons, signals, rng)
    clean = torch.stack([drawings.values[lesson.variant, lesson.row] for lesson in lessons])
    a, s = signals[0].sqrt(), (1 - signals[0]).sqrt()
    noise = (noised.noisy - a * clean) / s
    plain = a * noise - s * clean
    torch.testing.assert_close(noised.velocities.mean(0), plain.mean(0), atol=0.12, rtol=0)
    # What both regressions learn is the same along any direction of what is seen.
    seen = noised.noisy.flatten(1) @ torch.randn(128, generator=rng) / 128**0.5
    both = [(seen[:, None] * wanted.flatten(1)).mean(0) for wanted in (noised.velocities, plain)]
    torch.testing.assert_close(both[0], both[1], atol=0.12, rtol=0)
    assert noised.velocities.var(0).mean() < 0.5 * plain.var(0).mean()


def test_errors_that_turn_one_drawing_into_another_count_sixteenfold() -> None:
    """In much noise, of the same subject in the same place, whatever is said; of things and silence none."""
    drawings = encoded()
    said = Shown(variant=1, row=0, kept=Kept())
    lessons = [said, Shown(variant=0, row=54, kept=Kept()), Shown(variant=0, row=0, kept=None)]
    noised = drawings.noised(lessons, SIGNALS, torch.Generator().manual_seed(1))
    assert int(noised.times.min()) > 600
    assert [len(basis) for basis in noised.differences] == [17, 0, 0]
    basis = noised.differences[0]
    torch.testing.assert_close(basis @ basis.T, torch.eye(17), atol=1e-5, rtol=0)
    assert drawings.labels[0].style == drawings.labels[11].style
    along = drawings.values[1, 0] - drawings.values[1, 11]
    across = torch.randn(128, generator=torch.Generator().manual_seed(1))
    across = (across - basis.T @ (basis @ across)).view_as(along)

    def loss(error: torch.Tensor, lesson: int) -> float:
        wrong = noised.velocities.clone()
        wrong[lesson] += error / error.norm()
        return float(noised.loss(wrong)) * wrong.numel()

    assert loss(along, 0) == pytest.approx(16, rel=1e-4)
    assert loss(across, 0) == pytest.approx(1, rel=1e-4)
    assert loss(along, 1) == pytest.approx(1, rel=1e-4)
    assert loss(along, 2) == pytest.approx(1, rel=1e-4)


def test_in_little_noise_all_errors_count_alike() -> None:
    """There it is decided how well something is drawn, and no longer who."""
    lessons = [Shown(variant=1, row=0, kept=Kept())] * 64
    noised = encoded(side=2).noised(lessons, SIGNALS, torch.Generator().manual_seed(0))
    weighed = [len(basis) > 0 for basis in noised.differences]
    assert weighed == (noised.times >= 600).tolist()
    assert 0 < sum(weighed) < len(weighed)


def test_times_are_more_often_late_and_all_occur() -> None:
    lessons = [Shown(variant=0, row=0, kept=None)] * 4000
    times = encoded(side=1).noised(lessons, SIGNALS, torch.Generator().manual_seed(0)).times
    assert (int(times.min()), int(times.max())) == pytest.approx((0, 999), abs=5)
    assert float((times >= 600).float().mean()) == pytest.approx(0.4 + 0.6 * 0.4, abs=0.03)


def test_professions_and_things_share_no_name() -> None:
    """So that a subject says which of the two is meant."""
    assert not set(PROFESSIONS) & set(OBJECTS)


def test_empty_captions_are_taught_the_calibrated_shares_and_others_what_they_say() -> None:
    drawings = encoded()
    rows = [row for row, label in enumerate(drawings.labels) if label.style == STYLES[0] and label.is_person]
    asked, rng, words = rows[:1] * 20_000, torch.Generator().manual_seed(1), random.Random(1)
    shown = lessons(drawings, asked, rng, words)
    empty = [one.row for one in shown if one.kept is None]
    assert {one.row for one in shown if one.kept is not None} == {rows[0]}
    assert set(empty) <= set(rows)
    whole = sum(calibrated(drawings.labels[row]) for row in rows)
    for row, count in Counter(empty).items():
        share = calibrated(drawings.labels[row]) / whole
        assert abs(count / len(empty) - share) < 5 * math.sqrt(share / len(empty))
