"""Rules of the asset rubrics about actions: each yields what breaks it, and nothing where it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provenance.manifest.reading import DigitalSourceType
from provenance.manifest.rubric_shapes import MOST, each_action, name_of
from provenance.manifest.rubric_terms import (
    ACTIONS,
    DEPRECATED_ACTIONS,
    INCEPTION,
    PARAMETERS,
    WITHOUT_SOURCE_TYPE,
)
from provenance.manifest.rubric_view import listed, mapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provenance.manifest.rubric_view import RubricView


perceptible_source_type = each_action(
    "{name} has no digital source type",
    lambda name, action: (
        name.startswith("c2pa.")
        and name not in WITHOUT_SOURCE_TYPE
        and action.get("digitalSourceType") is None
    ),
)
"""What changed the picture for a person says how that part was made."""


created_source_type = each_action(
    "{name} has no digital source type",
    lambda name, action: name == "c2pa.created" and action.get("digitalSourceType") is None,
)
"""What was created says how."""


opened_source_type = each_action(
    "{name} has a digital source type",
    lambda name, action: name == "c2pa.opened" and bool(action.get("digitalSourceType")),
)
"""What was opened keeps the source type of its own manifest."""


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


deprecated_actions = each_action("{name} is deprecated", lambda name, _: name in DEPRECATED_ACTIONS)
"""Names that later versions took back."""


unsupported_actions = each_action(
    "{name} is no action of C2PA", lambda name, _: name.startswith("c2pa.") and name not in ACTIONS
)
"""Names in the specification's own name space that it does not have."""


custom_actions = each_action(
    "the action {name!r} has no name space",
    lambda name, _: not name.startswith("c2pa.") and "." not in name,
)
"""An entity's own actions carry its name space."""


def custom_parameters(view: RubricView) -> Iterator[str]:
    """Parameters of one's own carry a name space too."""
    for action in view.actions():
        for key in mapped(action.get("parameters")):
            if isinstance(key, str) and key not in PARAMETERS and "." not in key:
                yield f"the parameter {key[:MOST]!r} has no name space"


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
            yield f"{str(said)[:MOST]!r} is no digital source type"


_C2PA_TYPES = frozenset(
    f"http://c2pa.org/digitalsourcetype/{term}" for term in ("empty", "trainedAlgorithmicData")
)
"""Source types of C2PA itself (§18.15.4.5), beside those of IPTC."""
