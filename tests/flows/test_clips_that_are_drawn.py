"""Clips that a model draws go the way of pictures: marked, signed, logged, read back; and drawn again."""

from __future__ import annotations

import dataclasses
import io
import json
import signal

import numpy as np
import pytest
from PIL import Image

import guard
from generators.replay import Likeness
from generators.request import GenerationRequest
from guard.drawing import Drawing
from guard.generate import approve, generate
from guard.repeatable import find
from guard.replay import deciding, replay
from provenance.codecs import read_asset
from provenance.errors import ConfigurationError, InputError
from provenance.evidence import Evidence, Outcome
from provenance.media import Frames
from provenance.video.reader import ClipReader
from provenance.video.writer import remux

FRAMES = 12
KINDS = """\
apiVersion: guard.policy/v1
kind: PolicyPack
metadata: {name: kinds, version: 1.0.0, sources: [{id: here, title: "a test", confidence: high}]}
spec:
  default: {prompt: allow, plan: allow, pixels: allow, publish: allow}
  rules:
    - id: kinds.only
      stage: [%s]
      source: here
      require: "%s"
      on_fail: deny
      message: {en: Not of this kind, zh: 此类不可}
"""


@pytest.fixture
def pan(photograph):
    """A function that returns clips: a camera that pans over a photograph; the seed says where from."""

    def draw(prompt, seed, num_frames=FRAMES, width=256):
        rows = [photograph[at : at + 256, seed : seed + width] for at in range(num_frames)]
        return np.stack(rows)

    return draw


def frames_of(path):
    asset = read_asset(path)
    with ClipReader(asset.content, asset.mime) as reader:
        return list(reader.frames())


def record_of(home, released):
    (found,) = home.records().of_asset(released.signed.asset.sha256)
    return home.records().read(found)


def make(pan, tmp_path, **asked):
    clips = guard.wrap(pan, kind="video", name="Pan")
    asked = {"output": tmp_path / "out", "seed": 3, "fps": 8, **asked}
    return clips, clips.generate("a zebra-striped keeper", **asked)


def test_a_drawn_clip_is_marked_signed_logged_and_found_again(home, pan, tmp_path) -> None:
    _, (one,) = make(pan, tmp_path)
    assert one.path.suffix == ".mp4"
    assert [path.name for path in (tmp_path / "out").iterdir()] == [one.path.name]
    assert one.signed.marked.mark.psnr >= 39
    assert one.signed.marked.checked.draft.origin.model_name == "Pan"
    assert [frame.seconds for frame in frames_of(one.path)] == [at / 8 for at in range(FRAMES)]
    assert guard.verify_file(one.path, marks=True).state is guard.State.DEVELOPMENT
    assert home.log().verify().ok
    (entry,) = home.registry().by_asset(one.signed.asset.sha256)
    assert entry.state == "released"
    asset, stripped = read_asset(one.path), io.BytesIO()
    remux(asset.content, asset.mime, stripped)
    (tmp_path / "copy.mp4").write_bytes(stripped.getvalue())
    assert guard.recover_file(tmp_path / "copy.mp4").state is guard.State.RECOVERED
    assert b"zebra" not in one.path.read_bytes()


def test_its_record_keeps_how_it_was_drawn_and_written(home, pan, tmp_path) -> None:
    _, (one,) = make(pan, tmp_path, num_frames=10)
    record = record_of(home, one)
    recipe, drawing = json.loads(record.recipe), Drawing.read(record.drawing)
    assert (recipe["frames"], recipe["fps"]) == (10, 8.0)
    assert drawing.encoding == {
        "container": "video/mp4",
        "codec": "av1",
        "encoder": "libsvtav1",
        "crf": "24",
        "preset": "8",
    }
    assert Drawing.read(drawing.text()) == drawing
    assert drawing.pixels_sha256.encode() not in one.path.read_bytes()


def test_a_small_clip_is_enlarged_for_its_mark_as_a_picture_is(home, pan, tmp_path) -> None:
    def small(prompt, seed):
        return pan(prompt, seed)[:, ::4, ::4]

    _, (one,) = make(small, tmp_path)
    assert one.signed.marked.enlarged_from == (64, 64)
    assert one.signed.marked.mark is not None
    assert frames_of(one.path)[0].rgb.shape == (256, 256, 3)
    assert any("enlarged" in warned for warned in one.warnings)


def test_a_clip_that_cannot_carry_a_mark_says_so(home, tmp_path) -> None:
    strip = np.random.default_rng(0).integers(0, 256, (2, 32, 4096, 3), dtype=np.uint8)
    _, (one,) = make(lambda prompt, seed: strip, tmp_path)
    assert one.signed.marked.mark is None
    assert "too narrow" in one.signed.marked.unmarked_reason
    assert frames_of(one.path)[0].rgb.shape == (32, 4096, 3)
    assert any("without a watermark" in warned for warned in one.warnings)


def test_refused_frames_never_touch_the_disk(home, tools, pan, tmp_path) -> None:
    seen = []

    def inspector(picture) -> Evidence:
        seen.append(picture.pixels.shape)
        outcome = Outcome.SUPPORTS if len(seen) == 2 else Outcome.ABSENT
        return Evidence(claim="sexual", channel="pixels", outcome=outcome)

    clips = guard.wrap(pan, kind="video")
    request = GenerationRequest(prompt="a keeper", seeds=(3,), model=clips.info.id, fps=8.0)
    looking = dataclasses.replace(tools, inspectors=(inspector,))
    (tmp_path / "out").mkdir()
    with pytest.raises(guard.Denied):
        list(
            generate(
                approve(request, looking), clips._generator, looking, folder=tmp_path / "out", codec="vp9"
            )
        )
    assert seen == [(1, 256, 256, 3)] * 2  # one a second
    assert list((tmp_path / "out").iterdir()) == []


def test_what_a_clip_cannot_have_is_said_before_it_is_drawn(home, tools, tmp_path, monkeypatch) -> None:
    def never(prompt, seed):
        raise AssertionError("it was drawn")

    clips = guard.wrap(never, kind="video")

    def refused(**how):
        with pytest.raises((InputError, ConfigurationError)) as caught:
            clips.generate("a keeper", output=tmp_path / "out", **how)
        return caught.value.code

    assert refused() == "video.no-rate"
    assert refused(fps=8, latent_mark=True) == "latent.clip"
    numbered = dataclasses.replace(tools, marker=dataclasses.replace(tools.marker, private_number=7))
    request = GenerationRequest(prompt="a keeper", seeds=(3,), model=clips.info.id, fps=8.0)
    with pytest.raises(InputError) as caught:
        next(generate(approve(request, numbered), clips._generator, numbered, folder=tmp_path))
    assert caught.value.code == "watermark.private-number"
    monkeypatch.setattr("provenance.video.container.find_spec", lambda _name: None)
    assert refused(fps=8) == "extra.missing"


def test_functions_return_clips_in_many_forms(home, pan, photograph, tmp_path) -> None:
    forms = {
        "images": lambda clip: [Image.fromarray(frame) for frame in clip],
        "batch": lambda clip: clip[None],
        "output": lambda clip: type("Output", (), {"frames": [list(clip)]})(),
        "frames": lambda clip: Frames(pixels=clip, fps=5.0),
    }
    for name, form in forms.items():
        clips = guard.wrap(lambda prompt, seed, form=form, fps=4: form(pan(prompt, seed, 4)), kind="video")
        (one,) = clips.generate("a keeper", output=tmp_path / name, seed=1)
        seen = frames_of(one.path)
        assert len(seen) == 4
        assert seen[1].seconds == (0.2 if name == "frames" else 0.25)
    with pytest.raises(InputError, match="different sizes"):
        guard.wrap(lambda prompt, seed: [photograph, photograph[:64]], kind="video").generate(
            "a keeper", output=tmp_path / "bad", fps=4
        )
    assert not (tmp_path / "bad").exists()


def test_a_drawn_clip_comes_again_exactly_or_is_held_against_the_file(home, pan, tmp_path) -> None:
    clips, (one,) = make(pan, tmp_path)
    assert clips.replay(one.path).likeness is Likeness.EXACT
    known = find(str(one.path), home.records())

    def again(change):
        def draw(prompt, seed):
            return change(pan(prompt, seed))

        generator = guard.wrap(draw, kind="video")._generator
        return replay(known, deciding(home), load=lambda _ref, _threads: generator)

    close = again(lambda clip: np.clip(clip.astype(int) + (clip % 7 == 0), 0, 255).astype(np.uint8))
    assert (close.likeness, close.compared) == (Likeness.PERCEPTUAL, "file")
    assert close.distance.psnr is None or close.distance.psnr > 40
    assert "marked and compressed as then" in close.reasons[0]
    late = again(lambda clip: np.concatenate([clip[:-2], 255 - clip[-2:]]))  # its last frames alone
    assert late.likeness is Likeness.DIFFERS
    assert late.distance.psnr < 30
    shorter = again(lambda clip: clip[:-1])
    assert (shorter.likeness, shorter.distance) == (Likeness.DIFFERS, None)
    assert "length" in shorter.reasons[0]


def test_a_clip_drawn_from_a_clip_needs_it_again(home, pan, tmp_path) -> None:
    def backwards(prompt, seed, init):
        return init.pixels[::-1]

    start = pan("", 9, 4)
    clips, (one,) = make(backwards, tmp_path, init=start)
    assert clips.replay(one.path, init=start).likeness is Likeness.EXACT
    for given, said in (({}, "none was given"), ({"init": start[::-1]}, "not the one")):
        with pytest.raises(InputError, match=said) as caught:
            clips.replay(one.path, **given)
        assert caught.value.code == "replay.inputs"


def fails() -> None:
    raise RuntimeError("no more")


@pytest.mark.parametrize(
    ("ends", "error"),
    [(lambda: signal.raise_signal(signal.SIGINT), KeyboardInterrupt), (fails, InputError)],
    ids=["ctrl-c", "failure"],
)
def test_what_was_finished_before_the_end_is_kept_and_nothing_else(home, pan, tmp_path, ends, error) -> None:
    def interrupted(prompt, seed):
        if seed == 5:
            ends()
        return pan(prompt, seed, 4)

    clips, kept = guard.wrap(interrupted, kind="video"), []
    with pytest.raises(error):
        kept.extend(clips.each("a keeper", output=tmp_path / "out", n=4, seed=3, fps=8))
    assert sorted(one.path for one in kept) == sorted((tmp_path / "out").iterdir())
    assert len(kept) == 2
    assert all(guard.verify_file(one.path).state is guard.State.DEVELOPMENT for one in kept)


def test_packs_know_that_a_clip_is_planned_and_not_before_the_model_is_there(home, pan, tmp_path) -> None:
    pack = tmp_path / "kinds.yaml"
    for stage, require, allowed in (
        ("plan", "media.kind == 'image'", False),
        ("plan", "media.kind == 'video'", True),
        ("prompt", "media.kind == 'image'", False),
        ("prompt", "media.kind == 'video'", False),
    ):
        pack.write_text(KINDS % (stage, require))
        clips = guard.wrap(pan, kind="video", policy=f"default,{pack}")
        if allowed:
            assert len(clips.generate("a keeper", output=tmp_path / "out", seed=1, fps=8, num_frames=2)) == 1
            continue
        with pytest.raises(guard.Denied):
            clips.generate("a keeper", output=tmp_path / "out", seed=1, fps=8)


def test_a_codec_of_clips_is_not_ignored_for_pictures(tools, simulator, tmp_path) -> None:
    request = GenerationRequest(prompt="a keeper", seeds=(3,), model=simulator.info.id)
    with pytest.raises(InputError) as caught:
        next(generate(approve(request, tools), simulator, tools, folder=tmp_path, codec="vp9"))
    assert caught.value.code == "request.unsupported"


def test_kind_is_what_the_model_makes(home, pan, simulator) -> None:
    with pytest.raises(InputError, match="makes no clips"):
        guard.wrap(simulator, kind="video")
    assert guard.wrap(pan).info.kind == "image"
