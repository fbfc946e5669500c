"""How exactly a part cut into another clip is located: ``python benchmarks/clip_location.py [--images DIR]``.

Parts of 2, 3 and 5 s of a clip of 8 s, 320 × 180, lie somewhere within a clip from another photograph; the
whole is coded at x264 CRF 28 or 35. ``ends``: one piece, and both of its ends in the file are right to a
quarter or half of a second; ``clock``: so is the place in the released clip. Where the camera stands still,
one second is like the next, and the clock is a guess.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import _clips
import cv2
import numpy as np
from _results import write
from clip_digest import SECONDS, SIZE, digest_of, timed

from audits.statistics import wilson
from provenance.video.clip_digest_placing import sample_clip
from provenance.video.locate import locate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provenance.video.clip_digest_reading import Span

LENGTHS = (2, 3, 5)


@dataclass(frozen=True)
class Placed:
    """What was found of one part: how far the ends and the clock are off, in seconds."""

    kind: str
    length: int
    ends: float | None = None
    clock: float | None = None


def made(pictures: dict, count: int) -> list[tuple[str, str, list]]:
    """(kind, photograph, frames); kinds by turns, two clips of each photograph."""
    names, kinds, clips = sorted(pictures), list(_clips.KINDS), []
    for index in range(count):
        random, kind = np.random.default_rng([1700, index]), kinds[index % 2]
        name, moving = names[index // 2 % len(names)], names[(index // 2 + 1) % len(names)]
        frames = _clips.KINDS[kind](pictures[name], SIZE, SECONDS * _clips.FPS, random, pictures[moving])
        clips.append((kind, name, list(frames)))
    return clips


def composites(clips: list[tuple[str, str, list]]) -> Iterator[Placed]:
    for index, (kind, name, frames) in enumerate(clips):
        random, digest = np.random.default_rng([1701, index]), digest_of(timed(frames))
        others = [other for _, used, other in clips if used != name]
        for length in LENGTHS:
            around = others[random.integers(len(others))]
            first = int(random.integers(0, (SECONDS - length) * _clips.FPS))
            lead = int(random.integers(36, 150))
            part = frames[first : first + length * _clips.FPS]
            codec = ("x264 CRF 28", "x264 CRF 35")[random.integers(2)]
            file = sample_clip(_clips.coded(timed([*around[:lead], *part, *around[lead:]]), codec))
            start, shift = lead / _clips.FPS, (lead - first) / _clips.FPS
            yield placed(locate(digest, file), kind, length, start, shift)
        print(index, kind, name, flush=True)


def placed(spans: tuple[Span, ...], kind: str, length: int, start: float, shift: float) -> Placed:
    if len(spans) != 1:  # in pieces: as if it were not found
        return Placed(kind, length)
    (span,) = spans
    ends = max(abs(span.start - start), abs(span.end - start - length))
    return Placed(kind, length, ends=ends, clock=abs(span.start - span.signed_start - shift))


def row(parts: list[Placed]) -> dict:
    """As the results state it."""
    found, n = [part for part in parts if part.ends is not None], len(parts)
    ends = [part.ends for part in found]
    return {
        "found_as_one_piece": wilson(len(found), n).to_json(),
        "ends_within_a_quarter": wilson(sum(off <= 0.25 for off in ends), n).to_json(),
        "ends_within_half_a_second": wilson(sum(off <= 0.5 for off in ends), n).to_json(),
        "clock_within_half_a_second": wilson(sum(part.clock <= 0.5 for part in found), n).to_json(),
        "median_error_of_the_ends_s": round(float(np.median(ends)), 3),
        "largest_error_of_the_ends_s": round(max(ends), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, help="folder of more photographs, JPEG")
    parser.add_argument("--clips", type=int, default=16)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    pictures = _clips.photographs(arguments.images)
    clips = made(pictures, arguments.clips)
    parts = list(composites(clips))
    write(
        "clip_location",
        photographs=len({name for _, name, _ in clips}),
        clips=len(clips),
        composites=len(parts),
        everything=row(parts),
        by_length={
            f"{length} s": row([part for part in parts if part.length == length]) for length in LENGTHS
        },
        by_kind={kind: row([part for part in parts if part.kind == kind]) for kind in _clips.KINDS},
    )


if __name__ == "__main__":
    main()
