"""One tiny model for all tests of generators."""

from __future__ import annotations

from pathlib import Path

import pytest
from simulators.tiny_emoji_model import build_tiny

from generators.interface import Generator
from generators.registry import load


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def tiny(tiny_folder: Path) -> Generator:
    return load(f"dir:{tiny_folder}", threads=1)
