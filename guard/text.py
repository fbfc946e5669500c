"""Text from manifests, prompts and file names is hostile until it is escaped.

Control characters could drive a terminal, bidirectional overrides could reorder a verdict, and
both could forge a line of output. Everything that came from outside passes ``plain`` once, at the
place where it is printed.
"""

from __future__ import annotations

import unicodedata

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
"""Unicode categories with no visible form of their own: controls, format and bidi characters,
surrogates, private use, line and paragraph separators."""


def plain(text: str, *, limit: int = 400) -> str:
    """``text`` on one line, every invisible character written as an escape.

    Args:
        text: anything, including lone surrogates from file names.
        limit: longest result in characters; the rest becomes "…".
    """
    short = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(_escape(c) if unicodedata.category(c) in _HIDDEN else c for c in short)


def _escape(character: str) -> str:
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def numbered(count: int, what: str) -> str:
    """``"1 release"``, ``"2 releases"``."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
