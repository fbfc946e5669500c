"""The C2PA asset rubrics (conformance 0.2 for spec 2.4, and integrity; 2026-08), natively.

Run on every definition before it is signed: the library signs action names, source types, labels and
fields that no validator of the conformance programme accepts. Run on a file by ``guard inspect
--rubric``. Checks have the rubric's ids; those that begin with ``mediaguard.`` are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provenance.manifest import rubric_actions as actions
from provenance.manifest import rubric_structure as structure
from provenance.manifest.rubric_view import RubricView, of_definition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class RubricFinding:
    """A rubric check that fails.

    Attributes:
        check: its id in the rubric.
        what: what is wrong; may quote the file, so printers escape it.
        clause: of the C2PA specification, or the programme that asks for it.
        warning: discouraged, not forbidden.
    """

    check: str
    what: str
    clause: str = ""
    warning: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RubricRule:
    """One check.

    Attributes:
        check: its id.
        clause: where it comes from.
        look: yields what breaks it.
        file_only: it is about a signed file and says nothing of a definition.
        warning: breaking it is discouraged only.
    """

    check: str
    clause: str
    look: Callable[[RubricView], Iterator[str]]
    file_only: bool = False
    warning: bool = False


_PROGRAMME = "conformance requirements 0.2"

RULES: tuple[RubricRule, ...] = (
    RubricRule(
        check="mandatory_dst_for_perceptible_transformations",
        clause=_PROGRAMME,
        look=actions.perceptible_source_type,
    ),
    RubricRule(check="mandatory_spec_version", clause=_PROGRAMME, look=structure.spec_version),
    RubricRule(check="mandatory_all_actions_included", clause=_PROGRAMME, look=actions.all_included_said),
    RubricRule(check="no_dst_for_opened_action", clause=_PROGRAMME, look=actions.opened_source_type),
    RubricRule(check="well_formed_data_present", clause="§15.2", look=structure.validated, file_only=True),
    RubricRule(check="well_formed_success", clause="§15.2.2", look=structure.well_formed, file_only=True),
    RubricRule(check="valid_data_present", clause="§15.2", look=structure.validated, file_only=True),
    RubricRule(check="valid_success", clause="§15.2.2", look=structure.valid, file_only=True),
    RubricRule(check="trusted_data_present", clause="§15.2", look=structure.validated, file_only=True),
    RubricRule(check="trusted_success", clause="§14.4", look=structure.trusted, file_only=True),
    RubricRule(check="inception_action_position", clause="§18.15.2", look=actions.inception_first),
    RubricRule(check="no_deprecated_assertions", clause="§6.3", look=structure.deprecated_labels),
    RubricRule(check="no_unsupported_assertions", clause="§6.2", look=structure.unsupported_labels),
    RubricRule(check="no_deprecated_actions", clause="§18.15.11", look=actions.deprecated_actions),
    RubricRule(check="no_unsupported_actions", clause="§18.15.12", look=actions.unsupported_actions),
    RubricRule(check="no_unrecognized_custom_assertions", clause="§6.2.2", look=structure.custom_labels),
    RubricRule(check="no_unrecognized_custom_actions", clause="§18.15.12", look=actions.custom_actions),
    RubricRule(
        check="no_unrecognized_custom_action_parameters",
        clause="§18.15.4.7",
        look=actions.custom_parameters,
    ),
    RubricRule(
        check="discouraged_legacy_action_parameters",
        clause="§18.15.4.1",
        look=actions.legacy_parameters,
        warning=True,
    ),
    RubricRule(check="active_manifest_urn", clause="§8.1", look=structure.manifest_urn, file_only=True),
    RubricRule(check="review_ratings_datasource", clause="§18.3.3", look=structure.review_ratings),
    RubricRule(
        check="ingredient_v3_no_active_manifest",
        clause="§18.16.12",
        look=structure.results_without_manifest,
    ),
    RubricRule(
        check="ingredient_v3_mandatory_validation_results",
        clause="§18.16.12",
        look=structure.manifest_without_results,
    ),
    RubricRule(check="ingredient_relationship_values", clause="§18.16.3", look=structure.relationships),
    RubricRule(check="mandatory_dst_for_created_action", clause="§18.15.2", look=actions.created_source_type),
    RubricRule(check="no_deprecated_claim_fields", clause="§10.2.3.2", look=structure.claim_fields),
    RubricRule(check="ingredient_v3_choice", clause="§18.16.12.3", look=structure.ingredient_source_type),
    RubricRule(
        check="alternative_content_representation_choice",
        clause="§15.10.3.2.7",
        look=structure.original_image,
    ),
    RubricRule(
        check="forbidden_labels_in_external_references",
        clause="§18.24.1",
        look=structure.external_references,
    ),
    RubricRule(check="no_url_in_hashes", clause="§18.5", look=structure.urls_in_hashes),
    RubricRule(check="all_actions_included_opened", clause="§18.15.3", look=actions.all_included_opened),
    RubricRule(
        check="opened_action_ingredient_reference",
        clause="§18.15.4.7",
        look=actions.opened_ingredient,
    ),
    RubricRule(check="no_box_hash_for_tiff", clause="§18.7.3.3", look=structure.box_hash_of_tiff),
    RubricRule(check="mediaguard.one_inception", clause="§18.15.2", look=actions.one_inception),
    RubricRule(
        check="mediaguard.digital_source_type",
        clause="§18.15.4.5",
        look=actions.known_source_types,
    ),
    RubricRule(check="mediaguard.soft_binding_name", clause="§18.9", look=structure.known_soft_binding),
)
"""Every check, the rubrics' in their order."""


def lint(definition: Mapping[str, Any]) -> tuple[RubricFinding, ...]:
    """Failing checks of a manifest definition, none for one that ``build`` made."""
    unknown = (
        RubricFinding(check="mediaguard.definition_fields", what=what)
        for what in structure.unknown_fields(definition)
    )
    return (*unknown, *examine(of_definition(definition)))


def examine(view: RubricView) -> tuple[RubricFinding, ...]:
    """Failing checks of a manifest, in the order of ``RULES``; those about files for a file only."""
    return tuple(
        RubricFinding(check=rule.check, what=what, clause=rule.clause, warning=rule.warning)
        for rule in RULES
        if view.signed or not rule.file_only
        for what in dict.fromkeys(rule.look(view))
    )
