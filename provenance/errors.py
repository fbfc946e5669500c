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


def first_line(error: BaseException) -> str:
    """What a stranger's exception says, up to 200 characters of one line; its ``__str__`` may fail too."""
    try:
        return (str(error).splitlines() or [""])[0][:200]
    except Exception:  # noqa: BLE001 - whatever a stranger's class does here says nothing more
        return "it does not say why"


def missing_extra(extra: str, feature: str) -> ConfigurationError:
    """The one sentence for every optional dependency that is not installed."""
    return ConfigurationError(
        "extra.missing",
        f"{feature} needs the optional packages of [{extra}]",
        hint=f"pip install 'mediaguard[{extra}]'",
    )
