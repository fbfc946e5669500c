"""From users' words to the bundled model's words, with nothing lost silently."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators import registry
from generators.training.emoji_labels import (
    OBJECTS,
    PRESENTATIONS,
    PROFESSIONS,
    STYLES,
    TONES,
    Label,
    caption,
    vocabulary,
)
from generators.vocabulary import load

FOLDER = Path(registry.__file__).parent / "bundled" / "emoji"
WORDS = load(FOLDER / "words.json")


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a portrait of a firefighter", "a portrait of a firefighter"),
        ("A photo of the doctor", "a portrait of a health worker"),
        ("nurses", "a portrait of a health worker"),
        ("firewoman", "a portrait of a woman firefighter"),
        ("two policemen", "a portrait of a man police officer"),
        ("female software developer, modern style", "a portrait of a woman technologist modern style"),
        ("dark-skinned cop", "a portrait of a dark skin police officer"),
        ("a teacher with brown skin", "a portrait of a medium-dark skin teacher"),
        ("chef with medium light skin tone", "a portrait of a medium-light skin cook"),
        ("Painter’s portrait, noto style", "a portrait of a artist noto style"),
        ("a yellow welder", "a portrait of a yellow factory worker"),
        ("businesswomen", "a portrait of a woman office worker"),
    ],
)
def test_synonyms_plurals_and_phrases(prompt: str, expected: str) -> None:
    assert WORDS.map(prompt).prompt == expected


@pytest.mark.parametrize(
    "word", ["boy", "girl", "child", "kid", "baby", "teenager", "asian", "african", "black", "old"]
)
def test_words_that_are_on_purpose_not_mapped(word: str) -> None:
    mapped = WORDS.map(f"a {word} judge")
    assert mapped.prompt == "a portrait of a judge"
    assert mapped.unknown == (word,)
    assert mapped.warnings[0].message == f"words this model does not know: {word}"


def test_no_profession_is_a_warning_of_its_own() -> None:
    mapped = WORDS.map("a zeppelin on the moon")
    assert mapped.prompt == ""
    assert mapped.unknown == ("zeppelin", "moon")
    assert [w.code for w in mapped.warnings] == ["prompt.unknown-words", "prompt.no-subject"]
    assert "prompt.no-subject" in [w.code for w in WORDS.map("a woman").warnings]


def test_one_of_each_kind() -> None:
    mapped = WORDS.map("a judge and a pilot")
    assert mapped.prompt == "a portrait of a judge"
    assert "left out pilot" in mapped.warnings[0].message


def test_every_caption_of_training_is_understood_and_kept() -> None:
    for profession in PROFESSIONS:
        for presentation in PRESENTATIONS:
            for tone in TONES:
                for style in STYLES:
                    label = Label(subject=profession, presentation=presentation, tone=tone, style=style)
                    text = " ".join(caption(label))
                    mapped = WORDS.map(text)
                    assert (mapped.prompt, mapped.unknown) == (text, ())


@given(
    st.text(max_size=80)
    | st.lists(st.sampled_from(["doctor", "dark", "skin", "men", "x-y", "'s"])).map(" ".join)
)
def test_any_text_maps_into_the_models_words_and_mapping_again_changes_nothing(text: str) -> None:
    mapped = WORDS.map(text)
    assert set(mapped.prompt.split()) <= set(vocabulary())
    assert WORDS.map(mapped.prompt).prompt == mapped.prompt


TRAINED = load(Path(registry.__file__).parent / "training" / "emoji_words.json")
"""Words of the model that also draws things, in English and Chinese."""


def _spoken(phrases: list[tuple[str, ...]]) -> str:
    return " ".join(" ".join(phrase) for phrase in phrases)


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("画一只猫", "a picture of a cat"),
        ("一位深肤色的女消防员，蓝色背景", "a portrait of a dark skin woman firefighter on blue"),
        ("中等-浅肤色男法官", "a portrait of a medium-light skin man judge"),
        ("蒸汽火车在红色背景上", "a picture of a locomotive on red"),
        ("two wolves on teal", "a picture of a wolf on teal"),
        ("a jack-o-lantern, flat style, grey background", "a picture of a jack-o-lantern flat style on gray"),
        ("a red apple on a blue background", "a picture of a red apple on blue"),
        ("a dog on a yellow ground", "a picture of a dog on gold"),
        ("一只狗，黄色背景", "a picture of a dog on gold"),
        ("a dog, turquoise background", "a picture of a dog on teal"),
        ("some tomatoes", "a picture of a tomato"),
        ("a fire engine", "a picture of a fire engine"),
        ("a firefighter", "a portrait of a firefighter"),
    ],
)
def test_things_grounds_and_chinese(prompt: str, expected: str) -> None:
    assert TRAINED.map(prompt).prompt == expected


def test_a_chinese_phrase_is_not_taken_apart_where_a_part_means_something_else() -> None:
    mapped = TRAINED.map("一个男孩")
    assert mapped.prompt == ""
    assert mapped.unknown == ("男孩",)


def test_unknown_characters_side_by_side_are_one_word() -> None:
    mapped = TRAINED.map("中国厨师和法国猫")
    assert mapped.prompt == "a portrait of a cook"
    assert mapped.unknown == ("中国", "法国")
    assert mapped.warnings[-1].message.endswith("took cook, left out cat")


def test_a_thing_has_neither_skin_tone_nor_presentation() -> None:
    mapped = TRAINED.map("a dark skinned woman dog, flat style")
    assert mapped.prompt == "a picture of a dog flat style"
    assert [w.code for w in mapped.warnings] == ["prompt.people-only"]
    assert mapped.warnings[0].message.endswith("left out woman, dark")


@pytest.mark.parametrize("thing", OBJECTS)
def test_every_thing_has_a_chinese_name_and_its_caption_is_kept(thing: str) -> None:
    label = Label(subject=thing, style="flat")
    text = " ".join(caption(label, ground="teal"))
    assert TRAINED.map(text).prompt == text
    names = [key for key, value in TRAINED.phrases.items() if value == (("subject", thing),)]
    assert any("\u3400" <= "".join(name)[0] <= "\u9fff" for name in names)


def test_words_of_scripts_with_vowel_signs_and_joiners_are_whole(tmp_path: Path) -> None:
    names = {"book": ["किताब"], "cut": ["कताब"], "teacher": ["ครู"], "café": ["cafe\u0301"]}
    (tmp_path / "words.json").write_text(json.dumps({"things": names}))
    words = load(tmp_path / "words.json")
    for thing, (name,) in names.items():
        assert words.map(name).meaning == {"subject": thing}
    assert words.map("CAFÉ").meaning == {"subject": "café"}
    assert words.map("கீதம் می\u200cخواهم क्\u200dष").unknown == ("கீதம்", "می\u200cخواهم", "क्\u200dष")


@given(st.text(max_size=40) | st.lists(st.sampled_from(sorted(TRAINED.phrases))).map(_spoken))
def test_mapping_stays_within_what_was_trained(text: str) -> None:
    mapped = TRAINED.map(text)
    assert set(mapped.prompt.split()) <= set(vocabulary())
    assert TRAINED.map(mapped.prompt).prompt == mapped.prompt
