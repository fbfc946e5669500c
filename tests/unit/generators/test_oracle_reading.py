"""The oracle at run time: pinned weights, pictures of any size, probabilities, its own errors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from generators.oracle import reading, reading_adapter
from generators.oracle.network import OracleNetwork
from generators.oracle.questions import QUESTIONS
from generators.oracle.reading import confusion
from generators.pinned import pinned_file
from generators.training import bundling
from generators.training.oracle import export
from provenance.errors import InputError, IntegrityError
from provenance.media import Frames


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained network, exported as a trained one is, with a table in which one of four is wrong."""
    torch.manual_seed(0)
    tables = {}
    for question, answers in QUESTIONS.items():
        table = np.diag([3] * len(answers))
        table[:, 0] += 1
        tables[question] = table.tolist()
    export(OracleNetwork(), tables, folder := tmp_path_factory.mktemp("oracle"))
    return folder


def test_every_picture_gets_an_answer_to_every_question(trained: Path, photograph: np.ndarray) -> None:
    found = pinned_file(trained, reading.WEIGHTS)
    oracle = reading_adapter.read(found.path, found.sha256)
    (one,) = oracle.read(Frames(pixels=photograph[None]))
    assert one.weights_sha256 == found.sha256
    assert set(one.answers) == set(QUESTIONS)
    for question, answer in one.answers.items():
        assert tuple(answer.probabilities) == QUESTIONS[question]
        assert sum(answer.probabilities.values()) == pytest.approx(1, abs=1e-4)
        assert answer.probability == max(answer.probabilities.values())
        assert one[question] == answer.answer
    gray = Frames(pixels=np.full((2, 33, 20, 1), 90, np.uint8), fps=4.0)
    assert len(oracle.read(gray)) == 2
    clear = Frames(pixels=np.zeros((1, 16, 16, 3), np.uint8), alpha=np.zeros((1, 16, 16), np.uint8))
    white = Frames(pixels=np.full((1, 16, 16, 3), 255, np.uint8))
    assert oracle.read(clear) == oracle.read(white)


def test_how_often_it_is_right_is_published_beside_it(trained: Path, tmp_path: Path) -> None:
    table = confusion(trained)
    assert table.right("style") == (3 * 3 + 1, 3 * 4)
    assert table.chances("style")["modern"] == {"flat": 0.25, "modern": 0.75, "noto": 0.0}
    bundling.oracle(trained, tmp_path)
    assert confusion(tmp_path) == table
    assert json.loads((tmp_path / "weights.json").read_text())["right_of"]["style"] == [10, 12]
    told = json.loads((trained / "confusion.json").read_text())
    told["answers"]["style"] = ["flat"]
    (tmp_path / "confusion.json").write_text(json.dumps(told))
    with pytest.raises(IntegrityError) as other:
        confusion(tmp_path)
    assert other.value.code == "oracle.confusion"


def test_foreign_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "oracle.safetensors").write_bytes(b"no tensors at all")
    with pytest.raises(InputError) as foreign:
        reading_adapter.read(tmp_path / "oracle.safetensors", "")
    assert foreign.value.code == "weights.not-safetensors"


def test_nothing_heavy_is_loaded_before_a_picture_is_read() -> None:
    code = "import sys, generators.oracle.reading, generators.finishes; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
