"""What lies in the folder of a motion model is looked through before anything is made of it."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from simulators.tiny_motion import build_motion

from generators import vocabulary
from generators.adapter_files import RECORD, TRAINING
from generators.motion_files import CARD, PHRASES, SPATIAL, WEIGHTS, read_card
from generators.registry import load
from generators.request import GenerationRequest
from provenance.errors import Error, InputError, IntegrityError
from provenance.media import Frames

ASKED = GenerationRequest(
    prompt="a cook", seeds=(1,), num_frames=2, num_inference_steps=2, width=32, height=32
)
TOLD = b'{"schema_version": 1}'


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path) -> Path:
    return build_motion(tmp_path_factory.mktemp("motion") / "video", tiny_folder)


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "video"))


def refused(folder: Path) -> Error:
    with pytest.raises(Error) as caught:
        load(f"dir:{folder}", threads=1)
    return caught.value


def named(folder: Path, record: bytes | None) -> None:
    """The weights as training leaves them: with the digest of their record inside."""
    metadata = {"format": "pt"}
    if record is not None:
        metadata[TRAINING] = hashlib.sha256(record).hexdigest()
    save_file(load_file(folder / WEIGHTS), folder / WEIGHTS, metadata=metadata)


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_the_record_that_weights_name_is_in_every_recipe(folder: Path) -> None:
    named(folder, TOLD)
    (folder / RECORD).write_bytes(TOLD)
    (made,) = load(f"dir:{folder}", threads=1).generate(ASKED)
    assert [one.training_sha256 for one in made.recipe.adapters] == [hashlib.sha256(TOLD).hexdigest()]


@pytest.mark.parametrize(
    ("inside", "beside"),
    [(TOLD, TOLD + b" "), (None, TOLD), (TOLD, None)],
    ids=["edited", "of other weights", "gone"],
)
def test_another_record_of_training_or_none_is_refused(folder: Path, inside, beside) -> None:
    named(folder, inside)
    if beside is not None:
        (folder / RECORD).write_bytes(beside)
    error = refused(folder)
    assert isinstance(error, IntegrityError)
    assert (error.code, error.where) == ("model.record-differs", "video")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"motion_layers_per_block": 10**6}, "weights.config"),
        ({"block_out_channels": [32] * 65}, "weights.config"),
        ({"motion_max_seq_length": 10**9}, "weights.config"),
        ({"motion_num_attention_heads": 0}, "weights.missing-component"),
        ({"block_out_channels": [-32, 64]}, "weights.missing-component"),
        ({"block_out_channels": "many"}, "weights.missing-component"),
        # Within every limit, and 400 GB of numbers: nothing is built of what the weights do not hold.
        ({"motion_max_seq_length": 2**24, "block_out_channels": [2**17, 2**17]}, "weights.missing-component"),
    ],
)
def test_a_configuration_is_bounded_before_it_is_built(folder: Path, changes, code: str) -> None:
    edit(folder / "motion_adapter" / "config.json", **changes)
    assert refused(folder).code == code


@pytest.mark.parametrize(
    "changes",
    [
        {"frames": 8.5},
        {"frames": True},
        {"most_frames": 10**6},
        {"frames": 12, "most_frames": 11},
        {"fps": 0},
        {"fps": float("nan")},
        {"steps": 10**9},
        {"guidance_scale": -1},
        {"size": 100},
        {"shared_noise": 1},
        {"finish": []},
        {"name": "x" * 2000},
        {"kind": None},
        {"base": 1},
    ],
)
def test_numbers_and_texts_of_a_card_are_bounded(folder: Path, changes) -> None:
    edit(folder / CARD, **changes)
    assert refused(folder).code == "motion.bad-card"


def test_a_card_that_is_no_object_is_refused(folder: Path) -> None:
    for text in ("[]", "{", "[" * 10_000):
        (folder / CARD).write_text(text)
        assert refused(folder).code == "motion.bad-card"


def test_a_motion_model_is_no_picture_model_to_another(folder: Path) -> None:
    edit(folder / CARD, base=f"dir:{folder}")
    assert refused(folder).code == "motion.bad-card"


def test_the_longest_clip_of_a_card_is_kept_to(folder: Path) -> None:
    edit(folder / CARD, frames=2, most_frames=3)
    model = load(f"dir:{folder}", threads=1)
    (made,) = model.generate(replace(ASKED, num_frames=3))
    assert len(made.frames.pixels) == 3
    with pytest.raises(InputError, match="at most 3") as caught:
        next(iter(model.generate(replace(ASKED, num_frames=4))))
    assert caught.value.code == "request.frames"


def test_words_of_a_motion_model_are_read_by_the_one_reader(folder: Path) -> None:
    own = vocabulary.load(Path(vocabulary.__file__).with_name("training") / "emoji_words.json")
    for text in ("{}", '{"movements": {"left": "leftwards"}}', "not JSON"):
        (folder / PHRASES).write_text(text)
        with pytest.raises(InputError) as caught:
            vocabulary.taught_movements(own, folder / PHRASES)
        assert caught.value.code == "model.words"


def test_a_spatial_change_of_no_layer_is_refused(folder: Path) -> None:
    unet = load(f"dir:{folder}", threads=1).pipeline.unet
    layer = next(name for name, _ in unet.named_modules() if name.endswith("resnets.0.conv1"))
    wide = unet.get_submodule(layer).weight.shape
    change = {"lora_A.weight": torch.zeros(2, *wide[1:]), "lora_B.weight": torch.zeros(wide[0], 2, 1, 1)}
    known = {f"{layer}.{name}": value for name, value in change.items()}
    save_file(known, folder / SPATIAL)
    assert load(f"dir:{folder}", threads=1)
    save_file({**known, "hidden.lora_A.weight": torch.zeros(2, 3)}, folder / SPATIAL)
    error = refused(folder)
    assert error.code == "motion.does-not-fit"
    assert "no layer for hidden.lora_A" in error.what


@pytest.fixture
def sigmas(folder: Path, tiny_folder: Path, tmp_path: Path) -> Path:
    """The motion model over a picture model whose own scheduler scales samples between steps."""
    base = Path(shutil.copytree(tiny_folder, tmp_path / "base"))
    name = "EulerDiscreteScheduler"
    edit(base / "model_index.json", scheduler=["diffusers", name])
    edit(base / "scheduler" / "scheduler_config.json", _class_name=name, use_karras_sigmas=True)
    edit(folder / CARD, base=f"dir:{base}")
    assert read_card(folder).base.endswith("base")
    return folder


def test_given_frames_look_at_the_scheduler_that_draws(sigmas: Path) -> None:
    model = load(f"dir:{sigmas}", threads=1)
    picture = Frames(pixels=np.full((1, 32, 32, 3), 200, np.uint8))
    given = replace(ASKED, init=picture, options={"given_frames": [0]})
    with pytest.raises(InputError) as caught:
        next(iter(model.generate(given)))
    assert (caught.value.code, caught.value.where) == ("request.unsupported", "init")
    assert "ddim" in str(caught.value.hint)
    for changes in ({"scheduler": "ddim"}, {"fast": ("few-steps",)}):
        (made,) = model.generate(replace(given, **changes))
        assert not made.recipe.scheduler.name.startswith("Euler")
        assert [hook.name for hook in made.recipe.hooks][-1] == "given-frames"
    assert next(iter(model.generate(ASKED))).recipe.scheduler.name.startswith("Euler")
