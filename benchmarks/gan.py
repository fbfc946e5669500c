"""Whether the bundled GAN draws what it is asked: ``python benchmarks/gan.py``.

People it was trained on and combinations that it never saw are asked for, one picture each, and read by the
oracle; at the truncation of its card, which is none, and at 0.8.
"""

from __future__ import annotations

import argparse

from _results import write
from emoji import english, held_out, judged
from emoji_guidance import trained

from generators.oracle import reading
from generators.registry import load


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="bundled:gan")
    parser.add_argument("-n", type=int, default=114, help="combinations that were trained on")
    options = parser.parse_args()
    generator, oracle, results = load(options.model, threads=1), reading.oracle(), {}
    asked = {
        "trained": [english(label) for label in trained(options.n)],
        "held out": [english(label) for label in held_out() if label.is_person],
    }
    for which, prompts in asked.items():
        for name, given in (("as its card says", {}), ("truncation 0.8", {"truncation": 0.8})):
            rates, _ = judged(generator, oracle, prompts, options=given, width=128, height=128)
            results[f"{which}, {name}"] = rates
    write("gan", model=options.model, weights_sha256=generator.info.weights_sha256, **results)


if __name__ == "__main__":
    main()
