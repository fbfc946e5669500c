"""Clips on the command line: the same commands as for pictures, and one clear line for bad ones."""

from __future__ import annotations

import json

import av
import pytest


@pytest.fixture
def clip(make_clip, tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(make_clip(size=(288, 256), frames=24))
    return path


def test_a_clip_is_released_verified_and_found_again(guard_cli, home, clip, tmp_path) -> None:
    ran = guard_cli("release", clip, "--source", "generated", "--model-name", "Some Video 2", "-o", "out")
    assert (ran.code, ran.out) == (0, "out/clip.mp4\n"), ran.err
    assert "dB before compression, decoded back" in ran.err

    ran = guard_cli("verify", "out/clip.mp4")
    assert ran.code == 0
    assert ran.out.startswith("DEVELOPMENT  out/clip.mp4\n")
    assert "ftyp box, which the binding leaves out" in ran.out

    ran = guard_cli("watermark", "detect", "out/clip.mp4", clip)
    assert ran.code == 3
    assert "MARK READ  out/clip.mp4" in ran.out
    assert f"NO MARK FOUND  {clip}" in ran.out

    ran = guard_cli("inspect", "out/clip.mp4", "--format", "json")
    (signals,) = json.loads(ran.out)["signals"]
    assert (signals["container"]["codec"], signals["container"]["frames"]) == ("av1", 24)
    assert signals["watermark"]["outcome"] == "supports"

    signed = (tmp_path / "out" / "clip.mp4").read_bytes()
    at = signed.index(b"uuid")
    blanked = signed[:at] + b"free" + bytes(int.from_bytes(signed[at - 4 : at], "big") - 8)
    (tmp_path / "copy.mp4").write_bytes(blanked + signed[len(blanked) :])
    ran = guard_cli("recover", "copy.mp4")
    assert ran.code == 0, ran.out
    found = "a signed manifest was found for the same clip (not compared: sound, subtitles, other tracks)"
    assert f"RECOVERED  copy.mp4\n  {found}" in ran.out
    assert "seconds    0.0–2.0 of this file are 0.0–2.0 of the released clip" in ran.out
    assert found in guard_cli("verify", "copy.mp4").out
    (recovery,) = json.loads(guard_cli("recover", "copy.mp4", "--format", "json").out)["recoveries"]
    compared = recovery["candidates"][0]["digest"]["detail"]
    assert compared["not_compared"] == ["sound", "subtitles", "other tracks"]


def test_the_sidecar_of_a_webm_is_named_and_no_label_is_claimed_for_it(
    guard_cli, home, make_clip, tmp_path
) -> None:
    made = make_clip(size=(96, 64), frames=6, container="webm", codec="libvpx-vp9", sound="libopus")
    (tmp_path / "clip.webm").write_bytes(made)
    ran = guard_cli("sign", "clip.webm", "--source", "generated", "-o", "new.webm", "--format", "json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["released"][0]["sidecar"] == "new.c2pa"
    assert "new.c2pa, which has to travel with new.webm" in ran.err
    assert "IPTC" not in ran.err


def test_a_report_of_a_clip_is_refused_before_any_work(guard_cli, home, clip, tmp_path) -> None:
    ran = guard_cli("recover", clip, "--report", "out.png")
    assert ran.code == 2
    assert ran.err.startswith("error[report.clip]")
    assert "reports are drawn of pictures only" in ran.err
    assert not (tmp_path / "out.png").exists()


@pytest.mark.slow
def test_a_codec_by_choice(guard_cli, home, clip) -> None:
    ran = guard_cli(
        "release", clip, "--source", "generated", "-o", "out", "--video-codec", "vp9", "--format", "json"
    )
    assert ran.code == 0, ran.err
    ran = guard_cli("inspect", "out/clip.mp4", "--format", "json")
    assert json.loads(ran.out)["signals"][0]["container"]["codec"] == "vp9"


def test_bad_clips_get_one_line_each_and_leave_nothing(guard_cli, home, make_clip, tmp_path) -> None:
    clip = make_clip(size=(288, 256))
    bad = {
        "cut.mp4": (clip[: len(clip) // 2], "video.damaged"),
        "sound.mp4": (make_clip(codec=None), "video.no-video"),
        "clip.mov": (make_clip(container="mov", size=(288, 256)), "video.codec-container"),
        "clip.mkv": (make_clip(container="matroska"), "output.format"),
        "misnamed.webm": (clip, None),
    }
    for name, (data, _) in bad.items():
        (tmp_path / name).write_bytes(data)
    ran = guard_cli("release", *bad, "--source", "generated", "-o", "out")
    assert ran.code == 2
    for name, (_, code) in bad.items():
        assert code is None or f"error[{code}]" in ran.err, (name, ran.err)
    ran = guard_cli("sign", "misnamed.webm", "--source", "generated", "-o", "new.webm")
    assert "error[output.misnamed]" in ran.err
    assert ran.code == 2


def test_what_is_left_of_a_cut_off_mp4_is_looked_at(guard_cli, home, clip, tmp_path) -> None:
    whole = tmp_path / "index-first.mp4"
    with av.open(str(clip)) as old, av.open(str(whole), "w", options={"movflags": "faststart"}) as new:
        track = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.size:
                packet.stream = track
                new.mux(packet)
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 95 // 100])
    ran = guard_cli("verify", cut)
    assert ran.code == 3, ran.err
    assert "the clip ends after" in ran.out
    cut.write_bytes(clip.read_bytes()[: clip.stat().st_size * 7 // 10])
    ran = guard_cli("verify", cut)
    assert ran.err.startswith("error[media.damaged]")


def test_no_mark_in_what_is_left_of_a_clip_is_not_no_mark(guard_cli, home, make_clip, tmp_path) -> None:
    webm = make_clip(size=(288, 256), frames=36, container="webm", codec="libvpx-vp9", sound="libopus")
    (tmp_path / "cut.webm").write_bytes(webm[: len(webm) * 7 // 10])
    for command in (("watermark", "detect"), ("verify",), ("recover",)):
        ran = guard_cli(*command, "cut.webm")
        assert ran.code == 3
        assert "the clip ends after" in ran.out, command
