"""What averaging makes of a clip's mark: ``python benchmarks/clip_mark_security.py [--images DIR]``.

The same tile lies in every frame, so who averages frames of one clip gets it with its payload. The attacker
here uses our own published front end and knows the size of the tile, and has no key. With the estimate they
take the mark away (``read``: it is still read after x264 CRF 28), or lay it on another clip, where it may be
read; whether that clip then passes for the signed one is for the signed digest (``called_a_copy``). The last
rows are a holder of the published locator key, who needs no estimate.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import _clips
import cv2
import numpy as np
from _results import write
from video_mark import SIZE, read

from audits.robustness.security.averaging import estimate, folded, forged, removed
from audits.statistics import wilson
from provenance.evidence import Outcome
from provenance.video.clip_digest import ClipDigester
from provenance.video.clip_digest_compare import compare_clip
from provenance.video.clip_digest_placing import sample_clip
from provenance.video.clip_digest_reading import ClipMatch
from provenance.video.pooled import ClipMarker
from provenance.video.pooled_marking import CLIP_SPREAD
from provenance.watermark.interface import WatermarkKey

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

AVERAGED = (1, 6, 24)
"""Frames of the clip that the attacker averages."""
BUDGETS_DB = (40.0, 34.0)
"""What taking the mark away changes a frame by, beside the marked one."""
FORGED_DB = 37.0
ATTACKED = 30
AGAIN = "x264 CRF 28"
COPY = {ClipMatch.SAME, ClipMatch.PART, ClipMatch.ALTERED}
"""What the digest calls a copy, as a whole, in part or altered."""


class Case:
    """A clip with its mark, its digest, and what was averaged from it."""

    def __init__(self, plain: list, key: WatermarkKey, payload: bytes) -> None:
        self.plain, self.key, self.payload = plain, key, payload
        marker, digester = ClipMarker(key, payload, SIZE), ClipDigester(SIZE)
        self.marked = [marker.mark(frame) for frame in plain]
        for at, frame in enumerate(self.marked[:ATTACKED]):
            digester.add(frame, at / _clips.FPS)
        self.digest = digester.result()

    def tile(self, frames: int) -> NDArray[np.float32]:
        """Estimated from that many frames, as they come out of a release."""
        coded = _clips.coded(timed(self.marked[:frames]), "x264 CRF 18")
        return estimate([folded(frame, CLIP_SPREAD) for frame, _ in coded])

    def holds(self, frames: list) -> bool:
        """Whether the payload is read once they are compressed again."""
        evidence, *_ = read(_clips.coded(timed(frames), AGAIN), [self.key])
        return evidence.outcome is Outcome.SUPPORTS and evidence.detail.payload == self.payload

    def passes(self, frames: list) -> bool:
        """Whether the signed digest calls them a copy of this clip, by the geometry of their mark."""
        copy = _clips.coded(timed(frames), AGAIN)
        evidence, *_ = read(copy, [self.key])
        reading = compare_clip(self.digest, sample_clip(copy), evidence.detail.geometry).detail
        return reading is not None and reading.match in COPY


def timed(frames: list) -> _clips.Timed:
    return [(frame, at / _clips.FPS) for at, frame in enumerate(frames)]


def cases(pictures: dict, kind: str, count: int) -> Iterator[tuple[Case, list]]:
    """Clips of one kind, each from another photograph and under another key, and frames of another clip."""
    names, make = sorted(pictures), _clips.KINDS[kind]
    for index in range(count):
        random = np.random.default_rng([67, index])
        name, next_one = names[index % len(names)], pictures[names[(index + 1) % len(names)]]
        plain = list(make(pictures[name], SIZE, max(AVERAGED), random, next_one))
        key = WatermarkKey(key_id="benchmark", epoch=0, secret=random.bytes(32))
        other = list(make(next_one, SIZE, ATTACKED, random, pictures[name]))
        yield Case(plain, key, random.bytes(8)), other


def attacked(clips: Iterator[tuple[Case, list]]) -> dict[str, dict]:
    """Every attack on every clip."""
    held: dict[str, list[bool]] = {}
    passed: dict[str, list[bool]] = {}
    for number, (case, other) in enumerate(clips):
        frames = case.marked[:ATTACKED]
        for count in AVERAGED:
            tile = case.tile(count)
            for budget in BUDGETS_DB:
                less = [removed(frame, tile, CLIP_SPREAD, quality_db=budget) for frame in frames]
                held.setdefault(f"removed, {count} frames averaged, {budget:.0f} dB", []).append(
                    case.holds(less)
                )
            name = f"laid on another clip, {count} frames averaged, {FORGED_DB:.0f} dB"
            more = [forged(frame, tile, CLIP_SPREAD, quality_db=FORGED_DB) for frame in other]
            held.setdefault(name, []).append(case.holds(more))
            passed.setdefault(name, []).append(case.passes(more))
        with_key(case, other, held, passed)
        print(number, {name: sum(row) for name, row in held.items()}, flush=True)
    return {
        name: {
            "read": wilson(sum(row), len(row)).to_json(),
            **({"called_a_copy": wilson(sum(passed[name]), len(row)).to_json()} if name in passed else {}),
        }
        for name, row in held.items()
    }


def with_key(case: Case, other: list, held: dict, passed: dict) -> None:
    """With the published key and the payload that it reads: drawn again and taken away, or put elsewhere."""
    pen = ClipMarker(case.key, case.payload, SIZE)
    frames = case.marked[:ATTACKED]
    changes = [pen.mark(frame).astype(np.int16) - frame for frame in frames]
    less = [
        np.clip(frame - change, 0, 255).astype(np.uint8)
        for frame, change in zip(frames, changes, strict=True)
    ]
    held.setdefault("removed by a holder of the locator key", []).append(case.holds(less))
    name, pen = (
        "laid on another clip by a holder of the locator key",
        ClipMarker(case.key, case.payload, SIZE),
    )
    more = [pen.mark(frame) for frame in other]
    held.setdefault(name, []).append(case.holds(more))
    passed.setdefault(name, []).append(case.passes(more))


def many_clips(pictures: dict, pool: int, tried: int) -> dict:
    """One frame from each of many clips under one key: their payloads differ, so these average out."""
    names, random = sorted(pictures), np.random.default_rng(71)
    key, makes = (
        WatermarkKey(key_id="benchmark", epoch=0, secret=random.bytes(32)),
        tuple(_clips.KINDS.values()),
    )

    def case(index: int, count: int) -> Case:
        name, moving = names[index % len(names)], names[(index + 1) % len(names)]
        plain = makes[index % 2](pictures[name], SIZE, count, random, pictures[moving])
        return Case(list(plain), key, random.bytes(8))

    tile = estimate([folded(case(index, 1).marked[0], CLIP_SPREAD) for index in range(pool)])
    held, accepted = 0, 0
    for index in range(pool, pool + tried):
        one = case(index, ATTACKED)
        held += one.holds([removed(f, tile, CLIP_SPREAD, quality_db=BUDGETS_DB[-1]) for f in one.marked])
        laid = [forged(f, tile, CLIP_SPREAD, quality_db=FORGED_DB) for f in one.plain]
        evidence, *_ = read(_clips.coded(timed(laid), AGAIN), [key])
        accepted += evidence.outcome is Outcome.SUPPORTS
    return {
        "clips_averaged": pool,
        f"read_after_removal_at_{BUDGETS_DB[-1]:.0f}_db": wilson(held, tried).to_json(),
        "unmarked_clip_with_the_estimate_gives_a_payload": wilson(accepted, tried).to_json(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, help="folder of more photographs, JPEG")
    parser.add_argument("--clips", type=int, default=4, help="of each kind")
    parser.add_argument("--pool", type=int, default=20, help="clips of one key that are averaged")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    pictures = _clips.photographs(arguments.images)
    write(
        "clip_mark_security",
        clips_of_each_kind=arguments.clips,
        size=f"{SIZE[0]}x{SIZE[1]}",
        frames_attacked=ATTACKED,
        kinds={kind: attacked(cases(pictures, kind, arguments.clips)) for kind in _clips.KINDS},
        many_clips_of_one_key=many_clips(pictures, arguments.pool, arguments.clips),
    )


if __name__ == "__main__":
    main()
