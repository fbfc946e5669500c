"""Checks of the C2PA asset rubrics that concern what we write (conformance 0.2, spec 2.4).

Run on the definition before signing: the library signs action names, source types and labels that no
validator of the conformance programme accepts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provenance.manifest.reading import DigitalSourceType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_INCEPTION = {"c2pa.created", "c2pa.opened"}
_NOT_PERCEPTIBLE = _INCEPTION | {
    "c2pa.converted",
    "c2pa.published",
    "c2pa.repackaged",
    "c2pa.transcoded",
    "c2pa.resized.proportional",
    "c2pa.enhanced",
    "c2pa.edited.metadata",
    "c2pa.watermarked.bound",
    "c2pa.watermarked.unbound",
    "c2pa.redacted",
    "c2pa.placed",
}
_DEPRECATED_ACTIONS = {
    "c2pa.copied",
    "c2pa.formatted",
    "c2pa.version_updated",
    "c2pa.printed",
    "c2pa.managed",
    "c2pa.produced",
    "c2pa.saved",
    "c2pa.color_adjustments",
    "c2pa.watermarked",
}
_DEPRECATED_LABELS = {
    "c2pa.claim",
    "c2pa.hash.bmff.v2",
    "c2pa.asset-type",
    "c2pa.ingredient",
    "c2pa.ingredient.v2",
    "c2pa.actions",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RubricFinding:
    """A rubric check that fails: its id in the rubric and what is wrong."""

    check: str
    what: str


def lint(definition: Mapping[str, Any]) -> tuple[RubricFinding, ...]:
    """Failing checks of a manifest definition, none for one that ``build`` made."""
    return tuple(RubricFinding(check=check, what=what) for check, what in _findings(definition))


def _findings(definition: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    assertions = definition.get("assertions", [])
    generators = definition.get("claim_generator_info", [])
    if not generators or not all(info.get("specVersion") for info in generators):
        yield "mandatory_spec_version", "claim_generator_info does not name the spec version"
    actions = [item for item in assertions if str(item.get("label", "")).startswith("c2pa.actions")]
    if not actions or actions[0]["label"] != "c2pa.actions.v2" or not actions[0].get("created"):
        yield "inception_action_position", "the first actions assertion is not a created c2pa.actions.v2"
    for assertion in actions:
        yield from _assertion(assertion["data"])
    first = actions[0]["data"].get("actions", []) if actions else []
    if not first or first[0].get("action") not in _INCEPTION:
        yield "inception_action_position", "the first action neither creates nor opens"
    for assertion in assertions:
        label = str(assertion.get("label", ""))
        if label in _DEPRECATED_LABELS or label.startswith("stds."):
            yield "no_deprecated_assertions", f"{label} is deprecated"
        if "." not in label:
            yield "no_unrecognized_custom_assertions", f"{label} has no name space"


def _assertion(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if data.get("allActionsIncluded") is not True:
        yield "mandatory_all_actions_included", "allActionsIncluded is not true"
    inceptions = 0
    for action in data.get("actions", []):
        name, source = str(action.get("action", "")), action.get("digitalSourceType")
        inceptions += name in _INCEPTION
        if name in _DEPRECATED_ACTIONS:
            yield "no_deprecated_actions", f"{name} is deprecated"
        if "." not in name:
            yield "no_unrecognized_custom_actions", f"{name} has no name space"
        if name == "c2pa.created" and source is None:
            yield "mandatory_dst_for_created_action", "created without a digital source type"
        if name.startswith("c2pa.") and name not in _NOT_PERCEPTIBLE and source is None:
            yield "mandatory_dst_for_perceptible_transformations", f"{name} without a digital source type"
        if name == "c2pa.opened" and source is not None:
            yield "no_dst_for_opened", "opened with a digital source type"
        if name == "c2pa.opened" and len(action.get("parameters", {}).get("ingredientIds", [])) != 1:
            yield "opened_action_ingredient_reference", "opened without exactly one ingredient"
        if source is not None and DigitalSourceType.known(source) is None:
            yield "digital_source_type", f"{source} is not an IPTC digital source type"
    if inceptions != 1:
        yield "inception_action_position", f"{inceptions} actions create or open"
