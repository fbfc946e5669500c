"""Which files make a reference model, and what its ``config.json`` may say. No heavy imports.

model.safetensors    the weights; of GPNN, which has none, the picture it draws from, as numbers
config.json          which model, of what size, under which licences; every field is needed, no other accepted
MODEL_CARD.md        for people; not read
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from generators.card_files import is_text, read_object
from generators.recipe import WeightFile
from generators.weights import PICKLES, Weights, check_inside, digested, pickle_only
from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

CONFIG, WEIGHTS = "config.json", "model.safetensors"
SCHEMA_VERSION = 1
NAMES: Mapping[str, str] = MappingProxyType(
    {
        "ddpm": "Class-conditional DDPM (reference model)",
        "gpnn": "GPNN (reference model)",
        "nca": "Neural cellular automaton (reference model)",
        "realnvp": "RealNVP (reference model)",
        "vae": "Variational autoencoder (reference model)",
    }
)
"""For people, by kind: what a manifest says. Nothing of it comes out of a folder."""
LARGEST: Mapping[str, int] = MappingProxyType({"ddpm": 64, "gpnn": 128, "nca": 64, "realnvp": 64, "vae": 64})
"""Pixels of the longer side that each is trained at."""
EDGE = 3
"""Empty cells around the picture of an automaton."""
RELEASED, _LONGEST = 512, 8192
"""Pixels that the shorter side has at least after enlarging, and the longer at most.

At 512 enlarged digits carry the watermark at 42 dB; at 256, its least, some need 40.
"""
_MAX_CONFIG, _MAX_WEIGHTS = 2**18, 2**26
"""Bytes. The largest networks within the bounds here have some 20 MB."""
_MAX_CLASSES, _MAX_TEXT = 1000, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a configuration says.

    Attributes:
        kind: one of ``NAMES``.
        licence: of the weights, or "unknown".
        data_licence: of what it was trained on, or "unknown".
        shape: channels, height and width of what the network gives.
        depth: values that a channel can have.
        classes: names, by number; empty for models that draw without being told what.
        steps: of denoising or growth; 1 where there are none.
        scale: of the classifier's gradient.
        patches: the numbers of GPNN (``generators.reference.gpnn.Settings``).
    """

    kind: str
    licence: str = "unknown"
    data_licence: str = "unknown"
    shape: tuple[int, int, int]
    depth: int = 256
    classes: tuple[str, ...] = ()
    steps: int = 1
    scale: float = 0.0
    patches: Mapping[str, float] = field(default_factory=dict)

    @property
    def factor(self) -> int:
        """By which its pixels are enlarged where the request says nothing."""
        return -(-RELEASED // min(self.shape[1:]))

    def to_json(self) -> dict[str, Any]:
        """The whole file; ``read_settings`` reads it back."""
        said = {"shape": list(self.shape), "depth": self.depth, "classes": list(self.classes)}
        said |= {"steps": self.steps, "scale": self.scale, **self.patches}
        common = {"schema_version": SCHEMA_VERSION, "reference": self.kind}
        common |= {"licence": self.licence, "data_licence": self.data_licence}
        return common | {name: said[name] for name in _FIELDS[self.kind]}


def kind_of(path: Path) -> str | None:
    """What a configuration here says it is, which may be no kind we know; None where none is here.

    Raises:
        InputError: ``weights.link-outside``.
    """
    config = path / CONFIG
    if not config.is_file() or (path / "model_index.json").exists() or config.stat().st_size > _MAX_CONFIG:
        return None
    try:
        said = read_object(config, most=_MAX_CONFIG)
    except ValueError:
        return None
    return str(said["reference"]) if "reference" in said else None


def examine(folder: Path, kind: str) -> Weights:
    """Weights and configuration, digested: both decide what the pixels are.

    Raises:
        InputError: pickles, no weights, a link leading out, no safetensors header, ``reference.model``.
    """
    file = folder / WEIGHTS
    if not file.is_file():
        if any(path.suffix in PICKLES for path in folder.iterdir()):
            raise pickle_only(folder)
        raise InputError("weights.no-model", f"there is no {WEIGHTS} here", where=str(folder))
    for found in (file, folder / CONFIG):
        check_inside(found, folder)
    if file.stat().st_size > _MAX_WEIGHTS:
        raise misfit(f"the weights have more than {_MAX_WEIGHTS >> 20} MiB", WEIGHTS)
    said = (folder / CONFIG).read_bytes()
    config = WeightFile(path=CONFIG, size=len(said), sha256=hashlib.sha256(said).hexdigest())
    return Weights(folder=folder, pipeline=f"reference.{kind}", files=(config, digested(file, folder)))


def read_settings(folder: Path) -> Settings:
    """What ``config.json`` says.

    Raises:
        InputError: ``reference.model``, naming the field that is missing, foreign or out of range;
            ``weights.link-outside``.
    """
    try:
        data = read_object(folder / CONFIG, most=_MAX_CONFIG)
    except ValueError as error:
        raise misfit("the configuration is no JSON object", CONFIG) from error
    return checked(data)


def checked(data: Mapping[str, Any]) -> Settings:
    """``data`` as settings, every field within its bounds.

    Raises:
        InputError: ``reference.model``.
    """
    kind = data.get("reference")
    if not isinstance(kind, str) or kind not in _FIELDS:
        raise misfit(f"the reference models are {', '.join(NAMES)}", "reference")
    expected = {**_COMMON, **_FIELDS[kind]}
    for name in sorted(expected.keys() | data.keys()):
        if name not in expected or name not in data:
            raise misfit("a field is missing" if name in expected else "there is no such field", name[:100])
        if not expected[name](data[name]):
            raise misfit("the value is of another type, or out of its range", name)
    if not shape_fits(kind, tuple(data["shape"])):
        raise misfit("a model of this kind has no such shape", "shape")
    lists: dict[str, Any] = {name: tuple(data[name]) for name in ("shape", "classes") if name in data}
    single: dict[str, Any] = {
        name: data[name] for name in ("licence", "data_licence", "depth", "steps") if name in data
    }
    if "scale" in data:
        single["scale"] = float(data["scale"])
    patches = {name: data[name] for name in _PATCHES if name in data}
    return Settings(kind=kind, patches=patches, **lists, **single)


def shape_fits(kind: str, shape: tuple[int, ...]) -> bool:
    """Whether a model of ``kind`` may have it: channels, height, width; bounds what a folder can cost."""
    channels, high, wide = shape
    least, most = _SIDES[kind]
    if channels not in _CHANNELS[kind] or not all(least <= side <= most for side in (high, wide)):
        return False
    if kind == "ddpm" and (high != wide or high & (high - 1)):
        return False
    return max(high, wide) * -(-RELEASED // min(high, wide)) <= _LONGEST


def misfit(what: str, where: str) -> InputError:
    """One thing about a folder that does not fit."""
    return InputError(
        "reference.model",
        what,
        where=where,
        hint="take the folder as `python -m generators.reference` left it, or make it again",
    )


_CHANNELS = {"ddpm": (1, 3), "gpnn": (3,), "nca": (4,), "realnvp": (1, 3), "vae": (1, 3)}
_SIDES = {
    kind: (
        {"ddpm": 8, "gpnn": 7, "nca": 2 * EDGE + 1}.get(kind, 2),
        most + (2 * EDGE if kind == "nca" else 0),
    )
    for kind, most in LARGEST.items()
}


def _whole(least: int, most: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and least <= value <= most


def _real(least: float, most: float) -> Callable[[Any], bool]:
    return lambda value: type(value) in (int, float) and math.isfinite(value) and least <= value <= most


def _text(value: Any) -> bool:
    return value != "" and is_text(value, most=_MAX_TEXT)


def _shape(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 3 and all(type(one) is int for one in value)


def _classes(value: Any) -> bool:
    if not isinstance(value, list) or not 1 <= len(value) <= _MAX_CLASSES:
        return False
    return all(_text(one) and one == one.strip() for one in value) and len(set(value)) == len(value)


_COMMON: Mapping[str, Callable[[Any], bool]] = {
    "schema_version": lambda value: type(value) is int and value == SCHEMA_VERSION,
    "reference": _text,
    "licence": _text,
    "data_licence": _text,
    "shape": _shape,
}
_PATCHES: Mapping[str, Callable[[Any], bool]] = {
    "patch": lambda value: _whole(3, 7)(value) and value % 2 == 1,
    "ratio": _real(0.1, 0.9),  # above, a pyramid of small sides would never end: they round to themselves
    "alpha": _real(1e-6, 1e6),
    "noise": _real(0, 100),
    "rounds": _whole(1, 50),
    "coarsest": _whole(7, 128),
}
_DEPTH = {"shape": _shape, "depth": _whole(2, 256)}
_FIELDS: Mapping[str, Mapping[str, Callable[[Any], bool]]] = {
    "ddpm": {**_DEPTH, "classes": _classes, "steps": _whole(1, 1000), "scale": _real(0, 99)},
    "gpnn": {"shape": _shape, **_PATCHES},
    "nca": {"shape": _shape, "steps": _whole(1, 1000)},
    "realnvp": _DEPTH,
    "vae": _DEPTH,
}
"""What each kind says beyond the common fields."""
