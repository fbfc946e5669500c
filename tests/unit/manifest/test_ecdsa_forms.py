"""The two forms of an ECDSA signature value: a change that needs no key, and changes nothing that is said."""

from __future__ import annotations

from dataclasses import replace

from simulators.ecdsa_forms import other_form

from provenance.manifest.read import read_manifest
from provenance.manifest.reading import ManifestState
from provenance.media import Asset


def test_both_forms_are_one_signature(signed, trust, authority):
    before = signed("image/png").asset
    after = Asset.of(other_form(before.data), "image/png")
    assert after.data != before.data
    assert other_form(after.data) == before.data
    one, two = (read_manifest(asset, trust, at=authority.now) for asset in (before, after))
    assert one.state is ManifestState.TRUSTED
    assert two.manifest_sha256 != one.manifest_sha256
    assert replace(two, manifest_sha256=one.manifest_sha256) == one
    assert one.claim_sha256 is not None
