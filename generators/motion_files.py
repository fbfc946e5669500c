"""The folder of a motion model: looked through and digested before any library sees it.

``card.json`` names the picture model that it moves, by reference and by digest; beside it lie the motion
modules in diffusers' layout (``motion_adapter/``), low-rank spatial changes and vectors of words. The
picture model itself is not copied.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from generators.card_files import LONGEST, is_name, is_text, is_within, read_object
from generators.config_limits import check_configs
from generators.finishes import FINISHES, PLAIN
from generators.weights import PICKLES, Weights, digested, files_below, pickle_only, settings_in
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
WEIGHTS = f"{MODULES}/diffusion_pytorch_model.safetensors"
_MOST_BYTES = 2 * 2**30
_MOST_CARD = 2**20
"""Bytes of a card."""
_TEXTS = ("name", "licence", "data_licence", "base", "base_sha256", "finish")
_RANGES: Mapping[str, tuple[type, float, float]] = MappingProxyType(
    {
        "frames": (int, 1, 256),
        "most_frames": (int, 1, 256),
        "size": (int, 8, 8192),
        "steps": (int, 1, 1000),
        "fps": (float, 1, 240),
        "guidance_scale": (float, 0, 100),
        "shared_noise": (float, 0, 1),
    }
)
"""Kind, least and most of the numbers of a card; those of a request are bounded alike."""
_OPTIONAL = ("size", "steps", "guidance_scale")


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
        InputError: ``motion.bad-card``, ``weights.link-outside``.
    """
    try:
        said = read_object(folder / CARD, most=_MOST_CARD)
        card = MotionCard(**{name: said[name] for name in MotionCard.__slots__ if name in said})
    except (ValueError, TypeError) as error:
        raise _bad(folder / CARD) from error
    if said.get("kind") != KIND:
        raise _bad(folder / CARD)
    if not all(is_text(getattr(card, name), most=LONGEST) for name in _TEXTS) or not is_name(card.name):
        raise _bad(folder / CARD)
    if card.finish not in FINISHES or not isinstance(card.weights, dict):
        raise _bad(folder / CARD)
    for name, (kind, least, most) in _RANGES.items():
        value = getattr(card, name)
        left_out = value is None and name in _OPTIONAL
        if not left_out and not is_within(value, least, most, kind=kind):
            raise _bad(folder / CARD, f"{name} is a number from {least} to {most}")
    if card.frames > card.most_frames or card.shared_noise >= 1 or (card.size or 0) % 8:
        what = "frames exceed most_frames, shared_noise is 1, or size is no multiple of 8"
        raise _bad(folder / CARD, what)
    return card


def examine_motion(folder: Path, *, pinned: Mapping[str, str] | None = None) -> Weights:
    """Look through the folder and digest its weights.

    Args:
        folder: of the motion model.
        pinned: published digests, of a bundled model.

    Raises:
        InputError: ``weights.pickle-only``, ``weights.link-outside``, ``motion.no-weights``,
            ``weights.not-safetensors``, ``weights.config``.
        IntegrityError: ``weights.changed``.
    """
    paths = files_below(folder)
    if any(path.suffix in PICKLES for path in paths):
        raise pickle_only(folder)
    check_configs(paths)
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
    settings = settings_in((path for path in paths if path in _settings(folder)), folder)
    return Weights(folder=folder, pipeline="AnimateDiffPipeline", files=files, settings=settings)


def _settings(folder: Path) -> tuple[Path, ...]:
    return (folder / CARD, folder / PHRASES, folder / MODULES / "config.json")


def no_weights(where: str) -> InputError:
    """The error for a motion model that was not trained, or not installed."""
    return InputError(
        "motion.no-weights",
        "the weights of the motion modules are not there",
        where=where,
        hint="python -m generators.training.emoji_motion trains and exports them",
    )


def _bad(path: Path, what: str = "kind, base and base_sha256 are needed") -> InputError:
    return InputError(
        "motion.bad-card", f"card.json does not describe a motion model: {what}", where=str(path)
    )
