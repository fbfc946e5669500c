"""The emoji corpus as pixels: draw the pictures once, then compose training batches from them.

Sources, unpacked by the caller (nothing is fetched here):
    fluentui-emoji 1.3.0 (npm, MIT): ``icons/{flat,modern}/[man-|woman-]PROFESSION-TONE.svg``
    emoji-datasource-google 16.0.0 (npm; the Noto images are Apache-2.0): ``emoji.json``, ``img/google/64``
"""

from __future__ import annotations

import hashlib
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch.nn import functional

from generators.training.emoji_labels import PRESENTATIONS, PROFESSIONS, TONES, Label
from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZE = 128
"""Side of the trained pictures, in pixels."""
_TONE_CODES = dict(zip(TONES[1:], ("1F3FB", "1F3FC", "1F3FD", "1F3FE", "1F3FF"), strict=True))


class Corpus:
    """RGBA drawings and their labels.

    Attributes:
        rgba: (N, 4, 128, 128) uint8.
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
        rows = [[x.profession, x.presentation, x.tone, x.style] for x in self.labels]
        digest = hashlib.sha256(self.rgba.numpy().tobytes()).hexdigest()
        (folder / "corpus.json").write_text(json.dumps({"pixels_sha256": digest, "labels": rows}))

    @classmethod
    def load(cls, folder: Path) -> Corpus:
        """Read what ``save`` wrote."""
        rows = json.loads((folder / "corpus.json").read_text())["labels"]
        labels = tuple(Label(profession=p, presentation=g, tone=t, style=s) for p, g, t, s in rows)
        return cls(load_file(folder / "corpus.safetensors")["rgba"], labels)


def prepare(fluent: Path, noto: Path) -> Corpus:
    """Draw the whole corpus from the two unpacked packages (about 20 seconds)."""
    pairs = [*_fluent(fluent), *_noto(noto)]
    pixels = np.stack([picture for _, picture in pairs])
    return Corpus(
        torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous(), tuple(label for label, _ in pairs)
    )


def _cells() -> Iterator[tuple[str, str, str]]:
    for profession in PROFESSIONS:
        for presentation in PRESENTATIONS:
            for tone in TONES:
                yield profession, presentation, tone


def _fluent(root: Path) -> Iterator[tuple[Label, np.ndarray[Any, np.dtype[np.uint8]]]]:
    import resvg_py  # noqa: PLC0415  # an extra that only drawing needs

    for style in ("flat", "modern"):
        for profession, presentation, tone in _cells():
            prefix = "" if presentation == "person" else f"{presentation}-"
            suffix = "default" if tone == "yellow" else tone
            path = root / "icons" / style / f"{prefix}{profession.replace(' ', '-')}-{suffix}.svg"
            _must_exist(path)
            png = bytes(resvg_py.svg_to_bytes(svg_path=str(path), width=SIZE, height=SIZE))
            label = Label(profession=profession, presentation=presentation, tone=tone, style=style)
            yield label, _rgba(Image.open(io.BytesIO(png)))


def _noto(root: Path) -> Iterator[tuple[Label, np.ndarray[Any, np.dtype[np.uint8]]]]:
    _must_exist(root / "emoji.json")
    entries = json.loads((root / "emoji.json").read_text(encoding="utf-8"))
    by_name = {str(entry["name"] or entry["short_name"]).lower(): entry for entry in entries}
    for profession, presentation, tone in _cells():
        name = profession if presentation == "person" else f"{presentation} {profession}"
        entry = by_name.get(name) or by_name.get(f"{name}s")
        if entry is None:
            continue
        variant = entry if tone == "yellow" else entry.get("skin_variations", {}).get(_TONE_CODES[tone])
        if variant is None or not variant.get("has_img_google"):
            continue
        path = root / "img" / "google" / "64" / variant["image"]
        _must_exist(path)
        label = Label(profession=profession, presentation=presentation, tone=tone, style="noto")
        yield label, _rgba(Image.open(path))


def _rgba(image: Image.Image) -> np.ndarray[Any, np.dtype[np.uint8]]:
    rgba = image.convert("RGBA")
    if rgba.size != (SIZE, SIZE):
        rgba = rgba.resize((SIZE, SIZE), Image.Resampling.LANCZOS)
    return np.asarray(rgba)


def _must_exist(path: Path) -> None:
    if not path.exists():
        raise InputError(
            "train.source-missing",
            f"the unpacked package has no {path.name}",
            where=str(path),
            hint="npm pack fluentui-emoji@1.3.0 emoji-datasource-google@16.0.0, then unpack both",
        )


def compose(rgba: torch.Tensor, rng: torch.Generator, *, jitter: float = 1.0) -> torch.Tensor:
    """Put drawings on random grounds: (N, 4, S, S) uint8 to (N, 3, S, S) float32 in [-1, 1].

    Scale and shift vary a little (``jitter`` = 0 turns that off). No mirroring: every drawing holds its
    tool on the same side, and a model trained on both sides paints ghosts of it on both.
    """
    pixels = rgba.float() / 255
    n, side = pixels.shape[0], pixels.shape[-1]
    # Premultiplied, so that transparent black does not bleed into the edges when resampled.
    pixels = torch.cat([pixels[:, :3] * pixels[:, 3:], pixels[:, 3:]], dim=1)
    moved = _moved(pixels, rng, jitter)
    return (moved[:, :3] + grounds(n, side, rng) * (1 - moved[:, 3:])) * 2 - 1


def _moved(pixels: torch.Tensor, rng: torch.Generator, jitter: float) -> torch.Tensor:
    n = pixels.shape[0]
    theta = torch.zeros(n, 2, 3)
    scale = 1 + jitter * (torch.rand(n, generator=rng) * 0.18 - 0.06)
    theta[:, 0, 0] = theta[:, 1, 1] = scale
    theta[:, :, 2] = jitter * (torch.rand(n, 2, generator=rng) - 0.5) * 0.1
    grid = functional.affine_grid(theta, list(pixels.shape), align_corners=False)
    return functional.grid_sample(pixels, grid, align_corners=False, mode="bilinear")


def grounds(n: int, side: int, rng: torch.Generator) -> torch.Tensor:
    """(n, 3, side, side) in [0, 1]: a soft gradient between colours, with faint smooth texture.

    Flat white cannot carry a watermark (nothing hides it); these grounds can.
    """
    base = torch.rand(n, 3, 1, 1, generator=rng) * 0.6 + 0.3
    corners = base + (torch.rand(n, 3, 2, 2, generator=rng) - 0.5) * 0.35
    gradient = functional.interpolate(corners, size=(side, side), mode="bilinear", align_corners=True)
    coarse = torch.randn(n, 1, 8, 8, generator=rng) * 0.02
    texture = functional.interpolate(coarse, size=(side, side), mode="bicubic", align_corners=True)
    return (gradient + texture).clamp(0, 1)
