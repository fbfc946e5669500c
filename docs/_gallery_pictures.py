"""Sections of the gallery on the bundled picture model: what it knows, its second stage, its guidance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from _gallery_drawn import Sample, Section, drawn, in_order, named, said_of, small
from _gallery_layout import Row, beside, captioned, sheet, wrapped

from generators.finishes import LEARNED, PLAIN
from generators.training.emoji_labels import GROUNDS, PROFESSIONS, STYLES, TONES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from generators.finishes import Finish

RELEASED = 512
WAYS = {PLAIN: "Lanczos, sharpened", LEARNED: "learnt second stage"}
"""How pictures are enlarged, in words."""
TONE_HEAD = ("yellow", "light", "medium-light", "medium", "medium-dark", "dark")


def people(model: Any) -> tuple[Section, list[Sample]]:
    """Every profession in every tone."""
    asked = [(_person(tone, work), {"subject": work, "tone": tone}) for work in PROFESSIONS for tone in TONES]
    samples = in_order(small(model), asked)
    rows = [
        Row(pixels=[one.pixels for one in group], label=work)
        for work, group in zip(PROFESSIONS, wrapped(samples, len(TONES)), strict=True)
    ]
    half = (len(rows) + 1) // 2
    section = Section(
        name="people",
        title="People",
        text="All professions in all tones as drawn. Presentation, style and ground are left to the model.",
        made=said_of(model, samples, seeds=f"seeds 1 to {len(samples)}, row by row, left block first"),
        command=f'guard generate "{asked[0][0]}" --seed 1',
        image=beside([sheet(part, side=64, head=TONE_HEAD) for part in (rows[:half], rows[half:])]),
    )
    return section, samples


def things(model: Any) -> tuple[Section, list[Sample]] | None:
    """Every fifth thing, where the model knows things."""
    known = sorted(model.vocabulary.things)
    names = known[::5]
    if not names:
        return None
    samples = in_order(small(model), [(f"a picture of {named(name)}", {"subject": name}) for name in names])
    rows = captioned([one.pixels for one in samples], names, 10)
    section = Section(
        name="things",
        title="Things",
        text=f"Every fifth of the {len(known)} things, in the order of the alphabet. Style and ground are "
        "left to the model.",
        made=said_of(model, samples, seeds=f"seeds 1 to {len(samples)}, row by row"),
        command=f'guard generate "{samples[0].prompt}" --seed 1',
        image=sheet(rows, side=94),
    )
    return section, samples


def chinese(model: Any) -> Section | None:
    """Subjects by their first Chinese name, where the model's list of words has any."""
    first: dict[str, str] = {}
    for words, meaning in model.vocabulary.phrases.items():
        if len(meaning) == 1 and meaning[0][0] == "subject" and not "".join(words).isascii():
            first.setdefault(meaning[0][1], "".join(words))
    people, things = (
        [n for s, n in first.items() if (s in PROFESSIONS) is person] for person in (True, False)
    )
    names = [*people[::4], *things[::29]]
    prompts = [f"一幅{name}的画" for name in names]
    if not prompts:
        return None
    samples = in_order(small(model), [(prompt, {}) for prompt in prompts])
    numbers = [str(number) for number in range(1, len(samples) + 1)]
    rows = captioned([one.pixels for one in samples], numbers, 10)
    listed = ", ".join(f"{number} {name}" for number, name in zip(numbers, names, strict=True))
    return Section(
        name="chinese",
        title="Chinese prompts",
        text="“一幅…的画” (a picture of a …) with every fourth profession and every 29th thing, by "
        f"its first Chinese name: {listed}.",
        made=said_of(model, samples, seeds=f"seeds 1 to {len(samples)}, which are the numbers"),
        command=f'guard generate "{prompts[0]}" --seed 1',
        image=sheet(rows, side=94),
    )


def styles(model: Any) -> Section:
    """The three styles, on every ground where the model knows grounds."""
    grounds = [ground for ground in GROUNDS if _understood(model, f"on {ground}", "ground")]
    places = [f" on {ground}" for ground in grounds] or [""] * len(GROUNDS)
    asked = [f"a {style} style {PROFESSIONS[0]}{place}" for style in STYLES for place in places]
    samples = in_order(small(model), [(prompt, {}) for prompt in asked])
    rows = [
        Row(pixels=[one.pixels for one in group], label=style)
        for style, group in zip(STYLES, wrapped(samples, len(places)), strict=True)
    ]
    title = "Styles and grounds" if grounds else "Styles"
    every = "on each of the ten grounds it knows" if grounds else "with ten seeds each"
    return Section(
        name="styles",
        title=title,
        text=f"The first profession of the list in each style, {every}. Flat and modern differ in "
        "their shading, hardly to be seen at this size.",
        made=said_of(model, samples, seeds=f"seeds 1 to {len(samples)}, row by row"),
        command=f'guard generate "{asked[0]}" --seed 1',
        image=sheet(rows, side=86, head=grounds),
    )


def stages(model: Any, ways: Mapping[str, Finish]) -> Section:
    """The first stage, and how it is enlarged: middles of pictures, and one picture whole."""
    names = [PROFESSIONS[0], PROFESSIONS[-1], *sorted(model.vocabulary.things)[:1]]
    first = in_order(small(model), [(f"a picture of {named(name)}", {}) for name in names])
    rows = []
    for seed, one in enumerate(first, start=1):
        large = [way.enlarge(one.pixels, width=RELEASED, height=RELEASED, seed=seed) for way in ways.values()]
        rows.append(Row(pixels=[large[-1], *map(_middle, (one.pixels, *large))]))
    return Section(
        name="stages",
        title="From 128 to 512 pixels",
        text="The model draws 128 pixels a side; what is released has 512. At the left the whole picture, "
        "reduced to 256 pixels; then its middle, every pixel as it is: the first stage with each pixel as "
        "a square, and enlarged. A request can ask for "
        "[one way or the other](reference/emoji-models.md#two-stages).",
        made=said_of(model, first, seeds=f"seeds 1 to {len(first)}, from the top")
        + f" Finishes: {', '.join(ways)}.",
        command=f'guard generate "{first[0].prompt}" --seed 1',
        image=sheet(
            rows, side=256, head=["the whole, enlarged", "first stage", *map(WAYS.__getitem__, ways)]
        ),
    )


def guidance(model: Any) -> Section:
    """The same prompt and seeds at three scales."""
    prompt, seeds, scales = f"a portrait of a {PROFESSIONS[1]}", range(1, 9), (1.0, 3.0, 6.0)
    lines = [drawn(small(model), prompt, seeds, guidance_scale=scale) for scale in scales]
    rows = [
        Row(pixels=[one.pixels for one in line], label=f"guidance {scale:g}")
        for scale, line in zip(scales, lines, strict=True)
    ]
    default = f"{model.defaults.guidance_scale:g}"
    return Section(
        name="guidance",
        title="Guidance",
        text=f"“{prompt}” at three scales of classifier-free guidance, the same seeds above each other. "
        f"The default is {default}; 1 is none.",
        made=said_of(model, lines[0], seeds="seeds 1 to 8, from the left", guidance="1, 3 and 6"),
        command=f'guard generate "{prompt}" --guidance {scales[0]:g} --seed 1',
        image=sheet(rows, side=104),
    )


def _person(tone: str, work: str) -> str:
    return f"a portrait of a yellow {work}" if tone == "yellow" else f"a portrait of a {tone} skin {work}"


def _understood(model: Any, prompt: str, kind: str) -> bool:
    return kind in model.vocabulary.map(prompt).meaning


def _middle(pixels: NDArray[Any]) -> NDArray[Any]:
    """The middle half of a side, which is 256 of 512 pixels."""
    quarter = len(pixels) // 4
    return np.ascontiguousarray(pixels[quarter : 3 * quarter, quarter : 3 * quarter])
