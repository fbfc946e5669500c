"""Rules of the asset rubrics about actions: each yields what breaks it, and nothing where it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provenance.manifest.reading import DigitalSourceType
from provenance.manifest.rubric_terms import (
    ACTIONS,
    DEPRECATED_ACTIONS,
    INCEPTION,
    PARAMETERS,
    WITHOUT_SOURCE_TYPE,
)
from provenance.manifest.rubric_view import listed, mapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from provenance.manifest.rubric_view import RubricView


def name_of(action: Mapping[str, Any]) -> str:
    """The action's name, cut: it may come from a hostile file."""
    name = action.get("action")
    return name[:128] if isinstance(name, str) else ""


def perceptible_source_type(view: RubricView) -> Iterator[str]:
    """What changed the picture for a person says how that part was made."""
    for action in view.actions():
        name = name_of(action)
        if (
            name.startswith("c2pa.")
            and name not in WITHOUT_SOURCE_TYPE
            and action.get("digitalSourceType") is None
        ):
            yield f"{name} has no digital source type"


def created_source_type(view: RubricView) -> Iterator[str]:
    """What was created says how."""
    if any(name_of(one) == "c2pa.created" and one.get("digitalSourceType") is None for one in view.actions()):
        yield "c2pa.created has no digital source type"


def opened_source_type(view: RubricView) -> Iterator[str]:
    """What was opened keeps the source type of its own manifest."""
    if any(name_of(one) == "c2pa.opened" and one.get("digitalSourceType") for one in view.actions()):
        yield "c2pa.opened has a digital source type"


def all_included_said(view: RubricView) -> Iterator[str]:
    """Every list of actions says whether it is complete."""
    for label, data in view.assertions.items():
        found = mapped(data)
        if found.get("actions") is not None and found.get("allActionsIncluded") is None:
            yield f"{label} does not say whether all actions are included"


def all_included_opened(view: RubricView) -> Iterator[str]:
    """Opened and saved again, without a change: then the list is complete."""
    names = [name_of(action) for action in view.actions()]
    if (
        names == ["c2pa.opened"]
        and mapped(view.assertions.get("c2pa.actions.v2")).get("allActionsIncluded") is not True
    ):
        yield "the only action is c2pa.opened, and allActionsIncluded is not true"


def inception_first(view: RubricView) -> Iterator[str]:
    """The first created list of actions is of version 2 and starts with how the asset came to be."""
    first = next((label for label in view.created if "c2pa.actions" in label), None)
    if first is None:
        yield "no created assertion lists the actions"
    elif first != "c2pa.actions.v2":
        yield f"the first created list of actions is {first}, not c2pa.actions.v2"
    names = [name_of(action) for action in view.actions()]
    if "c2pa.created" in names and names[0] not in INCEPTION:
        yield f"the first action is {names[0] or 'nameless'}, neither created nor opened"


def opened_ingredient(view: RubricView) -> Iterator[str]:
    """What was opened is one ingredient."""
    for action in view.actions():
        if name_of(action) == "c2pa.opened":
            count = len(listed(mapped(action.get("parameters")).get("ingredients")))
            if count != 1:
                yield f"c2pa.opened refers to {count} ingredients instead of one"


def deprecated_actions(view: RubricView) -> Iterator[str]:
    """Names that later versions took back."""
    for name in map(name_of, view.actions()):
        if name in DEPRECATED_ACTIONS:
            yield f"{name} is deprecated"


def unsupported_actions(view: RubricView) -> Iterator[str]:
    """Names in the specification's own name space that it does not have."""
    for name in map(name_of, view.actions()):
        if name.startswith("c2pa.") and name not in ACTIONS:
            yield f"{name} is no action of C2PA"


def custom_actions(view: RubricView) -> Iterator[str]:
    """An entity's own actions carry its name space."""
    for name in map(name_of, view.actions()):
        if not name.startswith("c2pa.") and "." not in name:
            yield f"the action {name!r} has no name space"


def custom_parameters(view: RubricView) -> Iterator[str]:
    """Parameters of one's own carry a name space too."""
    for action in view.actions():
        for key in mapped(action.get("parameters")):
            if isinstance(key, str) and key not in PARAMETERS and "." not in key:
                yield f"the parameter {key[:128]!r} has no name space"


def legacy_parameters(view: RubricView) -> Iterator[str]:
    """Parameters that version 2 keeps elsewhere."""
    for action in view.actions():
        parameters = mapped(action.get("parameters"))
        if parameters.get("description") is not None or parameters.get("ingredient") is not None:
            yield f"{name_of(action) or 'an action'} keeps description or ingredient among its parameters"


def one_inception(view: RubricView) -> Iterator[str]:
    """Ours: exactly one action creates or opens, and it is the first; the library signs two."""
    names = [name_of(action) for action in view.actions()]
    count = sum(name in INCEPTION for name in names)
    if count != 1 or names[0] not in INCEPTION:
        yield f"{count} actions create or open, where the first and no other has to"


def known_source_types(view: RubricView) -> Iterator[str]:
    """Ours: a source type is an IPTC or C2PA term, in full; the library signs any text."""
    for action in view.actions():
        said = action.get("digitalSourceType")
        if said is not None and DigitalSourceType.known(said) is None and said not in _C2PA_TYPES:
            yield f"{str(said)[:128]!r} is no digital source type"


_C2PA_TYPES = frozenset(
    f"http://c2pa.org/digitalsourcetype/{term}" for term in ("empty", "trainedAlgorithmicData")
)
"""Source types of C2PA itself (§18.15.4.5), beside those of IPTC."""
