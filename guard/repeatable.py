"""What can be drawn again: the private record of a picture, found by any of its names.

What was denied is never drawn again (house promise 6): not as the picture asked for, and not beside another
of its batch.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from generators.recipe import Recipe
from generators.recipe_limits import plausible
from guard.drawing import Drawing, damaged
from guard.errors import Refused
from guard.records import Progress, is_record_id
from provenance.errors import Error, InputError
from provenance.files import open_file
from provenance.stored import sha256_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from guard.records import Record, Records

_CONTENT_ID = re.compile(r"[0-9a-f]{16}|[0-9a-f]{32}")
_OUT = frozenset({Progress.WRITTEN, Progress.RELEASED})
"""How far a release came that policy allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A record, read: what is to be drawn again, and what it is held against.

    Attributes:
        record: the private record.
        recipe: from it.
        drawing: from it; None in records of earlier versions.
        file: the released bytes, where they are at hand.
        denied: seeds that were refused under the same words and weights, and never allowed since.
    """

    record: Record
    recipe: Recipe
    drawing: Drawing | None
    file: Path | None
    denied: frozenset[int]

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of its whole batch, the picture's own in the place of any that was refused.

        Pictures of a batch do not look at each other; their number alone counts for their pixels.
        """
        first = self.recipe.seed - self.recipe.batch_index  # earlier versions counted seeds up
        batch = range(first, first + self.recipe.batch_size) if self.drawing is None else self.drawing.seeds
        return tuple(self.recipe.seed if seed in self.denied else seed for seed in batch)


def find(name: str, records: Records) -> Known:
    """The record that ``name`` means, if it may and can be drawn again.

    Args:
        name: a released file, the id in its mark, or the id of a record.
        records: those of this installation.

    Raises:
        Refused: ``replay.denied``.
        InputError: ``record.unknown``, ``replay.no-recipe``, ``replay.nothing-to-compare``.
        IntegrityError: ``record.damaged``, ``recipe.malformed``.
    """
    path, every = Path(name), list(records.all())
    is_file = bool(name) and path.exists()  # an empty name is a name of nothing, not of this folder
    record = _chosen(name, sha256_of(open_file(path)) if is_file else None, every)
    if record.recipe is None:
        what, hint = "its record holds no recipe: it was made elsewhere", "replay what guard generate made"
        raise InputError("replay.no-recipe", what, where=name, hint=hint)
    known = Known(
        record=record,
        recipe=_recipe(record.recipe),
        drawing=None if record.drawing is None else Drawing.read(record.drawing),
        file=path if is_file else _at_hand(record),
        denied=_denied(record, every),
    )
    if record.progress is Progress.DENIED or known.recipe.seed in known.denied:
        raise _refused(record)
    if known.drawing is None and known.file is None:
        raise InputError(
            "replay.nothing-to-compare",
            "neither the digest of its pixels is on record nor the released file at hand",
            where=name,
            hint="name the released file: guard replay FILE",
        )
    return known


def _chosen(name: str, sha256: str | None, every: Sequence[Record]) -> Record:
    if sha256 is not None:
        found = [one for one in every if one.asset_sha256 == sha256]
    elif is_record_id(name) and any(one.record_id == name for one in every):
        found = [one for one in every if one.record_id == name]
    else:
        found = [one for one in every if _CONTENT_ID.fullmatch(name) and one.content_id == name]
    if not found:
        raise InputError(
            "record.unknown",
            "no private record here is of this release",
            where=name,
            hint="name the file exactly as it was released, the id in its mark, or the id of its record",
        )
    return max(found, key=lambda one: one.progress in _OUT)


def _recipe(text: str) -> Recipe:
    try:
        recipe = Recipe.from_json(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise damaged() from error
    if not plausible(recipe):
        raise damaged()
    return recipe


def _at_hand(record: Record) -> Path | None:
    path = Path(record.final_path)
    try:
        return path if sha256_of(open_file(path)) == record.asset_sha256 else None
    except Error:
        return None


def _denied(record: Record, every: Sequence[Record]) -> frozenset[int]:
    alike = list(_alike(record, every))
    refused = {seed for one, seed in alike if one.progress is Progress.DENIED}
    return frozenset(refused - {seed for one, seed in alike if one.progress in _OUT})


def _alike(record: Record, every: Sequence[Record]) -> Iterator[tuple[Record, int]]:
    """Records of pictures with the same words and weights, and their seeds."""
    weights = _recipe(record.recipe or "").model.weights
    for one in every:
        words = (one.prompt, one.negative_prompt) == (record.prompt, record.negative_prompt)
        if words and one.recipe is not None:
            recipe = _recipe(one.recipe)
            if recipe.model.weights == weights:
                yield one, recipe.seed


def _refused(record: Record) -> Refused:
    return Refused(
        "replay.denied",
        "policy refused this picture, and what was refused is never drawn again",
        where=record.record_id,
        hint="guard explain replay.denied",
    )
