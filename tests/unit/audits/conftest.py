"""Pictures for the attack lab."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image


@pytest.fixture(scope="session")
def six_photographs(photographs, tmp_path_factory) -> Path:
    """A folder of six."""
    from skimage import data

    folder = tmp_path_factory.mktemp("photographs")
    for number, pixels in enumerate([*photographs, data.rocket()]):
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def small_folder(photograph, tmp_path) -> Path:
    """Two pictures, small enough that a trial with a fast method takes no time."""
    folder = tmp_path / "small"
    folder.mkdir()
    Image.fromarray(photograph[:300, :300]).save(folder / "face.png")
    Image.fromarray(photograph[200:, 200:]).save(folder / "suit.png")
    return folder
