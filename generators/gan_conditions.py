"""What a conditional GAN is told of a picture: one block of numbers for each attribute, one of them 1.

No heavy imports. A block of zeros says "does not apply": a thing has neither presentation nor tone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SUBJECT = "subject"
OF_PEOPLE = ("presentation", "tone")
LONGEST_NAME = 200
"""Characters of an attribute's name or of one of its values: they stand in recipes and in errors."""
_MOST_BLOCKS, _MOST_VALUES = 64, 4096
"""Attributes of one model, and their values together; ImageNet's classes are a thousand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """The blocks, in order.

    Attributes:
        blocks: attribute and its possible values.
        things: subjects that are no people.
    """

    blocks: tuple[tuple[str, tuple[str, ...]], ...]
    things: frozenset[str] = frozenset()

    @property
    def length(self) -> int:
        """Numbers in a vector."""
        return sum(len(values) for _, values in self.blocks)

    @property
    def names(self) -> tuple[str, ...]:
        """The attributes."""
        return tuple(name for name, _ in self.blocks)

    def vector(self, said: Mapping[str, str]) -> list[float]:
        """The numbers for these attributes; those left out are blocks of zeros.

        Raises:
            InputError: ``request.condition``: no such attribute, or not one of its values.
        """
        for name, value in said.items():
            self.check(name, value)
        return [float(said.get(name) == value) for name, values in self.blocks for value in values]

    def check(self, name: str, value: object) -> None:
        """Raise ``request.condition`` unless ``value`` is a value of attribute ``name``."""
        known = dict(self.blocks)
        if name not in known:
            raise _refused(f"{name}", f"attributes are {', '.join(self.names) or 'none'}")
        if value not in known[name]:
            raise _refused(f"{name}={value}", f"values are {_listed(known[name])}")

    def drawn(self, said: Mapping[str, str], chances: Sequence[float]) -> dict[str, str]:
        """What is missing in ``said``, each value as likely as any other.

        Args:
            said: attributes that are decided.
            chances: a number in [0, 1) for every block, whether it is needed or not: so the random numbers
                that follow are the same whatever was said.
        """
        chosen = {}
        for (name, values), chance in zip(self.blocks, chances, strict=True):
            possible = self._people(values) if name == SUBJECT and said.keys() & set(OF_PEOPLE) else values
            if name not in said:
                chosen[name] = possible[int(chance * len(possible))]
        if {**chosen, **said}.get(SUBJECT) in self.things:
            chosen = {name: value for name, value in chosen.items() if name not in OF_PEOPLE}
        return chosen

    def _people(self, subjects: tuple[str, ...]) -> tuple[str, ...]:
        """Only a person has a presentation or a tone."""
        return tuple(subject for subject in subjects if subject not in self.things) or subjects

    def to_json(self) -> dict[str, Any]:
        """For a model's card."""
        return {
            "blocks": [[name, list(values)] for name, values in self.blocks],
            "things": sorted(self.things),
        }


def read_conditions(data: Any) -> Conditions:
    """From a model's card.

    Raises:
        InputError: ``gan.card``.
    """
    try:
        blocks = tuple(_blocks(data["blocks"]))
        found = Conditions(blocks=blocks, things=frozenset(_names(data.get("things", ()))))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            "gan.card", "the model's card does not say what its condition means", where="conditions"
        ) from error
    if what := _too_much(found):
        raise InputError("gan.card", what, where="conditions")
    return found


def _too_much(found: Conditions) -> str | None:
    """What no model has so much of; None: all is within bounds."""
    names = (*found.names, *found.things, *(value for _, values in found.blocks for value in values))
    longest = max(map(len, names), default=0)
    counts = (
        (len(found.blocks), _MOST_BLOCKS, "attributes"),
        (max(found.length, len(found.things)), _MOST_VALUES, "values"),
        (longest, LONGEST_NAME, "characters in a name or value"),
    )
    return next(
        (f"the card lists {n:,} {of}; {most:,} are the limit" for n, most, of in counts if n > most), None
    )


def _blocks(rows: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, values in rows:
        if not values:
            raise ValueError(name)
        yield str(name), _names(values)


def _names(values: Any) -> tuple[str, ...]:
    if isinstance(values, str):
        raise TypeError(values[:LONGEST_NAME])
    return tuple(map(str, values))


def _listed(values: Sequence[str], most: int = 12) -> str:
    return ", ".join(values[:most]) + (", …" if len(values) > most else "")


def _refused(where: str, hint: str) -> InputError:
    return InputError(
        "request.condition", "this model was not trained on such an attribute", where=where, hint=hint
    )
