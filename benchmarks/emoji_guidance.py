"""Which guidance the bundled picture model should have by default: ``python benchmarks/emoji_guidance.py``.

People the model was trained on are asked for and read by the oracle; the default in ``card.json`` is the
lowest scale at which 95 of 100 come out as asked: more guidance makes what a prompt leaves open less even.
What is reported of the model is of other people, those held out (``emoji.py``), so that the scale is not
chosen by what it is judged by.
"""

from __future__ import annotations

import argparse
import itertools
import random

from _results import write
from emoji import english, judged

from generators.oracle import reading
from generators.registry import load
from generators.training.emoji_labels import PRESENTATIONS, PROFESSIONS, STYLES, TONES, Label

SCALES = (1.0, 1.5, 2.0, 2.5, 3.0)


def trained(count: int) -> list[Label]:
    """So many of the combinations that were trained on, which say everything."""
    everyone = itertools.product(PROFESSIONS, PRESENTATIONS[1:], TONES)
    labels = [Label(subject=p, style=STYLES[0], presentation=g, tone=t) for p, g, t in everyone]
    known = [label for label in labels if not label.held_out]
    random.Random(1).shuffle(known)
    return known[:count]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="bundled:emoji")
    parser.add_argument("-n", type=int, default=196, help="combinations; there are no more")
    options = parser.parse_args()
    generator, oracle, results = load(options.model, threads=1), reading.oracle(), {}
    asked = [english(label) for label in trained(options.n)]
    for scale in SCALES:
        rates, _ = judged(generator, oracle, asked, guidance_scale=scale, width=128, height=128)
        results[f"guidance {scale:g}"] = {name: rate for name, rate in rates.items() if name != "wrong"}
        print(scale, results[f"guidance {scale:g}"]["all"], flush=True)
    write("emoji_guidance", model=options.model, weights_sha256=generator.info.weights_sha256, **results)


if __name__ == "__main__":
    main()
