"""Targets of little variance for denoising: what a caption and a noisy picture let one expect.

Denoising is learnt from the one picture that noise was laid over, although in much noise it could be any of
those that the caption means. Their mean, weighted by how well each explains the noisy picture, has the same
expectation and a fraction of the variance (Xu, Tong and Jaakkola 2023, Stable Target Field). It also lets the
shares of what a caption leaves open be chosen, where training pictures would only let them be counted.

Who is drawn is decided in much noise, by differences that are a hundredth of the error there: a network that
hardly sees them draws what lies in the middle. There, errors along these differences count more. That changes
no target, because a mean minimises every quadratic form of the error. In little noise, where it is decided
how well something is drawn, all errors count alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch

from generators.training.emoji_data import composed, drawn_scene, ground_colours
from generators.training.emoji_labels import PRESENTATIONS, caption

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from generators.training.emoji_data import Corpus
    from generators.training.emoji_labels import Kept, Label

_LATE, _DECIDED = 0.4, 0.6
"""Share of lessons in much noise, and the share of all times from which on noise is much."""
_WEIGHT = 15.0
"""What errors along the differences count in much noise, beyond the one that all errors count."""


def even(_label: Label) -> float:
    """Of the drawings that a caption may mean, each as often as any other."""
    return 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One lesson: a drawing, in one of its compositions, and what its caption says of it (None: nothing)."""

    variant: int
    row: int
    kept: Kept | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Noised:
    """N lessons.

    Attributes:
        noisy: (N, C, h, w) latents under noise.
        times: (N,).
        velocities: (N, C, h, w), to predict there.
        differences: of each an orthonormal basis, (K, C · h · w), of how drawings of its subject differ; K
            is 0 in little noise.
    """

    noisy: torch.Tensor
    times: torch.Tensor
    velocities: torch.Tensor
    differences: tuple[torch.Tensor, ...]

    def loss(self, predicted: torch.Tensor) -> torch.Tensor:
        """Mean squared error; along the differences it counts 1 + ``_WEIGHT`` times."""
        errors = (predicted - self.velocities).flatten(1)
        along = [
            (basis @ error).square().sum() for basis, error in zip(self.differences, errors, strict=True)
        ]
        return errors.square().mean() + _WEIGHT * torch.stack(along).sum() / errors.numel()


@dataclass(frozen=True, kw_only=True, eq=False)
class Encoded:
    """Drawings of the corpus as latents, each in several compositions.

    Attributes:
        values: (V, N, C, h, w) float32: V compositions of N drawings.
        grounds: the name of the ground of each, V times N.
        labels: what the N drawings show.
    """

    values: torch.Tensor
    grounds: tuple[tuple[str, ...], ...]
    labels: tuple[Label, ...]

    @cached_property
    def _flat(self) -> torch.Tensor:
        return self.values.flatten(0, 1).flatten(1)

    @cached_property
    def _squares(self) -> torch.Tensor:
        return self._flat.square().sum(1)

    @cached_property
    def where(self) -> dict[Label, int]:
        """Which drawing shows what."""
        return {label: row for row, label in enumerate(self.labels)}

    @cached_property
    def _by_subject(self) -> dict[str, tuple[int, ...]]:
        found: dict[str, list[int]] = {}
        for row, label in enumerate(self.labels):
            found.setdefault(label.subject, []).append(row)
        return {subject: tuple(rows) for subject, rows in found.items()}

    def caption(self, shown: Shown) -> tuple[str, ...]:
        """Its words."""
        if shown.kept is None:
            return ()
        return caption(self.labels[shown.row], shown.kept, ground=self.grounds[shown.variant][shown.row])

    def meant(self, shown: Shown) -> list[tuple[int, int]]:
        """(composition, drawing) of everything that the caption may mean."""
        if shown.kept is None:  # anything at all: too much to look through for what it is worth
            return [(shown.variant, shown.row)]
        label, ground = self.labels[shown.row], self.grounds[shown.variant][shown.row]
        rows = [row for row in self._by_subject[label.subject] if fits(self.labels[row], label, shown.kept)]
        return [
            (variant, row)
            for variant, names in enumerate(self.grounds)
            for row in rows
            if names[row] == ground or not shown.kept.ground
        ]

    def drawn(self, row: int, rng: torch.Generator, share: Callable[[Label], float]) -> int:
        """One of the drawings of the same subject and style at random, each as often as ``share`` says."""
        label = self.labels[row]
        rows = [r for r in self._by_subject[label.subject] if self.labels[r].style == label.style]
        shares = torch.tensor([share(self.labels[r]) for r in rows], dtype=torch.float32)
        return rows[int(torch.multinomial(shares, 1, generator=rng))]

    def expected(
        self,
        noisy: torch.Tensor,
        signal: torch.Tensor,
        among: Sequence[tuple[int, int]],
        share: Callable[[Label], float] = even,
    ) -> torch.Tensor:
        """The picture to expect behind a noisy one, (C, h, w).

        Args:
            noisy: (C, h, w): ``sqrt(signal)`` of a picture and ``sqrt(1 - signal)`` of normal noise.
            signal: ᾱ of the time, in [0, 1).
            among: what it may be, as ``meant`` says.
            share: how often a drawing with this label is meant, beside the others; not all 0.
        """
        prior = torch.tensor([share(self.labels[row]) for _, row in among])
        indices = torch.tensor([variant * len(self.labels) + row for variant, row in among])
        pictures = self._flat[indices]
        # log N(noisy; sqrt(signal) picture, (1 - signal) I) without what is the same for all pictures
        fit = signal.sqrt() * (pictures @ noisy.flatten()) - signal * self._squares[indices] / 2
        weights = (fit / (1 - signal) + prior.log()).softmax(0)
        return (weights @ pictures).view_as(noisy)

    def differences(self, shown: Shown) -> torch.Tensor:
        """Orthonormal rows, (K, C · h · w), that span how drawings of this subject differ in this place.

        Also in what the caption says of them: that is decided at the same times, and as easily missed.
        """
        if shown.kept is None:
            return self.values.new_empty(0, self._flat.shape[1])
        styles = sorted({self.labels[row].style for _, row in self.meant(shown)})
        spans = []
        for style in styles:
            rows = [
                r for r in self._by_subject[self.labels[shown.row].subject] if self.labels[r].style == style
            ]
            pictures = self.values[shown.variant, rows].flatten(1)
            # One less than there are pictures: the last difference is minus the sum of the others.
            spans.append((pictures - pictures.mean(0))[:-1])
        basis: torch.Tensor = torch.linalg.qr(torch.cat(spans).T).Q.T
        return basis

    def noised(
        self,
        lessons: Sequence[Shown],
        signals: torch.Tensor,
        rng: torch.Generator,
        share: Callable[[Label], float] = even,
    ) -> Noised:
        """Lay noise over the drawings, more often much than little: who is drawn is decided in much noise.

        Args:
            lessons: N of them.
            signals: ᾱ of every time of the schedule.
            rng: for times and noise.
            share: as of ``expected``.
        """
        clean = torch.stack([self.values[lesson.variant, lesson.row] for lesson in lessons])
        late = torch.rand(len(clean), generator=rng) < _LATE
        begin = torch.where(late, _DECIDED, 0.0)
        times = ((begin + (1 - begin) * torch.rand(len(clean), generator=rng)) * len(signals)).long()
        noise, signal = torch.randn(clean.shape, generator=rng), signals[times, None, None, None]
        noisy = signal.sqrt() * clean + (1 - signal).sqrt() * noise
        expected = torch.stack(
            [
                self.expected(noisy[i], signals[times[i]], self.meant(lesson), share)
                for i, lesson in enumerate(lessons)
            ]
        )
        # sqrt(ᾱ) noise - sqrt(1 - ᾱ) picture (Salimans and Ho 2022), of the picture and the noise expected
        velocities = (signal.sqrt() * noisy - expected) / (1 - signal).sqrt()
        nothing = self._flat.new_empty(0, self._flat.shape[1])
        differences = tuple(
            self.differences(lesson) if time >= _DECIDED * len(signals) else nothing
            for lesson, time in zip(lessons, times.tolist(), strict=True)
        )
        return Noised(noisy=noisy, times=times, velocities=velocities, differences=differences)


def fits(label: Label, said: Label, kept: Kept) -> bool:
    """Whether the caption of ``said``, its ground aside, may mean a drawing with this ``label`` as well."""
    style = label.style == said.style if kept.style or said.style == "noto" else label.style != "noto"
    worded = kept.presentation and said.presentation in PRESENTATIONS[1:]
    return (
        style
        and label.subject == said.subject
        and (label.tone == said.tone or not kept.tone)
        and (label.presentation == said.presentation or not worded)
    )


def encode_all(vae: Any, corpus: Corpus, rows: torch.Tensor, *, variants: int, seed: int) -> Encoded:
    """Encode the drawings of ``rows`` (indices) in ``variants`` compositions each.

    All drawings of a subject stand in the same place on the same ground, so that neither says which it is.
    """
    rng = torch.Generator().manual_seed(seed)
    labels = tuple(corpus.labels[row] for row in rows.tolist())
    subjects = list(dict.fromkeys(label.subject for label in labels))
    of = torch.tensor([subjects.index(label.subject) for label in labels])
    rounds, names = [], []
    for _ in range(variants):
        base, said = ground_colours(len(subjects), rng)
        scene = drawn_scene(len(subjects), rng, base)
        with torch.no_grad():
            parts = [
                vae.encode(composed(corpus.rgba[rows[part]], scene.of(of[part]), jitter=0.7)).latent_dist.mean
                for part in torch.arange(len(rows)).split(32)
            ]
        rounds.append(torch.cat(parts) * vae.config.scaling_factor)
        names.append(tuple(said[i] for i in of.tolist()))
    return Encoded(values=torch.stack(rounds), grounds=tuple(names), labels=labels)
