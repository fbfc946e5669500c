"""Nothing from outside reaches a terminal unescaped."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from guard.text import plain


@given(st.text(alphabet=st.characters(codec=None)))
def test_no_invisible_character_survives(text: str) -> None:
    shown = plain(text)
    assert not [c for c in shown if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]
    shown.encode("utf-8")


@given(st.text(max_size=2000), st.integers(min_value=1, max_value=50))
def test_length_is_bounded_before_escaping(text: str, limit: int) -> None:
    assert len(plain(text, limit=limit)) <= 10 * limit


def test_a_forged_line_and_a_reordered_name_show_what_they_are() -> None:
    assert plain("cat.png\nTRUSTED") == "cat.png\\x0aTRUSTED"
    assert plain("\u202egnp.exe") == "\\u202egnp.exe"
    assert plain("\x1b[2Jgone") == "\\x1b[2Jgone"


def test_letters_of_every_script_stay_readable() -> None:
    assert plain("Zürich 北京 مرحبا 👩🏽") == "Zürich 北京 مرحبا 👩🏽"
