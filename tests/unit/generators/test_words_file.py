"""``words.json``: read by one reader, whatever model it lies beside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from generators import registry, vocabulary
from generators.gan_conditions import Conditions
from generators.training import gan
from generators.training.gan_export import export
from generators.words_file import read_words
from provenance.errors import InputError

TRAINING = Path(registry.__file__).with_name("training")
BAD = {
    "no JSON": "{",
    "no object": "[]",
    "deep": "[" * 100_000,
    "no text": "\udcff",
    "another section": '{"weather": {}}',
    "names that are no list": '{"things": {"cat": "cat"}}',
    "a number": '{"silent": [1]}',
    "nothing between the quotes": '{"silent": [" "]}',
    "pairs of lists": '{"gendered": {"fireman": ["man"]}}',
    "gendered and unknown": '{"gendered": {"fireman": "man"}}',
    "too long": json.dumps({"silent": ["a" * 4001]}),
    "too many": json.dumps({"things": {"cat": ["c"] * 20_001}}),
    "too large": " " * 2**21 + "{}",
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_whatever_is_wrong_is_one_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "words.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError) as caught:
        vocabulary.load(path)
    assert caught.value.code == "model.words"
    assert len(caught.value.what) < 200


def test_a_folder_in_its_place_and_a_section_that_is_missing_are_refused_alike(tmp_path: Path) -> None:
    (tmp_path / "words.json").write_text("{}")
    for path, needed in (
        (tmp_path, ()),
        (tmp_path / "none.json", ()),
        (tmp_path / "words.json", ("movements",)),
    ):
        with pytest.raises(InputError) as caught:
            read_words(path, needed=needed)
        assert caught.value.code == "model.words"


def test_those_that_ship_are_read_whole() -> None:
    for path in (TRAINING / "emoji_words.json", TRAINING / "motion_words.json"):
        said, words = json.loads(path.read_text("utf-8")), read_words(path)
        found = {**words.meanings, "silent": words.silent, "unmapped": words.unmapped}
        found |= {"gendered": words.gendered, "extra_professions": words.extra_professions}
        for name, section in said.items():
            assert list(found[name]) == list(section)


def test_names_of_symbols_alone_say_nothing(tmp_path: Path) -> None:
    path = tmp_path / "words.json"
    path.write_text('{"silent": ["!"], "things": {"cat": ["\U0001f408"]}}')
    words = vocabulary.load(path)
    assert (words.map("a judge!").unknown, words.map("\U0001f408").meaning) == (("a", "judge"), {})


def test_a_gan_in_a_folder_with_bad_words_ends_with_one_line(guard_cli, home, tmp_path: Path) -> None:
    conditions = Conditions(blocks=(("subject", ("judge", "pilot")),))
    network, _ = gan.players(gan.Settings(channels=(8, 8)), conditions.length)
    torch.manual_seed(0)
    export(network.eval(), conditions, tmp_path / "gan")
    (tmp_path / "gan" / "words.json").write_text('{"silent": 1}')
    ran = guard_cli("generate", "a judge", "--model", f"dir:{tmp_path / 'gan'}", "-o", "out")
    assert ran.code == 2, ran.err
    assert "error[model.words]" in ran.err
