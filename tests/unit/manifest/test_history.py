"""Parents: kept, laundered, altered later, signed by strangers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provenance.errors import InputError
from provenance.manifest.containers import find_store
from provenance.manifest.history import ingredients
from provenance.manifest.read import raw_agrees, read_manifest
from provenance.manifest.reading import ManifestState
from provenance.manifest.sign import sign
from provenance.media import Asset

MIMES = ("image/png", "image/jpeg", "image/webp", "image/tiff")
every_container = pytest.mark.parametrize("mime", MIMES)


def with_changed_pixels(asset: Asset) -> Asset:
    found = find_store(asset.data)
    stretches = [(0, found.spans[0][0]), (found.spans[-1][1], len(asset.data))]
    low, high = max(stretches, key=lambda pair: pair[1] - pair[0])
    data = bytearray(asset.data)
    data[(low + high) // 2] ^= 1
    return Asset.of(bytes(data), asset.mime)


@every_container
def test_a_signed_source_becomes_the_parent(signed, spec, signer, trust, mime):
    again = sign(signed(mime).asset, replace(spec, edited=True), signer, trust=trust)
    assert again.reading.state is ManifestState.TRUSTED
    assert again.reading.actions == ("c2pa.opened", "c2pa.edited", "c2pa.watermarked.bound")
    (parent,) = again.reading.ingredients
    assert parent.relationship == "parentOf"
    assert parent.label == signed(mime).reading.label
    assert not parent.problem
    assert again.reading.source_type is spec.source_type
    assert (
        sign(signed(mime).asset, replace(spec, model_name=None), signer, trust=trust).reading.model_name
        == "emoji"
    )
    third = sign(again.asset, spec, signer, trust=trust)
    assert [node.label for node in third.reading.ingredients[0].walk()] == [again.reading.label, parent.label]


@every_container
def test_laundering_a_tampered_parent_is_a_history_problem(signed, spec, signer, trust, picture, mime):
    tampered = with_changed_pixels(signed(mime).asset)
    assert read_manifest(tampered, trust).state is ManifestState.TAMPERED
    clean = sign(picture(mime, seed=4), spec, signer, parent=tampered, trust=trust)
    assert clean.reading.state is ManifestState.HISTORY_PROBLEM
    assert "assertion.dataHash.mismatch" in clean.reading.ingredients[0].recorded
    # One more clean signature on top does not wash it off.
    twice = sign(clean.asset, spec, signer, trust=trust)
    assert twice.reading.state is ManifestState.HISTORY_PROBLEM


@every_container
def test_a_strangers_parent_is_no_problem(picture, spec, signer, stranger, trust, mime):
    foreign = sign(picture(mime), spec, stranger.signer()).asset
    reading = sign(foreign, spec, signer, trust=trust).reading
    assert reading.state is ManifestState.TRUSTED
    assert "signingCredential.untrusted" in reading.ingredients[0].recorded


def test_a_parent_manifest_altered_inside_the_file_is_tampered(signed, spec, signer, trust):
    child = sign(signed().asset, spec, signer, trust=trust).asset
    data = bytearray(child.data)
    data[child.data.index(b"softwareAgent") + 18] ^= 1  # the first is the parent's
    reading = read_manifest(Asset.of(bytes(data), child.mime), trust)
    assert reading.state in {ManifestState.TAMPERED, ManifestState.MALFORMED}
    assert not raw_agrees(Asset.of(bytes(data), child.mime))


def test_a_source_with_a_broken_manifest_is_not_silently_resigned(signed, spec, signer, trust):
    data = bytearray(signed().asset.data)
    data[data.index(b"jumdc2ma") + 4] ^= 0xFF
    with pytest.raises(InputError) as caught:
        sign(Asset.of(bytes(data), "image/png"), spec, signer, trust=trust)
    assert caught.value.code == "sign.parent-unreadable"


def test_problems_of_manifests_nothing_leads_to_count_as_well():
    report = {
        "active_manifest": "a",
        "manifests": {
            "a": {"ingredients": []},
            "b": {
                "ingredients": [
                    {
                        "title": "x",
                        "validation_status": [{"code": "assertion.dataHash.mismatch", "success": False}],
                    }
                ]
            },
        },
    }
    (found,) = ingredients(report)
    assert found.problem


def test_cycles_and_floods_end():
    loop = {"ingredients": [{"title": "self", "active_manifest": "a"}] * 50}
    report = {"active_manifest": "a", "manifests": {"a": loop}}
    assert len(ingredients(report)) == 50
    deep = {str(n): {"ingredients": [{"active_manifest": str(n + 1)}]} for n in range(5000)}
    tree = ingredients({"active_manifest": "0", "manifests": deep})
    assert sum(1 for root in tree for _ in root.walk()) <= 2000
