"""crJSON of the formats that are read in a process of their own: the same, and a reason when it fails."""

from __future__ import annotations

import json

import pytest

from provenance.manifest import isolated
from provenance.manifest.crjson import CrJson, crjson
from provenance.manifest.isolated import ChildLimits, crjson_isolated
from provenance.manifest.read import read_manifest


@pytest.mark.parametrize("mime", ["image/tiff", "image/png"])
def test_the_same_document(signed, trust, authority, mime):
    asset = signed(mime).asset
    reading = read_manifest(asset, trust, at=authority.now)
    found = crjson_isolated(asset, reading, trust)
    assert found == crjson(asset, reading, trust)
    assert found.document["manifests"][0]["label"] == reading.label


def test_a_manifest_beside_the_file_goes_along(signed, picture, trust):
    reading = read_manifest(picture(), trust, sidecar=signed().manifest)
    found = crjson_isolated(picture(), reading, trust, sidecar=signed().manifest)
    assert found == crjson(picture(), reading, trust, sidecar=signed().manifest)
    assert found.document is not None


def test_a_reader_that_reaches_a_limit_gives_none_and_says_why(signed, trust):
    asset = signed("image/tiff").asset
    found = crjson_isolated(asset, read_manifest(asset, trust), trust, limits=ChildLimits(memory=2**20))
    assert found.document is None
    assert "the reader" in found.missing


@pytest.mark.parametrize(
    "answer",
    [("{", None), ("[]", None), ('{"manifests": []}', None), ("[" * 100_000, None), None],
    ids=["cut", "list", "empty", "deep", "reading"],
)
def test_what_a_captured_reader_answers_is_held_to_be_crjson(signed, trust, monkeypatch, answer):
    reading = read_manifest(signed().asset, trust)
    monkeypatch.setattr(isolated, "_ask", lambda *_: reading if answer is None else answer)
    assert crjson_isolated(signed().asset, reading, trust) == CrJson(missing=isolated._NONE)


def test_nor_that_of_another_manifest(signed, trust, monkeypatch):
    reading = read_manifest(signed().asset, trust)
    other = json.dumps({"manifests": [{"label": "urn:c2pa:other"}]})
    monkeypatch.setattr(isolated, "_ask", lambda *_: (other, None))
    assert crjson_isolated(signed().asset, reading, trust).missing == "it was given for another manifest"
