"""What is repeated of a library's exception: one line for people, and nothing of Python's insides."""

from __future__ import annotations

import json
import unicodedata
from urllib.parse import quote

import pytest

from provenance.errors import first_line, quoted, reason


class Thing:
    pass


def test_a_long_line_is_cut_at_a_word() -> None:
    line = first_line(ValueError("word " * 100 + "\nmore"))
    assert len(line) <= 200
    assert line.endswith("word …")
    assert first_line(ValueError("x" * 300)) == "x" * 200


def test_classes_and_objects_are_their_names_and_what_drives_a_terminal_is_left_out() -> None:
    told = first_line(ValueError(f"The class {Thing}'s object {Thing()} is red\x1b[31m"))
    assert told == "The class Thing's object Thing is red[31m"


def test_mappings_of_python_are_left_out() -> None:
    told = first_line(ValueError("none of {'ModelMixin': ['save_pretrained']} is meant"))
    assert told == "none of {…} is meant"


@pytest.mark.parametrize(
    "error", [IndexError("tuple index"), RecursionError("depth"), KeyError(3), ValueError()]
)
def test_what_python_says_of_a_librarys_insides_is_not_repeated(error) -> None:
    assert reason(error) == f"the library failed in its midst ({type(error).__name__})"


def test_what_a_library_says_is_repeated_without_the_words_of_a_user() -> None:
    assert reason(ValueError("steps are 1 to 9"), hidden=("", "a castle")) == "steps are 1 to 9"
    assert "castle" not in reason(ValueError("x" * 500 + "a castle"), hidden=("a castle",))
    assert "xx" not in reason(ValueError("x" * 500 + "a castle"), hidden=("a castle",))


PROMPT = "A zebra-striped judge, at dusk"


@pytest.mark.parametrize(
    "error",
    [
        KeyError(PROMPT.upper()),
        KeyError(PROMPT.casefold().replace(" ", "_")),
        ValueError(f"cannot read {PROMPT.split()}"),
        ValueError(" ".join(reversed(PROMPT.split()))),
        RuntimeError("no answer from https://api.example/?prompt=a%20zebra%2Dstriped%20judge%2C%20at%20dusk"),
        RuntimeError("no answer from https://api.example/?prompt=a+zebra-striped+judge,+at+dusk&seed=1"),
        OSError("a-zebra-striped-judge-at-dusk.png: read-only file system"),
    ],
    ids=str,
)
def test_words_of_a_user_in_another_form_are_not_repeated_either(error) -> None:
    assert quoted(error, hidden=(PROMPT,)) == ""


JUDGE = "портрет судьи в мантии, café"


@pytest.mark.parametrize(
    "line",
    [
        json.dumps({"prompt": JUDGE}),
        ascii(JUDGE),
        repr(JUDGE.encode()),
        unicodedata.normalize("NFD", JUDGE),
        quote(quote(JUDGE)),
        JUDGE.encode("ascii", "xmlcharrefreplace").decode(),
        f"prompt '{JUDGE[:-6]}…' was refused",
        json.dumps(JUDGE.split()[:4]),
    ],
)
def test_neither_are_letters_that_are_written_otherwise_nor_the_beginning(line: str) -> None:
    assert quoted(ValueError(line), hidden=(JUDGE,)) == ""
    assert quoted(ValueError(line), hidden=("a lighthouse",)) == first_line(ValueError(line))


def test_letters_that_python_writes_as_latin_are_recognised() -> None:
    assert quoted(ValueError(r"no 'caf\xe9 cr\xe8me' here"), hidden=("Café crème",)) == ""
    assert quoted(ValueError(r"no '\U0001f993' here"), hidden=("🦓",)) == ""


def test_what_shares_some_words_with_a_prompt_is_repeated() -> None:
    line = "the judge is busy at present"
    assert quoted(ValueError(line), hidden=(PROMPT, "", "at dusk")) == line
    assert quoted(ValueError(line), hidden=("🦓",)) == line
    assert quoted(ValueError("no picture of 🦓"), hidden=("🦓",)) == ""
