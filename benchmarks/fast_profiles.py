"""What each fast profile saves, and what it costs: time, joules and likeness a picture, side by side.

    python benchmarks/fast_profiles.py [--model REF] [--rounds N] [--oracle FOLDER]

Without `--oracle generators/oracle`, say, whether the pictures show what was asked for is "not checked".
"""

from __future__ import annotations

import argparse
import os
import statistics
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from _results import write

from audits.robustness.fidelity import ssim
from generators.fast_measure import measure
from generators.oracle import reading, reading_adapter
from generators.oracle.questions import QUESTIONS
from generators.registry import load
from generators.request import GenerationRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from provenance.media import Frames

PROMPTS = (
    "a portrait of a firefighter",
    "a woman judge",
    "a portrait of a dark skin man pilot",
    "a picture of an airplane",
)
TOGETHER = (("few-steps", "reuse"), ("few-steps", "reuse", "pruned"))


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--model", default="bundled:emoji")
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--oracle", help="folder of the oracle's weights")
    given = asked.parse_args()
    generator = load(given.model, threads=1)
    own = [name.removeprefix("fast:") for name in generator.info.capabilities if name.startswith("fast:")]
    profiles = [(name,) for name in own] + [names for names in TOGETHER if set(names) <= set(own)]

    def alike(one: Frames, other: Frames) -> float:
        return ssim(one.pixels[0], other.pixels[0])

    results = {}
    for prompt in PROMPTS:
        request = GenerationRequest(prompt=prompt, model=given.model, seeds=(1, 2, 3, 4))
        right = None if given.oracle is None else oracle(given.oracle, prompt)
        results[prompt] = measure(generator, request, profiles, rounds=given.rounds, alike=alike, right=right)
    write(
        "fast_profiles",
        model={"ref": given.model, "weights_sha256": generator.info.weights_sha256},
        n={"prompts": len(PROMPTS), "pictures": 4 * len(PROMPTS), "rounds": given.rounds},
        threads=torch.get_num_threads(),
        load_average=round(os.getloadavg()[0], 1),
        linear_share_percent=linear_share(generator.pipeline.unet),
        results=results,
    )


def linear_share(network: torch.nn.Module) -> float:
    """Percent of the processor time of ``network`` that goes into linear layers: what int8 can win on."""
    latents, words = torch.randn(8, network.config.in_channels, 16, 16), network.config.cross_attention_dim
    with torch.no_grad(), torch.profiler.profile() as profile:
        network(latents, 500, encoder_hidden_states=torch.randn(8, 16, words))
    took = {event.key: event.self_cpu_time_total for event in profile.key_averages()}
    return round(100 * (took.get("aten::addmm", 0) + took.get("aten::mm", 0)) / sum(took.values()), 1)


def oracle(folder: str, prompt: str) -> Callable[[Sequence[Frames]], float]:
    """Share of pictures of which the oracle says that they show the subject of ``prompt``."""
    reader = reading_adapter.read(Path(folder) / reading.WEIGHTS, "")
    (wanted,) = (name for name in QUESTIONS["subject"] if name in prompt.split())

    def right(pictures: Sequence[Frames]) -> float:
        return statistics.fmean(reader.read(one)[0]["subject"] == wanted for one in pictures)

    return right


if __name__ == "__main__":
    main()
