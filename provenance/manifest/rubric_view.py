"""What the rubric's rules look at: one manifest, to be signed or signed, in the same shape.

The shape is that of crJSON (the form validators exchange, C2PA conformance programme), taken from the
signed CBOR itself: claim, assertions by label, and the codes that validation gave.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from provenance.manifest.cbor import StructureError, decode
from provenance.manifest.contents import assertions
from provenance.manifest.jumbf import ASSERTIONS, CLAIM, parse_store

_CLAIM_V2 = "c2pa.claim.v2"
_OPAQUE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class RubricView:
    """One manifest as the rules see it.

    Attributes:
        label: of the manifest; None before it is signed.
        claim: fields of a version 2 claim; empty for earlier ones, which the rubric does not know.
        created: labels of the created assertions, in order.
        assertions: label to value; a binary one has an empty value.
        failures: failure codes of validation; None: not validated.
    """

    label: str | None
    claim: Mapping[str, Any]
    created: tuple[str, ...]
    assertions: Mapping[str, Any]
    failures: tuple[str, ...] | None

    @property
    def signed(self) -> bool:
        """Whether this is a manifest in a file, not only the definition of one."""
        return self.label is not None

    def values(self) -> Iterator[Mapping[str, Any]]:
        """Every assertion that is a map."""
        return (data for data in self.assertions.values() if isinstance(data, Mapping))

    def actions(self) -> list[Mapping[str, Any]]:
        """The actions of all assertions that have some."""
        return [
            one for data in self.values() for one in listed(data.get("actions")) if isinstance(one, Mapping)
        ]

    def ingredients(self) -> Iterator[Mapping[str, Any]]:
        """Assertions that name a relationship."""
        return (data for data in self.values() if data.get("relationship") is not None)


def of_store(store: bytes, failures: Sequence[str] | None) -> RubricView:
    """The active manifest of a store, with the failure codes of its validation.

    Raises:
        StructureError: it cannot be read as a manifest.
    """
    active = parse_store(store).boxes[-1]
    box = active.only(CLAIM)
    if not box.contents:
        raise StructureError("the claim is empty")
    claim = decode(store[box.contents[0].start : box.contents[0].end])
    second = box.label == _CLAIM_V2 and isinstance(claim, Mapping)
    opaque = {item.label: _OPAQUE for item in active.only(ASSERTIONS).boxes}
    return RubricView(
        label=active.label,
        claim=claim if second else {},
        created=tuple(_addressed(claim.get("created_assertions"))) if second else (),
        assertions={**opaque, **assertions(store, active)},
        failures=None if failures is None else tuple(failures),
    )


def of_definition(definition: Mapping[str, Any]) -> RubricView:
    """A definition as it will look once the library has signed it."""
    found = [item for item in listed(definition.get("assertions")) if isinstance(item, Mapping)]
    labels = _numbered([str(item.get("label", "")) for item in found])
    taken_in = [_ingredient(item) for item in listed(definition.get("ingredients"))]
    names = _numbered(["c2pa.ingredient.v3"] * len(taken_in))
    return RubricView(
        label=None,
        claim={"claim_generator_info": definition.get("claim_generator_info")},
        created=tuple(label for label, item in zip(labels, found, strict=True) if item.get("created")),
        assertions={
            **{label: _resolved(item.get("data")) for label, item in zip(labels, found, strict=True)},
            **dict(zip(names, taken_in, strict=True)),
        },
        failures=None,
    )


def listed(value: object) -> list[Any]:
    """A list; anything else is an empty one."""
    return value if isinstance(value, list) else []


def mapped(value: object) -> Mapping[Any, Any]:
    """A map; anything else is an empty one."""
    return value if isinstance(value, Mapping) else {}


def base(label: str) -> str:
    """A label without the number of its instance (§6.4)."""
    return label.partition("__")[0]


def _addressed(references: object) -> Iterator[str]:
    """Labels that hashed URIs end in."""
    for item in listed(references):
        url = mapped(item).get("url")
        if isinstance(url, str):
            yield url.rpartition("/")[2]


def _numbered(labels: Sequence[str]) -> list[str]:
    """Further assertions of one label are called ``__1``, ``__2``, … (§6.4)."""
    return [
        label if not (before := labels[:place].count(label)) else f"{label}__{before}"
        for place, label in enumerate(labels)
    ]


def _ingredient(item: object) -> dict[str, Any]:
    # The library fills these in from the ingredient's own manifest, where it has one.
    return {"relationship": mapped(item).get("relationship", "componentOf")}


def _resolved(data: object) -> Any:
    """``ingredientIds`` of actions become ``ingredients``, references to the assertions of that name."""
    if not isinstance(data, Mapping) or not isinstance(data.get("actions"), list):
        return data
    return {**data, "actions": [_with_references(action) for action in data["actions"]]}


def _with_references(action: object) -> Any:
    parameters = mapped(mapped(action).get("parameters"))
    if "ingredientIds" not in parameters:
        return action
    rest = {key: value for key, value in parameters.items() if key != "ingredientIds"}
    return {**mapped(action), "parameters": {**rest, "ingredients": parameters["ingredientIds"]}}
