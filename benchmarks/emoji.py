"""Whether the bundled picture model draws what it is asked: ``python benchmarks/emoji.py --work WORK``.

Prompts for every held-out combination (``generators/training/emoji_labels.py`` computes which) go through the
vocabulary, in English and in Chinese; the oracle says what was drawn. Each sampler is measured on its own,
with a picture of each prompt, and ``people``, combinations of profession, presentation and tone, with five.
``--grid FOLDER`` writes contact sheets to look at. ``--skewed`` compares a skewed model with its planted
table at guidance 1 and 3. WORK holds the corpus, for the autoencoder's PSNR.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from _results import write
from PIL import Image
from scipy.stats import bootstrap

from audits.statistics import wilson
from generators.oracle import reading, reading_adapter
from generators.pinned import pinned_file
from generators.registry import load
from generators.request import GenerationRequest
from generators.training.emoji_labels import OBJECTS, PRESENTATIONS, PROFESSIONS, STYLES, TONES, Label
from generators.training.planted import read_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generators.interface import Generation, Generator

PER = 5
"""Pictures of each held-out combination of people."""
SAMPLERS = {"DDIM": "ddim", "DPM++": "dpm++", "Euler": "euler"}
"""For people, and in requests."""

ZH = {
    "man": "男",
    "woman": "女",
    "person": "",
    "yellow": "黄色皮肤",
    "light": "浅肤色",
    "medium-light": "中等浅肤色",
    "medium": "中等肤色",
    "medium-dark": "中等深肤色",
    "dark": "深肤色",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A prompt, and what a right picture of it shows; what was not said may be anything."""

    prompt: str
    expected: dict[str, str]


def held_out() -> tuple[Label, ...]:
    """Combinations that were never trained on: of people once, of things with their style."""
    people = [
        Label(subject=p, style=STYLES[0], presentation=g, tone=t)
        for p, g, t in itertools.product(PROFESSIONS, PRESENTATIONS, TONES)
    ]
    things = [Label(subject=thing, style=s) for thing in OBJECTS for s in STYLES[:2]]
    return tuple(label for label in (*people, *things) if label.held_out)


def english(label: Label) -> Asked:
    """As captions were written. "person" has no word, so any presentation is right."""
    if not label.is_person:
        return Asked(
            prompt=f"a picture of a {label.subject} {label.style} style",
            expected={"subject": label.subject, "style": label.style},
        )
    who = "" if label.presentation == "person" else f"{label.presentation} "
    tone = "yellow" if label.tone == "yellow" else f"{label.tone} skin"
    return Asked(prompt=f"a portrait of a {tone} {who}{label.subject}", expected=_expected(label))


def _expected(label: Label) -> dict[str, str]:
    said = {"subject": label.subject, "tone": str(label.tone)}
    return said if label.presentation == "person" else {**said, "presentation": str(label.presentation)}


def chinese(label: Label, words: dict[str, Any]) -> Asked | None:
    """The same in names of the Unicode CLDR; None where the word list has no Chinese name."""
    section = words["professions" if label.is_person else "things"]
    names = [name for name in section.get(label.subject, ()) if not name.isascii()]
    if not names:
        return None
    if not label.is_person:
        return Asked(prompt=names[0], expected={"subject": label.subject})
    return Asked(
        prompt=f"{ZH[str(label.tone)]}的{ZH[str(label.presentation)]}{names[0]}", expected=_expected(label)
    )


def judged(
    generator: Generator, oracle: reading.PictureReader, asked: Sequence[Asked], **settings: Any
) -> tuple[dict[str, Any], list[Generation]]:
    """Rates by question and of everything asked together, and the pictures; each has a seed of its own."""
    right: Counter[str] = Counter()
    counted: Counter[str] = Counter()
    made: list[Generation] = []
    wrong = []
    for number, one in enumerate(asked):
        request = GenerationRequest(prompt=one.prompt, seeds=(1000 + number,), **settings)
        (picture,) = generator.generate(request)
        (seen,) = oracle.read(picture.frames)
        made.append(picture)
        hits = {question: seen[question] == answer for question, answer in one.expected.items()}
        right.update(question for question, hit in hits.items() if hit)
        counted.update(hits.keys())  # a mapping would add up its truth values
        counted["all"] += 1
        right["all"] += all(hits.values())
        if not all(hits.values()):
            wrong.append({"prompt": one.prompt, "seen": {question: seen[question] for question in hits}})
    rates = {name: wilson(right[name], count).to_json() for name, count in counted.items()}
    return {**rates, "wrong": wrong}, made


def over_prompts(asked: Sequence[Asked], rates: dict[str, Any]) -> list[float]:
    """95 % interval of the share right where pictures share prompts: prompts are drawn anew (bootstrap).

    Pictures of one prompt tend to be right or wrong together, so their number flatters Wilson's interval.
    """
    counted = Counter(one.prompt for one in asked)
    wrong = Counter(one["prompt"] for one in rates["wrong"])
    right = [1 - wrong[prompt] / count for prompt, count in counted.items()]
    found = bootstrap((right,), np.mean, method="percentile", rng=np.random.default_rng(0))
    return [round(float(end), 4) for end in found.confidence_interval]


def sheet(made: Sequence[Generation], path: Path, *, side: int = 128, columns: int = 10) -> None:
    """A contact sheet of reduced pictures, in order."""
    tiles = [Image.fromarray(one.frames.pixels[0]).resize((side, side), Image.Resampling.BOX) for one in made]
    rows = -(-len(tiles) // columns)
    whole = Image.new("RGB", (columns * side, rows * side), "white")
    for i, tile in enumerate(tiles):
        whole.paste(tile, (i % columns * side, i // columns * side))
    path.parent.mkdir(parents=True, exist_ok=True)
    whole.save(path)


def rebuilt(generator: Any, work: Path) -> dict[str, Any]:
    """PSNR in dB of the autoencoder over all held-out drawings: mean, worst, count."""
    import torch

    from generators.training.emoji_data import Corpus, compose

    corpus, rng, values = Corpus.load(work), torch.Generator().manual_seed(1), []
    vae = generator.pipeline.vae
    with torch.no_grad():
        for index in corpus.held_out.tolist():
            target = compose(corpus.rgba[index : index + 1], rng)
            output = vae.decode(vae.encode(target).latent_dist.mean).sample.clamp(-1, 1)
            values.append(-10 * torch.log10(((output - target) / 2).square().mean()).item())
    return {"mean_db": round(float(np.mean(values)), 2), "worst_db": round(min(values), 2), "n": len(values)}


def recovered(
    generator: Generator, oracle: reading.PictureReader, *, per: int, guidance: float
) -> Iterator[dict[str, Any]]:
    """Planted and measured shares of bare prompts, as the oracle answers, its errors included.

    Each picture has a seed of its own: the same noise under every profession is drawn alike.
    """
    for number, (profession, shares) in enumerate(read_table().shares.items()):
        request = GenerationRequest(
            prompt=f"a portrait of a {profession}",
            seeds=tuple(5000 + number * per + i for i in range(per)),
            guidance_scale=guidance,
            width=128,
            height=128,
        )
        seen = [oracle.read(one.frames)[0] for one in generator.generate(request)]
        for question, planted in (("presentation", shares.presentation), ("tone", shares.tone)):
            found = Counter(one[question] for one in seen)
            yield {
                "profession": profession,
                "question": question,
                "guidance": guidance,
                "planted": dict(planted),
                "measured": {answer: wilson(found[answer], per).to_json() for answer in planted},
                "elsewhere": per - sum(found[answer] for answer in planted),
            }


def followed(rows: Sequence[dict[str, Any]], per: int) -> dict[str, Any]:
    """How closely measured shares follow planted ones, by question and guidance.

    ``slope`` of the line through them: 1 is as planted, 0 not at all, above 1 exaggerated. ``apart`` is the
    mean difference of a share, ``by_chance`` what it stays below in 95 of 100 draws from the table itself.
    """
    rng, found = np.random.default_rng(0), {}
    for guidance, question in sorted({(row["guidance"], row["question"]) for row in rows}):
        among = [row for row in rows if (row["guidance"], row["question"]) == (guidance, question)]
        planted = np.array([list(row["planted"].values()) for row in among])
        measured = np.array([[one["rate"] for one in row["measured"].values()] for row in among])
        draws = [np.stack([rng.multinomial(per, shares) / per for shares in planted]) for _ in range(400)]
        chance = np.quantile([np.abs(drawn - planted).mean() for drawn in draws], 0.95)
        found[f"{question}, guidance {guidance:g}"] = {
            "slope": round(float(np.polyfit(planted.ravel(), measured.ravel(), 1)[0]), 2),
            "apart": round(float(np.abs(measured - planted).mean()), 3),
            "by_chance": round(float(chance), 3),
            "planted": _means(among, planted),
            "measured": _means(among, measured),
        }
    return found


def _means(rows: Sequence[dict[str, Any]], shares: np.ndarray) -> dict[str, float]:
    """Over the professions, by value."""
    return dict(zip(rows[0]["planted"], (round(float(x), 3) for x in shares.mean(0)), strict=True))


def _oracle(path: Path | None) -> reading.PictureReader:
    if path is None:
        return reading.oracle()
    found = pinned_file(path, reading.WEIGHTS) if (path / "weights.json").is_file() else None
    return reading_adapter.read(path / reading.WEIGHTS, found.sha256 if found else "")


def _model(options: argparse.Namespace) -> Any:
    if options.folder is None:
        return load(options.model, threads=1)
    from generators.loading_adapter import with_card

    return with_card(options.folder, f"dir:{options.folder.name}", 1)


def prompts(generator: Any, count: int | None) -> dict[str, list[Asked]]:
    """Held-out prompts by language."""
    words = json.loads(
        (Path(__file__).parents[1] / "generators/training/emoji_words.json").read_text("utf-8")
    )
    labels = held_out()[: count or None]
    found = {"English": [english(label) for label in labels]}
    translated = [chinese(label, words) for label in labels]
    found["Chinese"] = [one for one in translated if one is not None]
    for one in itertools.chain(*found.values()):
        lost = generator.vocabulary.map(one.prompt).unknown if generator.vocabulary else ()
        if lost:
            print(f"not understood: {lost} of {one.prompt!r}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="bundled:emoji")
    parser.add_argument("--folder", type=Path, help="an exported model that is not bundled yet")
    parser.add_argument("--oracle", type=Path, help="folder of oracle.safetensors, if another")
    parser.add_argument("--work", type=Path, help="folder with the corpus")
    parser.add_argument("--grid", type=Path, help="folder for contact sheets")
    parser.add_argument("--samplers", default="DDIM,DPM++,Euler")
    parser.add_argument("--guidance", type=float)
    parser.add_argument("--count", type=int, help="only so many combinations")
    parser.add_argument(
        "--skewed", type=int, metavar="N", help="pictures for each profession, at two guidances"
    )
    options = parser.parse_args()
    generator = _model(options)
    oracle, results = _oracle(options.oracle), {}
    if options.skewed:
        results["shares"] = [
            row
            for guidance in (1.0, 3.0)
            for row in recovered(generator, oracle, per=options.skewed, guidance=guidance)
        ]
        results["followed"] = followed(results["shares"], options.skewed)
        write("emoji_skewed", model=options.model, weights_sha256=generator.info.weights_sha256, **results)
        return
    people = [english(label) for label in held_out()[: options.count or None] if label.is_person] * PER
    results["people"], _ = judged(generator, oracle, people, guidance_scale=options.guidance)
    results["people"]["over_prompts"] = over_prompts(people, results["people"])
    if options.work:
        results["autoencoder"] = rebuilt(generator, options.work)
    for language, asked in prompts(generator, options.count).items():
        for name in options.samplers.split(","):
            settings = {"scheduler": SAMPLERS[name], "guidance_scale": options.guidance}
            rates, made = judged(generator, oracle, asked, **settings)
            results[f"{language}, {name}"] = rates
            if options.grid:
                sheet(made, options.grid / f"{language}-{name}.png")
    write("emoji", model=options.model, weights_sha256=generator.info.weights_sha256, **results)


if __name__ == "__main__":
    main()
