"""All weights in the repository are listed, readable without running code, licensed, and small together."""

from __future__ import annotations

import json
import runpy
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MADE = runpy.run_path(str(ROOT / "docs" / "make_weights.py"))
EMOJI = "generators/bundled/emoji"
ENCODER = f"{EMOJI}/text_encoder/model.safetensors"


def test_the_page_is_in_step_with_the_files() -> None:
    written = (ROOT / MADE["PAGE"]).read_text(encoding="utf-8")
    assert written == MADE["page"](), "python docs/make_weights.py"


def test_nothing_is_wrong_with_the_weights_of_the_repository() -> None:
    assert MADE["weight_files"](ROOT), "and the bundled model is seen at all"
    assert MADE["faults"](ROOT) == []


@pytest.mark.parametrize("part", MADE["PARTS"], ids=lambda part: part.name)
def test_every_part_names_a_command_and_a_page_that_there_are(part) -> None:
    assert find_spec(part.module) is not None
    assert ((ROOT / MADE["PAGE"]).parent / part.told.partition("#")[0]).is_file()


def test_the_page_on_the_emoji_models_says_which_of_them_ship() -> None:
    said = (ROOT / "docs/reference/emoji-models.md").read_text(encoding="utf-8").split("\n\n")[1]
    here, _, missing = said.replace("\n", " ").partition("Not yet")
    for name, folder in (
        ("`bundled:emoji`", EMOJI),
        ("oracle", "generators/oracle"),
        ("second stage", "generators/bundled/super_resolution"),
        ("`bundled:emoji-skewed`", "generators/bundled/emoji-skewed"),
        ("`bundled:gan`", "generators/bundled/gan"),
    ):
        shipped = any((ROOT / folder).rglob("*.safetensors"))
        assert (name in here, name in missing) == (shipped, not shipped), name


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A repository with one weight file of the bundled model, and its card."""
    (tmp_path / ENCODER).parent.mkdir(parents=True)
    for name in (ENCODER, f"{EMOJI}/card.json"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    assert MADE["faults"](tmp_path) == []
    return tmp_path


def fault(root: Path) -> str:
    return "\n".join(MADE["faults"](root))


def test_weights_outside_the_listed_parts_are_seen(copied: Path) -> None:
    (copied / "audits").mkdir()
    shutil.copyfile(copied / ENCODER, copied / "audits" / "head.safetensors")
    assert "audits/head.safetensors stands in no part" in fault(copied)
    assert "audits/head.safetensors has no card" in fault(copied)


@pytest.mark.parametrize("name", ["model.pt", "model.safetensors"])
def test_what_a_pickle_is_called_does_not_matter(copied: Path, name: str) -> None:
    (copied / EMOJI / name).write_bytes(b"\x80\x04 not tensors")
    assert f"{EMOJI}/{name} is neither safetensors nor ONNX" in fault(copied)


def test_weights_that_their_card_does_not_know_are_seen(copied: Path) -> None:
    card = copied / EMOJI / "card.json"
    told = json.loads(card.read_text(encoding="utf-8"))
    for change in ({"licence": ""}, {"data_licence": None}, {"weights": {}}):
        card.write_text(json.dumps({**told, **change}), encoding="utf-8")
        assert f"{ENCODER} has no card" in fault(copied)


def test_more_than_forty_megabytes_are_seen(copied: Path) -> None:
    with (copied / ENCODER).open("r+b") as file:
        file.truncate(40 * 10**6 + 1)
    assert "together have 40,000,001 bytes" in fault(copied)
