"""A wrapped pipeline whose weights are as they were may still draw other pictures: that is noticed."""

from __future__ import annotations

import copy

import diffusers
import pytest
import torch
from simulators import tiny_pipelines
from simulators.tiny_pipelines import settled

from generators.held_adapter import hold, watch
from generators.registry import load
from generators.request import GenerationRequest
from provenance.errors import InputError


def held(pipeline):
    return hold(pipeline, ref="wrapped:tiny", name="tiny", licence="MIT", data_licence="unknown")


def with_adapter(folder):
    from peft import LoraConfig

    pipeline = load(f"dir:{folder}").pipeline
    pipeline.unet.add_adapter(LoraConfig(r=2, target_modules=["to_q"]), "x")
    return pipeline


def other_words(pipeline):
    tokenizer = copy.deepcopy(pipeline.tokenizer)
    tokenizer.add_tokens(["zebra-striped"])
    pipeline.tokenizer = tokenizer


class OtherAttention:
    """Stands for one that computes something else."""


def stronger_attention(pipeline):
    """The same class, told otherwise."""
    processor = pipeline.unet.mid_block.attentions[0].transformer_blocks[0].attn1.processor
    processor.scale = 50.0


CHANGES = {
    "layers/unet": [
        lambda pipeline: pipeline.set_adapters(["x"], [0.0]),
        lambda pipeline: pipeline.disable_lora(),
        lambda pipeline: pipeline.enable_freeu(s1=0.2, s2=0.2, b1=1.9, b2=1.9),
        lambda pipeline: pipeline.unet.set_attn_processor(OtherAttention()),
        stronger_attention,
    ],
    "settings/pipeline": [
        lambda pipeline: setattr(pipeline, "tokenizer_max_length", 3),
        lambda pipeline: setattr(pipeline, "_free_init_num_iters", 3),
        lambda pipeline: pipeline.image_processor.register_to_config(do_normalize=False),
    ],
    "settings/vae": [lambda pipeline: pipeline.vae.register_to_config(scaling_factor=1.0)],
    "settings/tokenizer": [other_words, lambda pipeline: setattr(pipeline, "tokenizer", None)],
}


@pytest.mark.parametrize(("told", "change"), [(k, one) for k, many in CHANGES.items() for one in many])
def test_what_decides_a_picture_beside_the_weights_is_watched_and_recorded(tiny_folder, told, change):
    pipeline = with_adapter(tiny_folder)
    before = held(pipeline)
    check = watch(before)
    check()
    change(pipeline)
    with pytest.raises(InputError, match=told) as caught:
        check()
    assert caught.value.code == "wrap.changed"
    after = held(pipeline)
    watch(after)()
    assert after.model.weights == before.model.weights
    assert told in {one.path for one in {*after.model.settings} ^ {*before.model.settings}}


def test_a_buffer_that_is_not_saved_is_watched_too(tiny_folder):
    """``position_ids`` says which place a word has."""
    pipeline = load(f"dir:{tiny_folder}").pipeline
    check = watch(held(pipeline))
    places = dict(pipeline.text_encoder.named_buffers())
    assert places.keys() - pipeline.text_encoder.state_dict().keys()
    for buffer in places.values():
        buffer.copy_(buffer.flip(-1))
    with pytest.raises(InputError, match="weights of the pipeline") as caught:
        check()
    assert caught.value.code == "wrap.changed"


def offloaded(pipeline):
    pipeline.unet.to("meta")


def quantised(pipeline):
    torch.ao.quantization.quantize_dynamic(pipeline.text_encoder, {torch.nn.Linear}, inplace=True)


def without_scheduler(pipeline):
    pipeline.scheduler = None


def of_mixed_keys(pipeline):
    pipeline.text_encoder.config.id2label = {0: "a", "b": "c"}


@pytest.mark.filterwarnings("ignore:.*quantiz")  # torch, of its own plans
@pytest.mark.parametrize("change", [offloaded, quantised, without_scheduler, of_mixed_keys])
def test_what_could_not_be_told_apart_later_is_refused(tiny_folder, change):
    pipeline = load(f"dir:{tiny_folder}").pipeline
    change(pipeline)
    with pytest.raises(InputError) as caught:
        held(pipeline)
    assert caught.value.code == "wrap.unsupported"


def test_what_was_put_back_is_as_before_and_drawing_changes_nothing(tiny_folder):
    pipeline = with_adapter(tiny_folder)
    generator = held(pipeline)
    check = watch(generator)
    pipeline.enable_freeu(s1=0.2, s2=0.2, b1=1.9, b2=1.9)
    pipeline.disable_freeu()
    pipeline.disable_lora()
    pipeline.enable_lora()
    check()
    asked = GenerationRequest(prompt="judge", seeds=(4,), num_inference_steps=2, scheduler="euler")
    (drawn,) = generator.generate(asked)
    check()
    assert drawn.recipe.model.settings == generator.model.settings


def test_the_same_model_from_another_folder_has_the_same_records(tiny_folder, tmp_path):
    pipeline = load(f"dir:{tiny_folder}").pipeline
    pipeline.save_pretrained(tmp_path / "elsewhere")
    again = load(f"dir:{tmp_path / 'elsewhere'}").pipeline
    assert held(again).model == held(pipeline).model


def drawn_by(pipeline, **asked):
    wanted = GenerationRequest(prompt="judge", seeds=(4,), num_inference_steps=2, **asked)
    (drawn,) = held(pipeline).generate(wanted)
    return drawn


def test_a_network_in_training_is_refused_where_its_pixels_would_be_chance():
    pipeline = settled(tiny_pipelines.flux("FluxPipeline"))
    pipeline.text_encoder_2.train()
    with pytest.raises(InputError, match="training mode") as caught:
        held(pipeline)
    assert (caught.value.code, caught.value.where) == ("wrap.unsupported", "text_encoder_2")
    pipeline.text_encoder_2.eval()
    pipeline.transformer.train()  # nothing in it is chance
    pixels = [drawn_by(pipeline, width=32, height=32).frames.pixels for _ in range(2)]
    assert (pixels[0] == pixels[1]).all()


def test_a_shift_set_before_wrapping_is_drawn_with_and_recorded():
    size = {"width": 32, "height": 32}
    plain = settled(tiny_pipelines.flux("FluxPipeline"))
    shifted = diffusers.FluxPipeline(**plain.components)
    shifted.scheduler = plain.scheduler.from_config(plain.scheduler.config)
    shifted.scheduler.set_shift(9.0)
    noise = torch.Generator().manual_seed(4)
    own = shifted(prompt="judge", num_inference_steps=2, generator=noise, output_type="np", **size).images[0]
    drawn = drawn_by(shifted, **size)
    assert (drawn.frames.pixels[0] == (own * 255).round().astype("uint8")).all()
    assert (drawn.frames.pixels != drawn_by(plain, **size).frames.pixels).any()
    assert drawn.recipe.scheduler.config["set_shift"] == 9.0
    assert "set_shift" not in drawn_by(plain, **size).recipe.scheduler.config


def test_another_scheduler_has_the_shift_that_was_set():
    pipeline = settled(tiny_pipelines.flux("FluxPipeline"))
    pipeline.scheduler = diffusers.FlowMatchLCMScheduler.from_config(pipeline.scheduler.config)
    pipeline.scheduler.set_shift(9.0)
    drawn = drawn_by(pipeline, width=32, height=32, scheduler="flow-euler")
    assert drawn.recipe.scheduler.name == "FlowMatchEulerDiscreteScheduler"
    assert drawn.recipe.scheduler.config["shift"] == 9.0


def test_a_compiled_network_is_held_like_any_other(tiny_folder):
    pipeline = load(f"dir:{tiny_folder}").pipeline
    before = drawn_by(pipeline).frames.pixels
    pipeline.unet = torch.compile(pipeline.unet, backend="eager")
    assert (drawn_by(pipeline).frames.pixels == before).all()
