"""The picture that shows at a glance what became of a found copy.

Left, the signed picture's frame: what the digest keeps, pale, where the copy was cut away; the copy laid
where it belongs, inside a dashed line; red boxes around what was altered. Right, each of the largest boxes
twice: as signed (blurred: the digest keeps no more) and as found. Words say what it is and is not.

The found file is the user's own and lies on this disk already; of the signed one nothing is shown but what
its manifest holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from guard.text import plain
from provenance.codecs import encode
from provenance.colours import in_srgb
from provenance.digest_grid import opaque_rgb
from provenance.digest_grounds import GROUNDS
from provenance.digest_planes import Reference
from provenance.media import Frames

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provenance.digest import DigestReading, VisualDigest
    from provenance.media import Asset

SIDE, ZOOM, GAP = 560, 168, 16
"""Pixels: longest side of the frame, side of a detail, and what lies between."""
STAMP = "mediaguard comparison. Not the picture itself, and no credential."
_MOST_DETAILS = 3
_MOST_SIDE = 2 * SIDE
"""Pixels to a side of the copy that are kept for drawing."""
_INK, _SOFT, _RED, _PAPER = (28, 28, 32), (100, 102, 110), (222, 30, 38), (255, 255, 255)
_AROUND = 0.03
"""A detail shows this much around its box, in shares of the picture."""

_Box = tuple[float, float, float, float]


def report_picture(reading: DigestReading, frames: Frames, digest: VisualDigest, title: str) -> Asset:
    """A PNG, at most 960 pixels wide.

    Args:
        reading: of a comparison that matches.
        frames: the copy, as found.
        digest: signed in the manifest.
        title: one line; may quote anything, it is escaped here.
    """
    signed = _signed(digest)
    found, shown = _laid(reading, frames, digest, signed.size)
    frame = _frame(reading, signed, found, shown)
    details = _details(reading, signed, Image.composite(found, signed, shown))
    page = _page(frame, details, title, legend(altered=bool(reading.regions), cut=_is_cut(shown)))
    return encode(Frames(pixels=np.asarray(page)[None].copy()), "image/png")


def _signed(digest: VisualDigest) -> Image.Image:
    """What the digest keeps, as large as the frame."""
    fine = Image.fromarray(np.rint(255 * Reference.of(digest).fine).astype(np.uint8))
    scale = SIDE / max(digest.width, digest.height)
    size = (max(round(digest.width * scale), 48), max(round(digest.height * scale), 48))
    return fine.resize(size, Image.Resampling.BICUBIC)


def _laid(
    reading: DigestReading, frames: Frames, digest: VisualDigest, size: tuple[int, int]
) -> tuple[Image.Image, Image.Image]:
    """The copy where it belongs in the frame, and where it shows."""
    # On white, as on a page: on mid gray a copy can hide what digests find on other grounds.
    ground = GROUNDS[0 if digest.transparent else 1]
    rgb = opaque_rgb(in_srgb(frames) or frames, ground)
    copy = Image.fromarray(np.rint(255 * rgb).astype(np.uint8))
    copy.thumbnail((_MOST_SIDE, _MOST_SIDE))
    reduced = np.diag([frames.width / copy.width, frames.height / copy.height, 1.0])
    to_frame = np.diag([size[0] / digest.width, size[1] / digest.height, 1.0])
    forth = to_frame @ np.array([*reading.placement, (0.0, 0.0, 1.0)]) @ reduced
    back = tuple(np.linalg.inv(forth)[:2].ravel().tolist())
    found = copy.transform(size, Image.Transform.AFFINE, back, Image.Resampling.BICUBIC)
    shown = Image.new("L", copy.size, 255).transform(size, Image.Transform.AFFINE, back)
    return found, shown


def _frame(
    reading: DigestReading, signed: Image.Image, found: Image.Image, shown: Image.Image
) -> Image.Image:
    pale = Image.blend(signed, Image.new("RGB", signed.size, _PAPER), 0.72)
    frame = Image.composite(found, pale, shown)
    draw = ImageDraw.Draw(frame)
    if _is_cut(shown):
        _dashed(frame, shown)
    for number, box in enumerate(reading.regions, 1):
        left, top, right, bottom = _pixels(box, frame.size, 5)
        draw.rectangle((left - 2, top - 2, right + 2, bottom + 2), outline=_PAPER, width=7)
        draw.rectangle((left, top, right, bottom), outline=_RED, width=3)
        if number <= _MOST_DETAILS and len(reading.regions) > 1:
            _tag(draw, (left, top), str(number))
    return frame


def _is_cut(shown: Image.Image) -> bool:
    """Whether enough of the frame is missing from the copy to be seen."""
    return bool((np.asarray(shown) == 0).mean() > 0.005)


def legend(*, altered: bool, cut: bool) -> str:
    """What is drawn, and nothing else."""
    told = "red: altered" if altered else "nothing altered as far as the digest can tell"
    return f"{told}    dashed: rim of the copy    pale: cut away" if cut else told


def _dashed(frame: Image.Image, shown: Image.Image) -> None:
    """A dashed line along the rim of what the copy shows."""
    mask = np.asarray(shown) > 0
    inner = np.pad(mask, 2)
    core = inner[:-4, 2:-2] & inner[4:, 2:-2] & inner[2:-2, :-4] & inner[2:-2, 4:]
    y, x = np.nonzero(mask & ~core)
    pixels = np.array(frame)
    pixels[y, x] = np.where(((x + y) // 8 % 2 == 0)[:, None], _INK, _PAPER)
    frame.paste(Image.fromarray(pixels))


def _details(
    reading: DigestReading, signed: Image.Image, found: Image.Image
) -> list[tuple[Image.Image, Image.Image]]:
    pairs = []
    for box in reading.regions[:_MOST_DETAILS]:
        cut = _square(box, signed.size)
        pairs.append((_zoomed(signed, cut), _zoomed(found, cut)))
    return pairs


def _page(
    frame: Image.Image, details: Sequence[tuple[Image.Image, Image.Image]], title: str, legend: str
) -> Image.Image:
    beside = 2 * ZOOM + GAP + GAP if details else 0
    head, foot = 40, 64
    width = max(frame.width + beside + 2 * GAP, 520)
    height = head + max(frame.height, len(details) * (ZOOM + GAP) + 24) + foot
    page = Image.new("RGB", (width, height), _PAPER)
    draw, small = ImageDraw.Draw(page), ImageFont.load_default(13)
    draw.text((GAP, 11), _fitted(plain(title), width - 2 * GAP), fill=_INK, font=ImageFont.load_default(16))
    page.paste(frame, (GAP, head))
    left = frame.width + 2 * GAP
    for row, pair in enumerate(details):
        top = head + 20 + row * (ZOOM + GAP)
        for column, picture in enumerate(pair):
            page.paste(picture, (left + column * (ZOOM + GAP), top))
        if len(details) > 1:
            _tag(draw, (left, top), str(row + 1))
    if details:
        draw.text((left, head), "as signed (blurred)", fill=_SOFT, font=small)
        draw.text((left + ZOOM + GAP, head), "as found", fill=_SOFT, font=small)
    draw.text((GAP, height - 52), legend, fill=_SOFT, font=small)
    draw.text((GAP, height - 28), STAMP, fill=_SOFT, font=small)
    return page


def _tag(draw: ImageDraw.ImageDraw, corner: tuple[int, int], words: str) -> None:
    x, y = corner
    draw.rectangle((x, y, x + 18, y + 19), fill=_RED)
    draw.text((x + 5, y + 1), words, fill=_PAPER, font=ImageFont.load_default(14))


def _fitted(words: str, width: int) -> str:
    font = ImageFont.load_default(16)
    while len(words) > 1 and font.getlength(words) > width:
        words = words[:-2].rstrip() + "…"
    return words


def _pixels(box: _Box, size: tuple[int, int], around: int) -> tuple[int, int, int, int]:
    """A box in pixels of the frame, a little wider, within it."""
    left, top = round(box[0] * size[0]) - around, round(box[1] * size[1]) - around
    right, bottom = round(box[2] * size[0]) + around, round(box[3] * size[1]) + around
    return max(left, 3), max(top, 3), min(right, size[0] - 4), min(bottom, size[1] - 4)


def _square(box: _Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """A square of pixels around a box, within the frame where it is large enough."""
    width, height = size
    side = (max((box[2] - box[0]) * width, (box[3] - box[1]) * height)) + 2 * _AROUND * max(size)
    side = min(side, float(min(size)))
    x = min(max((box[0] + box[2]) * width / 2 - side / 2, 0), width - side)
    y = min(max((box[1] + box[3]) * height / 2 - side / 2, 0), height - side)
    return round(x), round(y), round(x + side), round(y + side)


def _zoomed(picture: Image.Image, cut: tuple[int, int, int, int]) -> Image.Image:
    return picture.crop(cut).resize((ZOOM, ZOOM), Image.Resampling.BICUBIC)
