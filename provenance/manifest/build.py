"""From a ``ManifestSpec`` to the definition the C2PA library signs.

The shape passes every check of the C2PA asset rubrics of 2026-08 for spec 2.4, which a plain
definition does not: actions in ``created_assertions``, ``allActionsIncluded``, ``specVersion``.
"""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING, Any

from provenance.errors import InputError
from provenance.manifest.ingredient import Kind
from provenance.manifest.labels import (
    CHECKPOINT_LABEL,
    CHECKSUM,
    DIGEST_LABEL,
    MINING_LABEL,
    PROMPT_LABEL,
    RELEASE_LABEL,
    TRAINING_LABEL,
)
from provenance.manifest.rubric_terms import SPEC_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provenance.manifest.spec import ManifestSpec

CLAIM_GENERATOR = "mediaguard"
PARENT = "parent"
"""Label by which the opened action names its ingredient."""

_MINED = ("cawg.ai_generative_training", "cawg.ai_training", "cawg.data_mining")
"""Uses that one choice speaks of; not inference, which describing a picture to somebody takes."""


def manifest_definition(
    spec: ManifestSpec, *, with_parent: bool = False, converted: bool = False
) -> dict[str, Any]:
    """What the library signs.

    Args:
        with_parent: the ingredient ``PARENT`` is opened; else the asset is created.
        converted: the parent had another format.
    """
    actions = _actions(spec, with_parent=with_parent, converted=converted)
    listed = ("c2pa.actions.v2", {"allActionsIncluded": True, "actions": actions})
    generator = {
        "name": CLAIM_GENERATOR,
        "version": spec.claim_generator_version,
        "specVersion": SPEC_VERSION,
    }
    definition: dict[str, Any] = {
        "claim_generator_info": [generator],
        "title": spec.title,
        # Without "created" the library files an assertion under gathered ones, which nobody answers for.
        "assertions": [
            {"label": label, "created": True, "data": data} for label, data in (listed, *_statements(spec))
        ],
    }
    # Media are added with their bytes (``provenance.manifest.sign``); these have none.
    if named := [
        item.definition(label_of(place)) for place, item in enumerate(spec.ingredients) if not item.is_media
    ]:
        definition["ingredients"] = named
    return definition


def _statements(spec: ManifestSpec) -> Iterator[tuple[str, Any]]:
    """Label and value of every assertion beside the actions."""
    if spec.model_name is not None:
        yield "c2pa.ai-disclosure", _disclosure(spec)
    if spec.soft_binding is not None:
        blocks = [{"scope": {}, "value": spec.soft_binding.value}]
        yield "c2pa.soft-binding", {"alg": spec.soft_binding.algorithm, "blocks": blocks}
    if spec.digest_assertion is not None:
        yield DIGEST_LABEL, _plain(spec.digest_assertion)
    if release := _release(spec):
        yield RELEASE_LABEL, release
    if spec.log_checkpoint is not None:
        yield CHECKPOINT_LABEL, {"note": spec.log_checkpoint}
    if records := [item for item in spec.ingredients if item.kind is Kind.TRAINING]:
        bound = [{"title": item.title, "alg": "sha256", "hash": item.sha256} for item in records]
        yield TRAINING_LABEL, {"records": bound}
    if spec.training_mining is not None:
        yield MINING_LABEL, {"entries": {use: {"use": spec.training_mining} for use in _MINED}}
    if spec.prompt is not None:
        yield PROMPT_LABEL, {"prompt": spec.prompt}


def label_of(place: int) -> str:
    """By what the actions name the ingredient at this place of a spec."""
    return f"ingredient{place}"


def _actions(spec: ManifestSpec, *, with_parent: bool, converted: bool) -> list[dict[str, Any]]:
    """How the asset came to be; the action that made the pixels names what went in."""
    actions: list[dict[str, Any]] = []
    inputs = [label_of(n) for n, item in enumerate(spec.ingredients) if item.kind is not Kind.COMPONENT]
    placed = [label_of(n) for n, item in enumerate(spec.ingredients) if item.kind is Kind.COMPONENT]
    if with_parent:
        # No source type here: what was opened keeps its own (conformance requirements 0.2).
        actions.append({"action": "c2pa.opened", "parameters": {"ingredientIds": [PARENT]}})
        if spec.edited or inputs:
            actions.append({"action": "c2pa.edited", "digitalSourceType": spec.source_type.value})
    else:
        actions.append({"action": "c2pa.created", "digitalSourceType": spec.source_type.value})
    if inputs:
        actions[-1]["parameters"] = {"ingredientIds": inputs}
    if spec.software_agent is not None:
        name, version = spec.software_agent
        actions[-1]["softwareAgent"] = {"name": name, "version": version}
    if spec.when is not None:
        actions[0]["when"] = spec.when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    actions += [{"action": "c2pa.placed", "parameters": {"ingredientIds": [label]}} for label in placed]
    if converted:
        actions.append({"action": "c2pa.converted"})
    if spec.resized:
        actions.append({"action": "c2pa.resized", "digitalSourceType": spec.source_type.value})
    if spec.watermarked:
        actions.append({"action": "c2pa.watermarked.bound"})
    return actions


def _disclosure(spec: ManifestSpec) -> dict[str, Any]:
    data: dict[str, Any] = {"modelType": spec.model_type, "modelName": spec.model_name}
    if spec.model_identifier is not None:
        # The assertion has no field for a digest; this is how package URLs carry one.
        weights = "" if spec.weights_sha256 is None else CHECKSUM + spec.weights_sha256
        data["modelIdentifier"] = spec.model_identifier + weights
    if spec.oversight is not None:
        data["contentProfile"] = {"humanOversightLevel": spec.oversight}
    return data


def _release(spec: ManifestSpec) -> dict[str, Any]:
    pairs = {"contentId": spec.content_id, "recipeCommitment": spec.recipe_commitment}
    return {key: value for key, value in pairs.items() if value is not None}


def _plain(value: Any) -> Any:
    """A deep copy in JSON types.

    Raises:
        InputError: ``manifest.bad-value``: NaN or infinities, which JSON does not have.
    """
    try:
        return json.loads(json.dumps(value, allow_nan=False, default=dict))
    except ValueError as error:
        what = "a statement holds a number that JSON does not have"
        raise InputError("manifest.bad-value", what) from error
