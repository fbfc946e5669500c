"""The lab: repeatable, continued after a stop, the same in one process and in several."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from audits.robustness.attempt import NULL_ATTACKS, Task, payload, run_trial
from audits.robustness.lab import Setup, measure
from audits.robustness.samples import files_in, find_samples
from audits.robustness.trial import Trial, shown
from provenance.errors import InputError

QUICK = Setup(methods=("dwtDct",), attacks="sweep-erasing", decoys=4)


def timeless(trial: Trial) -> Trial:
    """Without what a clock said."""
    survivals = tuple(replace(survival, milliseconds=0.0) for survival in trial.survivals)
    return replace(trial, milliseconds=0.0, survivals=survivals)


def run(folder, setup=QUICK, **options):
    samples, refused = find_samples(files_in(folder))
    return measure(samples, setup, refused=refused, **options)


def task(folder, **changed) -> Task:
    sample = find_samples(files_in(folder))[0][0]
    fields = {"method": "dwtDct", "payload_bits": 0, "attacks": "ci12", "seed": 1, "decoys": 4}
    return Task(sample=sample, **{**fields, **changed})


def test_a_trial_is_repeatable_and_follows_its_seed(small_folder) -> None:
    first, again, other = (run_trial(task(small_folder, seed=seed)) for seed in (1, 1, 2))
    assert timeless(first) == timeless(again)
    assert timeless(first) != timeless(other)


def test_a_trial_goes_through_json_and_back(small_folder) -> None:
    trial = run_trial(task(small_folder))
    assert Trial.from_json(json.loads(json.dumps(trial.to_json()))) == trial


def test_what_a_trial_says_holds_together(small_folder) -> None:
    trial = run_trial(task(small_folder))
    assert trial.refused is None
    assert len(trial.survivals) == 12
    assert trial.null.looks == len(NULL_ATTACKS)
    by_name = {survival.attack: survival for survival in trial.survivals}
    assert by_name["none"].psnr is None  # nothing changed
    assert by_name["none"].ssim == pytest.approx(1)
    assert by_name["jpeg30"].psnr < by_name["jpeg50"].psnr
    assert by_name["hflip"].psnr is by_name["crop25%"].ssim is None
    for survival in trial.survivals:
        assert survival.exact == (survival.accuracy == 1)
        assert survival.wrong is None  # this method never vouches for what it reads


def test_methods_share_payload_and_key(small_folder) -> None:
    one, other = task(small_folder), task(small_folder, method="tile", attacks="core35")
    assert (payload(one, 64) == payload(other, 64)).all()
    assert (payload(one, 64)[:32] == payload(one, 32)).all()
    assert not (payload(one, 64) == payload(task(small_folder, seed=2), 64)).all()


def test_a_run_is_continued_where_it_stopped(small_folder, tmp_path) -> None:
    file = tmp_path / "trials.jsonl"
    whole = run(small_folder, checkpoint=file)
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:2]) + lines[2][:50])  # killed while the second trial was written
    told = []
    continued = run(small_folder, checkpoint=file, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]
    assert list(map(timeless, continued.trials)) == list(map(timeless, whole.trials))
    assert len(file.read_bytes().splitlines()) == 3


def test_methods_and_pictures_may_be_added_to_a_run(small_folder, tmp_path) -> None:
    file = tmp_path / "trials.jsonl"
    samples, _ = find_samples(files_in(small_folder))
    measure(samples[:1], QUICK, checkpoint=file)
    more = replace(QUICK, methods=("dwtDctSvd", "dwtDct"))
    told = []
    measured = measure(samples, more, checkpoint=file, progress=lambda *counts: told.append(counts))
    assert told[0] == (1, 4)
    order = [(trial.method, trial.name) for trial in measured.trials]
    assert order == [(method, name) for method in more.methods for name in ("face.png", "suit.png")]


@pytest.mark.parametrize("change", [{"seed": 2}, {"attacks": "sweep-jpeg"}, {"decoys": 3}])
def test_a_checkpoint_of_another_run_is_refused(small_folder, tmp_path, change) -> None:
    file = tmp_path / "trials.jsonl"
    run(small_folder, checkpoint=file)
    before = file.read_bytes()
    with pytest.raises(InputError, match=next(iter(change))) as raised:
        run(small_folder, replace(QUICK, **change), checkpoint=file)
    assert raised.value.code == "bench.checkpoint"
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"\n", b"[]\n", b"{}\n", b"\xff\xfe\n", b'{"format": "other"}\n', b"null"]
)
def test_what_is_no_checkpoint_is_refused_and_kept(small_folder, tmp_path, content) -> None:
    file = tmp_path / "trials.jsonl"
    file.write_bytes(content)
    with pytest.raises(InputError) as raised:
        run(small_folder, checkpoint=file)
    assert raised.value.code == "bench.checkpoint"
    assert file.read_bytes() == content


@pytest.mark.parametrize("length", [0, 30])
def test_a_run_that_stopped_in_its_first_line_starts_anew(small_folder, tmp_path, length) -> None:
    file = tmp_path / "trials.jsonl"
    run(small_folder, checkpoint=file)
    whole = file.read_bytes()
    file.write_bytes(whole[:length])
    assert len(run(small_folder, checkpoint=file).trials) == 2
    assert file.read_bytes().splitlines()[0] == whole.splitlines()[0]


@pytest.mark.parametrize("line", [b"{}", b"1", b'{"method": 1}', b"null", b'{"survivals": 3}'])
def test_a_checkpoint_with_a_strange_line_is_refused(small_folder, tmp_path, line) -> None:
    file = tmp_path / "trials.jsonl"
    run(small_folder, checkpoint=file)
    head = file.read_bytes().splitlines(keepends=True)[0]
    file.write_bytes(head + line + b"\n")
    with pytest.raises(InputError) as raised:
        run(small_folder, checkpoint=file)
    assert raised.value.code == "bench.checkpoint"


def test_a_picture_that_fails_does_not_stop_the_others(small_folder) -> None:
    samples, _ = find_samples(files_in(small_folder))
    (small_folder / "face.png").write_text("gone")
    measured = measure(samples, QUICK)
    assert [trial.name for trial in measured.trials] == ["suit.png"]
    assert [(one.name, one.code) for one in measured.refused] == [("face.png, dwtDct", "input.not-media")]


def test_a_picture_that_cannot_carry_a_mark_counts_as_refused(photograph, tmp_path) -> None:
    from PIL import Image

    Image.fromarray(photograph[:100, :100]).save(tmp_path / "small.png")
    (trial,) = run(tmp_path, replace(QUICK, methods=("tile",), decoys=1)).trials
    assert trial.refused == "watermark.capacity-exceeded"
    assert trial.survivals == ()


@pytest.mark.parametrize(
    ("setup", "code"),
    [
        (replace(QUICK, methods=("nothing",)), "watermark.method"),
        (replace(QUICK, attacks="x"), "bench.attacks"),
    ],
)
def test_what_does_not_exist_is_said_before_the_work(small_folder, tmp_path, setup, code) -> None:
    with pytest.raises(InputError) as raised:
        run(small_folder, setup, checkpoint=tmp_path / "trials.jsonl")
    assert raised.value.code == code
    assert not (tmp_path / "trials.jsonl").exists()


def test_no_picture_is_an_error(tmp_path) -> None:
    with pytest.raises(InputError) as raised:
        run(tmp_path)
    assert raised.value.code == "bench.no-pictures"


def test_several_processes_give_what_one_gives(small_folder) -> None:
    one, two = (run(small_folder, jobs=jobs).trials for jobs in (1, 2))
    assert list(map(timeless, one)) == list(map(timeless, two))


def test_results_name_a_file_of_weights_but_not_its_folder() -> None:
    assert shown("trustmark:/home/somebody/weights/q.sha256") == "trustmark:q.sha256"
    assert shown("tile") == "tile"
    assert "somebody" not in Setup(methods=("trustmark:/home/somebody/q.sha256",)).command()
