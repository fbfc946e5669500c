"""The pictures of a measurement: files of a folder, whole or in pieces that do not overlap.

Pieces count as pictures, but pieces of one photograph have one source; results state both numbers.
A file that cannot be used is listed with its reason and the rest goes on.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits.rgb import rgb
from provenance.codecs import decode, header, read_asset
from provenance.errors import Error, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from audits.robustness.attacks import Picture

MOST_PIXELS = 16_000_000
"""Of one sample: every attack holds several copies of it in memory. Larger pictures are cut in pieces."""
SMALLEST_SIDE = 16
"""Of one sample: below this there is no structure to compare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One picture to measure on.

    Attributes:
        name: of its file, with row and column of the piece.
        path: of the file.
        source: SHA-256 of the file's bytes, in hex.
        box: (left, top, width, height) of the piece in upright pixels; None for the whole picture.
    """

    name: str
    path: Path
    source: str
    box: tuple[int, int, int, int] | None = None

    @property
    def id(self) -> str:
        """Names the pixels, whatever the file is called."""
        return self.source[:32] + ("" if self.box is None else "@{},{},{},{}".format(*self.box))


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A file or a trial that could not be used, and why: ``code`` and ``what`` as in ``Error``."""

    name: str
    code: str
    what: str

    @classmethod
    def of(cls, name: str, error: Error) -> Refused:
        """From the error that stopped it."""
        return cls(name=name, code=error.code, what=error.what)


def files_in(folder: Path) -> tuple[Path, ...]:
    """What lies in ``folder``, by name; hidden files are left out.

    Raises:
        InputError: ``bench.folder``.
    """
    hint = "guard bench watermark --images DIR, where DIR holds PNG, JPEG, WebP or TIFF files"
    if not folder.is_dir():
        raise InputError(
            "bench.folder", "pictures are taken from a folder, and this is none", where=str(folder), hint=hint
        )
    try:
        return tuple(sorted(path for path in folder.iterdir() if not path.name.startswith(".")))
    except OSError as error:
        what = f"the folder cannot be listed: {error.strerror}"
        raise InputError("bench.folder", what, where=str(folder), hint=hint) from error


def find_samples(
    files: Iterable[Path], *, piece: int | None = None, most: int | None = None
) -> tuple[tuple[Sample, ...], tuple[Refused, ...]]:
    """The samples in ``files``, in order, and the files that give none.

    Args:
        files: media files.
        piece: side in pixels of the pieces that larger pictures are cut into; None leaves them whole.
        most: stop at so many samples.
    """
    samples: list[Sample] = []
    refused: list[Refused] = []
    seen: dict[str, str] = {}
    for path in files:
        if most is not None and len(samples) >= most:
            break
        try:
            found = _samples_of(path, piece)
            first = seen.setdefault(found[0].source, path.name)
            if first != path.name:
                raise InputError("bench.twice", f"the same bytes as {first}")
            samples += found
        except Error as error:
            refused.append(Refused.of(path.name, error))
    return tuple(samples[:most]), tuple(refused)


def _samples_of(path: Path, piece: int | None) -> tuple[Sample, ...]:
    asset = read_asset(path)
    found = header(asset)
    if found.frames > 1:
        raise InputError("input.animated", "an animation or a document of several pages")
    if min(found.width, found.height) < SMALLEST_SIDE:
        raise InputError("bench.too-small", f"{found.width}x{found.height} is too small to measure on")
    boxes = () if piece is None else _boxes(found.width, found.height, piece)
    if not boxes and found.width * found.height > MOST_PIXELS:
        raise InputError("input.too-large", f"more than {MOST_PIXELS:,} pixels; cut it with --crop 768")
    if not boxes:
        return (Sample(name=path.name, path=path, source=asset.sha256),)
    return tuple(
        Sample(name=f"{path.name}#{number}", path=path, source=asset.sha256, box=box)
        for number, box in enumerate(boxes, start=1)
    )


def _boxes(width: int, height: int, piece: int) -> tuple[tuple[int, int, int, int], ...]:
    """A centred grid of ``piece`` × ``piece``; none where fewer than two fit."""
    columns, rows = width // piece, height // piece
    if columns * rows < 2:
        return ()
    left, top = (width - columns * piece) // 2, (height - rows * piece) // 2
    return tuple(
        (left + column * piece, top + row * piece, piece, piece)
        for row in range(rows)
        for column in range(columns)
    )


def pixels_of(sample: Sample) -> Picture:
    """(H, W, 3) uint8, read-only. Sixteen bits are rounded to eight, transparency is laid over white.

    Raises:
        InputError: the file cannot be decoded, or is not the one that was found.
    """
    asset = read_asset(sample.path)
    if asset.sha256 != sample.source:
        raise InputError("bench.changed", "the file changed while it was measured", where=sample.name)
    pixels = rgb(decode(asset))
    if sample.box is not None:
        left, top, width, height = sample.box
        pixels = pixels[top : top + height, left : left + width].copy()
    pixels.flags.writeable = False
    return pixels


def digest_of(samples: Iterable[Sample]) -> str:
    """SHA-256, in hex, over the pictures and their order."""
    return hashlib.sha256("\n".join(sample.id for sample in samples).encode()).hexdigest()
