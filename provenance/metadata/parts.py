"""How many parts a container has, counted before anything else parses it.

Parsers of media spend time and memory on every chunk, segment, box or directory entry, however small; a
file of 30 MB can hold two million of them. The walks here are cheap and stop at the limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from provenance.errors import InputError
from provenance.media import Limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from provenance.stored import Bytes

MOST = Limits().max_parts
_Part = TypeVar("_Part")


def bounded(parts: Iterable[_Part], most: int) -> Iterator[_Part]:
    """The same parts, up to ``most`` of them.

    Raises:
        InputError: ``input.too-many-parts`` at the first one more.
    """
    for number, part in enumerate(parts):
        if number >= most:
            raise too_many(most)
        yield part


def too_many(most: int) -> InputError:
    """The error for a file of more than ``most`` parts."""
    return InputError(
        "input.too-many-parts",
        f"the file has more than {most:,} chunks, segments, boxes or directory entries",
        hint="open the picture in an editor you trust and export it again",
    )


def check_parts(data: Bytes, most: int = MOST) -> None:
    """Refuse a file of more than ``most`` parts; damage is left to whoever parses it.

    Raises:
        InputError: ``input.too-many-parts``.
    """
    try:
        for _ in _parts(data, most):
            pass
    except InputError as error:
        if error.code == "input.too-many-parts":
            raise


def _parts(data: Bytes, most: int) -> Iterable[object]:
    # Here, because the walks themselves use what stands above.
    from provenance.manifest.containers import container_of  # noqa: PLC0415

    container = container_of(data)
    return () if container is None else container.parts(data, most)
