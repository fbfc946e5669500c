"""ffmpeg from Debian, another build and years older than PyAV's, decodes what we released."""

from __future__ import annotations

import json
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from guard.api import release_file
from provenance.codecs import read_asset
from provenance.stored import FileBytes
from provenance.video.reader import ClipReader

pytestmark = [
    pytest.mark.debian,
    pytest.mark.skipif(not shutil.which("ffprobe") or not shutil.which("ffmpeg"), reason="needs ffmpeg"),
]
SIZE = (288, 256)
TURNED = (0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)
UNEVEN = [Fraction(n * n, 96) for n in range(24)]
BT709, FULL, PQ = (1, 1, 1, 1), (1, 2, 1, 1), (9, 1, 9, 16)
WEBM = {"container": "webm", "codec": "libvpx-vp9", "sound": "libopus"}
DEEP = {
    "codec": "libx265",
    "pixels": "yuv420p10le",
    "colour": PQ,
    "options": {"x265-params": "log-level=none"},
}
CLIPS = {
    "mp4 av1": ("mp4", None, {"colour": BT709}),
    "mp4 av1 turned": ("mp4", None, {"matrix": TURNED, "colour": FULL}),
    "mp4 av1 uneven times": ("mp4", None, {"times": UNEVEN}),
    "mp4 av1 ten bits": ("mp4", None, DEEP),
    "mp4 vp9": ("mp4", "vp9", {"colour": BT709, "aspect": Fraction(4, 3)}),
    "mp4 h264": ("mp4", "h264", {"matrix": TURNED, "colour": BT709}),
    "webm vp9": ("webm", None, WEBM),
    "webm av1": ("webm", "av1", WEBM),
    "mov h264": ("mov", "h264", {"container": "mov", "times": UNEVEN, "colour": BT709}),
}
COLOURS = ("color_range", "color_space", "color_primaries", "color_transfer", "sample_aspect_ratio")
MEANING = {"color_range": "tv", "sample_aspect_ratio": "1:1"}
"""Of what the source leaves unspecified and the new file says."""


def probed(path: Path) -> dict[str, list[dict]]:
    line = [
        "ffprobe",
        "-v",
        "error",
        "-count_frames",
        "-show_streams",
        "-show_packets",
        "-of",
        "json",
        str(path),
    ]
    done = subprocess.run(line, capture_output=True, check=True, text=True)
    assert done.stderr == ""
    found = json.loads(done.stdout)
    kinds = {
        kind: [one for one in found["streams"] if one["codec_type"] == kind] for kind in ("video", "audio")
    }
    for kind in ("video", "audio"):
        kinds[f"{kind} packets"] = [one for one in found["packets"] if one["codec_type"] == kind]
    return kinds


def times(packets: list[dict]) -> list[float]:
    found = sorted(float(one["pts_time"]) for one in packets)
    return [moment - found[0] for moment in found]


def turned(stream: dict) -> list[str]:
    return [one.get("displaymatrix", "") for one in stream.get("side_data_list", ())]


def decoded(path: Path) -> np.ndarray:
    """(frames, height, width, 3) as ffmpeg shows them, turned upright."""
    line = ["ffmpeg", "-v", "error", "-i", str(path), "-map", "0:v", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    line += ["-fps_mode", "passthrough", "-enc_time_base", "-1", "-threads", "1", "-"]
    done = subprocess.run(line, capture_output=True, check=True)
    assert done.stderr == b""
    width, height = SIZE
    upright = (height, width)
    with ClipReader(FileBytes(path), read_asset(path).mime) as reader:
        upright = (reader.clip.height, reader.clip.width)
    return np.frombuffer(done.stdout, np.uint8).reshape(-1, *upright, 3)


@pytest.mark.parametrize("name", CLIPS)
def test_ffmpeg_finds_what_was_there_before(home, make_clip, tmp_path, name) -> None:
    kind, codec, recipe = CLIPS[name]
    source, target = tmp_path / f"before.{kind}", tmp_path / f"after.{kind}"
    source.write_bytes(make_clip(size=SIZE, frames=24, **recipe))
    release_file(source, target, source="generated", home=home, video_codec=codec)

    before, after = probed(source), probed(target)
    (old,), (new,) = before["video"], after["video"]
    assert new["codec_name"] == (codec or ("vp9" if kind == "webm" else "av1"))
    assert int(new["nb_read_frames"]) == int(old["nb_read_frames"]) == 24
    assert (new["width"], new["height"]) == (old["width"], old["height"])
    assert turned(new) == turned(old)
    assert [new.get(key) for key in COLOURS] == [old.get(key, MEANING.get(key)) for key in COLOURS]
    assert times(after["video packets"]) == pytest.approx(times(before["video packets"]), abs=1e-3)
    sounds = [
        [(one["size"], one["duration_time"]) for one in found["audio packets"]] for found in (before, after)
    ]
    assert sounds[0] == sounds[1] != []
    assert after["audio"][0]["codec_name"] == before["audio"][0]["codec_name"]

    apart = np.abs(decoded(source).astype(np.int16) - decoded(target))
    assert apart.mean() < 6  # marked and compressed again, and otherwise the same pictures in the same order
    assert apart.mean(axis=(1, 2, 3)).max() < 9
