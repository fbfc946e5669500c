"""GAN training in small: runs resume exactly, and the result is a model that loads and does what it says."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from generators.directions_adapter import entanglement, oracle_reader, save_directions
from generators.gan_conditions import Conditions, read_conditions
from generators.interface import Generation, Generator
from generators.oracle.network import OracleNetwork
from generators.registry import load
from generators.request import GenerationRequest
from generators.stylegan2_adapter import doubled, setup_filter
from generators.training import gan
from generators.training.emoji_data import Corpus
from generators.training.emoji_labels import PRESENTATIONS, STYLES, TONES, Label
from generators.training.gan_drawings import Drawings
from generators.training.gan_losses import LOSSES
from generators.training.gan_state import Contest
from generators.training.gan_teaching import teach
from generators.training.loop import Budget
from provenance.errors import InputError, IntegrityError

SMALL = gan.Settings(batch=4, channels=(8, 8, 8), save_every=0.0)


def corpus() -> Corpus:
    """Two professions and a thing, as plain squares of the tone's colour."""
    labels = [
        Label(subject=s, presentation=p, tone=t, style=y)
        for s in ("judge", "pilot")
        for p in PRESENTATIONS
        for t in TONES
        for y in STYLES[:2]
    ] + [Label(subject="cat", style=y) for y in STYLES[:2]]
    labels = [label for label in labels if not label.held_out]
    rgba = np.zeros((len(labels), 4, 32, 32), np.uint8)
    for picture, label in zip(rgba, labels, strict=True):
        shade = 30 + 40 * TONES.index(label.tone) if label.tone else 128
        picture[:3, 8:24, 8:24], picture[3, 8:24, 8:24] = shade, 255
    return Corpus(torch.from_numpy(rgba), tuple(labels))


@pytest.fixture(scope="module")
def data() -> Drawings:
    return gan.drawings(corpus(), 16, things=True)


@pytest.fixture(scope="module")
def folder(data: Drawings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of a few rounds, exported."""
    out = tmp_path_factory.mktemp("gan")
    model = gan.train(data, out / "work", Budget(steps=4), seed=0, settings=SMALL)
    gan.export(model, data.conditions, out / "model")
    return out / "model"


@pytest.fixture(scope="module")
def generator(folder: Path) -> Generator:
    return load(f"dir:{folder}", threads=1)


def draw(
    generator: Generator, prompt: str = "", seeds: tuple[int, ...] = (5,), **changes
) -> list[Generation]:
    request = GenerationRequest(prompt=prompt, seeds=seeds)
    return list(generator.generate(dataclasses.replace(request, **changes)))


def weights(model: torch.nn.Module) -> list[torch.Tensor]:
    return [value.detach() for value in model.parameters()]


# --- the run


def test_drawings_are_reduced_and_say_what_they_show(data: Drawings) -> None:
    assert data.rgba.shape[1:] == (4, 16, 16)
    assert dict(data.conditions.blocks)["subject"] == ("judge", "pilot", "cat")
    assert data.conditions.things == {"cat"}
    pictures, rows = data.batch(6, torch.Generator().manual_seed(0))
    assert pictures.shape == (6, 3, 16, 16)
    assert set(rows.sum(1).tolist()) <= {3.0, 5.0}, "a thing has subject, style and ground only"
    people = gan.drawings(corpus(), 16, things=False)
    assert dict(people.conditions.blocks)["subject"] == ("judge", "pilot")


@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_a_resumed_run_continues_exactly(data: Drawings, tmp_path: Path, loss: str) -> None:
    settings = dataclasses.replace(SMALL, loss=loss)
    whole = gan.train(data, tmp_path / "a", Budget(steps=4), seed=3, settings=settings)
    gan.train(data, tmp_path / "b", Budget(steps=2), seed=3, settings=settings)
    resumed = gan.train(data, tmp_path / "b", Budget(steps=4), seed=3, settings=settings)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name
        assert torch.isfinite(value).all()


def test_a_grown_run_begins_with_the_picture_it_had(data: Drawings, tmp_path: Path) -> None:
    """Half of the rounds at 8 pixels: what was learnt there is drawn at 16, enlarged."""
    settings = dataclasses.replace(SMALL, halved=0.5)
    whole = gan.train(data, tmp_path / "a", Budget(steps=4), seed=1, settings=settings)
    small = Contest(*gan.players(dataclasses.replace(SMALL, channels=(8, 8)), data.conditions.length), seed=1)
    assert small.resume(tmp_path / "a" / "halved")
    assert small.step == 2
    grown = Contest(*gan.players(SMALL, data.conditions.length), seed=1)
    grown.grow(tmp_path / "a" / "halved")
    _, condition = data.batch(2, torch.Generator().manual_seed(0))
    z = torch.randn(2, small.average.shape.z)
    with torch.no_grad():
        expected = doubled(small.average(z, condition), setup_filter())
        assert torch.allclose(grown.average(z, condition), expected, atol=1e-5)
    again = gan.train(data, tmp_path / "a", Budget(steps=4), seed=1, settings=settings)
    assert all(torch.equal(v, again.state_dict()[n]) for n, v in whole.state_dict().items())


def test_a_z_decides_the_scene_and_nothing_else(data: Drawings) -> None:
    """Its numbers move the drawing and colour the ground; what is drawn is the rng's."""
    z = torch.zeros(4, 64)
    first, rows = data.meant(z, torch.Generator().manual_seed(2))
    again, same = data.meant(z, torch.Generator().manual_seed(2))
    assert torch.equal(first, again)
    assert torch.equal(rows, same)
    assert first.shape == (4, 3, 16, 16)
    for number in range(18):
        other = z.clone()
        other[:, number] = 1.0
        changed, same = data.meant(other, torch.Generator().manual_seed(2))
        assert torch.equal(rows, same)
        assert (changed - first).abs().amax((1, 2, 3)).min() > 1e-3, number
    unused = torch.cat([z[:, :18], torch.randn(4, 46)], dim=1)
    assert torch.equal(first, data.meant(unused, torch.Generator().manual_seed(2))[0])


def test_a_taught_generator_draws_what_z_stands_for(data: Drawings, tmp_path: Path) -> None:
    settings = dataclasses.replace(SMALL, batch=16, channels=(16, 16, 16))
    taught, _ = gan.players(settings, data.conditions.length)
    z = torch.randn(32, taught.shape.z, generator=torch.Generator().manual_seed(0))
    meant, condition = data.meant(z, torch.Generator().manual_seed(0))

    def distance() -> float:
        with torch.no_grad():
            return float((taught(z, condition) - meant).abs().mean())

    before = distance()
    teach(taught, data, tmp_path, Budget(steps=120), seed=0, batch=16)
    assert distance() < before / 2


def test_a_taught_run_begins_with_its_lessons(data: Drawings, tmp_path: Path) -> None:
    """The game starts from what was taught, goes on from its own checkpoint, and watches the distance."""
    settings = dataclasses.replace(SMALL, taught=0.5, reconstruction=10.0)
    whole = gan.train(data, tmp_path, Budget(steps=4), seed=3, settings=settings)
    taught, _ = gan.players(settings, data.conditions.length)
    teach(taught, data, tmp_path / "taught", Budget(steps=2), seed=3, batch=settings.batch)
    played = Contest(*gan.players(settings, data.conditions.length), seed=3)
    assert played.resume(tmp_path)
    assert played.step == 2
    torch.manual_seed(0)
    strange, _ = gan.players(settings, data.conditions.length)
    near, far = (
        sum(float((a - b).norm()) for a, b in zip(weights(whole), weights(other), strict=True))
        for other in (taught, strange)
    )
    assert 0 < near < far / 10
    assert "distance" in gan.play(played, data, settings)
    again = gan.train(data, tmp_path, Budget(steps=4), seed=3, settings=settings)
    assert all(torch.equal(v, again.state_dict()[n]) for n, v in whole.state_dict().items())


def test_a_checkpoint_of_another_size_is_refused(data: Drawings, tmp_path: Path) -> None:
    gan.train(data, tmp_path, Budget(steps=1), seed=0, settings=SMALL)
    other = dataclasses.replace(SMALL, channels=(8, 8, 4))
    with pytest.raises(IntegrityError) as caught:
        gan.train(data, tmp_path, Budget(steps=2), seed=0, settings=other)
    assert caught.value.code == "train.checkpoint-damaged"
    (tmp_path / "state.safetensors").write_bytes(b"cut off")
    with pytest.raises(IntegrityError):
        gan.train(data, tmp_path, Budget(steps=2), seed=0, settings=SMALL)


@pytest.mark.slow
def test_it_learns_the_tones(data: Drawings, tmp_path: Path) -> None:
    """After some rounds the middle of a picture is as dark as was asked."""
    settings = dataclasses.replace(SMALL, batch=16, channels=(24, 24, 16), save_every=1e9)
    model = gan.train(data, tmp_path, Budget(steps=500), seed=0, settings=settings)
    said = {"subject": "judge", "presentation": "man", "style": "flat", "ground": "blue"}
    rows = [data.conditions.vector({**said, "tone": tone}) for tone in (TONES[1], TONES[-1])]
    with torch.no_grad():
        z = torch.randn(16, model.shape.z, generator=torch.Generator().manual_seed(0))
        shades = [model(z, torch.tensor([row] * 16))[:, :, 6:10, 6:10].mean().item() for row in rows]
    assert shades[1] > shades[0] + 0.3, shades


# --- the model as users meet it


def test_same_seed_same_bytes_whatever_stands_beside_it(generator: Generator) -> None:
    one, two = draw(generator, "a woman judge", (5, 6))
    (again,) = draw(generator, "a woman judge", (6,))
    assert np.array_equal(two.frames.pixels, again.frames.pixels)
    assert two.recipe == again.recipe
    assert not np.array_equal(one.frames.pixels, two.frames.pixels)
    assert one.frames.pixels.shape == (1, 512, 512, 3)


def test_what_was_not_said_is_drawn_and_on_record_and_nothing_else_is(generator: Generator) -> None:
    (picture,) = draw(generator, "a woman judge on blue")
    options = picture.recipe.options
    assert set(options) == {"truncation", "tone", "style"}
    assert "judge" not in picture.recipe.canonical().decode()
    tone = options["tone"] if options["tone"] == "yellow" else f"{options['tone']} skin"
    (said,) = draw(generator, f"a {tone} woman judge on blue, {options['style']} style")
    assert np.array_equal(picture.frames.pixels, said.frames.pixels)
    (replayed,) = draw(generator, "a woman judge on blue", options=options)
    assert np.array_equal(picture.frames.pixels, replayed.frames.pixels)


def test_attributes_are_drawn_evenly(data: Drawings) -> None:
    rng = np.random.default_rng(0)
    drawn = [data.conditions.drawn({}, rng.random(5).tolist()) for _ in range(900)]
    subjects = [row["subject"] for row in drawn]
    assert all(240 < subjects.count(name) < 360 for name in ("judge", "pilot", "cat"))
    assert all("tone" not in row for row in drawn if row["subject"] == "cat")
    people = [data.conditions.drawn({"tone": "dark"}, rng.random(5).tolist()) for _ in range(50)]
    assert "cat" not in {row["subject"] for row in people}


def test_words_it_was_not_trained_on_are_reported(generator: Generator) -> None:
    (picture,) = draw(generator, "a grumpy dog")
    assert [w.code for w in picture.warnings] == ["prompt.unknown-words", "prompt.not-drawn"]


def test_truncation_and_noise_change_the_picture(generator: Generator) -> None:
    pictures = [
        draw(generator, "a judge", options=options)[0].frames.pixels.tobytes()
        for options in ({}, {"truncation": 0.0}, {"truncation": 1.4})
    ]
    assert len(set(pictures)) == 3
    assert draw(generator, "a judge", options={"noise": "none"})


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"guidance_scale": 3.0}, "guidance_scale"),
        ({"num_inference_steps": 20}, "num_inference_steps"),
        ({"negative_prompt": "dark"}, "negative_prompt"),
        ({"scheduler": "ddim"}, "scheduler"),
        ({"num_frames": 8}, "num_frames"),
        ({"options": {"eta": 1}}, "options.eta"),
        ({"options": {"noise": "pink"}}, "options.noise"),
        ({"options": {"truncation": 9}}, "options.truncation"),
        ({"options": {"truncation": "half"}}, "options.truncation"),
        ({"options": {"tone": "green"}}, "tone=green"),
        ({"options": {"subject": "pilot"}}, "options.subject"),
        ({"options": {"directions": {"younger": 1}}}, "options.directions.younger"),
        ({"width": 512, "height": 256}, "512×256"),
    ],
)
def test_what_it_cannot_honour_is_an_error(generator: Generator, changes: dict, where: str) -> None:
    with pytest.raises(InputError) as caught:
        draw(generator, "a judge", **changes)
    assert caught.value.where == where


def test_hooks_and_marked_noise_are_refused(generator: Generator) -> None:
    request = GenerationRequest(prompt="a judge", seeds=(1,))
    with pytest.raises(InputError, match="cannot honour"):
        list(generator.generate(request, [object()]))
    with pytest.raises(InputError, match="cannot honour"):
        list(generator.generate(request, latents=object()))


# --- directions


def test_directions_are_applied_and_recorded(generator: Generator) -> None:
    assert set(generator.directions) == {
        "tone-dark",
        "presentation-woman",
        "sefa-1",
        "sefa-2",
        "sefa-3",
        "sefa-4",
    }
    assert [file.path for file in generator.model.weights] == [
        "generator.safetensors",
        "directions.safetensors",
    ]
    plain, moved = (
        draw(generator, "a judge", options={"directions": moves})[0] for moves in ({}, {"sefa-1": 3.0})
    )
    assert not np.array_equal(plain.frames.pixels, moved.frames.pixels)
    assert moved.recipe.options["directions"] == {"sefa-1": 3.0}


def test_factorised_directions_are_orthogonal_and_the_first_moves_styles_most(generator: Generator) -> None:
    first, second = generator.directions["sefa-1"], generator.directions["sefa-2"]
    assert abs(first @ second) < 1e-3 * first.norm() * second.norm()
    state = generator.network.state_dict()
    stacked = torch.cat([v for k, v in state.items() if k.endswith("affine.weight") and "conv" in k])
    random = torch.randn(len(first), 50, generator=torch.Generator().manual_seed(0))
    moved = (stacked @ (first / first.norm())).norm()
    assert moved > (stacked @ (random / random.norm(dim=0))).norm(dim=0).max()


def test_the_report_says_what_else_changes(generator: Generator, data: Drawings, tmp_path: Path) -> None:
    def read(pictures: torch.Tensor) -> dict[str, torch.Tensor]:
        dark = (pictures.mean((1, 2, 3)) > 0).long()
        return {"tone": dark, "style": torch.zeros_like(dark)}

    still = torch.zeros_like(generator.directions["tone-dark"])
    report = entanglement(generator.network, still, read, conditions=data.conditions, count=8)
    assert report.changed == {"tone": 0.0, "style": 0.0}
    report = entanglement(
        generator.network,
        generator.directions["sefa-1"],
        read,
        conditions=data.conditions,
        strength=20,
        wanted=("tone", 1),
        count=8,
    )
    assert report.changed["style"] == 0.0
    assert report.toward is not None
    assert report.pictures == 8
    weights = tmp_path / "oracle.safetensors"
    save_file({k: v.half().contiguous() for k, v in OracleNetwork().state_dict().items()}, weights)
    answers = oracle_reader(weights)(torch.zeros(2, 3, 16, 16))
    assert answers["tone"].shape == (2,)


def test_foreign_directions_are_refused(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "m")
    save_directions({"smile": torch.zeros(3)}, tmp_path / "m")
    with pytest.raises(InputError) as caught:
        load(f"dir:{tmp_path / 'm'}")
    assert (caught.value.code, caught.value.where) == ("gan.layout", "smile")


def test_conditions_survive_their_card(data: Drawings, folder: Path) -> None:
    card = json.loads((folder / "card.json").read_text())
    assert read_conditions(card["conditions"]) == data.conditions
    assert isinstance(data.conditions, Conditions)
