"""Normalise: what a prompt says once its spelling tricks are undone. Used for matching only.

The prompt itself is never changed here. Undone are: compatibility forms, accents, invisible
characters, look-alike letters of other scripts, digits and signs for letters, stretched and
spaced-out words, spaces between Han characters, traditional for simplified where our terms need it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from guard.prompt.confusables import table

if TYPE_CHECKING:
    from collections.abc import Iterator

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"

# Default-ignorable code points (Unicode DerivedCoreProperties), and the blank Hangul fillers.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# Joiners inside emoji and Indic or Persian words are ordinary; between letters of these scripts they are not.
_HIDDEN_IN_WORD = re.compile(
    f"(?<=[A-Za-z{HAN}])[\u00ad\u034f\u180b-\u180f\u200b-\u200d\u2060-\u2064\ufeff\U000e0000-\U000e0fff]+(?=[A-Za-z{HAN}])"
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters (tab and line ends aside) and lone surrogates: no encoder of text accepts these."""

_NOT_ASCII = re.compile("[^\x00-\x7f]+")
_LEET_A = str.maketrans("01345789@$!|€+", "oieastbgasilet")
_LEET_B = str.maketrans("01345789@$!|€+", "uleastbgasllet")
# Each pattern begins at the edge of a word, so that a long word is scanned once and not from every letter.
_LEET = re.compile(r"(?<![\w@$!|€+])(?=[a-z0-9@$!|€+]*[0-9@$!|€+])(?=[0-9@$!|€+]*[a-z])[a-z0-9@$!|€+]{3,40}")
_STRETCHED = re.compile(r"(?<![a-z])[a-z]*([a-z])\1\1[a-z]*")
_RUN = re.compile(r"([a-z])\1+")
_LONG_RUN = re.compile(r"([a-z])\1{2,}")
_SPACED = re.compile(r"(?<![a-z0-9])(?:[a-z0-9@$](?:[^\w@$]|_)+){2,}[a-z0-9@$](?![a-z0-9])")
"""Single letters with any spaces and signs between them: "d u n e", "(d)(u)(n)(e)", "d, u, n, e"."""
_GAP = re.compile(r"[^a-z0-9@$]+")
_CUT = re.compile(r"(?<![a-z0-9@$])[a-z0-9@$]+(?:[.'\-_*~·•|/\\][a-z0-9@$]+)+")
"""A word with one sign or more inside it."""
_NOT_WORD = re.compile(r"[^a-z0-9@$]")
_HAN_GAP = re.compile(f"(?<=[{HAN}0-9])[\\s.\\-_*~·•|/\\\\]+(?=[{HAN}])")
_HAN_RUN = re.compile(f"(?<![{HAN}0-9a-z])[{HAN}0-9a-z]*[{HAN}][{HAN}0-9a-z]*")
# Only the characters of our own terms.
_SIMPLIFIED = str.maketrans(
    "體臉換脫內歲嬰兒學導總統師視頻圖絲襪蘿陰莖姦誘慾褲寶貝滿",
    "体脸换脱内岁婴儿学导总统师视频图丝袜萝阴茎奸诱欲裤宝贝满",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalised:
    """Views of one text.

    Attributes:
        folded: the text with letters resolved, lower case.
        variants: words written with digits, signs or stretched letters, respelt; several guesses each.
        joined: words that were written with a gap after each letter, without the gaps; where some gaps are
            wider than others, the words between these as well.
        han: runs of Han characters without the gaps in them.
        flags: ``control``, ``bidi``, ``zero-width`` and ``confusables`` as far as found, sorted.
    """

    folded: str
    variants: tuple[str, ...] = ()
    joined: tuple[str, ...] = ()
    han: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


def normalise(text: str) -> Normalised:
    """The views of ``text``. Never raises; what is not text is reported in ``flags``."""
    flags = set()
    if _CONTROL.search(text):
        flags.add("control")
    folded = text.lower() if text.isascii() else _fold(text, flags)
    joined = tuple(word for match in _SPACED.finditer(folded) for word in _joined(match[0]))
    han = () if folded.isascii() else tuple(_HAN_RUN.findall(_HAN_GAP.sub("", folded).translate(_SIMPLIFIED)))
    return Normalised(
        folded=folded, variants=_respelt(folded), joined=joined, han=han, flags=tuple(sorted(flags))
    )


def _joined(spaced: str) -> Iterator[str]:
    """The letters as one word, and as the words that wider gaps make of them, without an article too."""
    narrowest = min(map(len, _GAP.findall(spaced)))
    wide = r"[^a-z0-9@$]{%d,}"
    parts = (re.split(wide % size, spaced) for size in {2, narrowest + 1})
    words = dict.fromkeys((spaced, *(word for split in parts for word in split)))
    for letters in (_NOT_WORD.sub("", word).translate(_LEET_A) for word in words):
        yield letters
        yield letters.removeprefix("a")


def _fold(text: str, flags: set[str]) -> str:
    """Letters resolved: NFKD, invisible and combining characters out, look-alikes to ASCII, case folded."""
    if _BIDI.search(text):
        flags.add("bidi")
    if _HIDDEN_IN_WORD.search(text):
        flags.add("zero-width")
    decomposed = unicodedata.normalize("NFKD", _INVISIBLE.sub("", text))
    resolved = _NOT_ASCII.sub(_resolve, decomposed)
    if any(_mixes(word) for word in decomposed.split() if not word.isascii()):
        flags.add("confusables")
    return unicodedata.normalize("NFC", resolved.casefold())


def _resolve(match: re.Match[str]) -> str:
    """A stretch without ASCII: look-alikes become ASCII letters, combining marks go."""
    return "".join([char for char in match[0].translate(table()) if not unicodedata.combining(char)])


def _mixes(word: str) -> bool:
    """ASCII letters and look-alikes of ASCII letters in one word."""
    look_alikes = table()
    return any(map(str.isalpha, filter(str.isascii, word))) and any(ord(char) in look_alikes for char in word)


def _respelt(folded: str) -> tuple[str, ...]:
    """Every reading of words with digits for letters, letters in threes or signs inside."""
    guesses = {_NOT_WORD.sub("", match[0]).translate(_LEET_A): None for match in _CUT.finditer(folded)}
    for match in _LEET.finditer(folded):
        for leet in (_LEET_A, _LEET_B):
            word = match[0].translate(leet)
            guesses |= dict.fromkeys((word, _RUN.sub(r"\1", word)))
    for match in _STRETCHED.finditer(folded):
        guesses |= dict.fromkeys((_LONG_RUN.sub(r"\1", match[0]), _LONG_RUN.sub(r"\1\1", match[0])))
    return tuple(guesses)
