"""Errors, grouped by who must act.

::

    provenance.errors.Error
    ├── InputError           the caller's file or argument
    ├── ConfigurationError   this installation: missing extra, shadowed package, key unavailable
    └── IntegrityError       stored data contradict themselves

``guard.errors.Denied`` (policy said no) is the fourth branch and lives above, in ``guard``.
Absence, mismatch and low scores are values (see ``provenance.evidence``), never exceptions.
"""

from __future__ import annotations

import html
import re
import textwrap
import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Error(Exception):
    """A failure somebody can act on, in one line.

    Attributes:
        code: stable dotted name, explained by ``guard explain CODE``; never reused.
        what: one sentence, no trailing full stop, no secrets.
        where: the file, setting or argument concerned, if there is one.
        hint: the command or action that helps, if one is known.
    """

    exit_code = 2
    """Exit code of the command line: 2 means "could not be done"."""

    def __init__(self, code: str, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(what)
        self.code = code
        self.what = what
        self.where = where
        self.hint = hint


class InputError(Error):
    """The caller's file or argument cannot be used."""


class ConfigurationError(Error):
    """This installation cannot do it as it is set up."""


class IntegrityError(Error):
    """Stored data contradict themselves."""


_MOST_QUOTED = 200
"""Characters."""
_OF_PYTHON = re.compile(r"<(?:class ')?(?:\w+\.)*(\w+)(?:'| object at 0x\w+)>")
"""How Python writes classes and objects of no form of their own: their name says as much."""
_MAPPING = re.compile(r"\{[^{}]*\}")
_WORD = re.compile(r"[^\W_]+")
_ESCAPE = re.compile(r"(?:\\x[0-9a-fA-F]{2})+|(?:\\u[0-9a-fA-F]{4})+|(?:\\U00[01][0-9a-fA-F]{5})+")
_CODE = re.compile(r"\\[xuU]([0-9a-fA-F]+)")
_MOST_HIDDEN, _MOST_SEARCHED = 4, 100_000
"""How often letters may have been hidden one upon the other, and how many are looked at."""
_RUN = 4
"""Words in a row that repeat a text: fewer are also said by chance."""
_SPOKEN = (ValueError, RuntimeError, OSError, ImportError, AssertionError)
"""What libraries raise on purpose, with a sentence; what Python raises in them tells of their insides."""


def first_line(error: BaseException) -> str:
    """What a stranger's exception says, in one line cut at a word; its ``__str__`` may fail too."""
    line = (_text(error).splitlines() or [""])[0][: 10 * _MOST_QUOTED]
    line = _OF_PYTHON.sub(r"\1", "".join(one for one in line if one.isprintable()))
    line = _MAPPING.sub("{…}", line)
    cut = textwrap.shorten(line, _MOST_QUOTED, placeholder=" …")
    return cut if len(cut) > len(" …") else line[:_MOST_QUOTED]


def quoted(error: BaseException, *, hidden: Iterable[str]) -> str:
    """Its ``first_line``, or nothing where it repeats one of the ``hidden`` texts: errors may be logged.

    Case, spaces and signs between the letters do not matter, nor how addresses, JSON, Python or HTML write
    them, nor, of several words, their order. Four words in a row are enough of a longer text.
    """
    forms = tuple(_forms(_text(error)[:_MOST_SEARCHED]))
    held = any(_repeats(form, text) for text in hidden if text for form in forms)
    return "" if held else first_line(error)


def _forms(said: str) -> Iterator[str]:
    """As it stands, and as it reads once whatever hides its letters is undone, as often as that is needed."""
    for _ in range(_MOST_HIDDEN):
        yield said
        plain = _ESCAPE.sub(_unescaped, html.unescape(unquote_plus(said)))
        if plain == said:
            return
        said = plain


def _unescaped(match: re.Match[str]) -> str:
    r"""``\u043f`` of JSON, ``\U0001f600``, and ``\xd0\xbf``, UTF-8 in bytes and Latin-1 in a text."""
    codes = _CODE.findall(match[0])
    if len(codes[0]) == 2:
        data = bytes.fromhex("".join(codes))
        try:
            return data.decode()
        except UnicodeDecodeError:
            return data.decode("latin-1")
    coding = "utf-16-be" if len(codes[0]) == 4 else "utf-32-be"
    return bytes.fromhex("".join(codes)).decode(coding, "replace")


def _repeats(said: str, text: str) -> bool:
    spoken, words = _words(said), _words(text)
    if text in said or (words and "".join(words) in "".join(spoken)):
        return True
    if len(words) > 1 and set(words) <= set(spoken):
        return True
    runs = {tuple(words[i : i + _RUN]) for i in range(len(words) - _RUN + 1)}
    return any(tuple(spoken[i : i + _RUN]) in runs for i in range(len(spoken) - _RUN + 1))


def _words(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", text.casefold()))


def reason(error: BaseException, *, hidden: Iterable[str] = ()) -> str:
    """Why a library refused, for a line of ours: what it says, if that is meant for people.

    Args:
        error: what it raised.
        hidden: texts that are not repeated, as the prompt; an exception that repeats one is not quoted.
    """
    spoken = isinstance(error, _SPOKEN) and not isinstance(error, RecursionError)
    said = quoted(error, hidden=hidden) if spoken else ""
    return said or f"the library failed in its midst ({type(error).__name__})"


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - whatever a stranger's class does here says nothing more
        return "it does not say why"


def missing_extra(extra: str, feature: str) -> ConfigurationError:
    """The one sentence for every optional dependency that is not installed."""
    return ConfigurationError(
        "extra.missing",
        f"{feature} needs the optional packages of [{extra}]",
        hint=f"pip install 'mediaguard[{extra}]'",
    )
