"""What a result depends on beside its input: code and versions of packages."""

from __future__ import annotations

import hashlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def code_digest(patterns: Sequence[str]) -> str:
    """SHA-256 over the files that these patterns name, below the folder of the packages."""
    root = Path(__file__).parents[1]
    sum_ = hashlib.sha256()
    for path in sorted(path for pattern in patterns for path in root.glob(pattern)):
        sum_.update(path.read_bytes())
    return sum_.hexdigest()


def version_of(package: str) -> str | None:
    """Its version, or None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
