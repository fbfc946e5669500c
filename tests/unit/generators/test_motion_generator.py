"""A motion model laid into a picture model: clips, given frames, shared noise, refusals."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from simulators.tiny_motion import build_motion

from generators import vocabulary
from generators.given_frames import places
from generators.interface import Generator
from generators.motion_files import read_card
from generators.registry import load
from generators.request import GenerationRequest
from generators.training.motion_export import PHRASES_SOURCE
from provenance.errors import Error, InputError
from provenance.media import Frames

ASKED = GenerationRequest(prompt="a cook moving left", seeds=(1,), num_frames=8, num_inference_steps=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path) -> Path:
    return build_motion(tmp_path_factory.mktemp("motion") / "video", tiny_folder)


@pytest.fixture(scope="module")
def moving(folder: Path) -> Generator:
    return load(f"dir:{folder}", threads=1)


def clip(generator: Generator, request: GenerationRequest = ASKED, **changes):
    return next(iter(generator.generate(replace(request, **changes))))


def test_a_clip_is_enlarged_timed_and_recorded(moving: Generator, tiny_folder: Path) -> None:
    made = clip(moving)
    assert moving.info.kind == "video"
    assert made.frames.pixels.shape == (8, 64, 64, 3)
    assert made.frames.fps == made.recipe.fps == 8.0
    assert (made.recipe.frames, made.recipe.width) == (8, 64)
    assert made.recipe.finish
    names = [file.path for file in made.recipe.model.weights]
    assert "motion_adapter/diffusion_pytorch_model.safetensors" in names
    assert "base/unet/diffusion_pytorch_model.safetensors" in names
    assert str(tiny_folder.parent) not in str(made.recipe)
    assert np.ptp(made.frames.pixels.astype(int), axis=0).max() > 10, "frames differ"


def test_the_same_seed_gives_the_same_clip(moving: Generator) -> None:
    first, again = clip(moving), clip(moving)
    assert np.array_equal(first.frames.pixels, again.frames.pixels)
    assert not np.array_equal(first.frames.pixels, clip(moving, seeds=(2,)).frames.pixels)


def test_sixteen_frames_are_the_most(moving: Generator) -> None:
    assert clip(moving, num_frames=16, width=32, height=32).frames.pixels.shape == (16, 32, 32, 3)
    with pytest.raises(InputError, match="at most 16"):
        clip(moving, num_frames=17)


def test_a_word_of_movement_reaches_the_model(moving: Generator) -> None:
    words = moving.pipeline.tokenizer("a cook leftwards").input_ids
    assert moving.pipeline.tokenizer.unk_token_id not in words
    # The tiny model's own tokenizer is mapped by no vocabulary: the words go to it as they are.
    left = clip(moving, prompt="a cook leftwards")
    right = clip(moving, prompt="a cook rightwards")
    assert not np.array_equal(left.frames.pixels, right.frames.pixels)


def test_given_frames_are_kept_and_the_rest_is_drawn(moving: Generator) -> None:
    rng = np.random.default_rng(0)
    picture = np.repeat(np.repeat(rng.integers(0, 255, (2, 4, 4, 3), np.uint8), 8, 1), 8, 2)
    init = Frames(pixels=picture)
    made = clip(moving, init=init, options={"given_frames": [0, 7]}, width=32, height=32)
    free = clip(moving, width=32, height=32)
    vae = moving.pipeline.vae
    with torch.no_grad():
        tensor = torch.from_numpy(picture.copy()).permute(0, 3, 1, 2).float() / 127.5 - 1
        seen = vae.decode(vae.encode(tensor).latent_dist.mode()).sample
    want = ((seen.clamp(-1, 1) + 1) * 127.5).permute(0, 2, 3, 1).numpy()
    got = made.frames.pixels[[0, 7]].astype(float)
    assert np.abs(got.mean((1, 2)) - want.mean((1, 2))).max() < 8, "grain and sharpening aside"
    assert not np.array_equal(made.frames.pixels[3], free.frames.pixels[3])
    assert made.recipe.init_sha256
    assert {"frames": [0, 7]} in [h.parameters for h in made.recipe.hooks]
    alone = clip(moving, init=Frames(pixels=picture[:1]))
    assert {"frames": [0]} in [h.parameters for h in alone.recipe.hooks]


def test_shared_noise_is_recorded_and_brings_frames_together(moving: Generator) -> None:
    plain, shared = clip(moving), clip(moving, options={"shared_noise": 0.95})
    assert {"share": 0.95} in [h.parameters for h in shared.recipe.hooks]
    spread = [np.std(made.frames.pixels.astype(float), axis=0).mean() for made in (plain, shared)]
    assert spread[1] < spread[0]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"options": {"shared_noise": 1.0}}, "request.out-of-range"),
        ({"options": {"shared_noise": "much"}}, "request.out-of-range"),
        ({"options": {"given_frames": [0]}}, "request.given-frames"),
        ({"width": 64, "height": 32}, "request.size"),
        ({"options": {"strange": 1}}, "request.unsupported"),
    ],
)
def test_what_cannot_be_honoured_is_one_error(moving: Generator, changes, code: str) -> None:
    with pytest.raises(InputError) as caught:
        clip(moving, **changes)
    assert caught.value.code == code


@pytest.mark.parametrize("said", [[1, 0], [0, 8], [0], ["a", 1], 3, [0, 0], [True, 1]])
def test_places_of_given_frames_are_checked(said: object) -> None:
    with pytest.raises(InputError, match=r"given|init"):
        places(said, 2, 8)
    assert places(None, 2, 8) == (0, 1)


def test_given_frames_need_a_scheduler_that_leaves_them_alone(moving: Generator) -> None:
    init = Frames(pixels=np.zeros((1, 32, 32, 3), np.uint8))
    with pytest.raises(InputError, match=r"honour"):
        clip(moving, init=init, scheduler="euler")


def test_missing_weights_are_one_clear_line(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / "motion_adapter" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(InputError) as caught:
        load(f"dir:{copy}")
    assert caught.value.code == "motion.no-weights"


def test_another_base_and_a_bad_card_are_refused(folder: Path, tmp_path: Path) -> None:
    card = json.loads((folder / "card.json").read_text())
    for changes, code in (
        ({"base_sha256": "0" * 64}, "motion.other-base"),
        ({"frames": 99}, "motion.bad-card"),
    ):
        copy = tmp_path / code
        shutil.copytree(folder, copy)
        (copy / "card.json").write_text(json.dumps({**card, **changes}))
        with pytest.raises(Error) as caught:
            load(f"dir:{copy}")
        assert caught.value.code == code
    assert read_card(folder).size == 64


def test_prompts_in_two_languages_say_movements() -> None:
    own = vocabulary.load(Path(vocabulary.__file__).with_name("training") / "emoji_words.json")
    words = vocabulary.taught_movements(own, PHRASES_SOURCE)
    for prompt, movement in (
        ("a woman firefighter moving to the left on blue", "leftwards"),
        ("a video of a cat that grows", "growing"),
        ("a rocket rising", "upwards"),
        ("judge spinning counterclockwise", "anticlockwise"),
        ("一位女消防员向左移动", "leftwards"),
        ("一只猫变大", "growing"),
        ("法官逆时针旋转", "anticlockwise"),
        ("a dog standing still", "still"),
    ):
        mapped = words.map(prompt)
        assert mapped.meaning["movement"] == movement, prompt
        assert mapped.prompt.endswith(f" {movement}")
        assert "subject" in mapped.meaning, prompt
    assert [w.code for w in words.map("a cook").warnings] == ["prompt.no-movement"]
    assert not own.map("a cook").warnings
    said = [n for names in json.loads(PHRASES_SOURCE.read_text())["movements"].values() for n in names]
    assert len(said) == len(set(said)), "no phrase means two movements"
