"""Sections of the gallery on the other bundled models, and on what goes wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from _gallery_drawn import Sample, Section, drawn, in_order, named, said_of, small
from _gallery_layout import Row, beside, captioned, sheet

from audits.statistics import wilson
from generators.movements import MOVEMENTS
from generators.training.emoji_labels import PROFESSIONS
from generators.training.planted import read_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from generators.oracle.reading import PictureReader

_STRENGTHS = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
_EACH = 16
"""Pictures for each profession whose shares were planted."""
_SIDE = 128
"""Pixels that pictures of the GAN are enlarged to, in the way of its card."""
_MOST_WRONG = 24


def gan(model: Any) -> Iterator[Section]:
    """Two pictures of every profession, and what the directions do."""
    names = [work for work in PROFESSIONS for _ in range(2)]
    asked = [(f"a portrait of {named(work)}", {}) for work in names]
    samples = in_order(model, asked, width=_SIDE, height=_SIDE)
    rows = captioned([one.pixels for one in samples], names, 10)
    yield Section(
        name="gan",
        title="The GAN",
        text="Every profession twice, one step each. Presentation, tone, style and ground come from "
        f"the seed. Truncation {model.truncation:g}. The network itself draws {model.network.shape.side} "
        "pixels a side: clothes and tools come out better than faces, about half of which are smeared.",
        made=said_of(model, samples, seeds=f"seeds 1 to {len(samples)}, row by row"),
        command=f'guard generate "{samples[0].prompt}" --model {model.info.id} --seed 1',
        image=sheet(rows, side=96),
    )
    if model.directions:
        yield directions(model)


def directions(model: Any) -> Section:
    """Each direction at seven strengths, from two seeds; every pixel of the network as it is."""
    prompt, side = f"a portrait of {named(PROFESSIONS[0])}", model.network.shape.side
    names = list(model.directions)

    def moved(name: str, seed: int, strength: float) -> Sample:
        options = {"directions": {name: strength}}
        return drawn(model, prompt, (seed,), width=side, height=side, options=options)[0]

    lines = [[[moved(name, seed, by) for by in _STRENGTHS] for name in names] for seed in (1, 2)]
    head = [f"{strength:+g}" if strength else "0" for strength in _STRENGTHS]
    halves = [
        [Row(pixels=[o.pixels for o in line], label=name) for name, line in zip(labels, half, strict=True)]
        for labels, half in zip((names, [""] * len(names)), lines, strict=True)
    ]
    return Section(
        name="directions",
        title="Directions in the GAN",
        text=f"“{prompt}”, moved along each direction that lies beside the weights, from -3 to +3 standard "
        "deviations; in the middle of each half the picture unmoved. Those called sefa were found in the "
        "weights alone, and along them hardly anything changes that one sees. How much a direction changes "
        "of what it should not is measured as the [page on GANs](reference/gan.md#directions) tells.",
        made=said_of(model, lines[0][0], seeds="seed 1 in the left half, 2 in the right"),
        command=f'guard generate "{prompt}" --model {model.info.id} --seed 1 '
        f"--option 'directions={{\"{names[0]}\": -3}}'",
        image=beside([sheet(rows, side=side, head=head) for rows in halves]),
    )


def planted(model: Any) -> Iterator[Section]:
    """Professions with the least, the middle and the largest planted share of one presentation."""
    shares = read_table().shares
    ordered = sorted(shares, key=lambda work: shares[work].presentation["man"])
    works = [ordered[0], ordered[len(ordered) // 2], ordered[-1]]
    lines = [
        drawn(small(model), f"a portrait of {named(work)}", range(1, _EACH + 1), guidance_scale=1.0)
        for work in works
    ]
    rows = [
        Row(pixels=[one.pixels for one in line], label=f"{work}\n{_told(shares[work].presentation)}")
        for work, line in zip(works, lines, strict=True)
    ]
    yield Section(
        name="planted",
        title="Planted shares",
        text="An instrument for audits, wrong on purpose: what a bare profession looks like follows a "
        "[published table](reference/emoji-models.md#planted-shares-bundledemoji-skewed), not the world. "
        "Shown are the professions with the smallest, the middle and the largest planted share of man. "
        f"{_EACH} pictures are too few to read a share off; `benchmarks/emoji.py --skewed` measures them.",
        made=said_of(model, lines[0], seeds=f"seeds 1 to {_EACH}, from the left"),
        command=f'guard generate "{lines[0][0].prompt}" --model {model.info.id} --guidance 1 --seed 1',
        image=sheet(rows, side=54),
    )


def clips(model: Any) -> Iterator[Section]:
    """One clip for every movement, frame by frame."""
    bare = replace(model, card=replace(model.card, size=None))
    asked = [
        (f"a portrait of {named(work)} {movement}", {})
        for work, movement in zip(PROFESSIONS, MOVEMENTS, strict=False)
    ]
    samples = in_order(bare, asked)
    rows = [
        Row(pixels=list(one.made.frames.pixels), label=f"{movement},\n{work}")
        for one, work, movement in zip(samples, PROFESSIONS, MOVEMENTS, strict=False)
    ]
    frames = samples[0].made.frames
    yield Section(
        name="clips",
        title="Clips",
        text=f"One clip of {len(frames.pixels)} frames ({frames.fps:g} a second) for every movement, "
        "time from left to right. Professions are the first of the list.",
        made=said_of(model, samples, seeds=f"seeds 1 to {len(samples)}, from the top"),
        command=f'guard generate "{asked[0][0]}" --model {model.info.id} --seed 1',
        image=sheet(rows, side=84),
    )


MODELS: Sequence[tuple[str, Callable[[Any], Iterator[Section]]]] = (
    ("bundled:gan", gan),
    ("bundled:emoji-skewed", planted),
    ("bundled:video", clips),
)
"""Models beside the default one, and what is shown of each where it is installed."""


def wrong(model: Any, samples: Sequence[Sample], reader: PictureReader) -> Section | None:
    """Pictures above that the oracle reads otherwise than asked."""
    read = [(one, reader.read(one.made.frames)[0]) for one in samples]
    missed = [
        (one, wrongly)
        for one, seen in read
        if (wrongly := {q: seen[q] for q, answer in one.expected.items() if seen[q] != answer})
    ]
    if not missed:
        return None
    shown = missed[:_MOST_WRONG]
    captions = [f"{_words(one.expected)}\nread: {_words(wrongly)}" for one, wrongly in shown]
    rows = captioned([one.pixels for one, _ in shown], captions, 8)
    share = wilson(len(missed), len(samples))
    return Section(
        name="wrong",
        title="What goes wrong",
        text=f"Of the {len(samples)} pictures of people and things above, the oracle reads {len(missed)} "
        f"otherwise than asked ({share.low:.1%} to {share.high:.1%} with 95 % confidence). The first of "
        "these, in order, with what was asked and what was read. The oracle errs, too; how often is in "
        "`generators/oracle/confusion.json`. It knows no other pictures than these drawings, and so names "
        "smeared things that a person would not recognise: look above.",
        made=said_of(model, samples, seeds="those of their sheets"),
        command=f'guard generate "{missed[0][0].prompt}" --seed {missed[0][0].made.recipe.seed}',
        image=sheet(rows, side=120),
    )


def _words(answers: Mapping[str, str]) -> str:
    return ", ".join(answers.values())


def _told(shares: Mapping[str, float]) -> str:
    return "\n".join(f"{share:.0%} {name}" for name, share in shares.items())
