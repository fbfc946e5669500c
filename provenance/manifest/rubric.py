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
    from collections.abc import Mapping

    from provenance.manifest.rubric_shapes import Look


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
    look: Look
    file_only: bool = False
    warning: bool = False


_PROGRAMME = "conformance requirements 0.2"


def _rule(
    check: str, clause: str, look: Look, *, file_only: bool = False, warning: bool = False
) -> RubricRule:
    return RubricRule(check=check, clause=clause, look=look, file_only=file_only, warning=warning)


RULES: tuple[RubricRule, ...] = (
    _rule("mandatory_dst_for_perceptible_transformations", _PROGRAMME, actions.perceptible_source_type),
    _rule("mandatory_spec_version", _PROGRAMME, structure.spec_version),
    _rule("mandatory_all_actions_included", _PROGRAMME, actions.all_included_said),
    _rule("no_dst_for_opened_action", _PROGRAMME, actions.opened_source_type),
    _rule("well_formed_data_present", "§15.2", structure.validated, file_only=True),
    _rule("well_formed_success", "§15.2.2", structure.well_formed, file_only=True),
    _rule("valid_data_present", "§15.2", structure.validated, file_only=True),
    _rule("valid_success", "§15.2.2", structure.valid, file_only=True),
    _rule("trusted_data_present", "§15.2", structure.validated, file_only=True),
    _rule("trusted_success", "§14.4", structure.trusted, file_only=True),
    _rule("inception_action_position", "§18.15.2", actions.inception_first),
    _rule("no_deprecated_assertions", "§6.3", structure.deprecated_labels),
    _rule("no_unsupported_assertions", "§6.2", structure.unsupported_labels),
    _rule("no_deprecated_actions", "§18.15.11", actions.deprecated_actions),
    _rule("no_unsupported_actions", "§18.15.12", actions.unsupported_actions),
    _rule("no_unrecognized_custom_assertions", "§6.2.2", structure.custom_labels),
    _rule("no_unrecognized_custom_actions", "§18.15.12", actions.custom_actions),
    _rule("no_unrecognized_custom_action_parameters", "§18.15.4.7", actions.custom_parameters),
    _rule("discouraged_legacy_action_parameters", "§18.15.4.1", actions.legacy_parameters, warning=True),
    _rule("active_manifest_urn", "§8.1", structure.manifest_urn, file_only=True),
    _rule("review_ratings_datasource", "§18.3.3", structure.review_ratings),
    _rule("ingredient_v3_no_active_manifest", "§18.16.12", structure.results_without_manifest),
    _rule("ingredient_v3_mandatory_validation_results", "§18.16.12", structure.manifest_without_results),
    _rule("ingredient_relationship_values", "§18.16.3", structure.relationships),
    _rule("mandatory_dst_for_created_action", "§18.15.2", actions.created_source_type),
    _rule("no_deprecated_claim_fields", "§10.2.3.2", structure.claim_fields),
    _rule("ingredient_v3_choice", "§18.16.12.3", structure.ingredient_source_type),
    _rule("alternative_content_representation_choice", "§15.10.3.2.7", structure.original_image),
    _rule("forbidden_labels_in_external_references", "§18.24.1", structure.external_references),
    _rule("no_url_in_hashes", "§18.5", structure.urls_in_hashes),
    _rule("all_actions_included_opened", "§18.15.3", actions.all_included_opened),
    _rule("opened_action_ingredient_reference", "§18.15.4.7", actions.opened_ingredient),
    _rule("no_box_hash_for_tiff", "§18.7.3.3", structure.box_hash_of_tiff),
    _rule("mediaguard.one_inception", "§18.15.2", actions.one_inception),
    _rule("mediaguard.digital_source_type", "§18.15.4.5", actions.known_source_types),
    _rule("mediaguard.soft_binding_name", "§18.9", structure.known_soft_binding),
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
