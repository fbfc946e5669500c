"""What a word is, in captions and prompts of any script: one rule for every vocabulary.

A word is a run of letters, combining marks and digits; a hyphen, an apostrophe or a joiner inside one
belongs to it (Persian and Indic scripts write joiners within words, The Unicode Standard, section 23.2).
Chinese is written without spaces: each Han character is a word, and phrases are found among them.
"""

from __future__ import annotations

from tokenizers import Regex, pre_tokenizers

HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
"""Ranges of a character class."""
_RUN = rf"[[\p{{L}}\p{{M}}\p{{N}}]&&[^{HAN}]]+"
_WORD = rf"[{HAN}]|{_RUN}(?:[-'’\u200c\u200d]{_RUN})*"
SPLIT = pre_tokenizers.Split(Regex(_WORD), behavior="removed", invert=True)
"""For tokenizers; what stands between words is dropped."""


def split(text: str) -> list[str]:
    """The words of ``text`` in order, as written."""
    whole = text.encode("utf-8", "replace").decode()  # lone surrogates are no text
    return [word for word, _ in SPLIT.pre_tokenize_str(whole)]
