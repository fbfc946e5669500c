"""A folder of pictures to learn from, and what is said of each: licence, consent, words.

``data.json`` speaks for the folder and, under ``files``, for single files; ``NAME.json`` beside a picture
NAME speaks for that one, and counts most. Pictures pass the limits of everything that comes from outside.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from guard.licences import SILENT
from guard.policy.fact import Consent
from guard.training_clips import read_clip
from provenance.codecs import decode, read_asset
from provenance.errors import InputError
from provenance.files import read_bounded

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from provenance.media import Frames

MOST_PICTURES = 10_000
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
        pixels: (H, W, 3) uint8, on white where it is transparent; (T, H, W, 3) of a clip.
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


def read_data(folder: Path, *, frames: int = 1) -> tuple[DataPicture, ...]:
    """Every picture of ``folder``, sorted by name; hidden files and folders inside are left alone.

    Args:
        folder: of the data.
        frames: of a clip, where the folder holds clips; 1: it holds pictures.

    Raises:
        InputError: ``train.no-data``, ``train.bad-statement``, or as ``read_asset``, ``decode`` and
            ``read_clip``.
    """
    if not folder.is_dir():
        raise InputError("train.no-data", "the data is a folder of pictures", where=str(folder))
    names = sorted(p.name for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))
    pictures = [name for name in names if not name.lower().endswith(_NOTES)]
    if not 1 <= len(pictures) <= MOST_PICTURES:
        what = f"{len(pictures)} pictures; training needs 1 to {MOST_PICTURES}"
        raise InputError("train.no-data", what, where=str(folder))
    whole = _statement(folder / "data.json", also=frozenset({"files"})) if "data.json" in names else {}
    single = whole.pop("files", {})
    if not isinstance(single, dict) or not set(single) <= set(pictures):
        raise _bad(folder / "data.json", "its files are not all in the folder")
    return tuple(_picture(folder / name, whole, single.get(name, {}), frames) for name in pictures)


def _picture(path: Path, whole: dict[str, Any], single: Any, frames: int) -> DataPicture:
    beside = path.with_name(path.name + ".json")
    said = whole | _checked(single, path.with_name("data.json"), _FIELDS)
    said |= _statement(beside) if beside.is_file() else {}
    asset = read_asset(path)
    licence = " ".join((said.get("licence") or "").split())
    return DataPicture(
        name=path.name,
        sha256=asset.sha256,
        pixels=_rgb(decode(asset)) if frames == 1 else read_clip(asset, frames, where=path.name),
        licence=None if licence.lower() in SILENT else licence,
        consent=Consent(said.get("consent", Consent.UNKNOWN)),
        caption=said.get("caption"),
    )


def _rgb(frames: Frames) -> NDArray[np.uint8]:
    """The first picture in 8 bits; what is transparent stands on white."""
    pixels = frames.pixels[0]
    if pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    pixels = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels[..., :3]
    if frames.alpha is None:
        return np.asarray(pixels, np.uint8)
    alpha = np.asarray(frames.alpha[0], np.float32) / np.iinfo(frames.alpha.dtype).max
    shown = alpha.reshape(*pixels.shape[:2], 1)
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
