"""From one picture: patches come from it alone, cells hear their neighbours alone."""

from __future__ import annotations

import pytest
import torch

from generators.reference import gpnn, nca
from generators.reference.data import Picture
from generators.reference.outputs import TrainingTask
from provenance.errors import InputError


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def scene(photograph) -> torch.Tensor:
    """A 36 × 44 view of a photograph, (3, H, W) in [-1, 1]."""
    whole = torch.from_numpy(photograph.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
    return torch.nn.functional.interpolate(whole, (48, 48), mode="area")[0][:, 4:40, 2:46]


SMALL = gpnn.Settings(patch=5, coarsest=12, rounds=2)


def test_without_noise_the_picture_itself_comes_back(scene) -> None:
    made = gpnn.generate(scene, seeded(), gpnn.Settings(patch=5, coarsest=12, rounds=2, noise=0))
    assert (made - scene).abs().max() < 1 / 127.5


def test_with_noise_something_else_of_the_same_patches(scene) -> None:
    made = gpnn.generate(scene, seeded(1), SMALL)
    assert made.shape == scene.shape
    assert (made - scene).square().mean().sqrt() > 0.05, "it is another picture"
    noise = scene.flatten(1)[:, torch.randperm(scene[0].numel(), generator=seeded())].reshape(scene.shape)
    near, far = (gpnn.coherence(one, scene, 5).mean() for one in (made, noise))
    assert near < far / 4
    assert torch.equal(made, gpnn.generate(scene, seeded(1), SMALL))
    assert not torch.equal(made, gpnn.generate(scene, seeded(2), SMALL))


def test_before_folding_every_patch_is_one_of_the_picture(scene) -> None:
    """A picture in two exact colours, patches side by side: nothing else can come out."""
    board = torch.where(scene > scene.median(), 1.0, -1.0)
    known = gpnn.patches(board, 5)
    queries = known + 0.3 * torch.randn(known.shape, generator=seeded())
    chosen = known[gpnn.nearest(queries, known, 0.005)]
    rows = {tuple(row) for row in known.int().tolist()}
    assert all(tuple(row) in rows for row in chosen.int().tolist())


def test_scores_are_divided_by_how_well_a_key_is_used() -> None:
    """Eq. 1: the second key is far from both queries, and gets the one that is nearer to it."""
    queries, keys = torch.tensor([[0.0], [0.3]]), torch.tensor([[0.0], [2.0]])
    assert gpnn.nearest(queries, keys, 1e6).tolist() == [0, 0]  # plain nearest neighbours
    assert gpnn.nearest(queries, keys, 1e-3).tolist() == [0, 1]  # completeness


def test_folding_the_own_patches_gives_the_picture(scene) -> None:
    assert torch.allclose(gpnn.folded(gpnn.patches(scene, 7), scene.shape, 7), scene, atol=1e-5)


def cross() -> Picture:
    rgba = torch.zeros(4, 8, 8)
    rgba[3, 3:5, :] = rgba[3, :, 3:5] = 1
    rgba[0] = 0.9
    rgba[2, :, 4:] = 0.8
    return Picture(rgba=rgba, name="a cross", licence="CC0-1.0")


def test_news_travels_two_cells_a_step() -> None:
    torch.manual_seed(0)
    model = nca.Automaton(width=16).eval()
    torch.nn.init.normal_(model.rule[-1].weight, std=0.2)
    cells = torch.rand(1, nca.CHANNELS, 17, 17, generator=seeded()) * 0.3
    changed = cells.clone()
    changed[0, :, 8, 8] += 2
    with torch.no_grad():
        apart = (model(changed, seeded(1)) - model(cells, seeded(1))).abs().amax(1)[0]
    assert apart[8, 8] > 0
    y, x = (torch.arange(17) - 8).abs(), (torch.arange(17) - 8).abs()
    outside = torch.maximum(y[:, None], x) > 2
    assert apart[outside].max() == 0


def test_dead_fields_stay_empty_and_the_untrained_do_nothing() -> None:
    model = nca.Automaton(width=16)
    empty, seed = torch.zeros(1, nca.CHANNELS, 9, 9), nca.seed_cell(9, 9)
    with torch.no_grad():
        assert model.run(empty, 3, seeded()).abs().max() == 0
        assert torch.equal(model.run(seed, 3, seeded()), seed)


@pytest.mark.parametrize(
    ("steps", "grown", "left"), [(45, 12, 0.9), pytest.param(90, nca.GROWN, 0.7, marks=pytest.mark.slow)]
)
def test_it_grows_the_target(steps: int, grown: int, left: float, tmp_path, monkeypatch) -> None:
    """Half of the growth and half of the training in the short form, which leaves more of the way."""
    monkeypatch.setattr(nca, "GROWN", grown)
    picture = cross()
    model, wanted = nca.train(picture, TrainingTask(work=tmp_path, steps=steps)), nca.target(picture)
    with torch.no_grad():
        grown = model.run(nca.seed_cell(*wanted.shape[1:]), 2 * nca.GROWN, seeded())
    error, empty = (grown[0, :4] - wanted).square().mean(), wanted.square().mean()
    assert error < left * empty


def test_a_loss_that_is_no_number_stops_before_it_spoils_the_weights(tmp_path) -> None:
    from generators.reference.fitting import fit

    model = torch.nn.Sequential(torch.nn.Linear(8, 8))
    before = model[0].weight.detach().clone()
    with pytest.raises(InputError) as caught:
        fit(model, lambda _: model[0].weight.sum() * torch.nan, work=tmp_path, steps=3, seed=0)
    assert caught.value.code == "reference.diverged"
    assert torch.equal(model[0].weight, before)


def test_a_resumed_training_ends_as_one_that_was_not_stopped(tmp_path, monkeypatch) -> None:
    """Same weights, pool included; the rates depend on the end that is aimed at, so that stays."""
    from generators.reference import fitting

    class Stopped(Exception):
        pass

    monkeypatch.setattr(nca, "GROWN", 8)
    picture, task = cross(), TrainingTask(work=tmp_path / "parts", steps=6)
    whole = nca.train(picture, TrainingTask(work=tmp_path / "whole", steps=6))
    monkeypatch.setattr(fitting, "_EVERY", 3)
    save = fitting._save

    def save_and_stop(run, work, beside) -> None:
        save(run, work, beside)
        if run.step == 3:
            raise Stopped

    monkeypatch.setattr(fitting, "_save", save_and_stop)
    with pytest.raises(Stopped):
        nca.train(picture, task)
    monkeypatch.setattr(fitting, "_save", save)
    again = nca.train(picture, task)
    for a, b in zip(whole.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)
