"""Clips go the whole way: marked, signed, logged, read back; and stripped copies are found again."""

from __future__ import annotations

import io
import re
import secrets
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from audits.robustness.security.averaging import estimate, folded, forged
from guard.api import recover_file, release_file, verify_file
from guard.errors import Denied
from guard.home import Home
from guard.intake import Statement, release_asset
from guard.plan import ask
from guard.policy.fact import Kind
from guard.policy.rule import Stage
from guard.setup import initialise
from guard.tools import assemble
from guard.verdict import State
from provenance.codecs import read_asset
from provenance.errors import InputError
from provenance.evidence import Evidence, Outcome
from provenance.manifest.read import read_manifest
from provenance.manifest.reading import DigitalSourceType
from provenance.media import Asset
from provenance.video.clip_digest_reading import ClipMatch, ClipReading
from provenance.video.container import VideoCodec
from provenance.video.pooled_marking import CLIP_SPREAD
from provenance.video.reader import ClipReader
from provenance.video.writer import remux, rewrite

SIZE = (288, 256)
GENERATED = Statement(source_type=DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA, model_name="Some Video 2")
CAPTURED = Statement(source_type=DigitalSourceType.DIGITAL_CAPTURE)


@pytest.fixture(scope="module")
def studio(tmp_path_factory) -> Home:
    """One installation for all tests of this file."""
    home = Home(folder=tmp_path_factory.mktemp("studio") / "home")
    initialise(home, now=datetime.now(UTC), random=secrets.token_bytes)
    return home


def released(home: Home, path: Path, output: Path, said=GENERATED, command="release", tools=None, **options):
    tools = tools or assemble(home)
    plan = ask(Stage.PLAN, said.origin(), tools, command=command, kind=Kind.VIDEO).obligations
    asset = read_asset(path)
    return release_asset(asset, said, tools, plan=plan, command=command, output=output, **options)


@pytest.fixture(scope="module")
def made(studio, make_clip, tmp_path_factory) -> dict[str, Path]:
    """A released clip of each kind, by suffix."""
    folder = tmp_path_factory.mktemp("clips")
    (folder / "out").mkdir()
    recipes = {
        ".mp4": {"frames": 24, "metadata": {"comment": '{"prompt": "a zebra-striped lighthouse keeper"}'}},
        ".webm": {"frames": 24, "container": "webm", "codec": "libvpx-vp9", "sound": "libopus"},
    }
    for suffix, recipe in recipes.items():
        source = folder / f"clip{suffix}"
        source.write_bytes(make_clip(size=SIZE, **recipe))
        released(studio, source, folder / "out" / source.name)
    return {suffix: folder / "out" / f"clip{suffix}" for suffix in recipes} | {"folder": folder}


def stripped(path: Path, target: Path) -> Path:
    """The same frames and sound, without anything beside them."""
    asset, out = read_asset(path), io.BytesIO()
    remux(asset.data, asset.mime, out)
    target.write_bytes(out.getvalue())
    return target


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_a_released_clip_verifies_and_keeps_times_and_sound(studio, made, suffix) -> None:
    verdict = verify_file(made[suffix], home=studio, marks=True)
    assert verdict.state is State.DEVELOPMENT
    mark = next(answer for answer in verdict.answers if answer.question == "mark")
    assert mark.text == "read from the pixels; it is the one the manifest names"

    source = read_asset(made["folder"] / f"clip{suffix}")
    final = read_asset(made[suffix])
    with ClipReader(source.data, source.mime) as old, ClipReader(final.data, final.mime) as new:
        pairs = list(zip(old.frames(), new.frames(), strict=True))
        assert [a.pts for a, _ in pairs] == [b.pts for _, b in pairs]
        assert new.clip.sound == old.clip.sound
    assert b"zebra" not in final.data


def test_a_released_clip_is_logged_and_registered(studio, made) -> None:
    assert studio.log().verify().ok
    for suffix in (".mp4", ".webm"):
        (entry,) = studio.registry().by_asset(read_asset(made[suffix]).sha256)
        assert entry.state == "released"


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_a_stripped_copy_leads_back_to_its_manifest(studio, made, suffix, tmp_path) -> None:
    copy = stripped(made[suffix], tmp_path / f"copy{suffix}")
    found = recover_file(copy, home=studio)
    assert found.state is State.RECOVERED
    (candidate,) = found.candidates
    assert isinstance(candidate.digest.detail, ClipReading)
    assert candidate.digest.detail.match is ClipMatch.SAME
    assert verify_file(copy, home=studio).state is State.RECOVERED


def test_a_damaged_copy_is_found_by_what_can_be_decoded_and_that_is_said(studio, made, tmp_path) -> None:
    copy = stripped(made[".webm"], tmp_path / "copy.webm")
    data = copy.read_bytes()
    copy.write_bytes(data[: len(data) * 3 // 4])
    found = recover_file(copy, home=studio)
    assert found.state is State.RECOVERED
    assert "the clip ends after" in found.reason
    assert "the clip ends after" in verify_file(copy, home=studio).reason


def test_a_copy_compressed_again_leads_back_too(studio, made, tmp_path) -> None:
    asset, out = read_asset(made[".mp4"]), io.BytesIO()
    rewrite(asset.data, asset.mime, out, lambda frame: frame.rgb, codec=VideoCodec.VP9)
    (tmp_path / "again.mp4").write_bytes(out.getvalue())
    assert recover_file(tmp_path / "again.mp4", home=studio).state is State.RECOVERED


def test_a_mark_moved_to_another_clip_is_a_mismatch(studio, made, make_clip, tmp_path) -> None:
    """What the mark changed, frame by frame, laid onto other pictures."""
    before, after = read_asset(made["folder"] / "clip.mp4"), read_asset(made[".mp4"])
    with ClipReader(before.data, before.mime) as plain, ClipReader(after.data, after.mime) as marked:
        pairs = zip(plain.frames(), marked.frames(), strict=True)
        changes = [b.rgb.astype(float) - a.rgb for a, b in pairs]
    mirror = (-65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
    other, out = make_clip(size=SIZE, frames=24, matrix=mirror), io.BytesIO()
    moved = iter(changes)
    rewrite(other, "video/mp4", out, lambda f: np.clip(f.rgb + 2 * next(moved), 0, 255).astype(np.uint8))
    (tmp_path / "moved.mp4").write_bytes(out.getvalue())
    assert recover_file(tmp_path / "moved.mp4", home=studio).state is State.LOCATOR_MISMATCH


def test_a_mark_that_was_averaged_from_a_clip_recovers_nothing_elsewhere(
    studio, make_clip, photographs, tmp_path
) -> None:
    """An attacker without a key: 48 frames of one clip are enough to make another one carry its mark."""
    (tmp_path / "clip.mp4").write_bytes(make_clip(size=SIZE, frames=48, step=4, sound=None))
    released(studio, tmp_path / "clip.mp4", tmp_path / "marked.mp4")
    asset = read_asset(tmp_path / "marked.mp4")
    with ClipReader(asset.content, asset.mime) as marked:
        tile = estimate([folded(frame.rgb, CLIP_SPREAD) for frame in marked.frames()])
    other = [photographs[2][20 : 20 + SIZE[1], 3 * at : 3 * at + SIZE[0]] for at in range(24)]
    frames = [forged(frame, tile, CLIP_SPREAD, quality_db=34) for frame in other]
    (tmp_path / "forged.mp4").write_bytes(encoded(frames, rate=12))
    found = recover_file(tmp_path / "forged.mp4", home=studio)
    assert found.mark.outcome is Outcome.SUPPORTS  # the forgery succeeds, as far as a locator goes
    assert found.state is State.LOCATOR_MISMATCH


def test_no_byte_of_a_signed_clip_changes_unnoticed_outside_what_is_listed(studio, made) -> None:
    asset, trust = read_asset(made[".mp4"]), studio.trust()
    random = np.random.default_rng(7)
    for at in [*range(48), *random.integers(0, len(asset.data), 150)]:
        changed = bytearray(asset.data)
        changed[at] ^= 0x41
        try:
            reading = read_manifest(Asset.of(bytes(changed), asset.mime), trust)
        except InputError:
            continue
        ranges = [re.match(r"bytes (\d+)-(\d+):", text) for text in reading.uncovered]
        listed = any(found and int(found[1]) <= at <= int(found[2]) for found in ranges)
        assert not reading.intact or listed, at


def test_a_second_validator_agrees(made, tmp_path, monkeypatch) -> None:
    second = pytest.importorskip("encypher_c2pa")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    asset = read_asset(made[".mp4"])
    report = second.verify(asset.data, mime_type=asset.mime, telemetry=False, online=False)
    assert (report["integrity"], report["signature"], report["hard_binding"]) == ("valid", "valid", "match")


def test_the_manifest_of_a_webm_lies_beside_it(studio, made, tmp_path) -> None:
    media, beside = made[".webm"], made[".webm"].with_suffix(".c2pa")
    copy = tmp_path / "clip.webm"
    copy.write_bytes(media.read_bytes())
    assert verify_file(copy, home=studio).state is State.RECOVERED
    copy.with_suffix(".c2pa").write_bytes(beside.read_bytes())
    assert verify_file(copy, home=studio).state is State.DEVELOPMENT
    changed = bytearray(media.read_bytes())
    changed[len(changed) // 2] ^= 1
    copy.write_bytes(changed)
    assert verify_file(copy, home=studio).state is State.TAMPERED


def test_what_a_sidecar_says_of_the_origin_binds(studio, made, tmp_path) -> None:
    """Signed without a mark, so that nothing but the manifest beside it tells."""
    released(studio, made["folder"] / "clip.webm", tmp_path / "signed.webm", command="sign")
    with pytest.raises(InputError) as refused:
        release_file(tmp_path / "signed.webm", tmp_path / "new.webm", source="digitalCapture", home=studio)
    assert refused.value.code == "source.contradicted"
    again = release_file(tmp_path / "signed.webm", tmp_path / "new.webm", source="generated", home=studio)
    assert any("begins anew" in warned for warned in again.warnings)


def test_an_existing_sidecar_is_not_replaced_unasked(studio, made, tmp_path) -> None:
    (tmp_path / "clip.c2pa").write_bytes(b"somebody's")
    with pytest.raises(InputError) as refused:
        released(studio, made["folder"] / "clip.webm", tmp_path / "clip.webm")
    assert refused.value.code == "output.exists"
    assert [path.name for path in tmp_path.iterdir()] == ["clip.c2pa"]


def test_signing_copies_the_frames_as_they_are(studio, make_clip, tmp_path) -> None:
    source = tmp_path / "clip.mov"
    turned = (0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)
    source.write_bytes(make_clip(container="mov", matrix=turned, sound="pcm_s16le"))
    done = released(studio, source, tmp_path / "signed.mov", said=CAPTURED, command="sign")
    assert done.proof.manifest.intact
    final = read_asset(tmp_path / "signed.mov")
    with ClipReader(source.read_bytes(), final.mime) as old, ClipReader(final.data, final.mime) as new:
        assert new.clip.matrix == old.clip.matrix
        assert all(np.array_equal(a.rgb, b.rgb) for a, b in zip(old.frames(), new.frames(), strict=True))


def test_a_clip_that_was_cut_off_is_not_signed_as_a_whole_one(studio, made, tmp_path) -> None:
    whole = (made["folder"] / "clip.webm").read_bytes()
    (tmp_path / "cut.webm").write_bytes(whole[: len(whole) * 6 // 10])
    for command in ("sign", "release"):
        with pytest.raises(InputError) as refused:
            released(studio, tmp_path / "cut.webm", tmp_path / "out.webm", command=command)
        assert refused.value.code == "video.truncated"
    assert [path.name for path in tmp_path.iterdir()] == ["cut.webm"]


def test_a_clip_too_small_for_a_mark_says_so(studio, make_clip, tmp_path) -> None:
    (tmp_path / "small.mp4").write_bytes(make_clip(size=(96, 64)))
    done = released(studio, tmp_path / "small.mp4", tmp_path / "out.mp4")
    assert done.signed.marked.mark is None
    assert "too small" in (done.signed.marked.unmarked_reason or "")
    assert any("without a watermark" in warned for warned in done.warnings)


def test_a_generated_clip_does_not_leave_as_a_capture(studio, made, tmp_path) -> None:
    for path in (made[".mp4"], stripped(made[".mp4"], tmp_path / "copy.mp4")):
        with pytest.raises(InputError) as refused:
            released(studio, path, tmp_path / "out.mp4", said=CAPTURED)
        assert refused.value.code == "source.contradicted"
    assert not (tmp_path / "out.mp4").exists()


def test_denied_frames_never_touch_the_disk(studio, make_clip, tmp_path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "clip.mp4").write_bytes(make_clip(size=SIZE, frames=24))
    seen = []

    def inspector(picture) -> Evidence:
        seen.append(picture)
        outcome = Outcome.SUPPORTS if len(seen) == 2 else Outcome.ABSENT
        return Evidence(claim="sexual", channel="pixels", outcome=outcome)

    tools = replace(assemble(studio), inspectors=(inspector,))
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(Denied):
        released(studio, tmp_path / "in" / "clip.mp4", out / "clip.mp4", tools=tools)
    assert [picture.pixels.shape for picture in seen] == [(1, 256, 288, 3)] * 2
    assert list(out.iterdir()) == []


def test_seconds_of_a_clip_within_another_are_located(studio, make_clip, tmp_path) -> None:
    """The last two seconds of a released clip, halved in size, within something else: digests alone."""
    slow = {"rate": 8, "sound": None, "size": SIZE}
    (tmp_path / "clip.mp4").write_bytes(make_clip(frames=24, step=8, **slow))
    done = released(studio, tmp_path / "clip.mp4", tmp_path / "out.mp4")
    other = make_clip(
        frames=16, rate=8, sound=None, size=SIZE, matrix=(-65536, 0, 0, 0, -65536, 0, 0, 0, 1 << 30)
    )
    frames = [*shown(other), *shown((tmp_path / "out.mp4").read_bytes())[8:24], *shown(other)]
    (tmp_path / "montage.mp4").write_bytes(encoded([frame[::2, ::2] for frame in frames], rate=8))
    found = recover_file(tmp_path / "montage.mp4", home=studio)
    assert found.state is State.NO_CREDENTIALS
    candidate = next(c for c in found.candidates if c.entry.content_id == done.signed.content_id)
    (span,) = candidate.digest.detail.spans
    assert (span.start, span.end) == pytest.approx((2, 4), abs=0.3)
    assert (span.signed_start, span.signed_end) == pytest.approx((1, 3), abs=0.3)


def shown(data: bytes):
    with ClipReader(data, "video/mp4") as reader:
        return [frame.rgb for frame in reader.frames()]


def encoded(frames, *, rate: int) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as target:
        track = target.add_stream("libx264", rate=rate, options={"crf": "23"})
        track.height, track.width = frames[0].shape[:2]
        track.pix_fmt = "yuv420p"
        for picture in frames:
            target.mux(track.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24")))
        target.mux(track.encode(None))
    return out.getvalue()


BAD = {
    "cut off": ("mp4", lambda make: make(frames=24)[:3000], {"video.damaged", "video.no-video"}),
    "sound alone": ("mp4", lambda make: make(codec=None), {"video.no-video"}),
    "quicktime by default": ("mov", lambda make: make(container="mov", size=SIZE), {"video.codec-container"}),
    "ten bits in vp9": ("webm", None, {"video.depth"}),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_clips_are_refused_and_leave_nothing(studio, make_clip, name, tmp_path) -> None:
    kind, data, codes = BAD[name]
    options = {}
    if data is None:
        deep = {"container": "webm", "codec": "libsvtav1", "pixels": "yuv420p10le", "sound": "libopus"}
        data, options = (lambda make: make(size=SIZE, **deep)), {"codec": VideoCodec.VP9}
    source, out = tmp_path / f"bad.{kind}", tmp_path / "out"
    source.write_bytes(data(make_clip))
    out.mkdir()
    with pytest.raises(InputError) as refused:
        released(studio, source, out / source.name, **options)
    assert refused.value.code in codes
    assert list(out.iterdir()) == []


@pytest.mark.parametrize(("kind", "suffix"), [("GIF", "gif"), ("WEBP", "webp"), ("PNG", "png")])
def test_animated_pictures_do_not_pass_for_pictures(
    studio, photograph, kind, suffix, tmp_path, guard_cli
) -> None:
    frames = [Image.fromarray(photograph[at : at + 256, :256]) for at in (0, 40, 80)]
    frames[0].save(tmp_path / f"moving.{suffix}", kind, save_all=True, append_images=frames[1:], duration=100)
    with pytest.raises(InputError) as refused:
        released(studio, tmp_path / f"moving.{suffix}", tmp_path / f"out.{suffix}")
    assert refused.value.code == "input.animated"


def test_verifying_a_signed_clip_loads_no_decoder(studio, made) -> None:
    code = (
        "import sys; from guard.cli.main import run; assert run(sys.argv[1:]) == 0;"
        "assert not {'av', 'cv2', 'scipy', 'numpy', 'PIL'} & set(sys.modules), sorted(sys.modules)"
    )
    for suffix in (".mp4", ".webm"):
        done = subprocess.run(
            [sys.executable, "-c", code, "verify", str(made[suffix])],
            env={"GUARD_HOME": str(studio.folder), "PATH": "/usr/bin", "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("step", ["signed", "written", "decision logged"])
def test_a_killed_release_of_a_webm_is_mended_with_its_sidecar(studio, made, step, tmp_path) -> None:
    from guard.recovery import mend_interrupted

    code = f"""
import os, signal, sys
from pathlib import Path
sys.path[:0] = {sys.path!r}
from guard.home import Home
from guard.intake import Statement, release_asset
from guard.plan import ask
from guard.policy.rule import Stage
from guard.tools import assemble
from provenance.codecs import read_asset
from provenance.manifest.reading import DigitalSourceType
tools = assemble(Home(folder=Path({str(studio.folder)!r})))
said = Statement(source_type=DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA)
plan = ask(Stage.PLAN, said.origin(), tools, command="release").obligations
def die(step):
    if step == {step!r}:
        os.kill(os.getpid(), signal.SIGKILL)
release_asset(read_asset(Path({str(made["folder"] / "clip.webm")!r})), said, tools, plan=plan,
    command="release", output=Path({str(tmp_path / "clip.webm")!r}), progress=die)
"""
    subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert [p.name for p in tmp_path.iterdir() if not p.name.startswith(".")] == []
    mend_interrupted(studio.records(), studio.log(), studio.registry())
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == (["clip.c2pa", "clip.webm"] if step == "decision logged" else [])
    if left:
        assert verify_file(tmp_path / "clip.webm", home=studio).state is State.DEVELOPMENT
