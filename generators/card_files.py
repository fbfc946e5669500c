"""Cards and configurations beside weights: read within their folder, their texts and numbers bounded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from generators.weights import check_inside
from provenance.errors import InputError
from provenance.files import read_bounded

if TYPE_CHECKING:
    from pathlib import Path

LONGEST, LONGEST_NAME = 1000, 100
"""Characters of one of a card's texts, where a reference may be a path; and of the name of a model."""


def read_object(path: Path, *, most: int) -> dict[str, Any]:
    """The JSON object in a file of a model's folder.

    Args:
        path: of the file, right in the folder of its model.
        most: bytes that it may have.

    Raises:
        InputError: ``weights.link-outside``; nothing is read then, so nothing of another's file is signed.
        ValueError: it is too long, cannot be read or is no JSON object.
    """
    if path.exists():  # and is no link to itself
        check_inside(path, path.parent)
    try:
        said = json.loads(read_bounded(path, most=most))
    except (InputError, RecursionError) as error:
        raise ValueError(str(error)) from error
    if not isinstance(said, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - of the file, not of an argument
    return said


def is_text(value: Any, *, most: int) -> bool:
    """Whether it is text of at most ``most`` characters; none moves a cursor or turns a line round."""
    return isinstance(value, str) and len(value) <= most and value.isprintable()


def is_name(value: Any) -> bool:
    """Whether a model can be called that, in recipes and manifests."""
    return is_text(value, most=LONGEST_NAME) and bool(value.strip())


def is_within(value: Any, least: float, most: float, *, kind: type = float) -> bool:
    """Whether it is a whole number, or one of ``kind``, in that range; NaN is in none."""
    return type(value) in (int, kind) and bool(least <= value <= most)
