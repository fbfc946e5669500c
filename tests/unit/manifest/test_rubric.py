"""The asset rubrics, natively: every check on what breaks it, on definitions and on signed files."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provenance.manifest.build import manifest_definition
from provenance.manifest.containers import find_store
from provenance.manifest.read import read_manifest
from provenance.manifest.rubric import RULES, examine, lint
from provenance.manifest.rubric_view import RubricView, of_definition, of_store
from provenance.manifest.sign import sign

TRUSTED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


def view(**changes) -> RubricView:
    """A manifest that passes everything."""
    actions = {
        "allActionsIncluded": True,
        "actions": [{"action": "c2pa.created", "digitalSourceType": TRUSTED}],
    }
    sound = RubricView(
        label="urn:c2pa:0",
        claim={"claim_generator_info": {"name": "x", "specVersion": "2.4"}},
        created=("c2pa.actions.v2", "c2pa.hash.data"),
        assertions={"c2pa.actions.v2": actions, "c2pa.hash.data": {"alg": "sha256"}},
        failures=(),
    )
    return replace(sound, **changes)


def with_actions(*actions, **fields) -> RubricView:
    data = {"allActionsIncluded": True, **fields, "actions": list(actions)}
    return view(assertions={**view().assertions, "c2pa.actions.v2": data})


def beside(**assertions) -> RubricView:
    return view(assertions={**view().assertions, **assertions})


CREATED = {"action": "c2pa.created", "digitalSourceType": TRUSTED}
OPENED = {"action": "c2pa.opened", "parameters": {"ingredients": [{"url": "x"}]}}
ORIGINAL = {"type": "exif.originalPreservationImage", "parameters": {}}

BROKEN = {
    "mandatory_dst_for_perceptible_transformations": with_actions(CREATED, {"action": "c2pa.cropped"}),
    "mandatory_spec_version": view(claim={"claim_generator_info": [{"specVersion": "2.2"}]}),
    "mandatory_all_actions_included": with_actions(CREATED, allActionsIncluded=None),
    "no_dst_for_opened_action": with_actions({**OPENED, "digitalSourceType": TRUSTED}),
    "well_formed_data_present": view(failures=None),
    "well_formed_success": view(failures=("claim.malformed",)),
    "valid_data_present": view(failures=None),
    "valid_success": view(failures=("assertion.dataHash.mismatch",)),
    "trusted_data_present": view(failures=None),
    "trusted_success": view(failures=("signingCredential.untrusted",)),
    "inception_action_position": view(created=("c2pa.hash.data",)),
    "no_deprecated_assertions": beside(**{"stds.exif": {}}),
    "no_unsupported_assertions": beside(**{"c2pa.mood__1": {}}),
    "no_deprecated_actions": with_actions(CREATED, {"action": "c2pa.watermarked"}),
    "no_unsupported_actions": with_actions(CREATED, {"action": "c2pa.dreamt", "digitalSourceType": TRUSTED}),
    "no_unrecognized_custom_assertions": beside(mine={}),
    "no_unrecognized_custom_actions": with_actions(CREATED, {"action": "sharpen"}),
    "no_unrecognized_custom_action_parameters": with_actions({**CREATED, "parameters": {"mood": 1}}),
    "discouraged_legacy_action_parameters": with_actions({**CREATED, "parameters": {"description": "x"}}),
    "active_manifest_urn": view(label="contentauth:urn:uuid:0"),
    "review_ratings_datasource": beside(
        **{"c2pa.metadata": {"reviewRatings": [], "dataSource": {"type": "humanEntry.anonymous"}}}
    ),
    "ingredient_v3_no_active_manifest": beside(
        **{"c2pa.ingredient.v3": {"relationship": "inputTo", "validationResults": {}}}
    ),
    "ingredient_v3_mandatory_validation_results": beside(
        **{"c2pa.ingredient.v3": {"relationship": "inputTo", "activeManifest": {}}}
    ),
    "ingredient_relationship_values": beside(**{"c2pa.ingredient.v3": {"relationship": "cousinOf"}}),
    "mandatory_dst_for_created_action": with_actions({"action": "c2pa.created"}),
    "no_deprecated_claim_fields": view(claim={**view().claim, "specVersion": "2.4"}),
    "ingredient_v3_choice": beside(
        **{
            "c2pa.ingredient.v3": {
                "relationship": "inputTo",
                "activeManifest": {},
                "validationResults": {},
                "digitalSourceType": TRUSTED,
            }
        }
    ),
    "alternative_content_representation_choice": beside(
        **{"c2pa.alternative-content-representation": ORIGINAL}
    ),
    "forbidden_labels_in_external_references": beside(
        **{"c2pa.external-reference": {"label": "c2pa.hash.data", "url": "https://example.com"}}
    ),
    "no_url_in_hashes": beside(**{"c2pa.hash.data": {"url": "https://example.com"}}),
    "all_actions_included_opened": with_actions(OPENED, allActionsIncluded=False),
    "opened_action_ingredient_reference": with_actions({"action": "c2pa.opened"}),
    "no_box_hash_for_tiff": beside(
        **{"c2pa.hash.boxes": {}, "c2pa.asset-type.v2": {"dc:format": "image/tiff"}}
    ),
    "mediaguard.one_inception": with_actions(CREATED, CREATED),
    "mediaguard.digital_source_type": with_actions({**CREATED, "digitalSourceType": "trained"}),
    "mediaguard.soft_binding_name": beside(**{"c2pa.soft-binding": {"alg": "tile", "blocks": []}}),
}


def test_a_sound_manifest_breaks_nothing():
    assert examine(view()) == ()
    assert examine(with_actions(OPENED)) == ()


def test_every_rule_has_its_case():
    assert list(BROKEN) == [rule.check for rule in RULES]


@pytest.mark.parametrize("check", BROKEN)
def test_what_breaks_a_rule_is_named(check):
    found = {finding.check for finding in examine(BROKEN[check])}
    assert check in found
    # The same wrong thing may break several rules; no rule speaks of what is sound.
    together = {rule.check for rule in RULES if rule.look is next(r.look for r in RULES if r.check == check)}
    related = together | {
        "mediaguard.one_inception",
        "no_unsupported_actions",
        "mandatory_all_actions_included",
    }
    related |= {"no_deprecated_actions", "mandatory_dst_for_perceptible_transformations"}
    related |= {"well_formed_success", "valid_success", "trusted_success", "mediaguard.digital_source_type"}
    assert found <= related | {check}


@pytest.mark.parametrize("odd", [7, "x", None, [], {"actions": 7}, {"actions": [7, None, {"action": 9}]}])
def test_hostile_values_are_findings_or_nothing(odd):
    """No value raises, what has to be there is missed, and a rule only speaks of what is odd."""
    nested = {"relationship": odd, "parameters": odd, "dataSource": odd}
    actions = {"mandatory_all_actions_included", "no_unrecognized_custom_actions"}  # wherever they lie
    has_to = {
        "c2pa.actions.v2": {"mediaguard.one_inception"},
        "c2pa.soft-binding": {"mediaguard.soft_binding_name"},
        "c2pa.ingredient.v3": set(),
        "c2pa.hash.data": set(),
    }
    for label, missed in has_to.items():
        found = {one.check for one in examine(beside(**{label: odd}))}
        assert missed <= found <= missed | (actions if isinstance(odd, dict) else set())
        found = {one.check for one in examine(beside(**{label: nested}))}
        assert found == missed | ({"ingredient_relationship_values"} if odd is not None else set())
    (only,) = examine(view(claim={"claim_generator_info": odd}))
    assert only.check == "mandatory_spec_version"


@pytest.mark.parametrize("with_parent", [False, True])
@pytest.mark.parametrize("mime", ["image/png", "image/jpeg"])
def test_what_is_signed_passes_every_check(picture, signed, spec, signer, trust, mime, with_parent):
    source = signed(mime).asset if with_parent else picture(mime)
    asset = sign(
        source, replace(spec, edited=with_parent, training_mining="notAllowed"), signer, trust=trust
    ).asset
    reading = read_manifest(asset, trust)
    store = find_store(asset.content).store
    assert examine(of_store(store, reading.failures)) == ()


def test_a_definition_looks_as_its_file_will(signed, spec, picture, signer, trust):
    definition = of_definition(manifest_definition(spec))
    store = of_store(find_store(signed().asset.content).store, ())
    assert set(definition.assertions) | {"c2pa.hash.data"} == set(store.assertions)
    assert definition.created == tuple(label for label in store.created if label != "c2pa.hash.data")


def test_fields_the_library_drops_without_a_word_are_named():
    findings = lint({"claim_generator_info": [], "assertions": [], "verify_cert_anchors": 1})
    assert findings[0].check == "mediaguard.definition_fields"
    assert "verify_cert_anchors" in findings[0].what
