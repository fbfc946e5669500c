"""Put mediaguard around a function that makes pictures, and release two of them.

    python examples/wrap_a_model.py FOLDER

Needs an installation (`guard init`). A diffusers pipeline goes in the place of ``draw``.
"""

from __future__ import annotations

import sys

import numpy as np

import guard
from provenance.errors import Error


def draw(prompt: str, seed: int) -> np.ndarray:
    waves = np.random.default_rng(seed).normal(size=(8, 8, 3)).repeat(64, axis=0).repeat(64, axis=1)
    grain = np.random.default_rng(len(prompt)).normal(scale=0.05, size=waves.shape)
    return (0.5 + 0.1 * waves + grain).clip(0, 1)


def main(folder: str) -> int:
    pictures = guard.wrap(draw, name="Coloured squares", licence="CC0-1.0", data_licence="CC0-1.0")
    try:
        for released in pictures.each("squares", output=folder, n=2, seed=7):
            print(f"{released.path}  {released.decision.action}  {pictures.replay(released.path).likeness}")
    except Error as error:
        sys.stderr.write(f"{error.where or folder}: {error.what}\n")
        return 2
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.stderr.write("usage: wrap_a_model.py FOLDER\n")
        sys.exit(2)
    sys.exit(main(sys.argv[1]))
