"""Latent marks of the bundled model from end to end: ``python benchmarks/latent_mark.py [-n N]``.

Each picture is drawn from marked noise, enlarged, given the pixel mark and attacked; then it is followed
back and held against its nonce. ``undone`` rows lay the copy back by the pixel mark's geometry first.
Decoy nonces on the very same noise give the measured rate of false alarms.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from _pictures import ROLES
from _results import write

from audits.robustness.attacks import crop, jpeg, levels, noise, resize, rotate
from audits.statistics import wilson
from generators.finishes import PLAIN, newest
from generators.latents_adapter import DiffusersInverter
from generators.recipe import StageRecord
from generators.registry import load
from generators.request import GenerationRequest
from provenance.media import Frames
from provenance.watermark.interface import WatermarkKey, WatermarkReading, detect, embed
from provenance.watermark.latent import LatentMark, decode, fresh, keystream, shade, signs
from provenance.watermark.latent_detection import soft_signs
from provenance.watermark.latent_geometry import placed
from provenance.watermark.statistic import Null, log10_tail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

ATTACKS = {
    "none": lambda pixels: pixels,
    "jpeg75": jpeg(75),
    "jpeg50": jpeg(50),
    "resize0.5": resize(0.5),
    "noise8": noise(8.0, 0),
    "brightness+0.15": levels(0.15, 1.0),
    "crop10": crop(0.1),
    "crop25": crop(0.25),
    "rotate5": rotate(5.0),
}
KNOWN = ("none", "jpeg50")
"""Also followed back with prompt and guidance known."""
NULL = ("none", "jpeg50", "crop25")
"""Noises that decoys are held against."""
MOVED = ("crop10", "crop25", "rotate5")
LEVEL = -6.0
DECOYS = 2_000
BATCH = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One released picture and what was put into its noise."""

    prompt: str
    mark: LatentMark
    noise: NDArray[np.float32]
    frames: Frames


def drawn(count: int, key: WatermarkKey, generator: Any, finish: str) -> Iterator[Drawn]:
    random = np.random.default_rng(404)
    for index in range(count):
        prompt = f"a portrait of a {ROLES[index % len(ROLES)]}"
        mark = fresh(random.bytes)
        kept: list[NDArray[np.float32]] = []

        def shaded(
            plain: NDArray[np.float32],
            mark: LatentMark = mark,
            kept: list[NDArray[np.float32]] = kept,
        ) -> tuple[NDArray[np.float32], StageRecord]:
            kept.append(shade(plain, mark, key))
            return kept[0], StageRecord(name="benchmark", version="1", parameters={})

        request = GenerationRequest(prompt=prompt, seeds=(1000 + index,), options={"finish": finish})
        made = next(iter(generator.generate(request, latents=shaded)))
        frames = embed(made.frames, random.bytes(8), key).frames
        yield Drawn(prompt=prompt, mark=mark, noise=kept[0], frames=frames)


def looked_at(values: NDArray[np.float32], picture: Drawn, key: WatermarkKey) -> dict[str, float]:
    soft = soft_signs(values)
    own = signs(picture.mark, key, soft.size)
    payload, passed = decode(soft, picture.mark.nonce, key, len(picture.mark.payload))
    return {
        "log10_p": log10_tail(float(soft @ own), soft, Null.SIGNS),
        "z": float(soft @ own / np.linalg.norm(soft)),
        "signs": float(np.mean(soft * own > 0)),
        "exact": float(passed and payload == picture.mark.payload),
        "wrong": float(passed and payload != picture.mark.payload),
    }


def copies(picture: Drawn, key: WatermarkKey, size: tuple[int, int]) -> Iterator[tuple[str, list[Frames]]]:
    for name, attack in ATTACKS.items():
        copy = Frames(pixels=attack(np.asarray(picture.frames.pixels[0]))[None])
        yield name, [copy]
        if name in MOVED:
            reading = detect(copy, [key]).detail
            found = isinstance(reading, WatermarkReading) and reading.geometry is not None
            yield f"{name}, undone", placed(copy, reading.geometry, size) if found else []


def false_alarms(kept: list[NDArray[np.float64]], key: WatermarkKey) -> dict[str, Any]:
    """Decoy nonces on every noise found, others on each: how often the p-value is below each level."""
    random = np.random.default_rng(7)
    levels_, counts = (1e-2, 1e-3, 1e-4, 1e-6), np.zeros(4, int)
    largest = 0.0
    for soft in kept:
        # Noises of one model are alike: the same nonces would count one chance many times.
        streams = np.stack([keystream(random.bytes(16), key, soft.size) for _ in range(DECOYS)])
        z = streams.astype(np.float32) @ soft.astype(np.float32) / np.linalg.norm(soft)
        largest = max(largest, float(z.max()))
        # The tail decreases with z: find where it passes each level once, for this noise.
        for index, level in enumerate(levels_):
            counts[index] += int(np.sum(z >= _needed(soft, np.log10(level))))
    n = DECOYS * len(kept)
    return {
        "n": n,
        "independent_noises": len(kept),
        "largest_z": round(largest, 2),
        "at_p": {f"{level:g}": wilson(int(c), n).to_json() for level, c in zip(levels_, counts, strict=True)},
    }


def _needed(soft: NDArray[np.float64], log10_level: float) -> float:
    low, high, size = 0.0, 12.0, float(np.linalg.norm(soft))
    for _ in range(24):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if log10_tail(middle * size, soft, Null.SIGNS) > log10_level else (low, middle)
        )
    return high


def summary(rows: list[dict[str, float]], spent: float) -> dict[str, Any]:
    detected = sum(row["log10_p"] <= LEVEL for row in rows)
    return {
        "detected": wilson(detected, len(rows)).to_json(),
        "payload_exact": wilson(int(sum(row["exact"] for row in rows)), len(rows)).to_json(),
        "payload_wrong": int(sum(row["wrong"] for row in rows)),
        "median_z": round(float(np.median([row["z"] for row in rows])), 1),
        "lowest_z": round(min(row["z"] for row in rows), 1),
        "median_signs_right": round(float(np.median([row["signs"] for row in rows])), 3),
        "processor_seconds_each": round(spent / len(rows), 2),
    }


def measured(pictures: list[Drawn], inverters: dict[str, Any], key: WatermarkKey) -> dict[str, Any]:
    tried: dict[str, list[list[Frames]]] = {}
    for picture in pictures:
        for name, placements in copies(picture, key, (picture.frames.width, picture.frames.height)):
            tried.setdefault(name, []).append(placements)
    table: dict[str, dict[str, Any]] = {known: {} for known in inverters}
    kept: list[NDArray[np.float64]] = []
    for name, known in [(name, "empty") for name in tried] + [(name, "known") for name in KNOWN]:
        began = time.process_time()
        found = followed(pictures, tried[name], inverters[known])
        rows = [best_of(values, picture, key) for values, picture in zip(found, pictures, strict=True)]
        table[known][name] = summary(rows, time.process_time() - began)
        print(known, name, table[known][name], flush=True)
        if known == "empty" and name in NULL:
            kept += [soft_signs(values[0]) for values in found]
    return {"prompt": table, "false_alarms": false_alarms(kept, key)}


def followed(
    pictures: list[Drawn], tried: list[list[Frames]], make: Callable[[Drawn], DiffusersInverter]
) -> list[list[NDArray[np.float32]]]:
    """The noise of every placement of every copy; pictures of one inverter in batches."""
    found: list[list[NDArray[np.float32]]] = [[] for _ in pictures]
    groups: dict[str, list[int]] = {}
    for index, picture in enumerate(pictures):
        groups.setdefault(make(picture).prompt, []).append(index)
    for indexes in groups.values():
        flat = [(index, frames) for index in indexes for frames in tried[index]]
        for start in range(0, len(flat), BATCH):
            part = flat[start : start + BATCH]
            noise, _ = make(pictures[indexes[0]]).followed([frames for _, frames in part])
            for (index, _), values in zip(part, noise, strict=True):
                found[index].append(values)
    # No pixel mark, so nothing to undo: counts as a miss.
    return [values or [np.zeros_like(p.noise)] for values, p in zip(found, pictures, strict=True)]


def best_of(found: list[NDArray[np.float32]], picture: Drawn, key: WatermarkKey) -> dict[str, float]:
    """The clearest placement, paid for by Bonferroni."""
    best = min((looked_at(values, picture, key) for values in found), key=lambda one: one["log10_p"])
    return {**best, "log10_p": min(0.0, best["log10_p"] + float(np.log10(len(found))))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=40, help="pictures")
    parser.add_argument("--steps", type=int, default=10, help="of the walk back")
    parser.add_argument("--finish", default=newest(), help="how pictures are enlarged")
    parser.add_argument("--refinements", type=int, default=0, help="gradient steps on the decoder")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    random = np.random.default_rng(22)
    key = WatermarkKey(key_id="benchmark", epoch=0, secret=random.bytes(32))
    generator = load("bundled:emoji", threads=1)
    pictures = list(drawn(asked.n, key, generator, asked.finish))
    how: dict[str, Any] = {"steps": asked.steps, "refinements": asked.refinements}
    inverters = {
        "empty": lambda _picture: DiffusersInverter(generator=generator, **how),
        "known": lambda picture: DiffusersInverter(generator=generator, prompt=picture.prompt, **how),
    }
    result = measured(pictures, inverters, key)
    names = ["latent_mark", *(["refined"] if asked.refinements else [])]
    write(
        "_".join([*names, *(["plain"] if asked.finish == PLAIN else [])]),
        finish=asked.finish,
        pictures=f"bundled:emoji, {asked.n} pictures of {len(ROLES)} prompts",
        payload_bits=64,
        latent_numbers=int(pictures[0].noise.size),
        steps_drawn=20,
        steps_back=asked.steps,
        refinements=asked.refinements,
        level_log10_p=LEVEL,
        **result,
    )


if __name__ == "__main__":
    main()
