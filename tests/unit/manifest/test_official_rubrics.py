"""Ours beside the official rubric files, which are not part of this repository.

``MEDIAGUARD_PUBLIC_C2PA`` names a folder with ``rubrics/*.yml`` and ``public/*.jpg``, as for
``test_public_files``.
"""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import c2pa
import pytest
import yaml

from provenance.manifest.containers import find_store
from provenance.manifest.rubric import RULES, examine
from provenance.manifest.rubric_view import of_store

FOLDER = Path(os.environ.get("MEDIAGUARD_PUBLIC_C2PA", "absent"))
CHECKED = (
    "asset-rubric-conformance0.1-spec2.2.yml",
    "asset-rubric-conformance0.2-spec2.2.yml",
    "asset-rubric-conformance0.2-spec2.4.yml",
    "asset-rubric-integrity.yml",
)
SIGNED = [path for path in sorted((FOLDER / "public").glob("*.jpg")) if "C" in path.stem.split("-", 2)[2]]


@pytest.mark.parametrize("name", CHECKED)
def test_no_check_of_the_official_files_is_missing(name):
    rules = list(yaml.safe_load_all((FOLDER / "rubrics" / name).read_text("utf-8")))[1]
    assert {rule["id"].partition(":")[2] for rule in rules} <= {rule.check for rule in RULES}


def test_the_vocabularies_are_those_of_the_official_file():
    from provenance.manifest import rubric_terms as terms

    text = (FOLDER / "rubrics" / CHECKED[2]).read_text("utf-8")
    said = {key.strip("$"): set(value) for key, value in next(yaml.safe_load_all(text))["variables"].items()}
    missing = {"MISSING_VALIDATION_RESULTS"}
    assert said["inception_actions"] == terms.INCEPTION
    assert said["non_editorial_actions"] == terms.NOT_EDITORIAL
    assert said["allowed_actions"] == terms.ACTIONS
    assert said["allowed_assertions"] - {"font.info"} == terms.LABELS
    assert said["deprecated_assertion_labels"] == terms.DEPRECATED_LABELS
    assert said["deprecated_action_labels"] == terms.DEPRECATED_ACTIONS
    assert said["standard_parameters"] == terms.PARAMETERS
    assert said["well_formed_error_codes"] - missing == terms.STRUCTURE_CODES
    assert said["valid_error_codes"] - missing == terms.INTEGRITY_CODES


@pytest.mark.parametrize("path", SIGNED, ids=lambda path: path.stem)
def test_files_look_as_in_the_form_validators_exchange(path):
    """Labels as crJSON has them; files of 2022 break what came later."""
    try:
        reader = c2pa.Reader("image/jpeg", io.BytesIO(path.read_bytes()))
        form = json.loads(reader.crjson())["manifests"][0]
    except c2pa.C2paError:
        pytest.skip("the library cannot read it")
    view = of_store(find_store(path.read_bytes()).store, ())
    assert view.label == form["label"]
    assert set(form["assertions"]) == set(view.assertions)
    found = {finding.check for finding in examine(view)}
    assert {"mandatory_spec_version", "inception_action_position", "active_manifest_urn"} <= found
