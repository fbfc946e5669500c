"""How often a clip's mark comes back: ``OMP_NUM_THREADS=1 python benchmarks/video_mark.py [--images DIR]``.

Clips of 854 × 480 made from photographs (of installed packages, and of DIR) the mark was never tuned on.
Codecs act on the marked frames; everything else acts on a release coded at x264 CRF 18 and is coded again
at x264 CRF 28. Target: the exact payload in all of them, and 60 frames marked a second on one core.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import _clips
import cv2
import numpy as np
from _results import write

from audits.statistics import wilson
from provenance.evidence import Outcome
from provenance.video.pooled import CLIP_DB, ClipMarker, PooledDetector
from provenance.watermark.interface import WatermarkKey

SIZE = (854, 480)
DIRECT = ("x264 CRF 23", "x264 CRF 28", "x265 CRF 28", "VP9 CRF 33", "AV1 CRF 35")
BEYOND = ("x264 CRF 35", "x264 CRF 40", "x264 CRF 45")
FEWER = {"x264 CRF 45", "crop 25 %", "crop 10 %, then 0.75", "turned by 90°", "mirrored", "turned by 3°"}
FEWER |= {"the middle third alone"}
"""Changes that only the first clips of a kind undergo."""
AGAIN = "x264 CRF 28"
CHANGES = {
    "one frame in three dropped": _clips.dropped,
    "24 to 15 frames a second": lambda frames: _clips.retimed(frames, 15),
    "0.75 of the size": lambda frames: _clips.scaled(frames, 0.75),
    "0.5 of the size": lambda frames: _clips.scaled(frames, 0.5),
    "crop 10 %": lambda frames: _clips.cropped(frames, 0.10),
    "crop 25 %": lambda frames: _clips.cropped(frames, 0.25),
    "crop 10 %, then 0.75": lambda frames: _clips.scaled(_clips.cropped(frames, 0.10), 0.75),
    "turned by 90°": lambda frames: _clips.each(frames, np.rot90),
    "mirrored": lambda frames: _clips.each(frames, lambda rgb: rgb[:, ::-1]),
    "turned by 3°": lambda frames: _clips.each(frames, _tilted),
    "the middle third alone": lambda frames: _clips.between(frames, len(frames) // 3, 2 * len(frames) // 3),
}
HARDER = {"0.5 of the size": "x264 CRF 35"}


def _tilted(rgb):  # noqa: ANN001, ANN202 - (H, W, 3) uint8
    height, width = rgb.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 3, 1.06)
    return cv2.warpAffine(rgb, turn, (width, height), flags=cv2.INTER_CUBIC)


class Row:
    """What happened to one kind of copy."""

    def __init__(self) -> None:
        self.exact = self.wrong = self.n = 0
        self.statistics: list[float] = []
        self.frames: list[int] = []
        self.ms: list[float] = []

    def add(self, frames: _clips.Timed, payload: bytes, keys: list[WatermarkKey]) -> None:
        """Read one more copy."""
        evidence, looked, took = read(frames, keys)
        accepted = evidence.outcome is Outcome.SUPPORTS
        self.n += 1
        self.exact += accepted and evidence.detail.payload == payload
        self.wrong += accepted and evidence.detail.payload != payload
        self.statistics.append(evidence.detail.statistic)
        self.frames.append(looked)
        self.ms.append(took)

    def to_json(self) -> dict:
        """As the results state it."""
        return {
            "exact": wilson(self.exact, self.n).to_json(),
            "wrong_payloads": self.wrong,
            "median_statistic": round(statistics.median(self.statistics), 1),
            "median_frames_read": statistics.median(self.frames),
            "median_read_ms": round(statistics.median(self.ms)),
        }


def read(frames: _clips.Timed, keys: list[WatermarkKey]):  # noqa: ANN201
    """Evidence, frames looked at, and processor time in ms."""
    start = time.process_time()
    detector = PooledDetector(keys, frames[0][0].shape[1::-1])
    looked = 0
    for rgb, seconds in frames:
        if detector.decided:
            break
        detector.add(rgb, seconds)
        looked += 1
    evidence = detector.result()
    return evidence, looked, 1000 * (time.process_time() - start)


def psnr(one, other) -> float:  # noqa: ANN001
    return float(10 * np.log10(255**2 / np.mean((one.astype(np.float32) - other) ** 2)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, help="folder of more photographs, JPEG")
    parser.add_argument("--sources", type=int, default=12, help="photographs for each kind of clip")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--frames", type=int, default=30)
    parser.add_argument("--fewer", type=int, default=6, help="clips of each kind for the less usual changes")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    pictures = _clips.photographs(arguments.images)
    names = sorted(pictures)
    kinds = {}
    speed, quality = [], []
    unmarked = {"n": 0, "accepted": 0, "lowest_log10_p": 0.0, "ms": []}
    used = set()
    for number, (kind, make) in enumerate(_clips.KINDS.items()):
        rows: dict[str, Row] = {}
        for index in range(arguments.sources * arguments.seeds):
            # Another photograph for each clip of a kind, as long as there are any.
            name = names[(index % arguments.sources + 6 * number) % len(names)]
            other = names[(index + 6 * number + 1) % len(names)]
            used.add(name)
            random = np.random.default_rng([41, number, index])
            key = WatermarkKey(key_id="benchmark", epoch=0, secret=random.bytes(32))
            payload = random.bytes(8)
            plain = list(make(pictures[name], SIZE, arguments.frames, random, pictures[other]))
            marker = ClipMarker(key, payload, SIZE)
            start = time.process_time()
            marked = [marker.mark(frame) for frame in plain]
            speed.append(len(marked) / (time.process_time() - start))
            quality += [psnr(one, two) for one, two in zip(plain[::6], marked[::6], strict=True)]
            timed = [(rgb, at / _clips.FPS) for at, rgb in enumerate(marked)]
            left_out = FEWER if index >= arguments.fewer else set()
            for codec in [one for one in DIRECT + BEYOND if one not in left_out]:
                rows.setdefault(codec, Row()).add(_clips.coded(timed, codec), payload, [key])
            release = _clips.coded(timed, "x264 CRF 18")
            for change, act in CHANGES.items():
                if change in left_out:
                    continue
                copy = act(release)
                rows.setdefault(f"{change}, {AGAIN}", Row()).add(_clips.coded(copy, AGAIN), payload, [key])
                if change in HARDER:
                    harder = HARDER[change]
                    again = _clips.coded(copy, harder)
                    rows.setdefault(f"{change}, {harder}", Row()).add(again, payload, [key])
            evidence, _, took = read([(rgb, at / _clips.FPS) for at, rgb in enumerate(plain)], [key])
            unmarked["n"] += 1
            unmarked["accepted"] += evidence.outcome is not Outcome.ABSENT
            unmarked["lowest_log10_p"] = min(unmarked["lowest_log10_p"], round(evidence.detail.log10_p, 2))
            unmarked["ms"].append(took)
            print(kind, index, name, {change: row.exact for change, row in rows.items()}, flush=True)
        kinds[kind] = {change: row.to_json() for change, row in rows.items()}
    unmarked["median_read_ms"] = round(statistics.median(unmarked.pop("ms")))
    write(
        "video_mark",
        pictures="photographs of scikit-image and scikit-learn"
        + (", and of a folder" if arguments.images else ""),
        sources=len(used),
        clips_of_each_kind=arguments.sources * arguments.seeds,
        keys=arguments.sources * arguments.seeds * len(kinds),
        size=f"{SIZE[0]}x{SIZE[1]}",
        frames=arguments.frames,
        least_psnr_asked_db=CLIP_DB,
        mean_psnr_db=round(statistics.mean(quality), 2),
        lowest_psnr_db=round(min(quality), 2),
        frames_marked_per_second=round(statistics.median(speed), 1),
        unmarked_clips=unmarked,
        copies=kinds,
    )


if __name__ == "__main__":
    main()
