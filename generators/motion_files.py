"""The folder of a motion model: looked through and digested before any library sees it.

``card.json`` names the picture model that it moves, by reference and by digest; beside it lie the motion
modules in diffusers' layout (``motion_adapter/``), low-rank spatial changes and vectors of words. The
picture model itself is not copied.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from generators.finishes import FINISHES, PLAIN
from generators.weights import PICKLES, Weights, digested, pickle_only
from provenance.errors import InputError, IntegrityError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CARD, KIND = "card.json", "motion"
"""File that describes a motion model, and what its ``kind`` says."""
MODULES, SPATIAL, WORDS, PHRASES = (
    "motion_adapter",
    "spatial.safetensors",
    "movements.safetensors",
    "words.json",
)
_MOST_BYTES = 2 * 2**30
_TEXTS = ("name", "licence", "data_licence", "base", "base_sha256")


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionCard:
    """What a motion model says of itself.

    Attributes:
        base: reference of the picture model.
        base_sha256: digest of its weights, as ``GeneratorInfo.weights_sha256``.
        name: for people.
        licence: of the motion weights.
        data_licence: of what they were trained on.
        size: pixels to a side of released clips; None: as of the picture model.
        finish: how frames are enlarged to it, a name in ``generators.finishes``.
        frames: of a clip, where the request says nothing.
        most_frames: the longest clip.
        fps: frames per second, where the request says nothing.
        steps: denoising steps, where the request says nothing; None: the picture model's.
        guidance_scale: likewise.
        shared_noise: share of noise that frames have in common, where the request says nothing.
        weights: path and digest, of bundled models.
    """

    base: str
    base_sha256: str
    name: str = "motion model"
    licence: str = "unknown"
    data_licence: str = "unknown"
    size: int | None = None
    finish: str = PLAIN
    frames: int = 8
    most_frames: int = 16
    fps: float = 8.0
    steps: int | None = None
    guidance_scale: float | None = None
    shared_noise: float = 0.0
    weights: Mapping[str, str] = field(default_factory=dict)


def is_motion(folder: Path) -> bool:
    """Whether a motion model lies here, or says so, even if parts of it are missing."""
    return (folder / MODULES).is_dir() and not (folder / "model_index.json").exists()


def read_card(folder: Path) -> MotionCard:
    """The card of a motion model.

    Raises:
        InputError: ``motion.bad-card``.
    """
    try:
        said: dict[str, Any] = json.loads((folder / CARD).read_text(encoding="utf-8"))
        known = {name: said[name] for name in MotionCard.__slots__ if name in said}
        card = MotionCard(**known)
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise _bad(folder / CARD) from error
    numbers = [card.frames, card.most_frames, card.fps, card.shared_noise]
    numbers += [one for one in (card.steps, card.guidance_scale) if one is not None]
    if (
        said.get("kind") != KIND
        or not all(isinstance(getattr(card, name), str) for name in _TEXTS)
        or not all(type(number) in (int, float) for number in numbers)
        or not 1 <= card.frames <= card.most_frames <= 256
        or not 0 <= card.shared_noise < 1
        or not (card.size is None or (type(card.size) is int and 8 <= card.size <= 8192))
        or card.finish not in FINISHES
        or not isinstance(card.weights, dict)
    ):
        raise _bad(folder / CARD)
    return card


def examine_motion(folder: Path, *, pinned: Mapping[str, str] | None = None) -> Weights:
    """Look through the folder and digest its weights.

    Args:
        folder: of the motion model.
        pinned: published digests, of a bundled model.

    Raises:
        InputError: ``weights.pickle-only``, ``weights.link-outside``, ``motion.no-weights``,
            ``weights.not-safetensors``.
        IntegrityError: ``weights.changed``.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    if any(path.suffix in PICKLES for path in paths):
        raise pickle_only(folder)
    for path in paths:
        if not path.resolve().is_relative_to(folder.resolve()):
            raise InputError(
                "weights.link-outside", "a link in the model folder leads out of it", where=str(path)
            )
    found = [path for path in paths if path.suffix == ".safetensors"]
    if not any(path.parent.name == MODULES for path in found):
        raise no_weights(folder.name)
    if sum(path.stat().st_size for path in found) > _MOST_BYTES:
        raise InputError(
            "weights.too-large", f"motion weights exceed {_MOST_BYTES // 2**30} GiB", where=folder.name
        )
    files = tuple(digested(path, folder) for path in found)
    if pinned is not None and {file.path: file.sha256 for file in files} != dict(pinned):
        raise IntegrityError(
            "weights.changed",
            "the bundled weights are not the published ones",
            where=folder.name,
            hint="pip install --force-reinstall mediaguard",
        )
    return Weights(folder=folder, pipeline="AnimateDiffPipeline", files=files)


def no_weights(where: str) -> InputError:
    """The error for a motion model that was not trained, or not installed."""
    return InputError(
        "motion.no-weights",
        "the weights of the motion modules are not there",
        where=where,
        hint="python -m generators.training.emoji_motion trains and exports them",
    )


def _bad(path: Path) -> InputError:
    return InputError(
        "motion.bad-card",
        "card.json does not describe a motion model: kind, base and base_sha256 are needed",
        where=str(path),
    )
