"""Memory and processor time of clips, by their length and size: memory must not grow with either.

    python benchmarks/clip_memory.py            # writes benchmarks/results/clip_memory.json

Marking and looking are measured in a process of their own; then every command of ``guard`` that takes clips,
on clips of 10 s and 60 s and on one of more than 300 MB: how much each held at most, as the system tells.
"""

from __future__ import annotations

import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from _results import write

WIDTH, HEIGHT, RATE = 640, 360, 24
SECONDS = (10, 60)


def clip(seconds: int) -> bytes:
    """A camera that wanders over a photograph while a square crosses it."""
    import av
    import cv2
    import numpy as np
    from skimage import data

    photograph = cv2.resize(data.coffee(), (960, 640), interpolation=cv2.INTER_CUBIC)
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as target:
        track = target.add_stream("libx264", rate=RATE, options={"crf": "20", "preset": "veryfast"})
        track.width, track.height, track.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(seconds * RATE):
            left = round(160 + 159 * np.sin(number / 40))
            top = round(140 + 139 * np.cos(number / 55))
            picture = photograph[top : top + HEIGHT, left : left + WIDTH].copy()
            at = 3 * number % (WIDTH - 60)
            picture[60:120, at : at + 60] = (200, 30, 40)
            target.mux(track.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24")))
        target.mux(track.encode(None))
    return out.getvalue()


def measured(path: Path) -> dict[str, float | int | str]:
    """In this process: mark the clip, look at the result, and tell what that took."""
    import cv2

    from provenance.codecs import read_asset
    from provenance.video.look import footage_of, look
    from provenance.video.marking import mark_clip
    from provenance.watermark.key import WatermarkKey

    cv2.setNumThreads(1)
    key = WatermarkKey(key_id="benchmark", epoch=1, secret=bytes(range(32)))
    begun = time.process_time()
    made = mark_clip(footage_of(read_asset(path)), b"\1\2\3\4\5\6\7\10", key)
    marked = time.process_time()
    seen = look(made.asset, [key])
    return {
        "frames": made.frames,
        "psnr_db": round(made.psnr, 2),
        "mark_and_encode_cpu_ms_per_frame": round(1000 * (marked - begun) / made.frames, 2),
        "look_cpu_ms_per_frame": round(1000 * (time.process_time() - marked) / made.frames, 2),
        "mark_read": seen.mark.outcome.value,
        "peak_resident_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def large(path: Path) -> None:
    """A minute of noise over a photograph, hardly compressed: more than 300 MB."""
    import av
    import cv2
    import numpy as np
    from skimage import data

    photograph = cv2.resize(data.coffee(), (960, 640)).astype(np.int16)
    random = np.random.default_rng(1)
    noise = random.integers(-40, 41, (700, 1000, 3)).astype(np.int16)
    options = {"crf": "4", "preset": "ultrafast", "threads": "1"}
    with av.open(str(path), "w", format="mp4") as target:
        track = target.add_stream("libx264", rate=RATE, options=options)
        track.width, track.height, track.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(60 * RATE):
            left, top = round(160 + 159 * np.sin(number / 40)), round(140 + 139 * np.cos(number / 55))
            y, x = random.integers(0, 300, 2)
            picture = (
                photograph[top : top + HEIGHT, left : left + WIDTH] + noise[y : y + HEIGHT, x : x + WIDTH]
            )
            picture = np.clip(picture, 0, 255).astype(np.uint8)
            target.mux(track.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        target.mux(track.encode(None))


def command(home: Path, *arguments: object) -> dict[str, float | int]:
    """One run of ``guard``: exit code, processor time and peak resident memory."""
    environment = {**os.environ, "GUARD_HOME": str(home), "OMP_NUM_THREADS": "1"}
    line = [sys.executable, "-m", "guard", *map(str, arguments)]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(line, env=environment, stdout=quiet, stderr=quiet)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return {
        "exit": process.returncode,
        "cpu_s": round(used.ru_utime + used.ru_stime, 1),
        "peak_resident_mb": round(used.ru_maxrss / 1024),
    }


def commands(folder: Path, clip: Path) -> dict[str, dict[str, float | int]]:
    """Every command that takes clips, one after the other: release, sign, and looking at what was signed."""
    home, out = folder / "home", folder / "out"
    out.mkdir(exist_ok=True)
    said = ("--source", "generated", "--force", "-o")
    signed = out / f"signed-{clip.name}"
    rows = {
        "release": command(home, "release", clip, *said, out),
        "sign": command(home, "sign", clip, *said, signed),
    }
    looked = {name: command(home, name, signed) for name in ("verify", "inspect", "recover")}
    return rows | looked


def main() -> None:
    rows, guard = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        command(Path(folder) / "home", "init")
        for seconds in SECONDS:
            path = Path(folder) / f"{seconds}.mp4"
            path.write_bytes(clip(seconds))
            done = subprocess.run(
                [sys.executable, __file__, str(path)], check=True, capture_output=True, text=True
            )
            rows[f"{seconds} s"] = {
                "megabytes_in": round(path.stat().st_size / 2**20, 2),
                **json.loads(done.stdout),
            }
            guard[f"{seconds} s"] = commands(Path(folder), path)
        path = Path(folder) / "large.mp4"
        large(path)
        guard[f"60 s, {path.stat().st_size / 2**20:.0f} MB"] = commands(Path(folder), path)
    few, many = (rows[f"{seconds} s"]["peak_resident_mb"] for seconds in SECONDS)
    libraries = {"av": version("av")}
    write(
        "clip_memory",
        libraries=libraries,
        size=f"{WIDTH}x{HEIGHT}",
        rate=RATE,
        lengths=rows,
        growth=round(many / few, 3),
        commands=guard,
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measured(Path(sys.argv[1]))))
    else:
        main()
