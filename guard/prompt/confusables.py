"""Letters that pass for ASCII letters.

Selected from the Unicode Consortium's confusables table (UTS #39, Unicode License v3) and reduced
to what evades a word list: single letters, target a–z. Compatibility forms (full width, mathematical,
circled) are not here, NFKD takes care of them; small capitals and letters with strokes and hooks are
found by their Unicode names.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

_LOOK_ALIKES = {
    "a": "ɑΑαАаᎪꓮ", "b": "ƄΒВвЬᏏᏴꓐꞴ", "c": "ϲϹСсᏟⲤⲥꓚꮯ", "d": "ԁᎠᏧꓒꓓ", "e": "ΕεЕеҽєᎬꓰꬲəɘ", "f": "ſϜքẝꓝꬵ",
    "g": "ƍɡԌցᏀᏳꓖ", "h": "ΗНнһհᎻᏂⲎꓧ", "i": "ıɩιіӏᎥꙇꭵ", "j": "ͿϳЈјᎫꓙ", "k": "ΚκКкᏦⲔꓗ", "l": "ƖǀΙІӀᏞⲒⳐꓡꓲ",
    "m": "ΜϺМмᎷⲘꓟ", "n": "ΝпηոռⲚꓠИ", "o": "ΟοσОоՕօᴑⲞⲟꓳꬽ", "p": "ΡρϱРрᏢⲢⲣꓑ", "q": "ԛգզ", "r": "ƦгᎡᏒᴦⲅꓣꭈꮁя",
    "s": "ƽЅѕՏᏕᏚꓢꮪ", "t": "ΤτТтᎢⲦꓔ", "u": "υиՍսꓴꞟц", "v": "νѴѵᏙꓦꮩ", "w": "ɯѡшωԜԝաᎳᏔꓪꮃ", "x": "ΧχХхⲬꓫꞳ",
    "y": "ɣΥγϒУуҮүᎩᎽⲨꓬ", "z": "ΖᏃꓜꮓ",
}  # fmt: skip
_NAME = re.compile(
    r"(?:SQUARED |CIRCLED |NEGATIVE |TURNED |REVERSED )*LATIN (?:CAPITAL |SMALL )?LETTER (?:SMALL CAPITAL )?"
    r"(?:DOTLESS |SCRIPT |OPEN |LONG )?([A-Z])(?: WITH .*)?|REGIONAL INDICATOR SYMBOL LETTER ([A-Z])"
)
_NAMED_BLOCKS = ((0x00C0, 0x0250), (0x0250, 0x02B0), (0x1D00, 0x1DC0), (0xA720, 0xA800), (0x1F110, 0x1F200))
"""Latin Extended, IPA, Phonetic Extensions, Latin Extended-D, Enclosed Alphanumeric Supplement."""


@cache
def table() -> dict[int, str]:
    """Code point → ASCII letter, for ``str.translate``; capitals before case folding."""
    found = {ord("Æ"): "ae", ord("æ"): "ae", ord("Œ"): "oe", ord("œ"): "oe"}
    for start, stop in _NAMED_BLOCKS:
        for code in range(start, stop):
            match = _NAME.fullmatch(unicodedata.name(chr(code), ""))
            if match:
                found[code] = (match[1] or match[2]).lower()
    for letter, look_alikes in _LOOK_ALIKES.items():
        found |= dict.fromkeys(map(ord, look_alikes), letter)
    return found
