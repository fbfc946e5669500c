"""The emoji corpus as pixels: draw the pictures once, then compose training batches from them.

Sources, unpacked by the caller (nothing is fetched here):
    fluentui-emoji 1.3.0 (npm, MIT): ``icons/{flat,modern}/…svg``, as ``man-judge-dark.svg`` or ``cat.svg``
    emoji-datasource-google 16.0.0 (npm; the Noto images are Apache-2.0): ``emoji.json``, ``img/google/64``
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch.nn import functional

from generators.tensors_adapter import read_tensors
from generators.training.emoji_labels import GROUNDS, OBJECTS, PRESENTATIONS, PROFESSIONS, TONES, Label
from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SIZE = 128
"""Side of the trained pictures, in pixels."""
_TONE_CODES = dict(zip(TONES[1:], ("1F3FB", "1F3FC", "1F3FD", "1F3FE", "1F3FF"), strict=True))


class Corpus:
    """RGBA drawings and their labels.

    Attributes:
        rgba: (N, 4, S, S) uint8, S being 128 where not said otherwise.
        labels: one per drawing.
    """

    def __init__(self, rgba: torch.Tensor, labels: tuple[Label, ...]) -> None:
        self.rgba = rgba
        self.labels = labels
        self.train = torch.tensor([i for i, label in enumerate(labels) if not label.held_out])
        self.held_out = torch.tensor([i for i, label in enumerate(labels) if label.held_out])

    def save(self, folder: Path) -> None:
        """Write ``corpus.safetensors`` and ``corpus.json``."""
        folder.mkdir(parents=True, exist_ok=True)
        save_file({"rgba": self.rgba}, folder / "corpus.safetensors")
        rows = [[x.subject, x.style, x.presentation, x.tone] for x in self.labels]
        digest = hashlib.sha256(self.rgba.numpy().tobytes()).hexdigest()
        (folder / "corpus.json").write_text(json.dumps({"pixels_sha256": digest, "labels": rows}))

    @classmethod
    def load(cls, folder: Path) -> Corpus:
        """Read what ``save`` wrote."""
        rows = json.loads((folder / "corpus.json").read_text())["labels"]
        labels = tuple(Label(subject=n, style=s, presentation=g, tone=t) for n, s, g, t in rows)
        return cls(read_tensors(folder / "corpus.safetensors", single=False)["rgba"], labels)


def prepare(fluent: Path, noto: Path) -> Corpus:
    """Draw the whole corpus from the two unpacked packages (about 40 seconds)."""
    return _corpus([*_fluent(fluent, SIZE), *_noto(noto)])


def prepare_fluent(fluent: Path, side: int) -> Corpus:
    """Only the Fluent drawings, which are vectors, ``side`` pixels wide and high."""
    return _corpus([*_fluent(fluent, side)])


def _corpus(pairs: list[tuple[Label, np.ndarray[Any, np.dtype[np.uint8]]]]) -> Corpus:
    pixels = np.stack([picture for _, picture in pairs])
    return Corpus(
        torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous(), tuple(label for label, _ in pairs)
    )


def _labels(style: str) -> Iterator[Label]:
    for profession in PROFESSIONS:
        for presentation in PRESENTATIONS:
            for tone in TONES:
                yield Label(subject=profession, style=style, presentation=presentation, tone=tone)
    for thing in OBJECTS:
        yield Label(subject=thing, style=style)


def _fluent(root: Path, side: int) -> Iterator[tuple[Label, np.ndarray[Any, np.dtype[np.uint8]]]]:
    import resvg_py  # noqa: PLC0415  # an extra that only drawing needs

    for style in ("flat", "modern"):
        for label in _labels(style):
            path = root / "icons" / style / f"{_fluent_name(label)}.svg"
            _must_exist(path)
            png = bytes(resvg_py.svg_to_bytes(svg_path=str(path), width=side, height=side))
            # One drawing of the set is not quite square, and comes out narrower than it was asked for.
            yield label, _rgba(Image.open(io.BytesIO(png)), side)


def _fluent_name(label: Label) -> str:
    name = label.subject.replace(" ", "-")
    if not label.is_person:
        return name
    prefix = "" if label.presentation == "person" else f"{label.presentation}-"
    return f"{prefix}{name}-{'default' if label.tone == 'yellow' else label.tone}"


def _noto(root: Path) -> Iterator[tuple[Label, np.ndarray[Any, np.dtype[np.uint8]]]]:
    """Those of the labels that Noto has a drawing for."""
    _must_exist(root / "emoji.json")
    entries = json.loads((root / "emoji.json").read_text(encoding="utf-8"))
    by_name = {
        str(entry["name"] or entry["short_name"]).lower().replace("-", " "): entry for entry in entries
    }
    for label in _labels("noto"):
        variant = _noto_entry(label, by_name)
        if variant is None or not variant.get("has_img_google"):
            continue
        path = root / "img" / "google" / "64" / variant["image"]
        _must_exist(path)
        yield label, _rgba(Image.open(path), SIZE)


def _noto_entry(label: Label, by_name: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
    named = label.presentation in PRESENTATIONS[1:]
    name = (f"{label.presentation} " if named else "") + label.subject.replace("-", " ")
    entry = by_name.get(name) or by_name.get(f"{name}s")
    if entry is None or label.tone in (None, "yellow"):
        return entry
    variant: dict[str, Any] | None = entry.get("skin_variations", {}).get(_TONE_CODES[str(label.tone)])
    return variant


def _rgba(image: Image.Image, side: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    rgba = image.convert("RGBA")
    if rgba.size != (side, side):
        rgba = rgba.resize((side, side), Image.Resampling.LANCZOS)
    return np.asarray(rgba)


def _must_exist(path: Path) -> None:
    if not path.exists():
        raise InputError(
            "train.source-missing",
            f"the unpacked package has no {path.name}",
            where=str(path),
            hint="npm pack fluentui-emoji@1.3.0 emoji-datasource-google@16.0.0, then unpack both",
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """Where drawings stand, and on what: for n of them, numbers in [0, 1) of a uniform distribution.

    Attributes:
        scale: (n,).
        shift: (n, 2).
        ground: (n, 3) colours, in [0, 1] and taken as they are.
        corners: (n, 3, 2, 2): how the ground's colour differs in its corners.
        texture: (n, 1, 8, 8), of a normal distribution.
    """

    scale: torch.Tensor
    shift: torch.Tensor
    ground: torch.Tensor
    corners: torch.Tensor
    texture: torch.Tensor

    def of(self, indices: torch.Tensor) -> Scene:
        """Those of these drawings only, in this order."""
        return Scene(**{field.name: getattr(self, field.name)[indices] for field in fields(self)})


def compose(
    rgba: torch.Tensor, rng: torch.Generator, *, jitter: float = 1.0, base: torch.Tensor | None = None
) -> torch.Tensor:
    """Put drawings on coloured grounds: (N, 4, S, S) uint8 to (N, 3, S, S) float32 in [-1, 1].

    Args:
        jitter: how much scale and shift vary; 0 turns that off.
        base: (N, 3) colours of the grounds in [0, 1]; None: any.
    """
    return composed(rgba, drawn_scene(len(rgba), rng, base), jitter=jitter)


def drawn_scene(n: int, rng: torch.Generator, base: torch.Tensor | None = None) -> Scene:
    """Any scenes, ``n`` of them; ``base``, (n, 3), are the colours of the grounds where they are given."""
    scale, shift = torch.rand(n, generator=rng), torch.rand(n, 2, generator=rng)
    ground = torch.rand(n, 3, generator=rng) * 0.6 + 0.3 if base is None else base
    corners, texture = _drawn_ground(n, rng)
    return Scene(scale=scale, shift=shift, ground=ground, corners=corners, texture=texture)


def composed(rgba: torch.Tensor, scene: Scene, *, jitter: float = 1.0) -> torch.Tensor:
    """As ``compose``, in a given scene.

    No mirroring: every drawing holds its tool on the same side, and a model trained on both sides paints
    ghosts of it on both.
    """
    pixels = rgba.float() / 255
    # Premultiplied, so that transparent black does not bleed into the edges when resampled.
    pixels = torch.cat([pixels[:, :3] * pixels[:, 3:], pixels[:, 3:]], dim=1)
    moved = _moved(pixels, scene, jitter)
    behind = _shaded(scene.ground, pixels.shape[-1], scene.corners, scene.texture)
    return (moved[:, :3] + behind * (1 - moved[:, 3:])) * 2 - 1


def ground_colours(n: int, rng: torch.Generator) -> tuple[torch.Tensor, tuple[str, ...]]:
    """``n`` grounds of random named colours, each a little off its centre: (n, 3), and the names."""
    names = tuple(GROUNDS)
    chosen = tuple(names[i] for i in torch.randint(len(names), (n,), generator=rng).tolist())
    return near(chosen, torch.rand(n, 3, generator=rng)), chosen


def near(names: Sequence[str], chances: torch.Tensor) -> torch.Tensor:
    """(n, 3) colours of named grounds, off their centres by what ``chances``, (n, 3) in [0, 1), say."""
    centres = torch.tensor([GROUNDS[name] for name in names])
    return (centres + (chances - 0.5) * 0.14).clamp(0, 1)


def _moved(pixels: torch.Tensor, scene: Scene, jitter: float) -> torch.Tensor:
    theta = torch.zeros(pixels.shape[0], 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = 1 + jitter * (scene.scale * 0.18 - 0.06)
    theta[:, :, 2] = jitter * (scene.shift - 0.5) * 0.1
    grid = functional.affine_grid(theta, list(pixels.shape), align_corners=False)
    return functional.grid_sample(pixels, grid, align_corners=False, mode="bilinear")


def grounds(base: torch.Tensor, side: int, rng: torch.Generator) -> torch.Tensor:
    """(n, 3) colours to (n, 3, side, side) in [0, 1]: a soft gradient around each, with faint smooth texture.

    Flat white cannot carry a watermark (nothing hides it); these grounds can.
    """
    return _shaded(base, side, *_drawn_ground(len(base), rng))


def _drawn_ground(n: int, rng: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.rand(n, 3, 2, 2, generator=rng), torch.randn(n, 1, 8, 8, generator=rng)


def _shaded(base: torch.Tensor, side: int, corners: torch.Tensor, texture: torch.Tensor) -> torch.Tensor:
    colours = base[:, :, None, None] + (corners - 0.5) * 0.3
    gradient = functional.interpolate(colours, size=(side, side), mode="bilinear", align_corners=True)
    fine = functional.interpolate(texture * 0.02, size=(side, side), mode="bicubic", align_corners=True)
    return (gradient + fine).clamp(0, 1)
