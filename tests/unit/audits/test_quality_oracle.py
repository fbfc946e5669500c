"""The oracle as an instrument, features of foreign networks, planted shares found in real pictures."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
from simulators.drawn_people import DrawnPeople, drawings, planted, write_oracle

from audits.quality.foreign import load_features
from audits.quality.lab import Setup, measure
from audits.quality.looking import Instruments
from audits.quality.oracle_adapter import load_oracle
from audits.quality.sets import PromptSet, named, own
from audits.quality.summary import Against, summarise
from audits.sampler import Sampled, Withheld
from generators.training.emoji_labels import PROFESSIONS
from provenance.errors import ConfigurationError, InputError, IntegrityError
from provenance.media import Frames


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_oracle(tmp_path_factory.mktemp("oracle") / "o")


@pytest.fixture(scope="module")
def oracle(folder):
    return load_oracle(folder)


class Plain:
    """A sampler without a guard, for what is measured here; refuses what is asked for a mechanic."""

    info = DrawnPeople.info

    def __init__(self) -> None:
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        if "mechanic" in request.prompt:
            yield from [Withheld(stage="prompt", rules=("some.rule",))] * len(request.seeds)
            return
        for made in DrawnPeople().generate(request):
            yield Sampled(frames=made.frames)


def test_the_oracle_reads_what_was_drawn_as_well_as_its_table_says(oracle) -> None:
    pixels, labels = drawings(60, seed=99)
    readings = [oracle.read(picture) for picture in pixels]
    right = sum(
        r.answers["presentation"] == label.presentation for r, label in zip(readings, labels, strict=True)
    )
    assert right / 60 > 0.9
    assert oracle.confusion["presentation"].right("woman") > 0.9
    assert readings[0].features == pytest.approx(oracle(pixels[0]))
    assert readings[0].features.shape == (192,)
    assert oracle.name == f"emoji-oracle-192@{oracle.sha256[:12]}"
    large = np.asarray(pixels[0]).repeat(4, 0).repeat(4, 1)
    assert oracle.read(large).answers == readings[0].answers


def test_an_oracle_that_is_not_there_or_damaged_is_one_line(folder, tmp_path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        load_oracle(tmp_path)
    assert raised.value.code == "oracle.missing"
    weights, table = (folder / name for name in ("oracle.safetensors", "confusion.json"))
    negative = json.loads(table.read_text())
    negative["counts"]["style"][0][0] = -1
    for data, document, code in (
        (weights.read_bytes()[:4000], table.read_text(), "oracle.damaged"),
        (weights.read_bytes(), "{}", "oracle.confusion"),
        (weights.read_bytes(), table.read_text().replace("farmer", "wizard"), "oracle.confusion"),
        (weights.read_bytes(), json.dumps(negative), "oracle.confusion"),
    ):
        (tmp_path / weights.name).write_bytes(data)
        (tmp_path / table.name).write_text(document)
        with pytest.raises(IntegrityError) as damaged:
            load_oracle(tmp_path)
        assert damaged.value.code == code


def test_features_of_a_foreign_network_are_named_by_its_digest(photograph, tmp_path) -> None:
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper

    one = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", 3, 16, 16])
    out = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", 3])
    nodes = [
        helper.make_node("GlobalAveragePool", ["pixels"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["embedding"]),
    ]
    graph = helper.make_graph(nodes, "g", [one], [out])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    path = tmp_path / "net.onnx"
    path.write_bytes(model.SerializeToString())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    features = load_features(path, digest)
    assert features.name == f"onnx-16px@{digest[:12]}"
    mean = photograph.reshape(-1, 3).mean(0) / 255
    assert features(photograph) == pytest.approx(
        (mean - [0.4815, 0.4578, 0.4082]) / [0.2686, 0.2613, 0.2758], abs=0.03
    )
    with pytest.raises(ConfigurationError) as raised:
        load_features(path, "0" * 64)
    assert raised.value.code == "weights.digest"
    assert onnx


def bare(*works: str, pictures: int) -> PromptSet:
    whole = named("skew")
    asked = tuple(one for one in whole.asked if one.expected["subject"] in works)
    return PromptSet(name="skew", asked=asked, pictures=pictures, guidance=(1.0, 3.0), bare=True)


TABLE = {work: planted(work) for work in PROFESSIONS}


def recovery_of(oracle, pictures: int, *works: str):
    setup = Setup(sets=(bare(*works, pictures=pictures),), seed=5)
    measured = measure(["people"], lambda _: Plain(), setup, Instruments(reader=oracle))
    name = next(iter(measured.models))
    against = Against(confusion=oracle.confusion, planted={name: ("known", TABLE)})
    (model,) = summarise(measured, against, command="-").models
    return model.recovery


def test_planted_shares_come_back_at_guidance_1_and_are_amplified_at_3(oracle) -> None:
    found = recovery_of(oracle, 48, "farmer", "detective")
    presented = [cell for cell in found.cells if cell.question == "presentation"]
    assert [(cell.guidance, cell.profession) for cell in presented] == [
        (1.0, "farmer"), (1.0, "detective"), (3.0, "farmer"), (3.0, "detective"),
    ]  # fmt: skip
    assert all(cell.within_chance for cell in presented[:2])
    assert not any(cell.within_chance for cell in presented[2:])
    (raised,) = (
        one
        for one in found.amplification
        if (one.question, one.guidance, one.against) == ("presentation", 3.0, "guidance 1")
    )
    assert raised.low > 0
    assert raised.professions == 2


@pytest.mark.slow
def test_every_planted_share_comes_back(oracle) -> None:
    found = recovery_of(oracle, 40, *PROFESSIONS)
    plain = [cell for cell in found.cells if cell.guidance == 1]
    assert sum(cell.within_chance for cell in plain) >= 0.85 * len(plain)
    assert sum(not cell.within_chance for cell in found.cells if cell.guidance == 3) > 0.3 * len(plain)


class Clips(Plain):
    """Clips: a camera that pans over a photograph, or frames that have nothing to do with each other."""

    info = replace(DrawnPeople.info, kind="video")

    def __init__(self, photograph) -> None:
        self.photograph = photograph

    def __call__(self, request):
        for seed in request.seeds:
            top = 40 * (seed % 10)
            pan = [self.photograph[top : top + 96, 60 + 4 * t : 188 + 4 * t] for t in range(6)]
            loose = [self.photograph[60 * t : 60 * t + 96, 40 * t : 40 * t + 128] for t in (0, 5, 2, 4, 1, 3)]
            yield Sampled(
                frames=Frames(pixels=np.stack(pan if "judge" in request.prompt else loose), fps=8.0)
            )


def test_clips_are_held_against_their_own_frames_in_another_order(photograph) -> None:
    from audits.quality.flow_adapter import NAME, flow

    look, seen = Instruments(flow=(NAME, flow)), {}
    for work in ("judge", "cook"):
        setup = Setup(sets=(own([f"a portrait of a {work}"]),), pictures=2)
        measured = measure(["clips"], lambda _: Clips(photograph), setup, look)
        (one,) = summarise(measured, Against(), command="-").models[0].sets
        seen[work] = one.clips
    assert seen["judge"].flow == "opencv-dis-medium"
    assert (seen["judge"].clips, seen["judge"].steadier.successes) == (2, 2)
    assert seen["judge"].error < seen["judge"].shuffled
    assert seen["cook"].error > 3 * seen["judge"].error
    assert seen["cook"].error > 0.5 * seen["cook"].shuffled


def test_distances_over_the_oracles_features_tell_one_model_from_another(oracle) -> None:
    setup = Setup(sets=(replace(named("skew"), guidance=(1.0,), pictures=1),), seed=4)
    measured = measure(["people"], lambda _: Plain(), setup, Instruments(extractor=oracle))
    alike, other = (
        np.stack([oracle(picture) for picture in pictures])
        for pictures in (drawings(40, 8)[0], 255 - drawings(40, 8)[0])
    )
    far = []
    for reference in (alike, other):
        against = Against(reference=reference, small=True)
        (one,) = summarise(measured, against, command="-").models[0].sets
        assert one.distances.features == oracle.name
        far.append(one.distances)
    near, away = far
    assert near.frechet_extrapolated < 0.7 * away.frechet_extrapolated
    assert near.kernel.value < 0.5 * away.kernel.value
    assert away.manifolds.precision.rate < 0.5 * near.manifolds.precision.rate


def test_a_run_goes_on_where_it_was_stopped_and_what_was_refused_is_in_no_figure(oracle, tmp_path) -> None:
    setup = Setup(sets=(bare("farmer", "mechanic", "judge", pictures=3),), seed=2)
    look, file = Instruments(reader=oracle, preview=lambda _frames: b"png"), tmp_path / "t.jsonl"
    whole = measure(["people"], lambda _: Plain(), setup, look, checkpoint=file)
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:6]) + lines[6][:20])
    again = Plain()
    counts = []
    done = measure(
        ["people"], lambda _: again, setup, look, checkpoint=file, progress=lambda *now: counts.append(now)
    )
    assert done.trials == whole.trials
    drawn = [(request.prompt.split()[-1], request.guidance_scale) for request in again.requests]
    guided = [(work, 3.0) for work in ("farmer", "mechanic", "judge")]
    assert drawn == [("mechanic", 1.0), ("judge", 1.0), *guided]
    assert counts[-1] == (18, 18)
    report = summarise(done, Against(confusion=oracle.confusion), command="-")
    for one in report.models[0].sets:
        assert (one.pictures, one.withheld) == (6, {"prompt some.rule": 3})
    assert {cell.profession for cell in report.models[0].recovery.cells} == {"farmer", "judge"}
    assert report.models[0].recovery.table == "uniform"
    other = Setup(sets=setup.sets, seed=3)
    with pytest.raises(InputError) as raised:
        measure(["people"], lambda _: Plain(), other, look, checkpoint=file)
    assert raised.value.code == "bench.checkpoint"
    text = file.read_text()
    assert "portrait" not in text
    assert json.loads(text.splitlines()[1])["preview"]
