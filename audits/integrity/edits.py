"""Edits of a known place and size: what a person does to a picture to change what it says.

Each takes the released picture and returns it with the edit and the mask of what was edited. ``share`` is the
side of a square of the edit's area, in shares of the picture's shorter side. Randomness is an argument.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from provenance.digest_grid import to_lab

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audits.robustness.attacks import Picture

VISIBLE = 8.0
"""|ΔL*| + |Δa*| + |Δb*|, mean over the edited place, from which something was edited: removing a cloud from
under another leaves the picture as it was."""
_TRIES = 24
_LETTERS = "ABCDEFGHJKLMNPRSTUVXYZ23456789"
_MARGIN = 0.02
"""Edits keep this far from the rim, in shares of the side."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Edited:
    """An edit.

    Attributes:
        before: (H, W, 3) uint8, as released.
        after: (H, W, 3) uint8, edited.
        mask: (H, W) bool, the place that was edited.
    """

    before: Picture
    after: Picture
    mask: NDArray[np.bool_]

    @property
    def change(self) -> float:
        """Mean |ΔL*| + |Δa*| + |Δb*| over the place."""
        difference = to_lab(self.after[self.mask] / 255.0) - to_lab(self.before[self.mask] / 255.0)
        return float(np.abs(difference).sum(axis=-1).mean())

    @property
    def visible(self) -> bool:
        """Whether it changes the picture so that somebody may see it."""
        return self.change >= VISIBLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A place: left, top, width and height in pixels."""

    x: int
    y: int
    width: int
    height: int

    @property
    def cut(self) -> tuple[slice, slice]:
        """The place as an index of rows and columns."""
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)


Edit: TypeAlias = Callable[["Picture", "Picture", float, np.random.Generator], Edited]


def make(
    edit: Edit, pixels: Picture, donor: Picture, share: float, random: np.random.Generator
) -> Edited | None:
    """The first visible edit of some places; None where the picture has none.

    Args:
        donor: another picture, where the edit takes what it pastes from.
    """
    for _ in range(_TRIES):
        edited = edit(pixels, donor, share, random)
        if edited.visible:
            return edited
    return None


def draws(
    edit: Edit, pixels: Picture, donor: Picture, share: float, random: np.random.Generator
) -> Iterator[Edited]:
    """The first edit, wherever it falls; and where it cannot be seen, another that can, if there is one."""
    first = edit(pixels, donor, share, random)
    yield first
    if not first.visible:
        again = make(edit, pixels, donor, share, random)
        if again is not None:
            yield again


def patch(pixels: Picture, donor: Picture, share: float, random: np.random.Generator) -> Edited:
    """A square of another picture."""
    box = _somewhere(pixels, share, random)
    after = pixels.copy()
    after[box.cut] = _taken(donor, box, random)
    return Edited(before=pixels, after=after, mask=_whole(pixels, box))


def swap(pixels: Picture, donor: Picture, share: float, random: np.random.Generator) -> Edited:
    """An oval of another picture with its colours matched and its rim blended in, as faces are swapped."""
    box = _somewhere(pixels, share * np.sqrt(4 / np.pi), random)
    inside = _oval(box)
    old, new = pixels[box.cut].astype(float), _taken(donor, box, random).astype(float)
    for channel in range(3):
        source, target = new[..., channel][inside > 0], old[..., channel][inside > 0]
        gain = np.clip((target.std() + 1) / (source.std() + 1), 0.5, 2)
        new[..., channel] = (new[..., channel] - source.mean()) * gain + target.mean()
    after = pixels.copy()
    blend = _feathered(inside)[..., None]
    after[box.cut] = _rounded(old * (1 - blend) + new * blend)
    return Edited(before=pixels, after=after, mask=_placed(pixels, box, inside > 0))


def text(pixels: Picture, _donor: Picture, share: float, random: np.random.Generator) -> Edited:
    """Other letters on a label that the released picture carries; four times as wide as high."""
    box = _somewhere(pixels, share, random, wide=2.0)
    ground = tuple(int(value) for value in random.integers(200, 256, 3))
    before, after = pixels.copy(), pixels.copy()
    for picture in (before, after):
        letters = "".join(random.choice(list(_LETTERS), 7))
        picture[box.cut] = _label(letters, box, ground)
    return Edited(before=before, after=after, mask=_whole(pixels, box))


def removal(pixels: Picture, _donor: Picture, share: float, random: np.random.Generator) -> Edited:
    """What stood there is painted over from its surroundings (Telea 2004). Needs OpenCV."""
    import cv2

    box = _somewhere(pixels, share * np.sqrt(4 / np.pi), random)
    mask = _placed(pixels, box, _oval(box) > 0)
    after = cv2.inpaint(pixels, mask.astype(np.uint8), 5, cv2.INPAINT_TELEA)
    return Edited(before=pixels, after=after, mask=mask)


def recolor(pixels: Picture, _donor: Picture, share: float, random: np.random.Generator) -> Edited:
    """Another hue at the same lightness, as for a shirt or a sign: 25 to 45 units of a* and b*."""
    import cv2

    box = _somewhere(pixels, share * np.sqrt(4 / np.pi), random)
    inside, angle, length = _oval(box), random.uniform(0, 2 * np.pi), random.uniform(25, 45)
    lab = cv2.cvtColor(pixels[box.cut].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    lab[..., 1:] += (length * _feathered(inside)[..., None] * [np.cos(angle), np.sin(angle)]).astype(
        np.float32
    )
    after = pixels.copy()
    after[box.cut] = _rounded(255.0 * cv2.cvtColor(lab, cv2.COLOR_LAB2RGB))
    return Edited(before=pixels, after=after, mask=_placed(pixels, box, inside > 0))


EDITS: dict[str, Edit] = {
    "patch": patch,
    "face-size swap": swap,
    "text": text,
    "object removal": removal,
    "colour": recolor,
}
SHARES = (0.03, 0.05, 0.08, 0.12, 0.20, 0.30)


def _somewhere(pixels: Picture, share: float, random: np.random.Generator, *, wide: float = 1.0) -> Box:
    height, width = pixels.shape[:2]
    side = share * min(height, width)
    columns = min(max(round(side * wide), 4), int(width * (1 - 2 * _MARGIN)))
    rows = min(max(round(side / wide), 4), int(height * (1 - 2 * _MARGIN)))
    x = int(random.integers(round(_MARGIN * width), round((1 - _MARGIN) * width) - columns + 1))
    y = int(random.integers(round(_MARGIN * height), round((1 - _MARGIN) * height) - rows + 1))
    return Box(x=x, y=y, width=columns, height=rows)


def _taken(donor: Picture, box: Box, random: np.random.Generator) -> Picture:
    """A piece of ``donor`` of the box's size, at the donor's own scale."""
    height, width = donor.shape[:2]
    if height < box.height or width < box.width:
        scale = max(box.height / height, box.width / width)
        size = (int(np.ceil(width * scale)), int(np.ceil(height * scale)))
        donor = np.asarray(Image.fromarray(donor).resize(size))
        height, width = donor.shape[:2]
    x = int(random.integers(0, width - box.width + 1))
    y = int(random.integers(0, height - box.height + 1))
    return donor[y : y + box.height, x : x + box.width]


def _oval(box: Box) -> NDArray[np.float64]:
    """(height, width): how far inside the oval, 1 in its middle and 0 from its rim on."""
    y, x = np.mgrid[: box.height, : box.width]
    radius = np.hypot((x + 0.5) / box.width - 0.5, (y + 0.5) / box.height - 0.5)
    return np.asarray(np.clip(1 - 2 * radius, 0, 1))


def _feathered(inside: NDArray[np.float64]) -> NDArray[np.float64]:
    """Full up to a fifth of the way from the rim."""
    return np.clip(inside / 0.2, 0, 1)


def _label(letters: str, box: Box, ground: tuple[int, ...]) -> Picture:
    label = Image.new("RGB", (8 * box.width, 8 * box.height), ground)
    draw = ImageDraw.Draw(label)
    font = ImageFont.load_default(int(6.4 * box.height))
    left, top, right, bottom = draw.textbbox((0, 0), letters, font=font)
    middle = ((label.width - right - left) / 2, (label.height - bottom - top) / 2)
    draw.text(middle, letters, fill=(30, 30, 40), font=font)
    return np.asarray(label.resize((box.width, box.height), Image.Resampling.BOX))


def _whole(pixels: Picture, box: Box) -> NDArray[np.bool_]:
    return _placed(pixels, box, np.ones((box.height, box.width), bool))


def _placed(pixels: Picture, box: Box, inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    mask = np.zeros(pixels.shape[:2], bool)
    mask[box.cut] = inside
    return mask


def _rounded(values: NDArray[np.floating]) -> Picture:
    return np.asarray(np.rint(np.clip(values, 0, 255)), np.uint8)
