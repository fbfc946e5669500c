"""Stamped previews: the only form in which a picture that was not released may stand in a report.

At most 128 pixels a side, a band with words across it, from pictures that the packs allowed
(``guard.sampling``): a look at what a model draws, of no use as the picture itself.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from audits.rgb import rgb
from guard.text import plain
from provenance.codecs import encode
from provenance.media import Frames

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provenance.media import Asset

SIDE = 128
"""Longest side of a preview, in pixels."""
STAMP = "preview, unsigned"
_BAND, _GAP, _NAMES, _HEAD = 15, 6, 170, 34
_INK, _SOFT, _PAPER = (28, 28, 32), (100, 102, 110), (255, 255, 255)
_MOST_ROWS = 64
_LEAST_WIDE = 560
"""Pixels of a sheet: its title has to fit."""


def stamped_preview(frames: Frames) -> bytes:
    """PNG of a picture, or of the middle frame of a clip; see the module."""
    small = Image.fromarray(rgb(frames, len(frames.pixels) // 2))
    small.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    draw = ImageDraw.Draw(small)
    top = small.height - _BAND
    draw.rectangle((0, top, small.width, small.height), fill=_INK)
    draw.text((3, top + 1), STAMP, fill=_PAPER, font=ImageFont.load_default(11))
    return encode(Frames(pixels=np.asarray(small)[None].copy()), "image/png").data


def sheet(title: str, rows: Sequence[tuple[str, Sequence[bytes]]]) -> Asset:
    """Previews in rows with a name each, as a PNG.

    Args:
        title: one line; it and the names may quote anything, they are escaped here.
        rows: name and previews of ``stamped_preview``, at most 64 rows.
    """
    rows = rows[:_MOST_ROWS]
    columns = max((len(previews) for _, previews in rows), default=0)
    width = max(_NAMES + columns * (SIDE + _GAP) + _GAP, _LEAST_WIDE)
    size = (width, _HEAD + len(rows) * (SIDE + _GAP) + _GAP)
    page = Image.new("RGB", size, _PAPER)
    draw, small = ImageDraw.Draw(page), ImageFont.load_default(12)
    draw.text((_GAP, 9), plain(title), fill=_INK, font=ImageFont.load_default(15))
    for row, (name, previews) in enumerate(rows):
        top = _HEAD + row * (SIDE + _GAP)
        draw.multiline_text((_GAP, top + 4), _wrapped(plain(name)), fill=_SOFT, font=small)
        for column, data in enumerate(previews):
            with Image.open(io.BytesIO(data)) as preview:
                page.paste(preview, (_NAMES + column * (SIDE + _GAP), top))
    return encode(Frames(pixels=np.asarray(page)[None].copy()), "image/png")


def _wrapped(words: str) -> str:
    """In lines that fit beside a row."""
    lines = [""]
    for word in words.split():
        if lines[-1] and len(lines[-1]) + len(word) > 22:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines[:7])
