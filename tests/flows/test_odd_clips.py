"""Clips as people have them: odd, but whole. Each leaves with its mark, and shows what it showed before."""

from __future__ import annotations

import io
import secrets
from datetime import UTC, datetime
from fractions import Fraction

import av
import numpy as np
import pytest

from guard.api import release_file, verify_file
from guard.home import Home
from guard.setup import initialise
from guard.verdict import State
from provenance.codecs import read_asset
from provenance.errors import InputError
from provenance.video.reader import ClipReader

TURNED = (0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)
DEEP = {"codec": "libx265", "pixels": "yuv420p10le", "colour": (9, 1, 9, 16)}
WEBM = {"container": "webm", "codec": "libvpx-vp9"}
ODD = {
    "one frame.mp4": {"frames": 1, "sound": None},
    "one frame.webm": {**WEBM, "frames": 1, "sound": None},
    "uneven.mp4": {"times": [Fraction(n * n, 200) for n in range(24)]},
    "slides.mp4": {"frames": 5, "times": [Fraction(10 * n) for n in range(5)], "sound": None},
    "one key frame.mp4": {"frames": 48, "options": {"crf": "20", "g": "9999", "sc_threshold": "0"}},
    "odd sides.mp4": {"size": (289, 257), "pixels": "yuv444p"},
    "odd sides.webm": {**WEBM, "size": (289, 257), "sound": "libopus"},
    "portrait.mp4": {"size": (320, 256), "matrix": TURNED},
    "hdr.mp4": {**DEEP, "options": {"crf": "20", "x265-params": "log-level=none:pools=1"}},
    "gray.mp4": {"pixels": "gray"},
    "wide pixels.mp4": {"aspect": Fraction(4, 3)},
}


@pytest.fixture(scope="module")
def studio(tmp_path_factory) -> Home:
    home = Home(folder=tmp_path_factory.mktemp("studio") / "home")
    initialise(home, now=datetime.now(UTC), random=secrets.token_bytes)
    return home


def shown(path) -> tuple[list[float], list[np.ndarray], object]:
    asset = read_asset(path)
    with ClipReader(asset.content, asset.mime) as reader:
        frames = [(frame.seconds, frame.rgb) for frame in reader.frames()]
        return [at for at, _ in frames], [rgb for _, rgb in frames], reader.clip


@pytest.mark.parametrize("name", ODD)
def test_an_odd_clip_leaves_with_its_mark_and_as_it_was(studio, make_clip, tmp_path, name) -> None:
    source, target = tmp_path / name, tmp_path / f"new {name}"
    source.write_bytes(make_clip(**{"size": (288, 256), "frames": 24, **ODD[name]}))
    release_file(source, target, source="generated", home=studio)
    verdict = verify_file(target, home=studio, marks=True)
    assert verdict.state is State.DEVELOPMENT
    mark = next(answer for answer in verdict.answers if answer.question == "mark")
    assert mark.text.startswith("read from the pixels")
    (old_times, old, before), (new_times, new, after) = shown(source), shown(target)
    assert new_times == old_times
    assert (after.width, after.height, after.depth) == (before.width, before.height, before.depth)
    assert max(np.abs(a.astype(int) - b).mean() for a, b in zip(old, new, strict=True)) < 8


def test_a_clip_in_fragments_leaves_whole_and_one_that_was_cut_off_does_not(
    studio, make_clip, tmp_path
) -> None:
    """As live streams are recorded: every fragment has an index of its own, so a part of it can be played."""
    out = io.BytesIO()
    whole = make_clip(size=(288, 256), frames=36, options={"crf": "20", "g": "6"})
    with (
        av.open(io.BytesIO(whole)) as source,
        av.open(out, "w", format="mp4", options={"movflags": "frag_keyframe+empty_moov"}) as target,
    ):
        copies = {track.index: target.add_stream_from_template(track) for track in source.streams}
        for packet in source.demux():
            if packet.size:
                packet.stream = copies[packet.stream.index]
                target.mux(packet)
    data = out.getvalue()
    (tmp_path / "whole.mp4").write_bytes(data)
    (tmp_path / "cut.mp4").write_bytes(data[: len(data) * 7 // 10])
    release_file(tmp_path / "whole.mp4", tmp_path / "new.mp4", source="generated", home=studio)
    assert len(shown(tmp_path / "new.mp4")[0]) == 36
    with pytest.raises(InputError) as refused:
        release_file(tmp_path / "cut.mp4", tmp_path / "none.mp4", source="generated", home=studio)
    assert refused.value.code in {"video.truncated", "video.damaged"}
    assert not (tmp_path / "none.mp4").exists()
