"""From users' words to the bundled model's words, with nothing lost silently."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators import registry
from generators.training.emoji_labels import (
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
    mapped = WORDS.map("a zebra on the moon")
    assert mapped.prompt == ""
    assert mapped.unknown == ("zebra", "moon")
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
                    label = Label(profession=profession, presentation=presentation, tone=tone, style=style)
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
