"""Normalise: spelling tricks are undone, ordinary text is left alone, hostile text costs little.

The word in the evasions is an invented one, so that no example has to be explicit.
"""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.policy.source import Source
from guard.policy.yaml12 import load
from guard.prompt.confusables import table
from guard.prompt.lexicon import Lexicon, build
from guard.prompt.normalise import normalise

LIST = """
apiVersion: guard.terms/v1
kind: TermList
metadata: {name: test, version: 1, language: en}
spec:
  classes:
    - {id: fruit.red, risk: sexual, level: present, terms: [dune, red dune pie, 苹果]}
    - {id: fruit.other, risk: minor, level: possible, terms: [pear, book, fig]}
    - {id: fruit.absent, where: negative, risk: minor, level: possible, terms: [peel]}
  allow: [dune lipstick, pear tree green, 苹果手机]
  attached: [woman, photo]
"""


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return build([load(Source(name="test", text=LIST))])


def classes(lexicon: Lexicon, text: str) -> list[str]:
    return sorted(kind.id for kind in lexicon.classes(normalise(text)))


@pytest.mark.parametrize(
    "text",
    [
        "dune",
        "DUNE!",
        "a d u n e woman",
        "d.u.n.e",
        "d_u_n_e",
        "dսne",  # Armenian seh
        "duпe",  # Cyrillic pe
        "ԁunе",  # Cyrillic komi de, ie
        "ｄｕｎｅ",
        "𝓭𝓾𝓷𝓮",
        "du\u200bne",
        "du\u00adne",
        "du\u2060ne",
        "d0n3",
        "d00n3",
        "dun€",
        "duuuuune",
        "ᴅᴜɴᴇ",
        "Ⓓⓤⓝⓔ",
        "🄳🅄🄽🄴",
        "🇩🇺🇳🇪",
        "du͏ne",
        "d\u0336u\u0336n\u0336e\u0336",
        "dúñë",
        "red\ndune",
        "dune_woman",
        "dunewoman",
        "photodune",
        "苹\u200b果 照片",
        "苹 果",
        "苹·果",
        "青苹果树",
    ],
)
def test_evasions_are_found(lexicon: Lexicon, text: str) -> None:
    assert "fruit.red" in classes(lexicon, text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "dunes of the desert",  # a term is a whole word
        "sand-dunebuggy",
        "dune lipstick swatch",
        "苹果手机 屏幕",
        "d u",
        "85mm, f/1.8, 4k, 1920x1080",
        "👩‍🚒 firefighter",
        "a portrait of a firefighter, 3/4 view",
        "кот на крыше",
        "नमस्ते दुनिया",
        "سلام دنیا",
    ],
)
def test_ordinary_text_is_left_alone(lexicon: Lexicon, text: str) -> None:
    assert classes(lexicon, text) == []


@pytest.mark.parametrize(
    "text",
    ["f i g", "dune f i g", "d u n e  f i g", "d u n e f i g", "f i g d u n e", "d u n e f i g p i e",
     "f i g  o n  p i e", "dune f-i-g", "dune f.ig", "dune fi-g", "dune f_ig", "dune f*i*g", "dune f1g",
     "dune p.ear", "dune b-o-o-k", "dune (f)(i)(g)", "dune, f, i, g", "dune 'f' 'i' 'g'", "dune f — i — g",
     "dune f     i     g", "dune **f** **i** **g**", "dune <f>+<i>+<g>",
     "dune (f)(i)(g) (o)(n) (a) (p)(i)(e)",
     "dune a f i g", "dune “f”, “i”, “g”", "dune [f] & [i] & [g]", "dune f\n\n\n\ni\n\n\n\ng"],
)  # fmt: skip
def test_short_words_with_gaps_and_signs_are_found(lexicon: Lexicon, text: str) -> None:
    assert "fruit.other" in classes(lexicon, text)
    assert ("fruit.red" in classes(lexicon, text)) is ("d" in text)


@pytest.mark.parametrize(
    "text",
    ["a b c", "I a m", "a b c d e f g h i j k l m", "f i g u r e", "1 2 3", "f i", "a.m., p.m.",
     "U.S.A., e.g. F.B.I.", "self-portrait, sci-fi, x-ray", "a figure-head of a.brig", "f i gs",
     "options a, b, c, d", "(a) oil (b) ink (c) chalk", "a — b — c", "x, y, z", "'f' 'i' 'g' 'u' 'r' 'e'",
     "f, i: a grid", "rows f, i and g", "1, 2, 3, 4", "f(i)gure", "plan a, b or c"],
)  # fmt: skip
def test_ordinary_letters_with_gaps_are_no_terms(lexicon: Lexicon, text: str) -> None:
    assert classes(lexicon, text) == []


def test_an_allowed_phrase_covers_its_own_words_only(lexicon: Lexicon) -> None:
    assert classes(lexicon, "dune lipstick on a dune") == ["fruit.red"]
    assert classes(lexicon, "pear tree green") == []
    assert classes(lexicon, "pear tree red") == ["fruit.other"]
    assert classes(lexicon, "苹果手机和苹果") == ["fruit.red"]


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("a portrait", ()),
        ("line one\nline two\ttab", ()),
        ("a\x00b", ("control",)),
        ("a\x1b[31mb", ("control",)),
        ("a\x85b", ("control",)),
        ("a\ud800b", ("control",)),
        ("abc\u202edef", ("bidi",)),
        ("abc\u2067def", ("bidi",)),
        ("a\u200bb", ("zero-width",)),
        ("裸\u200b体", ("zero-width",)),
        ("👩\u200d🚒", ()),
        ("می\u200cخواهم", ()),
        ("pаypal", ("confusables",)),
        ("кот", ()),
        ("café", ()),
    ],
)
def test_flags_name_the_trick(text: str, flags: tuple[str, ...]) -> None:
    assert normalise(text).flags == flags


def test_look_alikes_are_single_letters_that_are_not_ascii() -> None:
    assert len(table()) > 500
    for code, letters in table().items():
        assert code > 0x7F
        assert letters.isascii()
        assert letters.islower()


@given(st.text(max_size=300))
def test_any_text_can_be_normalised(text: str) -> None:
    views = normalise(text)
    assert views == normalise(text)
    assert normalise(views.folded).folded == views.folded or not text.isascii()


@given(st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyz "), max_size=200))
def test_plain_words_keep_their_letters(text: str) -> None:
    assert normalise(text).folded == text


@pytest.mark.parametrize(
    "text",
    ["a" * 4_000, "ab" * 2_000, "a " * 2_000, "a1" * 2_000, "a-" * 2_000, "苹 " * 2_000, "苹" * 4_000,
     "1" * 4_000,
     "aa1" * 1_300, "a1 " * 1_300, "a\u0336" * 2_000, "Aa " * 1_300, "\u202e" * 4_000, "3" * 3_999 + "a",
     "@" * 4_000, "a, " * 1_300, "a" + " " * 3_998 + "b", "a b" + "," * 3_990, "a__b" + "_@" * 1_900,
     "".join("a" + " " * size for size in range(1, 88)), "(@)" * 1_300, "a," + "@_" * 1_990 + "aa",
     "a.a" * 1_300, "@." * 2_000, "a  b " * 800],
)  # fmt: skip
def test_hostile_text_takes_no_longer_than_its_length(lexicon: Lexicon, text: str) -> None:
    """Bounds two orders of magnitude above what is usual, so that only a blow-up fails."""
    start = time.process_time()
    classes(lexicon, text)
    assert time.process_time() - start < 2
