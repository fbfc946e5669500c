"""One file a checkpoint: private, whole, of numbers only, and older folders are continued."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from generators.energy import Counter, Energy, Meter
from generators.gan_conditions import Conditions
from generators.training import checkpoints, gan
from generators.training.effort import Effort, from_json, to_json
from generators.training.gan_state import Contest
from generators.training.loop import Run
from generators.training.own_gan import Pictures
from provenance.errors import InputError, IntegrityError


def fresh(wide: int = 16) -> Run:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(8, wide), torch.nn.Linear(wide, 8))
    return Run(model, matrix_rate=0.01, rate=1e-3, average=0.9, seed=3)


def steps(run: Run, count: int) -> Run:
    for _ in range(count):
        batch = torch.randn(4, 8, generator=run.rng)
        run.advance((run.model(batch) - batch).pow(2).mean(), 0.0)
    return run


def apart(run: Run, folder: Path, *, step: int) -> None:
    """As runs were written before: tensors without metadata, the progress in a file beside them."""
    run.save(folder)
    tensors = load_file(folder / "state.safetensors")
    save_file(tensors, folder / "state.safetensors")
    (folder / "progress.json").write_text(json.dumps({"step": step, "seconds": 71.5}))


def test_a_run_is_one_private_file_that_says_how_far_it_is(tmp_path: Path) -> None:
    run = steps(fresh(), 3)
    run.save(tmp_path / "run")
    (file,) = (tmp_path / "run").iterdir()
    assert (file.name, file.stat().st_mode & 0o777) == ("state.safetensors", 0o600)
    with safe_open(file, "pt") as opened:
        progress = json.loads(opened.metadata()["progress"])
    assert progress["step"] == 3
    assert progress["seconds"] >= 0
    assert progress["energy"]["joules"] > 0


@pytest.mark.parametrize("said", [3, 2])
def test_a_run_of_two_files_goes_on_even_where_a_crash_left_them_of_two_steps(said, tmp_path: Path) -> None:
    whole = steps(fresh(), 5)
    apart(steps(fresh(), 3), tmp_path, step=said)
    again = fresh()
    assert again.resume(tmp_path)
    assert again.step == 3
    assert 71.5 <= again.seconds < 90
    steps(again, 2)
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters, again.parameters, strict=True))
    again.save(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["state.safetensors"]
    (tmp_path / "progress.json").write_text('{"step": 9, "seconds": 1}')  # a crash before it is removed
    last = fresh()
    assert last.resume(tmp_path)
    assert last.step == 5


def test_another_network_and_a_damaged_file_are_said(tmp_path: Path) -> None:
    steps(fresh(), 1).save(tmp_path)
    with pytest.raises(InputError) as other:
        fresh(12).resume(tmp_path)
    assert other.value.code == "train.other-run"
    apart(steps(fresh(), 1), tmp_path, step=1)
    with pytest.raises(IntegrityError) as smaller:
        fresh(12).resume(tmp_path)
    (tmp_path / "progress.json").write_text("[]")
    with pytest.raises(IntegrityError) as unsaid:
        fresh().resume(tmp_path)
    assert smaller.value.code == unsaid.value.code == "train.checkpoint-damaged"


@pytest.mark.parametrize(
    "said",
    [
        '{"step": "many"}',
        '{"step": 1, "seconds": []}',
        '{"step": 1, "energy": {"joules": 1}}',
        '{"step": 1, "pace": 1}',
        "[" * 100_000,
    ],
)
def test_progress_that_is_none_is_a_damaged_checkpoint(said: str, tmp_path: Path) -> None:
    file = tmp_path / "state.safetensors"
    save_file({"rng": torch.zeros(1)}, file, metadata={"run": "ab", "progress": said})
    assert checkpoints.reached(file, "ab") is None
    with pytest.raises(IntegrityError) as damaged:
        checkpoints.read(file, "ab")
    assert damaged.value.code == "train.checkpoint-damaged"


def test_what_is_no_number_ends_a_run_and_changes_nothing(tmp_path: Path) -> None:
    run = steps(fresh(), 1)
    run.save(tmp_path)
    kept = (tmp_path / "state.safetensors").read_bytes()
    before = [p.detach().clone() for p in run.parameters]
    with pytest.raises(IntegrityError) as refused:
        run.advance(run.parameters[0].sum() * float("inf"), 0.0)
    assert refused.value.code == "train.not-finite"
    assert run.step == 1
    assert all(torch.equal(a, b) for a, b in zip(before, run.parameters, strict=True))
    with torch.no_grad():
        run.parameters[0][0, 0] = float("nan")
    with pytest.raises(IntegrityError) as unsaved:
        run.save(tmp_path)
    assert unsaved.value.code == "train.not-finite"
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("state.safetensors", kept)]


def test_a_gan_that_sees_no_numbers_ends_and_writes_nothing(tmp_path: Path) -> None:
    pixels = torch.full((2, 3, 8, 8), float("nan"))
    data = Pictures(pixels=pixels, classes=("", ""), conditions=Conditions(blocks=(), things=frozenset()))
    settings = gan.Settings(batch=2, channels=(8, 8), save_rounds=1)
    with pytest.raises(IntegrityError) as refused:
        gan.train(data, tmp_path, gan.Budget(steps=2), seed=0, settings=settings)
    assert refused.value.code == "train.not-finite"
    assert not list(tmp_path.iterdir())


def test_a_gan_of_before_and_one_of_another_name(tmp_path: Path) -> None:
    """Checkpoints of before say steps and seconds, and no name of the run."""
    settings = gan.Settings(batch=2, channels=(8, 8))
    contest = Contest(*gan.players(settings, 0), seed=0)
    contest.step = 4
    contest.save(tmp_path)
    file = tmp_path / "state.safetensors"
    save_file(load_file(file), file, metadata={"progress": '{"step": 4, "seconds": 2.5}'})
    again = Contest(*gan.players(settings, 0), seed=0)
    assert again.resume(tmp_path)
    assert again.step == 4
    with pytest.raises(InputError) as other:
        Contest(*gan.players(settings, 0), seed=0, identity="ab" * 32).resume(tmp_path)
    assert other.value.code == "train.other-run"


def test_what_earlier_sessions_took_is_added() -> None:
    counted = iter((1.0, 4.0, 4.0, 9.0, 9.0))
    effort = Effort(Meter(counters=(Counter(read=lambda: next(counted)),)))
    effort.resume(60.0, to_json(Energy(joules=100.0, grams=1.0)))
    assert effort.energy().joules == 103.0
    assert effort.seconds >= 60
    assert from_json(to_json(effort.energy())).method == "measured"
    unmetered = Effort(Meter(counters=(Counter(read=lambda: 1.0),)))
    unmetered.resume(60.0, None)
    assert unmetered.energy().method == "estimated"
    assert "an earlier session was not metered" in unmetered.energy().assumptions


def test_a_tensor_of_another_shape_is_not_stretched() -> None:
    with pytest.raises(ValueError, match="size"):
        checkpoints.put(torch.zeros(4, 4), torch.zeros(1, 4))
