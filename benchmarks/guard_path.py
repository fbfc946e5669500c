"""What guarding costs: release of a picture in memory to a file under its final name, and generation.

    python benchmarks/guard_path.py [--generate]

CPU seconds of this process beside the clock: on a busy machine only the first means anything.
"""

from __future__ import annotations

import json
import secrets
import statistics
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

import numpy as np
from _results import write
from skimage import data

from guard.clock import utc_now
from guard.home import Home
from guard.intake import Statement
from guard.plan import ask
from guard.policy.rule import Stage
from guard.release import Order, release
from guard.setup import initialise
from guard.stages import Draft
from guard.tools import Tools, assemble
from provenance.manifest.reading import DigitalSourceType
from provenance.media import Frames

ROUNDS = 12


def release_seconds(tools: Tools, side: int, folder: Path) -> dict[str, float]:
    """Median seconds to release a photograph of ``side`` × ``side`` pixels as PNG."""
    from PIL import Image

    said = Statement(source_type=DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA)
    plan = ask(Stage.PLAN, said.origin(), tools, command="release").obligations
    pixels = np.asarray(Image.fromarray(data.astronaut()).resize((side, side)))[None].copy()
    draft = Draft(frames=Frames(pixels=pixels), mime="image/png", origin=said.origin())
    clock, cpu = [], []
    for _ in range(ROUNDS + 1):
        started, used = time.perf_counter(), time.process_time()
        release(Order(draft=draft, plan=plan, command="release", folder=folder), tools)
        clock.append(time.perf_counter() - started)
        cpu.append(time.process_time() - used)
    return {  # the first is left out: it loads the libraries
        "clock": round(statistics.median(clock[1:]), 3),
        "cpu": round(statistics.median(cpu[1:]), 3),
    }


def generation_seconds(tools: Tools, folder: Path) -> dict[str, float]:
    """First signed picture in this process, counted from after the imports; then four pictures."""
    from generators.registry import load
    from generators.request import GenerationRequest
    from guard.generate import approve, generate

    started = time.perf_counter()
    import_libraries()
    imported = time.perf_counter()
    generator = load("bundled:emoji")

    def run(seeds: tuple[int, ...]) -> float:
        begun = time.perf_counter()
        approved = approve(GenerationRequest(prompt="a portrait of a firefighter", seeds=seeds), tools)
        assert len(list(generate(approved, generator, tools, folder=folder))) == len(seeds)
        return time.perf_counter() - begun

    run((1,))
    first = time.perf_counter() - imported  # loading the model is part of it
    begun = time.perf_counter()
    list(generator.generate(GenerationRequest(prompt="a portrait of a cook", seeds=(1, 2, 3, 4))))
    alone = time.perf_counter() - begun
    return {
        "import": round(imported - started, 2),
        "first_signed_picture_after_import": round(first, 2),
        "four_pictures_generated": round(alone, 2),
        "four_pictures_generated_and_released": round(run((11, 12, 13, 14)), 2),
    }


def shares() -> dict[str, float]:
    """What the release of a 512 px picture takes, and which part that is of a generation of five seconds."""
    with tempfile.TemporaryDirectory() as scratch:
        tools, folder = prepared(Path(scratch))
        took = release_seconds(tools, 512, folder)
    return {**took, "percent_of_5_s": round(100 * took["cpu"] / 5, 1)}


def prepared(scratch: Path) -> tuple[Tools, Path]:
    """A fresh installation, and a folder for pictures."""
    home, folder = Home(folder=scratch / "home"), scratch / "out"
    folder.mkdir()
    initialise(home, now=utc_now(), random=secrets.token_bytes)
    return assemble(home), folder


def import_libraries() -> None:
    """torch, and the classes of diffusers and transformers that the bundled pipeline is made of."""
    import torch  # noqa: F401

    index = json.loads(Path("generators/bundled/emoji/model_index.json").read_text())
    parts = [part for part in index.values() if isinstance(part, list) and all(part)]
    for library, name in (["diffusers", index["_class_name"]], *parts):
        getattr(import_module(library), name)


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        tools, folder = prepared(Path(scratch))
        result = {
            "n": ROUNDS,
            "release_512": release_seconds(tools, 512, folder),
            "release_1000": release_seconds(tools, 1000, folder),
            "goals": "release ≤ 0.5 s; first signed picture ≤ import + 3 s; four pictures ≤ 20 s",
        }
        if "--generate" in sys.argv:
            result["generate_seconds"] = generation_seconds(tools, folder)
    write("guard_path", **result)


if __name__ == "__main__":
    main()
