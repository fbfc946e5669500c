"""What look-ups cost, what fingerprints are worth, and what id and digest together let through.

    python benchmarks/registry.py

1. look-ups of 64-bit fingerprints among a million: processor time, and time on the clock
2. pictures of the bundled model from the same noise that differ in skin tone only: how many pairs count as
   similar by their fingerprint, and how many by the signed digest
3. patches, several of them of one picture: how many pairs count as similar by their fingerprint
4. the path that counts: marked patches, each looked up among all by the id in its mark; and, as if ids had
   clashed, held against the digest of the manifest of another picture's patch
"""

from __future__ import annotations

import statistics
import time
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from _pictures import ROLES
from _results import write
from _unmarked import patches, sources

from audits.robustness.relink import frames_of
from audits.statistics import wilson
from provenance.digest_compare import compare, visual_digest
from provenance.errors import InputError
from provenance.evidence import Outcome
from provenance.registry_fingerprints import (
    RADIUS,
    Fingerprints,
    distance,
    fingerprint_of_digest,
)
from provenance.watermark.interface import WatermarkKey, detect, embed

if TYPE_CHECKING:
    from collections.abc import Iterator

MILLION, LOOKUPS = 1_000_000, 400
TONES = ("light skin", "medium-light skin", "medium skin", "medium-dark skin", "dark skin")
MARKED, CLASHES = 540, 600
KEY = WatermarkKey(key_id="benchmark", epoch=0, secret=bytes(range(32)))


def main() -> None:
    random = np.random.default_rng(7)
    tones, spread = near_duplicates()
    pieces = unrelated(random)
    patched = [pixels for _, pixels in pieces]
    looks = [fingerprint_of_digest(visual_digest(frames_of(one)).to_assertion()) for one in patched]
    close = sum(distance(one, other) <= RADIUS for one, other in combinations(looks, 2))
    write(
        "registry",
        look_up=look_up(random),
        near_duplicates=tones,
        median_bits_between_tones=spread,
        patches_by_fingerprint=wilson(close, len(looks) * (len(looks) - 1) // 2).to_json(),
        patches=len(patched),
        **id_and_digest(pieces, random),
    )


def look_up(random: np.random.Generator) -> dict[str, object]:
    values = random.integers(0, 2**63, MILLION, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    known = Fingerprints(values)
    processor, clock = [], []
    for number in range(LOOKUPS):
        # Half of the queries have a near neighbour, half have none.
        value = int(values[int(random.integers(MILLION))]) if number % 2 else int(random.integers(2**63))
        for bit in random.choice(64, 6, replace=False):
            value ^= 1 << int(bit)
        wanted = value.to_bytes(8, "big")
        started = time.process_time(), time.perf_counter()
        known.look_up(wanted)
        processor.append(time.process_time() - started[0])
        clock.append(time.perf_counter() - started[1])
    return {
        "fingerprints": MILLION,
        "radius_bits": RADIUS,
        "look_ups": LOOKUPS,
        "median_ms": round(1000 * statistics.median(processor), 3),
        "worst_ms": round(1000 * max(processor), 3),
        "clock_median_ms": round(1000 * statistics.median(clock), 3),
        "clock_worst_ms": round(1000 * max(clock), 3),
    }


def near_duplicates() -> tuple[dict[str, object], float]:
    from generators.registry import load
    from generators.request import GenerationRequest

    generator = load("bundled:emoji", threads=1)
    same_look = same_digest = pairs = 0
    bits = []
    for role in ROLES:
        made = []
        for tone in TONES:
            request = GenerationRequest(prompt=f"a portrait of a {role}, {tone}", seeds=(1,))
            made += [one.frames.pixels[0].astype(np.uint8) for one in generator.generate(request)]
        frames = [frames_of(one) for one in made]
        digests = [visual_digest(one) for one in frames]
        looks = [fingerprint_of_digest(one.to_assertion()) or b"" for one in digests]
        for first, second in combinations(range(len(TONES)), 2):
            pairs += 1
            bits.append(distance(looks[first], looks[second]))
            same_look += bits[-1] <= RADIUS
            same_digest += compare(digests[first], frames[second], None).outcome is Outcome.SUPPORTS
    rates = {
        "by_fingerprint": wilson(same_look, pairs).to_json(),
        "by_signed_digest": wilson(same_digest, pairs).to_json(),
    }
    return rates, statistics.median(bits)


def unrelated(random: np.random.Generator) -> list[tuple[str, np.ndarray]]:
    """(picture, patch): patches of pictures that have nothing to do with each other, several of each."""
    named = [(name, pixels) for kind, name, pixels in sources(drawn=6) if kind != "structured"]
    each = -(-MARKED // len(named))
    found = [(name, one) for name, pixels in named for one in patches(pixels, random, most=each)]
    return found[:MARKED]


def id_and_digest(pieces: list[tuple[str, np.ndarray]], random: np.random.Generator) -> dict[str, object]:
    marked, digests, ids, of, skipped = [], [], {}, [], 0
    for name, pixels in pieces:
        content_id = random.bytes(8)
        try:
            made = embed(frames_of(pixels), content_id, KEY)
        except InputError:  # a patch that cannot carry a mark
            skipped += 1
            continue
        ids[content_id] = len(marked)
        of.append(name)
        marked.append(made.frames)
        digests.append(visual_digest(made.frames))
    readings = [detect(one, [KEY]).detail for one in marked]
    wrong = sum(reading.payload in ids and ids[reading.payload] != at for at, reading in enumerate(readings))
    right = sum(ids.get(reading.payload) == at for at, reading in enumerate(readings))
    clashed = 0
    for first, second in pairs_apart(of, random):
        held = compare(digests[first], marked[second], readings[second].geometry)
        clashed += held.outcome is Outcome.SUPPORTS
    return {
        "marked": len(marked),
        "refused": skipped,
        "led_to_their_own": wilson(right, len(marked)).to_json(),
        "unrelated_pairs_matched_by_id": wilson(wrong, len(marked) * (len(marked) - 1)).to_json(),
        "clashing_ids_matched_by_digest": wilson(clashed, CLASHES).to_json(),
    }


def pairs_apart(of: list[str], random: np.random.Generator) -> Iterator[tuple[int, int]]:
    """``CLASHES`` pairs of patches of two pictures each; those of one may show the same part of it."""
    found = 0
    while found < CLASHES:
        first, second = random.choice(len(of), 2, replace=False)
        if of[first] != of[second]:
            found += 1
            yield int(first), int(second)


if __name__ == "__main__":
    main()
