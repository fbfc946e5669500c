"""Tuning a real, tiny pipeline: what is learned, continued, laid over, and taken off again."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import load_file

from generators.adapter_files import ADAPTER, METHOD, RECORD, TRAINING
from generators.defaults import Defaults
from generators.interface import Generator
from generators.registry import load
from generators.request import AdapterRef, GenerationRequest
from generators.training.orders import METHODS, Example, TrainingOrder, train
from provenance.errors import Error, InputError, IntegrityError

EXTRA = {
    "lora": {},
    "dreambooth": {"class_prompt": "a judge", "class_pictures": 2},
    "textual-inversion": {"token": "<pet>", "start_from": "judge", "rate": 0.05},
    "custom-diffusion": {"token": "<pet>", "class_prompt": "a judge", "class_pictures": 1},
}


FEW = Defaults(steps=2)
"""For pictures of the class."""


@pytest.fixture(scope="module")
def model(tiny_folder) -> Generator:
    """One for all tests: each leaves it as it was, or the next ones fail."""
    return dataclasses.replace(load(f"dir:{tiny_folder}", threads=1), defaults=FEW)


@pytest.fixture(scope="module")
def examples() -> tuple[Example, ...]:
    rng = np.random.default_rng(0)
    blocks = [np.kron(rng.integers(0, 255, (2, 2, 3)), np.ones((24, 20, 1))) for _ in range(4)]
    return tuple(
        Example(pixels=one.astype(np.uint8), caption="a judge <pet>", sha256=str(i))
        for i, one in enumerate(blocks)
    )


PICTURES = [name for name, method in METHODS.items() if not method.clips and not method.whole]


@pytest.fixture(scope="module")
def trained(model, examples, tmp_path_factory):
    """A style that was learned once."""
    return train(model, examples, order(), tmp_path_factory.mktemp("trained"), lambda *_: None)


def order(method: str = "lora", **changes) -> TrainingOrder:
    return TrainingOrder(
        **{"method": method, "steps": 12, "rank": 4, "rate": 0.02, **EXTRA[method], **changes}
    )


def pixels(model: Generator, *adapters: AdapterRef, prompt: str = "a judge") -> np.ndarray:
    request = GenerationRequest(prompt=prompt, seeds=(3,), num_inference_steps=2, adapters=adapters)
    (picture,) = model.generate(request)
    return picture.frames.pixels


def write(folder: Path, trained, method: str = "lora", **metadata: str) -> Path:
    from safetensors.torch import save_file

    folder.mkdir()
    save_file(dict(trained.tensors), folder / ADAPTER, {"mediaguard.method": method, **metadata})
    return folder


def test_other_kinds_of_training_have_a_table_to_join() -> None:
    assert set(PICTURES) == set(EXTRA)


@pytest.mark.parametrize("method", PICTURES)
def test_the_loss_falls_and_the_model_is_itself_again(method, model, examples, tmp_path) -> None:
    before = pixels(model)
    steps: list[int] = []
    asked = order(method, batch=2, steps=12)
    trained = train(model, examples, asked, tmp_path, lambda step, _loss: steps.append(step))
    assert trained.loss_after < trained.loss_before
    assert steps == list(range(1, 13))
    assert trained.class_seeds == tuple(range(asked.class_pictures))
    assert np.array_equal(pixels(model), before)
    assert not any(".lora" in name for name, _ in model.pipeline.unet.named_parameters())


@pytest.mark.parametrize("method", PICTURES)
def test_a_resumed_run_equals_an_uninterrupted_one(method, model, tiny_folder, examples, tmp_path) -> None:
    class Interrupted(Exception):
        pass

    def stop(step: int, _loss: float) -> None:
        if step == 3:
            raise Interrupted

    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    # As a new process would: nothing of the first session is left in the second.
    second = dataclasses.replace(load(f"dir:{tiny_folder}", threads=1), defaults=FEW)
    asked = order(method, steps=4, save_every=2)
    whole = train(model, examples, asked, tmp_path / "a", lambda *_: None)
    with pytest.raises(Interrupted):
        train(model, examples, asked, tmp_path / "b", stop)
    resumed = train(second, examples, asked, tmp_path / "b", lambda *_: None)
    assert resumed.resumed_at == 2
    assert resumed.weights_sha256 == whole.weights_sha256
    assert (resumed.loss_before, resumed.loss_after) == (whole.loss_before, whole.loss_after)


def test_a_checkpoint_of_another_run_is_refused_and_a_damaged_one_said(model, examples, tmp_path) -> None:
    train(model, examples, order(steps=2), tmp_path, lambda *_: None)
    with pytest.raises(InputError) as refused:
        train(model, examples, order(steps=2, seed=1), tmp_path, lambda *_: None)
    assert refused.value.code == "train.other-run"
    longer = train(model, examples, order(steps=3), tmp_path, lambda *_: None)
    assert longer.resumed_at == 2
    file = tmp_path / "checkpoint.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(IntegrityError) as damaged:
        train(model, examples, order(steps=3), tmp_path, lambda *_: None)
    assert damaged.value.code == "train.checkpoint-damaged"


def test_scale_0_is_the_base_scale_1_is_not_and_nothing_stays(model, trained, tmp_path) -> None:
    before = pixels(model)
    folder = str(write(tmp_path / "style", trained))
    assert np.array_equal(pixels(model, AdapterRef(ref=folder, scale=0)), before)
    assert not np.array_equal(pixels(model, AdapterRef(ref=folder)), before)
    assert np.array_equal(pixels(model), before)


def test_two_requests_drawn_from_in_turns_do_not_mix(model, trained, tmp_path) -> None:
    adapter = AdapterRef(ref=str(write(tmp_path / "style", trained)))
    request = GenerationRequest(prompt="a judge", seeds=(3, 4), num_inference_steps=2)
    alone = [p.frames.pixels for p in model.generate(request)]
    laid = model.generate(dataclasses.replace(request, adapters=(adapter,)))
    plain = model.generate(request)
    for expected in alone:
        next(laid)
        assert np.array_equal(next(plain).frames.pixels, expected)


def test_a_learned_word_means_something_only_while_it_is_laid_over(model, examples, tmp_path) -> None:
    trained = train(model, examples, order("textual-inversion"), tmp_path, lambda *_: None)
    folder = str(write(tmp_path / "word", trained, "textual-inversion"))
    base, with_word = pixels(model), pixels(model, AdapterRef(ref=folder), prompt="a <pet> judge")
    assert not np.array_equal(base, with_word)
    assert np.array_equal(pixels(model, AdapterRef(ref=folder)), base)
    assert np.array_equal(pixels(model), base)
    assert "<pet>" not in model.pipeline.tokenizer.get_vocab()
    with pytest.raises(InputError, match="0 or 1"):
        pixels(model, AdapterRef(ref=folder, scale=0.5))


def test_the_recipe_names_adapter_scale_and_record(model, trained, tmp_path) -> None:
    from generators.recipe import Recipe
    from provenance.canonical import canonical_bytes

    said = {"mediaguard.training": "ab" * 32, "mediaguard.base": "cd" * 32}
    folder = write(tmp_path / "style", trained, **said)
    request = GenerationRequest(
        prompt="a judge",
        seeds=(3,),
        num_inference_steps=1,
        adapters=(AdapterRef(ref=str(folder), scale=0.5),),
    )
    (picture,) = model.generate(request)
    (record,) = picture.recipe.adapters
    assert (record.method, record.scale, record.training_sha256) == ("lora", 0.5, "ab" * 32)
    assert "adapter.other-base" in [w.code for w in picture.warnings]
    assert canonical_bytes(Recipe.from_json(picture.recipe.to_json()).to_json()) == picture.recipe.canonical()
    (folder / RECORD).write_text("{}")
    with pytest.raises(IntegrityError) as differs:
        next(model.generate(request))
    assert differs.value.code == "adapter.record-differs"
    (folder / RECORD).unlink()
    (unread,) = model.generate(request)
    assert "adapter.record-missing" in [w.code for w in unread.warnings]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\x80\x04pickle", "adapter.not-safetensors"),
        (b"\x02\x00\x00\x00\x00\x00\x00\x00{}", "adapter.unknown-layout"),
        (b"\x08\x00\x00\x00\x00\x00\x00\x00[1, 2]  ", "adapter.not-safetensors"),
        (None, "adapter.not-found"),
    ],
)
def test_files_that_are_no_adapters_are_refused(content, code, model, tmp_path) -> None:
    if content is not None:
        (tmp_path / ADAPTER).write_bytes(content)
    with pytest.raises(InputError) as refused:
        pixels(model, AdapterRef(ref=str(tmp_path)))
    assert refused.value.code == code


def words(folder: Path, name: str, vectors: dict, **metadata: str) -> AdapterRef:
    """An adapter file of learned words, as another program would write it."""
    import torch
    from safetensors.torch import save_file

    path = folder / f"{name}.safetensors"
    save_file({word: torch.tensor(one, dtype=torch.float32) for word, one in vectors.items()}, path, metadata)
    return AdapterRef(ref=str(path))


def refusal(model: Generator, *adapters: AdapterRef) -> str:
    with pytest.raises(Error) as refused:
        pixels(model, *adapters, prompt="a judge <pet>")
    return refused.value.code


def test_a_learned_word_is_nobody_elses(model, tmp_path) -> None:
    encoder, known = model.pipeline.text_encoder, sorted(model.pipeline.tokenizer.get_vocab())
    one = np.ones((1, encoder.get_input_embeddings().weight.shape[1]))
    special = next(word for word in known if word.startswith("<") and word.endswith(">"))
    mine = words(tmp_path, "mine", {"<pet>": one})
    assert refusal(model, words(tmp_path, "special", {special: one, "<pet>": one})) == "adapter.does-not-fit"
    assert refusal(model, mine, words(tmp_path, "same", {"<pet>": -one})) == "adapter.does-not-fit"
    parts = {"<pet>": np.vstack([one, one]), "<pet>_1": one}
    assert pixels(model, words(tmp_path, "parts", parts)) is not None  # of two vectors; "<pet>_1" is no word
    for count in (0, model.pipeline.tokenizer.model_max_length + 1):
        many = words(tmp_path, f"many{count}", {"<pet>": np.repeat(one, count, axis=0)})
        assert refusal(model, many) == "adapter.does-not-fit"
    alone = pixels(model, mine, prompt="a judge <pet>")
    beside = pixels(model, words(tmp_path, "two", {"<pet>": one, "<unused 4>": -one}), prompt="a judge <pet>")
    assert np.array_equal(alone, beside)


def test_an_adapter_of_numbers_that_are_none_is_refused(model, tmp_path) -> None:
    width = model.pipeline.text_encoder.get_input_embeddings().weight.shape[1]
    assert refusal(model, words(tmp_path, "nan", {"<pet>": [[np.nan] * width]})) == "adapter.not-finite"


@pytest.mark.parametrize("said", [{TRAINING: "a portrait of a secret"}, {METHOD: "../lora"}])
def test_what_an_adapter_says_of_its_training_is_looked_through_before_it_is_published(
    said, model, tmp_path
) -> None:
    width = model.pipeline.text_encoder.get_input_embeddings().weight.shape[1]
    hostile = words(tmp_path, "hostile", {"<pet>": np.ones((1, width))}, **said)
    assert refusal(model, hostile) == "adapter.unknown-layout"


def test_adapters_that_a_pipeline_carries_already_are_not_dropped(model, examples, tmp_path) -> None:
    folder = write(
        tmp_path / "a", train(model, examples, order(steps=1), tmp_path, lambda _step, _loss: None)
    )
    model.pipeline.load_lora_weights(str(folder), weight_name=ADAPTER, adapter_name="theirs")
    assert refusal(model, AdapterRef(ref=str(folder))) == "request.unsupported"
    assert model.pipeline.get_list_adapters() == {"unet": ["theirs"]}
    model.pipeline.unload_lora_weights()


def test_an_adapter_of_another_model_is_refused_in_one_line(model, tmp_path) -> None:
    import torch

    other = SimpleNamespace(tensors={"<pet>": torch.zeros(1, 7)})
    with pytest.raises(InputError) as refused:
        pixels(model, AdapterRef(ref=str(write(tmp_path / "other", other))))
    assert refused.value.code == "adapter.does-not-fit"


@pytest.mark.parametrize(
    "wrong",
    [
        {"method": "alchemy"},
        {"method": "textual-inversion"},
        {"method": "textual-inversion", "token": "pet"},
        {"method": "lora", "token": "<pet>"},
        {"method": "lora", "class_prompt": "a judge", "class_pictures": 1},
        {"method": "dreambooth", "class_prompt": "a judge"},
    ],
)
def test_orders_that_do_not_fit_together(wrong) -> None:
    with pytest.raises(InputError) as refused:
        TrainingOrder(**wrong)
    assert refused.value.code == "train.bad-order"


def test_the_adapter_is_laid_out_as_diffusers_writes_it(trained, tmp_path) -> None:
    names = load_file(write(tmp_path / "style", trained) / ADAPTER)
    assert all(name.startswith("unet.") and ".lora_" in name for name in names)
