"""Fast profiles on a tiny Stable Diffusion: what each does, what it leaves alone, and what it refuses."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from generators.fast import PROFILES
from generators.interface import Generation, Generator
from generators.request import AdapterRef, GenerationRequest
from provenance.errors import InputError


def request(*fast: str, **changes) -> GenerationRequest:
    asked = GenerationRequest(prompt="a judge", seeds=(3,), num_inference_steps=4, guidance_scale=2.0)
    return dataclasses.replace(asked, fast=fast, **changes)


def drawn(tiny: Generator, *fast: str, **changes) -> Generation:
    (made,) = tiny.generate(request(*fast, **changes))
    return made


def far(one: Generation, other: Generation) -> float:
    return float(np.abs(one.frames.pixels.astype(float) - other.frames.pixels).mean())


def test_each_profile_is_repeated_exactly_recorded_and_taken_off(tiny) -> None:
    before = drawn(tiny)
    assert before.recipe.fast == ()
    for name in PROFILES:
        first, again = drawn(tiny, name), drawn(tiny, name)
        assert first.frames.shows(again.frames)
        assert first.recipe == again.recipe
        (done,) = first.recipe.fast
        assert (done.name, done.version) == (name, PROFILES[name].version)
        assert done.parameters
        assert far(first, before) > 0 or name == "sliced"
        assert drawn(tiny).frames.shows(before.frames)


@pytest.mark.parametrize("name", ["reuse", "int8", "pruned"])
def test_a_picture_does_not_depend_on_its_neighbours(tiny, name) -> None:
    paired = dataclasses.replace(tiny, defaults=dataclasses.replace(tiny.defaults, batch=2))
    _, second = paired.generate(request(name, seeds=(1, 7)))
    _, likewise = paired.generate(request(name, seeds=(2, 7)))
    assert second.frames.shows(likewise.frames)


def test_requests_that_are_drawn_from_in_turns_do_not_mix(tiny) -> None:
    alone = [made.frames for made in tiny.generate(request(seeds=(3, 4)))]
    fast, plain = (
        tiny.generate(request("reuse", "pruned", seeds=(3, 4))),
        tiny.generate(request(seeds=(3, 4))),
    )
    for expected in alone:
        next(fast)
        assert next(plain).frames.shows(expected)


def test_few_steps_is_another_solver_and_fewer_steps_unless_they_are_asked_for(tiny) -> None:
    asked = dataclasses.replace(request("few-steps"), num_inference_steps=None)
    usual = dataclasses.replace(tiny, defaults=dataclasses.replace(tiny.defaults, steps=5))
    (made,) = usual.generate(asked)
    assert made.recipe.steps == 2
    assert made.recipe.scheduler.name == "DPMSolverMultistepScheduler"
    assert made.recipe.scheduler.config["use_karras_sigmas"] is True
    assert drawn(usual, "few-steps").recipe.steps == 4


def test_where_noise_begins_without_signal_the_steps_are_spaced_evenly() -> None:
    from generators.fast import solver

    assert solver({"rescale_betas_zero_snr": True})["use_karras_sigmas"] is False


def test_reuse_computes_the_inner_blocks_at_every_other_step(tiny) -> None:
    from generators.reuse_adapter import reusing

    unet, calls = tiny.pipeline.unet, {"inner": 0, "outer": 0}
    counted = {"inner": unet.mid_block.resnets[0], "outer": unet.down_blocks[0].resnets[0]}
    for name, module in counted.items():
        inner = module.forward
        module.forward = lambda *a, _name=name, _forward=inner, **k: (
            calls.__setitem__(_name, calls[_name] + 1) or _forward(*a, **k)
        )
    try:
        drawn(tiny, "reuse")
    finally:
        for module in counted.values():
            del module.forward
    assert calls == {"inner": 2, "outer": 4}
    with pytest.raises(InputError), reusing(tiny.pipeline.vae):
        pass


def test_integers_are_close_to_the_floats_row_by_row() -> None:
    import torch

    from generators.int8_adapter import Int8Linear

    torch.manual_seed(0)
    layer = torch.nn.Linear(64, 48)
    rows = torch.randn(2, 5, 64) * torch.tensor([1.0, 100.0])[:, None, None]
    whole = Int8Linear(layer)
    with torch.no_grad():
        wanted, made = layer(rows), whole(rows)
        assert made.shape == wanted.shape
        error = (made - wanted).abs().amax(-1) / wanted.abs().amax(-1)
        assert float(error.max()) < 0.03
        # The loud rows beside it do not change a quiet one.
        assert torch.equal(whole(rows[:1]), made[:1])
        assert torch.isfinite(whole(torch.zeros(3, 64))).all()


def test_pruned_blocks_are_the_whole_ones_without_the_channels_that_are_gone(tiny) -> None:
    import torch

    from generators.pruning_adapter import pruned

    block = tiny.pipeline.unet.down_blocks[0].resnets[0]
    norm, channels = block.norm2, block.conv1.out_channels
    values, time = torch.randn(1, block.in_channels, 8, 8), torch.randn(1, block.time_emb_proj.in_features)
    out = block.conv2.weight.detach().clone()
    with torch.no_grad(), pruned(tiny.pipeline.unet) as said:
        assert block.conv1.out_channels == channels - channels // 4
        thin = block(values, time)
        kept = block.conv2.weight.detach().clone()
    assert block.norm2 is norm
    assert said["weights"] < said["of"]
    stay = [c for c in range(channels) if any(torch.equal(out[:, c], column) for column in kept.unbind(1))]
    assert len(stay) == kept.shape[1]
    with torch.no_grad():
        gone = [c for c in range(channels) if c not in stay]
        block.conv2.weight[:, gone] = 0
        masked = block(values, time)
        block.conv2.weight.copy_(out)
    assert torch.allclose(thin, masked, atol=1e-5)


@pytest.mark.parametrize(
    ("fast", "changes", "says"),
    [
        (("hyper",), {}, "no such profile"),
        (("reuse", "reuse"), {}, "named twice"),
        (("few-steps",), {"scheduler": "euler"}, "its own scheduler"),
        (("int8",), {"adapters": (AdapterRef(ref="style"),)}, "adapters need the layers"),
    ],
)
def test_what_does_not_go_together_is_an_error(tiny, fast, changes, says) -> None:
    with pytest.raises(InputError, match=says) as caught:
        next(tiny.generate(request(*fast, **changes)))
    assert caught.value.code == "request.fast"


def test_models_without_profiles_refuse_them() -> None:
    from generators.function import FunctionGenerator
    from generators.interface import GeneratorInfo

    said = {"licence": "unknown", "data_licence": "unknown", "weights_sha256": "", "capabilities": ("text",)}
    info = GeneratorInfo(id="wrapped:f", name="f", kind="image", width=8, height=8, **said)
    painter = FunctionGenerator(info=info, function=lambda prompt: np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(InputError, match="cannot be drawn") as caught:
        next(painter.generate(GenerationRequest(prompt="x", seeds=(1,), fast=("reuse",))))
    assert caught.value.code == "request.fast"
