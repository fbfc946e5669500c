"""Every family on a real, tiny model of its class: built, saved, read back from its folder and run."""

from __future__ import annotations

import dataclasses
import inspect
import random
from pathlib import Path

import numpy as np
import pytest
from simulators import tiny_pipelines, tiny_video_pipelines
from simulators.family_requests import EDITS, FIXED, SHORT, middle, noise, size_of, small

from generators.families import DIFFUSION, FAMILIES, FLOW, SCHEDULERS
from generators.fast import PROFILES
from generators.interface import Generation, Generator
from generators.recipe import Recipe, StageRecord
from generators.registry import load
from provenance.errors import ConfigurationError, InputError, IntegrityError

ALL = sorted(FAMILIES)
VARIANTS = ("Img2Img", "Inpaint", "PixArtSigma", "DDIM", "VideoToVideo", "LTXImage", "CogVideoXImage")
"""Classes that share their loop with one that is tested in full."""
KINDS = [name for name in ALL if name in EDITS or not any(variant in name for variant in VARIANTS)]
DRAWING = ("ddpm", "euler-ancestral", "cogvideox-dpm")
"""Schedulers that draw noise between steps."""
WHOLE = [name if name in KINDS else pytest.param(name, marks=pytest.mark.slow) for name in ALL]


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory):
    """Builds, saves and loads the tiny model of a class, once."""
    folder, loaded = tmp_path_factory.mktemp("families"), {}

    def get(name: str) -> Generator:
        if name not in loaded:
            loaded[name] = load(f"dir:{tiny_pipelines.save(name, folder / name)}", threads=1)
        return loaded[name]

    return get


def one(generator: Generator, name: str, *, hooks=(), latents=None, **changes) -> Generation:
    import torch

    torch.manual_seed(random.randrange(2**32))  # what pictures are made of is their own seed and nothing else
    (result,) = generator.generate(small(name, **changes), hooks=hooks, latents=latents)
    return result


@pytest.fixture(scope="module")
def plain(families):
    """What the tiny model of a class draws of its small request; drawn once."""
    drawn: dict[str, Generation] = {}

    def get(name: str) -> Generation:
        if name not in drawn:
            drawn[name] = one(families(name), name)
        return drawn[name]

    return get


def code_of(generator: Generator, name: str, **changes) -> str:
    with pytest.raises(InputError) as caught:
        one(generator, name, **changes)
    return caught.value.code


def held(pipeline) -> dict:
    """Every tensor of the pipeline's networks, by name and identity, and what was hung on a module."""
    import torch

    networks = [part for part in pipeline.components.values() if isinstance(part, torch.nn.Module)]
    tensors = [(place, id(value)) for part in networks for place, value in part.named_parameters()]
    modules = [module for part in networks for module in part.modules()]
    return {"tensors": tensors, "hooks": sum(len(module._forward_pre_hooks) for module in modules)}


class Watcher:
    """Notes what a hook is shown; may change the latents."""

    name, version, parameters = "watcher", "1", {}

    def __init__(self, factor: float = 1.0, **extra) -> None:
        self.factor, self.extra, self.seen = factor, extra, []

    def __call__(self, *, step, timestep, tensors):
        self.seen.append((step, tuple(tensors)))
        return {"latents": tensors["latents"] * self.factor, **self.extra}


def test_every_family_has_a_tiny_model_and_the_other_way_round() -> None:
    assert {*tiny_pipelines.IMAGES, *tiny_video_pipelines.CLIPS} == set(FAMILIES)
    assert len({family.name for family in FAMILIES.values()}) >= 14


@pytest.mark.parametrize("name", WHOLE)
def test_a_picture_is_its_seed_and_its_prompt(families, plain, name: str) -> None:
    generator, family, asked = families(name), FAMILIES[name], small(name)
    first, again = plain(name), one(generator, name)
    assert first.frames.shows(again.frames)
    assert first.recipe == again.recipe == Recipe.from_json(first.recipe.to_json())
    frames = asked.num_frames or (len(asked.init.pixels) if asked.init and family.frames else 1)
    side = {"IFSuperResolutionPipeline": 64}.get(name, 16 if name in FIXED[1:] else size_of(name))
    assert first.frames.pixels.shape == (frames, side, side, 3)
    assert first.frames.fps == first.recipe.fps == family.fps
    assert generator.info.kind == family.kind
    if family.conditioning == "prompt":
        assert first.prompt_used == "portrait of a judge"
        assert first.warnings == ()
        assert not first.frames.shows(one(generator, name, prompt="blue dog").frames)


@pytest.mark.parametrize("name", WHOLE)
def test_a_picture_is_the_same_whatever_else_is_in_its_batch(families, plain, name: str) -> None:
    generator, family = families(name), FAMILIES[name]
    paired = dataclasses.replace(generator, defaults=dataclasses.replace(generator.defaults, batch=2))
    first, second = paired.generate(small(name, seeds=(1, 7)))
    likewise = plain(name)
    if family.batches:
        other, likewise = paired.generate(small(name, seeds=(2, 7)))
        assert not first.frames.shows(other.frames)
    assert not first.frames.shows(second.frames)
    assert second.frames.shows(likewise.frames)
    assert second.recipe == likewise.recipe
    together = (2, 1) if family.batches else (1, 0)
    assert (second.recipe.batch_size, second.recipe.batch_index) == together


@pytest.mark.parametrize("name", WHOLE)
def test_hooks_see_what_the_table_says_and_are_errors_elsewhere(families, plain, name: str) -> None:
    generator, family, watcher = families(name), FAMILIES[name], Watcher()
    if not family.hooks:
        assert code_of(generator, name, hooks=(watcher,)) == "request.unsupported"
        assert watcher.seen == []
        return
    watched = one(generator, name, hooks=(watcher,))
    assert plain(name).frames.shows(watched.frames)
    assert watcher.seen[0] == (0, family.hooks)
    assert [hook.name for hook in watched.recipe.hooks] == ["watcher"]
    assert not watched.frames.shows(one(generator, name, hooks=(Watcher(0.5),)).frames)
    if name == "WanPipeline":
        assert code_of(generator, name, hooks=(Watcher(unheard_of=1),)) == "request.unsupported"


@pytest.mark.parametrize("name", WHOLE)
def test_noise_to_start_from_is_taken_as_drawn_or_refused(families, plain, name: str) -> None:
    generator, shapes = families(name), []

    def kept(drawn: np.ndarray) -> tuple[np.ndarray, StageRecord]:
        shapes.append(drawn.shape)
        return drawn, StageRecord(name="kept", version="1", parameters={})

    if not FAMILIES[name].latents:
        assert code_of(generator, name, latents=kept) == "request.unsupported"
        return
    assert plain(name).frames.shows(one(generator, name, latents=kept).frames)
    axes = {"BCHW": 3, "BCTHW": 4, "BTCHW": 4, "packed": 2}[FAMILIES[name].layout]
    assert [len(shape) for shape in shapes] == [axes]


@pytest.mark.parametrize("name", WHOLE)
def test_schedulers_of_the_table_run_and_all_others_are_refused(families, name: str) -> None:
    generator, family = families(name), FAMILIES[name]
    for scheduler in family.schedulers:
        if SCHEDULERS[scheduler] != type(generator.scheduler).__name__:
            made = one(generator, name, scheduler=scheduler)
            assert made.recipe.scheduler.name == SCHEDULERS[scheduler]
            if scheduler in DRAWING:
                assert made.frames.shows(one(generator, name, scheduler=scheduler).frames)
    other = next(s for s in (*DIFFUSION, *FLOW) if s not in family.schedulers)
    assert code_of(generator, name, scheduler=other) == "request.scheduler"


@pytest.mark.parametrize("name", WHOLE)
def test_wrong_sizes_and_frames_are_errors_that_name_the_nearest(families, name: str) -> None:
    generator, family = families(name), FAMILIES[name]
    with pytest.raises(InputError) as caught:
        one(generator, name, width=size_of(name) + 12)
    assert caught.value.code == "request.size"
    if family.init is None and name not in FIXED:
        step = family.multiple
        assert f"{step * -(-(size_of(name) + 12) // step)}×{size_of(name)}" in caught.value.what
    if family.frames is None:
        assert code_of(generator, name, num_frames=2) == "request.unsupported"
        assert code_of(generator, name, fps=8.0) == "request.unsupported"
    elif family.frames.step > 1:
        with pytest.raises(InputError, match=r"5 or 9|9 or 17|another length") as caught:
            one(generator, name, num_frames={4: 6, 8: 10}[family.frames.step])
        assert caught.value.code == "request.frames"


@pytest.mark.parametrize("name", WHOLE)
def test_what_a_family_does_not_take_is_refused_by_name(families, name: str) -> None:
    generator, family = families(name), FAMILIES[name]
    for option in ("no_such_thing", "generator", "prompt_embeds", "image", "callback_on_step_end", "kwargs"):
        assert code_of(generator, name, options={option: 1}) == "request.unsupported"
    if family.guidance is None:
        assert code_of(generator, name, guidance_scale=2.0) == "request.unsupported"
    if family.negative is None:
        assert code_of(generator, name, negative_prompt="red") == "request.unsupported"
    if family.conditioning == "none":
        assert code_of(generator, name, prompt="a judge") == "request.unsupported"
    if family.init is None:
        assert code_of(generator, name, init=noise()) == "request.unsupported"
    elif family.init.required:
        assert code_of(generator, name, init=None, mask=None) == "request.init"


@pytest.mark.parametrize("name", WHOLE)
def test_profiles_of_the_table_lie_over_a_model_and_leave_no_trace(families, plain, name: str) -> None:
    generator, family, before = families(name), FAMILIES[name], plain(name)
    assert tuple(c.removeprefix("fast:") for c in generator.info.capabilities if "fast:" in c) == family.fast
    weights = held(generator.pipeline)
    made = one(generator, name, fast=family.fast)
    assert {done.name for done in made.recipe.fast} == set(family.fast)
    assert made.recipe == Recipe.from_json(made.recipe.to_json())
    assert not made.frames.shows(before.frames)
    assert held(generator.pipeline) == weights
    assert one(generator, name).frames.shows(before.frames)
    for profile in {*PROFILES, "hyper"} - {*family.fast}:
        assert code_of(generator, name, fast=(profile,)) == "request.fast"


@pytest.mark.parametrize("name", [n for n in KINDS if FAMILIES[n].init])
def test_what_a_picture_starts_from_is_in_the_recipe_and_in_the_pixels(families, plain, name: str) -> None:
    generator, asked, first = families(name), small(name), plain(name)
    side, frames = asked.init.width, len(asked.init.pixels)
    other = one(generator, name, init=noise(side, frames=frames, seed=1))
    assert len({first.recipe.init_sha256, other.recipe.init_sha256, None}) == 3
    assert not first.frames.shows(other.frames)
    if asked.mask is None:
        assert first.recipe.mask_sha256 is None
        assert code_of(generator, name, mask=middle(side, frames=frames)) == "request.unsupported"
        return
    assert first.recipe.mask_sha256 is not None
    assert code_of(generator, name, mask=middle(side + 16, frames=frames)) == "request.init"
    assert code_of(generator, name, mask=noise(side, frames=frames)) == "request.init"


@pytest.mark.parametrize("name", [n for n in KINDS if FAMILIES[n].encoders])
def test_what_any_reader_of_the_prompt_cuts_off_is_a_warning(families, name: str) -> None:
    """One reader stops early; where another goes on, the text goes to it whole."""
    options = {key: value for key, value in small(name).options.items() if key not in SHORT}
    words = "judge " * 600
    result = one(families(name), name, prompt=words.strip(), options=options)
    assert [w.code for w in result.warnings] == ["prompt.truncated"] * len(FAMILIES[name].encoders)
    assert 0 < len(result.prompt_used.split()) < 600
    if len(FAMILIES[name].encoders) > 1:
        shorter = one(families(name), name, prompt=("judge " * 80).strip())
        cut = [w.message for w in shorter.warnings]
        assert 1 <= len(cut) <= 2
        assert all("the model's tokenizer" in message for message in cut)


@pytest.mark.parametrize("name", ALL)
def test_the_table_agrees_with_the_library(name: str) -> None:
    import diffusers

    family, pipeline = FAMILIES[name], getattr(diffusers, name)
    call = inspect.signature(pipeline.__call__).parameters
    part = pipeline
    if name.startswith("Kandinsky"):
        part = getattr(diffusers, name.replace("Combined", ""))
    has_hooks = "callback_on_step_end" in call
    assert has_hooks is bool(family.hooks)
    if has_hooks:
        assert set(family.hooks) <= set(part._callback_tensor_inputs)
    arguments = [family.guidance, family.fps_argument, *family.fixed]
    arguments += [encoder.argument for encoder in family.encoders]
    if family.init:
        arguments += [family.init.argument, family.init.single, family.init.mask]
    assert {a for a in arguments if a} <= set(call)
    for encoder in family.encoders:
        if encoder.argument:
            assert call[encoder.argument].default == encoder.limit
    if family.frames and family.frames.default and "num_frames" in call:
        assert call["num_frames"].default == family.frames.default
    assert not family.latents or "latents" in call
    assert family.sized is ("width" in call or (family.init is not None and family.init.same_size))
    assert (family.negative is not None) is ("negative_prompt" in call)


def test_a_class_of_dit_is_named_by_its_name_or_its_number(families) -> None:
    dit = families("DiTPipeline")
    tench = one(dit, "DiTPipeline", prompt="Tench")
    assert tench.frames.shows(one(dit, "DiTPipeline", prompt="0").frames)
    assert not tench.frames.shows(one(dit, "DiTPipeline", prompt="white shark").frames)
    with pytest.raises(InputError, match="names none of them") as caught:
        one(dit, "DiTPipeline", prompt="white sharks")
    assert caught.value.code == "request.label"
    assert "white shark" in (caught.value.hint or "")


def test_a_cascade_runs_stage_by_stage_and_each_recipe_names_what_it_grew_from(families) -> None:
    from generators.starting_points import pixels_digest

    small_stage = one(families("IFPipeline"), "IFPipeline")
    larger = one(families("IFSuperResolutionPipeline"), "IFSuperResolutionPipeline", init=small_stage.frames)
    assert larger.frames.width == 64
    assert larger.recipe.init_sha256 == pixels_digest(small_stage.frames)


def test_one_picture_is_a_reference_for_vace_and_a_clip_is_what_it_edits(families, plain) -> None:
    vace, edited = families("WanVACEPipeline"), plain("WanVACEPipeline")
    referred = one(vace, "WanVACEPipeline", init=noise(32), mask=None)
    free = one(vace, "WanVACEPipeline", init=None, mask=None, width=32, height=32)
    assert len({r.frames.pixels.tobytes() for r in (edited, referred, free)}) == 3
    assert code_of(vace, "WanVACEPipeline", num_frames=9) == "request.frames"
    assert code_of(vace, "WanVACEPipeline", init=noise(32)) == "request.init"


def test_more_frames_than_a_motion_module_has_places(families) -> None:
    with pytest.raises(InputError, match="at most 32; the nearest: 32"):
        one(families("AnimateDiffPipeline"), "AnimateDiffPipeline", num_frames=40)


def test_frames_per_second_are_told_to_models_that_ask(families) -> None:
    for name in ("LTXPipeline", "StableVideoDiffusionPipeline"):
        slow, fast = (one(families(name), name, fps=fps) for fps in (5.0, 30.0))
        assert slow.frames.fps == slow.recipe.fps == 5.0
        assert not slow.frames.shows(fast.frames)
    assert code_of(families(name), name, fps=7.5) == "request.out-of-range"
    wan = [one(families("WanPipeline"), "WanPipeline", fps=fps).frames for fps in (8.0, 24.0)]
    assert wan[0].shows(wan[1])


def test_a_negative_prompt_without_guidance_is_no_quiet_nothing(families) -> None:
    for name, guided in (("FluxPipeline", {"options": {"true_cfg_scale": 2.0}}), ("WanPipeline", {})):
        plain = one(families(name), name, **guided)
        assert not plain.frames.shows(one(families(name), name, negative_prompt="red dog", **guided).frames)
    with pytest.raises(InputError) as caught:
        one(families("FluxPipeline"), "FluxPipeline", negative_prompt="red")
    assert "true_cfg_scale" in (caught.value.hint or "")
    assert code_of(families(name), name, negative_prompt="red", guidance_scale=1.0) == "request.unsupported"


def test_a_network_trained_without_guidance_takes_no_number_for_it(tmp_path: Path) -> None:
    distilled = tiny_pipelines.flux("FluxPipeline", guidance=False)
    distilled.save_pretrained(tmp_path / "distilled")
    generator = load(f"dir:{tmp_path / 'distilled'}", threads=1)
    assert "guidance" not in generator.info.capabilities
    assert code_of(generator, "FluxPipeline", guidance_scale=3.0) == "request.unsupported"
    assert one(generator, "FluxPipeline").frames.width == 32


def test_the_autoencoder_decodes_in_parts_when_asked_and_only_then(families) -> None:
    flux = families("FluxPipeline")
    sliced = one(flux, "FluxPipeline", options={"vae_slicing": True, "vae_tiling": True})
    assert sliced.recipe.options == {"vae_slicing": True, "vae_tiling": True}
    assert flux.pipeline.vae.use_slicing is flux.pipeline.vae.use_tiling is False
    assert code_of(families("DDPMPipeline"), "DDPMPipeline", options={"vae_slicing": True}) == (
        "request.unsupported"
    )


def test_steps_that_strength_leaves_none_of(families) -> None:
    name, options = "StableDiffusionImg2ImgPipeline", {"strength": 0.2}
    assert code_of(families(name), name, num_inference_steps=4, options=options) == "request.steps"


def test_the_noise_prior_of_two_stages_is_on_record(families) -> None:
    config = one(
        families("KandinskyV22CombinedPipeline"), "KandinskyV22CombinedPipeline"
    ).recipe.scheduler.config
    assert config["prior_scheduler"]["class"] == "UnCLIPScheduler"


class Greedy(Watcher):
    """Asks the real allocator for more than any machine has."""

    def __call__(self, *, step, timestep, tensors):
        import torch

        torch.empty(2**50, dtype=torch.uint8)
        return {}


@pytest.mark.parametrize(
    ("name", "options", "code"),
    [
        ("FluxPipeline", {"max_sequence_length": -1}, "generate.failed"),  # OverflowError in a tokenizer
        ("LatentConsistencyModelPipeline", {"original_inference_steps": 0}, "generate.failed"),  # a divisor
        ("StableDiffusionImg2ImgPipeline", {"strength": 1e308}, "generate.failed"),
        ("StableDiffusion3Img2ImgPipeline", {"sigmas": []}, "generate.failed"),  # no picture for a seed
        ("KandinskyV22CombinedPipeline", {"vae_slicing": True}, "request.unsupported"),
    ],
)
def test_numbers_that_the_library_trips_over_are_one_line(families, name: str, options, code: str) -> None:
    with pytest.raises(InputError) as refused:
        list(families(name).generate(small(name, options=options)))
    assert refused.value.code == code
    assert "\n" not in refused.value.what


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("StableDiffusionXLPipeline", {"prompt_2": "words that nobody reviewed"}),
        ("StableDiffusion3Pipeline", {"negative_prompt_3": ["words"]}),
        ("HunyuanVideoPipeline", {"prompt_template": {"template": "words, {}", "crop_start": 0}}),
    ],
)
def test_no_option_brings_words_past_the_review(families, name: str, options) -> None:
    with pytest.raises(InputError, match="cannot honour") as refused:
        list(families(name).generate(small(name, options=options)))
    assert refused.value.code == "request.unsupported"
    assert "prompt" in refused.value.hint


def test_failures_in_the_midst_are_one_line_and_leave_the_model_usable(families, plain) -> None:
    name = "AnimateDiffPipeline"
    generator, before = families(name), plain(name)
    with pytest.raises(ConfigurationError) as memory:
        one(generator, name, hooks=(Greedy(),))
    assert memory.value.code == "generate.out-of-memory"
    with pytest.raises(IntegrityError) as numbers:
        one(generator, name, hooks=(Watcher(float("nan")),))
    assert numbers.value.code == "generate.not-finite"
    assert one(generator, name).frames.shows(before.frames)


def test_an_interruption_keeps_what_was_finished(families, plain) -> None:
    name = "WanPipeline"

    class Impatient(Watcher):
        def __call__(self, *, step, timestep, tensors):
            if len(self.seen) == 2:
                raise KeyboardInterrupt
            return super().__call__(step=step, timestep=timestep, tensors=tensors)

    finished = []
    asked = small(name, seeds=(7, 8))
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - what came before it is what counts
        for made in families(name).generate(asked, hooks=(Impatient(),)):
            finished.append(made)  # noqa: PERF402 - a list would be lost with the exception
    (kept,) = finished
    assert kept.frames.shows(plain(name).frames)
