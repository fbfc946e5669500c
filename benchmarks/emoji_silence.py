"""What the bundled picture model draws where a prompt is silent: ``python benchmarks/emoji_silence.py``.

Portraits of every profession with nothing else said, at no guidance, the default and more, read by the
oracle. Even answers would be a third each for presentation and a sixth each for tone; ``p`` is how often even
shares would look as uneven as that (Pearson's test). Each portrait has a seed of its own: the same noise
under every profession is drawn alike, and pictures of it are no independent draws.
"""

from __future__ import annotations

import argparse
from collections import Counter

from _results import write
from scipy.stats import chisquare

from audits.statistics import wilson
from generators.oracle import reading
from generators.registry import load
from generators.request import GenerationRequest
from generators.training.emoji_labels import PRESENTATIONS, PROFESSIONS, TONES

SCALES = (1.0, 2.0, 3.0)
FIRST = 30000
"""The first seed; nothing was calibrated by these."""
QUESTIONS = {"presentation": PRESENTATIONS, "tone": TONES}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="bundled:emoji")
    parser.add_argument("-n", type=int, default=12, help="pictures of each profession")
    options = parser.parse_args()
    generator, oracle, results = load(options.model, threads=1), reading.oracle(), {}
    for scale in SCALES:
        seen = [
            oracle.read(one.frames)[0]
            for number, work in enumerate(PROFESSIONS)
            for one in generator.generate(
                GenerationRequest(
                    prompt=f"a portrait of a {work}",
                    seeds=tuple(FIRST + number * options.n + i for i in range(options.n)),
                    guidance_scale=scale,
                    width=128,
                    height=128,
                )
            )
        ]
        counts = {question: Counter(one[question] for one in seen) for question in QUESTIONS}
        results[f"guidance {scale:g}"] = {
            question: {
                **{value: wilson(counts[question][value], len(seen)).to_json() for value in values},
                "p": float(f"{chisquare([counts[question][value] for value in values]).pvalue:.2g}"),
            }
            for question, values in QUESTIONS.items()
        }
    write("emoji_silence", model=options.model, weights_sha256=generator.info.weights_sha256, **results)


if __name__ == "__main__":
    main()
