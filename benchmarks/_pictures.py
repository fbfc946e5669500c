"""Where benchmarks take pictures from: a folder of files, or the bundled generator."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

ROLES = (
    "firefighter",
    "doctor",
    "teacher",
    "cook",
    "farmer",
    "judge",
    "pilot",
    "scientist",
    "singer",
    "artist",
)


def parser(description: str | None) -> argparse.ArgumentParser:
    """The arguments every picture benchmark takes."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument(
        "--images", type=Path, help="folder of pictures; without it the bundled model draws them"
    )
    made.add_argument("-n", type=int, default=60, help="pictures to use")
    return made


def pictures(folder: Path | None, n: int) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """(name, (H, W, 3) uint8) of up to n pictures, in a fixed order."""
    if folder is None:
        yield from _drawn(n)
        return
    for path in sorted(folder.iterdir())[:n]:
        with Image.open(path) as image:
            yield path.stem, np.asarray(image.convert("RGB"))


def source(folder: Path | None) -> str:
    """What the result says about its pictures; never a path."""
    return "bundled:emoji" if folder is None else "a folder of pictures"


def _drawn(n: int) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    from generators.registry import load
    from generators.request import GenerationRequest

    generator = load("bundled:emoji", threads=2)
    for index, role in enumerate(ROLES):
        count = n // len(ROLES) + (index < n % len(ROLES))
        seeds = tuple(range(count))  # the same for each role: pictures that share their noise are most alike
        if seeds:
            request = GenerationRequest(prompt=f"a portrait of a {role}", seeds=seeds)
            for seed, made in zip(seeds, generator.generate(request), strict=True):
                yield f"{role}-{seed}", made.frames.pixels[0].astype(np.uint8)
