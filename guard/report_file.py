"""A report as a file: the picture itself, or a page around it. Not a release: it carries its own stamp."""

from __future__ import annotations

import base64
import secrets
import time
from contextlib import suppress
from html import escape
from typing import TYPE_CHECKING

from guard.text import plain
from guard.writer import check_output
from provenance.errors import InputError
from provenance.files import replace_atomically, write_temporary

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from provenance.media import Asset

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{title}</title>
<style>body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem; color: #1c1c20 }}
img {{ max-width: 100% }} td {{ padding: 0 1.5rem .3rem 0; vertical-align: top }}</style></head>
<body><h1>{title}</h1>
<table>{rows}</table>
<p><img alt="{alt}" src="data:image/png;base64,{picture}"></p>
</body></html>
"""


_PARTIAL = ".guard-report-{}.partial"
"""A name of their own for half-written reports: partial files of releases may wait for their final one."""
_ABANDONED_S = 3600
"""Nobody takes that long to write a report: whoever began it was killed."""


def check_report(path: Path, *, force: bool) -> None:
    """Say before any work is done that the report cannot be written.

    Raises:
        InputError: ``report.format``, ``output.exists``, ``output.folder`` or ``output.unwritable``.
    """
    if path.suffix.lower() not in (".png", ".html"):
        what = "a report is a picture or a page: its name ends in .png or .html"
        raise InputError("report.format", what, where=str(path), hint="name it report.png or report.html")
    check_output(path, force=force)


def write_report(
    path: Path, picture: Asset, title: str, lines: Sequence[tuple[str, str]], *, force: bool
) -> None:
    """Write ``picture``, or for ``.html`` a page with it and ``lines``; all of it or nothing.

    Args:
        picture: from ``guard.report_picture``.
        title: one line; it and the lines may quote hostile text, which is escaped here.
        lines: (question, answer).
    """
    data = picture.data
    if path.suffix.lower() == ".html":
        data = page(picture, title, lines).encode("utf-8")
    write_whole(path, data, force=force)


def write_whole(path: Path, data: bytes, *, force: bool) -> None:
    """Write a report; all of it or nothing, and over an existing file with ``force`` only.

    Raises:
        InputError: ``output.exists`` or ``output.unwritable``.
        ConfigurationError: ``disk.full`` or ``disk.failed``.
    """
    _forget_abandoned(path.parent)
    temporary = path.with_name(_PARTIAL.format(secrets.token_hex(8)))
    write_temporary(path, data, temporary=temporary)
    try:
        replace_atomically(temporary, path, overwrite=force)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _forget_abandoned(folder: Path) -> None:
    """Remove what processes that were killed half-way have left there; whoever writes now is left alone."""
    for one in folder.glob(_PARTIAL.format("*")):
        with suppress(OSError):  # somebody else was faster, or it is not ours to remove
            if time.time() - one.stat().st_mtime > _ABANDONED_S:
                one.unlink()


def page(picture: Asset, title: str, lines: Sequence[tuple[str, str]]) -> str:
    """The page: no script, nothing fetched, every text escaped."""
    rows = "".join(
        f"<tr><td>{_safe(question)}</td><td>{_safe(answer)}</td></tr>" for question, answer in lines
    )
    encoded = base64.b64encode(picture.data).decode("ascii")
    alt = "the found copy in the frame of the signed picture, altered places outlined in red"
    return _PAGE.format(title=_safe(title), rows=rows, alt=alt, picture=encoded)


def _safe(text: str) -> str:
    return escape(plain(text), quote=True)
