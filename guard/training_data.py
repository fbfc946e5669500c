"""A folder of pictures to learn from, and what is said of each: licence, consent, words.

``data.json`` speaks for the folder and, under ``files``, for single files; ``NAME.json`` beside a picture
NAME speaks for that one, and counts most. Pictures pass the limits of everything that comes from outside, and
only their middle square is kept, no larger than training can use.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from guard.licences import SILENT
from guard.policy.fact import Consent
from guard.training_clips import read_clip
from provenance.codecs import decode, header, read_asset
from provenance.errors import Error, InputError
from provenance.files import read_bounded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from provenance.media import Frames

MOST_PICTURES = 10_000
MOST_SIDE = 1024
"""Pixels to a side that are kept: twice what Stable Diffusion 1 draws, whose later version draws 768."""
MOST_BYTES = 4 * 2**30
"""Of all pixels that are kept together: some 1,360 of the largest."""
_MOST_JSON = 8 * 2**20
_MOST_TEXT = 1_000
"""Characters of a licence."""
_FIELDS = frozenset({"licence", "consent", "caption"})
_NOTES = (".json", ".md", ".txt")
"""Files beside the pictures that are none: statements, licences, readmes."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DataPicture:
    """One picture and what is said of it.

    Attributes:
        name: of its file; stays private.
        sha256: of its file.
        pixels: (S, S, 3) uint8, the middle square, S at most ``MOST_SIDE``, white where it is transparent;
            (T, H, W, 3) of a clip.
        licence: None where nothing is said, or nothing in words.
        consent: of whoever is shown or made it.
        caption: None where none is given; stays private.
    """

    name: str
    sha256: str
    pixels: NDArray[np.uint8]
    licence: str | None
    consent: Consent
    caption: str | None


def keep_apart(data: Path, output: Path) -> None:
    """Outputs among the pictures would be taken for pictures by the next run.

    Raises:
        InputError: ``train.output-in-data``.
    """
    pictures, made = data.resolve(), output.resolve()
    if pictures.is_relative_to(made) or made.is_relative_to(pictures):
        what = "the output folder is the folder of the pictures, or one of the two lies in the other"
        raise InputError(
            "train.output-in-data", what, where=str(output), hint="name a folder beside the pictures with -o"
        )


def read_data(folder: Path, *, frames: int = 1, most_bytes: int = MOST_BYTES) -> tuple[DataPicture, ...]:
    """Every picture of ``folder``, sorted by name; hidden files and folders inside are left alone.

    Args:
        folder: of the data.
        frames: of a clip, where the folder holds clips; 1: it holds pictures.
        most_bytes: of what is kept of all of them.

    Raises:
        InputError: ``train.no-data``, ``train.bad-statement``, ``train.too-large`` (all pictures together
            have more than ``most_bytes`` of pixels to be kept), ``input.animated``, ``input.missing`` (a link
            to nothing), or as ``read_asset``, ``decode`` and ``read_clip``.
    """
    if not folder.is_dir():
        raise InputError("train.no-data", "the data is a folder of pictures", where=str(folder))
    names = {p.name for p in folder.iterdir() if not (p.name.startswith(".") or p.is_dir())}
    pictures = sorted(name for name in names if not name.lower().endswith(_NOTES))
    if not 1 <= len(pictures) <= MOST_PICTURES:
        what = f"{len(pictures)} pictures; training needs 1 to {MOST_PICTURES}"
        raise InputError("train.no-data", what, where=str(folder))
    whole = _statement(folder / "data.json", also=frozenset({"files"})) if "data.json" in names else {}
    single = whole.pop("files", {})
    if not isinstance(single, dict) or not set(single) <= set(pictures):
        raise _bad(folder / "data.json", "its files are not all in the folder")
    said = {name: _said(folder / name, whole, single.get(name, {}), names) for name in pictures}
    for name in pictures:  # all of them, before the first is decoded
        _check_there(folder / name)
        if frames == 1:
            _check_still(folder / name)
    found = (_picture(folder / name, said[name], frames) for name in pictures)
    return tuple(_within(most_bytes, found))


def _said(path: Path, whole: dict[str, Any], single: Any, names: set[str]) -> dict[str, Any]:
    """What counts for one picture."""
    beside = path.with_name(path.name + ".json")
    said = whole | _checked(single, path.with_name("data.json"), _FIELDS)
    return said | (_statement(beside) if beside.name in names else {})


def _check_there(path: Path) -> None:
    if path.is_symlink() and not path.exists():
        what, hint = "the link leads to no file", "take it out of the folder, or restore what it leads to"
        raise InputError("input.missing", what, where=str(path), hint=hint)


def _check_still(path: Path) -> None:
    with _about(path):
        asset = read_asset(path)
        if not asset.mime.startswith("image/") or header(asset, most_frames=2).frames > 1:
            hint = "take it out of the folder, or export the one picture you mean"
            raise InputError("input.animated", "this is no still picture", hint=hint)


def _within(most_bytes: int, pictures: Iterator[DataPicture]) -> Iterator[DataPicture]:
    """The same, refused before they fill the memory."""
    held = 0
    for one in pictures:
        held += one.pixels.nbytes
        if held > most_bytes:
            what = f"the pictures have more than {most_bytes:,} bytes of pixels together"
            hint = f"train on fewer, or scale them down to what the model draws; {MOST_SIDE} a side are kept"
            raise InputError("train.too-large", what, hint=hint)
        yield one


def _picture(path: Path, said: dict[str, Any], frames: int) -> DataPicture:
    with _about(path):
        asset = read_asset(path)
        pixels = _square(decode(asset)) if frames == 1 else read_clip(asset, frames, where=path.name)
    licence = " ".join((said.get("licence") or "").split())
    return DataPicture(
        name=path.name,
        sha256=asset.sha256,
        pixels=pixels,
        licence=None if licence.lower() in SILENT else licence,
        consent=Consent(said.get("consent", Consent.UNKNOWN)),
        caption=said.get("caption"),
    )


@contextmanager
def _about(path: Path) -> Iterator[None]:
    """Errors of a codec are about this file, which need not be there."""
    try:
        yield
    except Error as error:
        error.where = error.where or str(path)
        if error.code == "input.not-media":
            error.hint = (
                "take it out of the folder; of what is no picture or clip, .json, .md and .txt may stay"
            )
        raise


def _square(frames: Frames) -> NDArray[np.uint8]:
    """The middle square in 8 bits, at most ``MOST_SIDE`` a side; what is transparent stands on white.

    Cut before anything else, so that a long strip takes no more than its middle.
    """
    from PIL import Image  # noqa: PLC0415 - decoding has loaded it

    side = min(frames.width, frames.height)
    top, left = (frames.height - side) // 2, (frames.width - side) // 2
    middle = (0, slice(top, top + side), slice(left, left + side))
    pixels = _rgb(frames.pixels[middle], None if frames.alpha is None else frames.alpha[middle])
    if side <= MOST_SIDE:
        return pixels.copy()  # a view would keep all of the picture
    small = Image.fromarray(pixels).resize((MOST_SIDE, MOST_SIDE), Image.Resampling.LANCZOS)
    return np.array(small)


def _rgb(pixels: NDArray[Any], alpha: NDArray[Any] | None) -> NDArray[np.uint8]:
    """(H, W, 1 or 3) of 8 or 16 bits in 8 bits, on white."""
    if pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    pixels = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
    if alpha is None:
        return np.asarray(pixels, np.uint8)
    shown = (np.asarray(alpha, np.float32) / np.iinfo(alpha.dtype).max)[..., None]
    return np.asarray(np.rint(pixels * shown + 255 * (1 - shown)), np.uint8)


def _statement(path: Path, *, also: frozenset[str] = frozenset()) -> dict[str, Any]:
    try:
        said = json.loads(read_bounded(path, most=_MOST_JSON))
    except (ValueError, RecursionError) as error:
        raise _bad(path, "it is not JSON") from error
    return _checked(said, path, _FIELDS | also)


def _checked(said: Any, path: Path, known: frozenset[str]) -> dict[str, Any]:
    if not isinstance(said, dict) or not set(said) <= known:
        raise _bad(path, f"it has the fields {', '.join(sorted(known))} and no others")
    texts = [said[name] for name in _FIELDS if said.get(name) is not None]
    if any(not isinstance(text, str) for text in texts) or len(said.get("licence") or "") > _MOST_TEXT:
        raise _bad(
            path, f"licence, consent and caption are texts, a licence of up to {_MOST_TEXT} characters"
        )
    if not "".join((said.get("licence") or "").split()).isprintable():
        raise _bad(path, "a licence has no control or invisible characters")
    if said.get("consent", Consent.UNKNOWN) not in set(Consent):
        raise _bad(path, f"consent is one of {', '.join(Consent)}")
    return dict(said)


def _bad(path: Path, what: str) -> InputError:
    hint = 'write {"licence": "CC0-1.0", "consent": "not-needed", "files": {"a.png": {"caption": "…"}}}'
    return InputError("train.bad-statement", f"what is said of the data cannot be used: {what}",
                      where=str(path), hint=hint)  # fmt: skip
