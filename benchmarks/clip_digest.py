"""What clip digests tell apart: ``OMP_NUM_THREADS=1 python benchmarks/clip_digest.py [--images DIR]``.

Clips of 320 × 180 and 8 s made from photographs on which no threshold was set. Copies that people make must
match in every second; edited copies must be told, in the seconds that were edited; unrelated clips must not
be found. Parts cut into foreign clips have ``clip_location.py``.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections import Counter
from pathlib import Path

import _clips
import cv2
import numpy as np
from _results import write

from audits.statistics import wilson
from provenance.video.clip_digest import ClipDigester
from provenance.video.clip_digest_compare import compare_clip
from provenance.video.clip_digest_placing import sample_clip
from provenance.video.clip_digest_reading import ClipMatch, SlotState
from provenance.video.locate import locate
from provenance.watermark.interface import Geometry

SIZE, SECONDS = (320, 180), 8
EDITED = (3, 5)
"""Seconds that edits change."""
AGAIN = "x264 CRF 28"


def geometry_of(scale: float, left: float, top: float) -> Geometry:
    """What the mark would tell of a copy whose pixel x lies at ``scale * x + (left, top)``."""
    spread = 1.6
    unit = spread * np.sqrt(SIZE[0] * SIZE[1]) / 512
    # Pixel centres lie at whole coordinates: scaling moves the first one by half of what it grows.
    offset = (np.array([left, top]) + (scale - 1) / 2) / unit
    k = float(scale / unit)
    x, y = (float(value) % 128 for value in offset)
    return Geometry(matrix=((k, 0.0), (0.0, k)), offset=(x, y), spreads=(spread,))


UPRIGHT = geometry_of(1.0, 0, 0)


def with_tone(gain: float, offset: float):  # noqa: ANN201
    return lambda frames: _clips.each(
        frames, lambda rgb: np.clip(rgb * gain + offset, 0, 255).astype(np.uint8)
    )


def gray(frames: _clips.Timed) -> _clips.Timed:
    return _clips.each(frames, lambda rgb: cv2.merge([cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)] * 3))


def crop(share: float):  # noqa: ANN201
    """The change, and the geometry that a mark would give."""
    width, height = SIZE
    kept = np.sqrt(1 - share)
    down, across = round(height * kept / 2) * 2, round(width * kept / 2) * 2
    found = geometry_of(1.0, round((width - across) * 0.35), round((height - down) * 0.6))
    return lambda frames: _clips.cropped(frames, share), found


BENIGN = {
    **{codec: (lambda frames: frames, None, codec) for codec in ("x264 CRF 35", "x265 CRF 28")},
    **{codec: (lambda frames: frames, None, codec) for codec in ("VP9 CRF 33", "AV1 CRF 35")},
    "x264 CRF 28": (lambda frames: frames, None, AGAIN),
    "0.75 of the size": (lambda frames: _clips.scaled(frames, 0.75), None, AGAIN),
    "0.5 of the size": (lambda frames: _clips.scaled(frames, 0.5), None, AGAIN),
    "crop 10 %, geometry of the mark": (*crop(0.10), AGAIN),
    "crop 25 %, geometry of the mark": (*crop(0.25), AGAIN),
    "24 to 15 frames a second": (lambda frames: _clips.retimed(frames, 15), None, AGAIN),
    "24 to 30 frames a second": (lambda frames: _clips.retimed(frames, 30), None, AGAIN),
    "one frame in three gone": (_clips.thinned, None, AGAIN),
    "darker": (with_tone(0.75, 0), None, AGAIN),
    "brighter, less contrast": (with_tone(0.8, 45), None, AGAIN),
    "gray": (gray, None, AGAIN),
    "mirrored": (lambda frames: _clips.each(frames, lambda rgb: rgb[:, ::-1]), None, AGAIN),
    "turned by 90°": (lambda frames: _clips.each(frames, np.rot90), None, AGAIN),
}


def patched(share: float):  # noqa: ANN201
    """A square of another picture, ``share`` of the frame's height, still in the frame."""

    def edit(rgb, at, other, random):  # noqa: ANN001, ANN202, ARG001
        side = round(share * rgb.shape[0])
        x, y = (
            int(where * (length - side))
            for where, length in zip(at, (rgb.shape[1], rgb.shape[0]), strict=True)
        )
        changed = rgb.copy()
        changed[y : y + side, x : x + side] = other[:side, :side]
        return changed

    return edit


def written_over(rgb, at, other, random):  # noqa: ANN001, ANN201, ARG001
    changed = rgb.copy()
    place = (int(at[0] * rgb.shape[1] * 0.4), int((0.15 + 0.8 * at[1]) * rgb.shape[0]))
    cv2.putText(changed, "BREAKING NEWS", place, cv2.FONT_HERSHEY_SIMPLEX, 0.75, (255, 255, 255), 2)
    return changed


def painted_out(rgb, at, other, random):  # noqa: ANN001, ANN201, ARG001
    """A fifth of the height filled in from around it."""
    side = rgb.shape[0] // 5
    x, y = (
        int(where * (length - side)) for where, length in zip(at, (rgb.shape[1], rgb.shape[0]), strict=True)
    )
    mask = np.zeros(rgb.shape[:2], np.uint8)
    mask[y : y + side, x : x + side] = 255
    return cv2.inpaint(rgb, mask, 3, cv2.INPAINT_TELEA)


def recoloured(rgb, at, other, random):  # noqa: ANN001, ANN201, ARG001
    """A quarter of the height, red and blue exchanged."""
    side = rgb.shape[0] // 4
    x, y = (
        int(where * (length - side)) for where, length in zip(at, (rgb.shape[1], rgb.shape[0]), strict=True)
    )
    changed = rgb.copy()
    changed[y : y + side, x : x + side] = changed[y : y + side, x : x + side, ::-1]
    return changed


EDITS = {
    "patch of 6 % of the height": patched(0.06),
    "patch of 10 %": patched(0.10),
    "patch of 15 %": patched(0.15),
    "patch of 25 %": patched(0.25),
    "caption": written_over,
    "20 % painted out": painted_out,
    "25 % in other colours": recoloured,
    "two seconds of another clip": lambda rgb, at, other, random: other[: rgb.shape[0], : rgb.shape[1]],  # noqa: ARG005
}


def barred(rgb, index):  # noqa: ANN001, ANN201, ARG001
    """A black bar."""
    rgb[-24:-8] = 0


def with_ticker(rgb, index):  # noqa: ANN001, ANN201
    """Writing that runs through a white bar."""
    rgb[-28:-4] = 255
    cv2.putText(
        rgb, "BREAKING NEWS " * 4, (4 - 2 * index, 170), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (200, 0, 0), 2
    )


def letterboxed(rgb, index):  # noqa: ANN001, ANN201, ARG001
    """An eighth of the height black at the top and the bottom."""
    rgb[:22] = rgb[-22:] = 0


OVERLAYS = {"black bar": barred, "ticker": with_ticker, "letterbox": letterboxed}
"""What lies over a whole copy; each keeps the mark's geometry."""


def under(lay, frames):  # noqa: ANN001, ANN201
    laid = []
    for index, (rgb, seconds) in enumerate(frames):
        changed = rgb.copy()
        lay(changed, index)
        laid.append((changed, seconds))
    return laid


def under_the_same(clips):  # noqa: ANN001, ANN201
    """Found in another clip that has its mark and the same thing over it: (found, pairs)."""
    found = pairs = 0
    for lay in OVERLAYS.values():
        laid = [under(lay, clip) for clip in clips]
        digests, samples = [digest_of(frames) for frames in laid], [sample_clip(frames) for frames in laid]
        for one, two in itertools.permutations(range(len(clips)), 2):
            found += bool(locate(digests[one], samples[two], UPRIGHT))
            pairs += 1
    return found, pairs


class Row:
    """One kind of copy of several clips."""

    def __init__(self) -> None:
        self.matches: Counter[str] = Counter()
        self.slots: Counter[str] = Counter()
        self.hit = self.n = 0

    def add(self, evidence, edited: range = range(0)) -> None:  # noqa: ANN001
        """``hit``: at least one edited second is told; slots count those that were not edited."""
        reading = evidence.detail
        self.n += 1
        self.matches[reading.match.value if reading else "undecided"] += 1
        slots = reading.slots if reading else ()
        told = {SlotState.ALTERED, SlotState.OTHER}
        self.hit += any(slots[second].state in told for second in edited if second < len(slots))
        self.slots.update(slot.state.value for second, slot in enumerate(slots) if second not in edited)

    def to_json(self) -> dict:
        """As the results state it."""
        return {"clips": dict(self.matches), "seconds_not_edited": dict(self.slots)}


def digest_of(frames: _clips.Timed):  # noqa: ANN201
    digester = ClipDigester(SIZE)
    for rgb, seconds in frames:
        digester.add(rgb, seconds)
    return digester.result()


def timed(frames) -> _clips.Timed:  # noqa: ANN001
    return [(rgb, index / _clips.FPS) for index, rgb in enumerate(frames)]


def benign_and_edited(clip: _clips.Timed, digest, other, random, rows) -> None:  # noqa: ANN001
    benign, edits, overlaid = rows
    for name, (change, geometry, codec) in BENIGN.items():
        copy = sample_clip(_clips.coded(change(clip), codec))
        benign.setdefault(name, Row()).add(compare_clip(digest, copy, geometry))
    for name, lay in OVERLAYS.items():
        copy = sample_clip(_clips.coded(under(lay, clip), AGAIN))
        overlaid.setdefault(name, Row()).add(compare_clip(digest, copy, UPRIGHT), range(SECONDS))
    first, last = (second * _clips.FPS for second in EDITED)
    for name, edit in EDITS.items():
        at = random.uniform(0.05, 0.95, 2)
        edited = [
            (edit(rgb, at, other[index], random) if first <= index < last else rgb, seconds)
            for index, (rgb, seconds) in enumerate(clip)
        ]
        copy = sample_clip(_clips.coded(edited, AGAIN))
        edits.setdefault(name, Row()).add(compare_clip(digest, copy, None), range(*EDITED))


def clips_of(pictures, clips: int):  # noqa: ANN001, ANN201
    """(kind, name, frames) of every clip; kinds by turns."""
    names = sorted(pictures)
    for index in range(clips):
        kind = list(_clips.KINDS)[index % 2]
        name, moving = names[index % len(names)], names[(index + 5) % len(names)]
        random = np.random.default_rng([53, index])
        made = _clips.KINDS[kind](pictures[name], SIZE, SECONDS * _clips.FPS, random, pictures[moving])
        yield kind, name, list(made)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, help="folder of more photographs, JPEG")
    parser.add_argument("--clips", type=int, default=18, help="held against each other")
    parser.add_argument("--copied", type=int, default=8, help="of them copied, edited and cut up")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    pictures = _clips.photographs(arguments.images)
    benign: dict[str, Row] = {}
    edits: dict[str, Row] = {}
    overlaid: dict[str, Row] = {}
    digests, samples, ms = [], [], []
    copied = []
    for kind, name, frames in clips_of(pictures, arguments.clips):
        clip = timed(frames)
        start = time.process_time()
        digests.append(digest_of(clip))
        ms.append(1000 * (time.process_time() - start) / len(clip))
        samples.append(sample_clip(clip))
        copied += [(kind, name, clip)] if len(copied) < arguments.copied else []
    for index, (kind, name, clip) in enumerate(copied):
        random, digest = np.random.default_rng([54, index]), digests[index]
        other = [rgb for rgb, _ in copied[(index + 3) % len(copied)][2]]
        benign_and_edited(clip, digest, other, random, (benign, edits, overlaid))
        print(index, kind, name, flush=True)
    pairs = list(itertools.permutations(range(len(digests)), 2))
    # Pictures are used again once all had their turn: clips of one picture are not unrelated.
    pairs = [(one, two) for one, two in pairs if (one - two) % len(pictures)]
    found = sum(bool(locate(digests[one], samples[two])) for one, two in pairs)
    marked = sum(bool(locate(digests[one], samples[two], UPRIGHT)) for one, two in pairs)
    shared = under_the_same([clip for _, _, clip in copied])
    write(
        "clip_digest",
        pictures="photographs of scikit-image and scikit-learn"
        + (", and of a folder" if arguments.images else ""),
        sources=min(len(pictures), len(copied)),
        clips=len(copied),
        size=f"{SIZE[0]}x{SIZE[1]}",
        seconds=SECONDS,
        bytes_a_second=len(digests[0].lab) // digests[0].slots,
        digest_ms_a_frame=round(float(np.median(ms)), 2),
        benign=_benign(benign),
        edits={
            name: {"told": wilson(row.hit, row.n).to_json(), **row.to_json()} for name, row in edits.items()
        },
        overlays={
            name: {"told": wilson(row.hit, row.n).to_json(), "clips": dict(row.matches)}
            for name, row in overlaid.items()
        },
        found_in_unrelated_clips=wilson(found, len(pairs)).to_json(),
        found_in_unrelated_clips_with_its_mark=wilson(marked, len(pairs)).to_json(),
        found_in_unrelated_clips_with_its_mark_under_the_same_overlay=wilson(*shared).to_json(),
    )


def _benign(rows: dict[str, Row]) -> dict:
    copies = sum(row.n for row in rows.values())
    false = sum(row.n - row.matches[ClipMatch.SAME.value] for row in rows.values())
    slots = sum((row.slots for row in rows.values()), Counter())
    told = slots[SlotState.ALTERED.value] + slots[SlotState.OTHER.value]
    return {
        "clips_not_called_the_same": wilson(false, copies).to_json(),
        "seconds_called_altered": wilson(told, sum(slots.values())).to_json(),
        "copies": {name: row.to_json() for name, row in rows.items()},
    }


if __name__ == "__main__":
    main()
