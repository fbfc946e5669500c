"""A signing time counts as proven when a time-stamp authority on a list says so, and only then.

The file is stamped by the C2PA library itself, as those of others are.
"""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import c2pa
import pytest
from simulators.tsa import NEEDED, Server

from provenance.manifest.build import manifest_definition
from provenance.manifest.read import read_manifest
from provenance.manifest.reading import ManifestState, SigningTime, TrustTier
from provenance.manifest.revocation import Revocation, RevocationReason
from provenance.manifest.trust import ListKind, TrustList
from provenance.media import Asset

pytestmark = NEEDED


@pytest.fixture
def stamped(clock, picture, spec, signer):
    with Server(clock.reply) as server:
        info = c2pa.C2paSignerInfo(b"es256", signer.chain, signer.private_pem(), server.url.encode())
        out = io.BytesIO()
        context = c2pa.Context.from_dict({"verify": {"verify_after_sign": False}})
        builder = c2pa.Builder(manifest_definition(spec), context=context)
        builder.sign(c2pa.Signer.from_info(info), "image/png", io.BytesIO(picture().data), out)
    return Asset.of(out.getvalue(), "image/png")


def test_a_listed_authority_proves_the_time_and_outlives_the_certificate(stamped, trust, clock, authority):
    later = authority.now + timedelta(days=500)
    clocks = TrustList.of(
        name="clocks", tier=TrustTier.OFFICIAL, kind=ListKind.TSA, pem=clock.root_pem, date=later.date()
    )
    with_clocks = read_manifest(stamped, trust.adding(clocks), at=later)
    assert with_clocks.state is ManifestState.TRUSTED
    assert with_clocks.signer.time is SigningTime.PROVEN
    without = read_manifest(stamped, trust, at=later)
    assert without.state is ManifestState.EXPIRED
    assert without.signer.time is SigningTime.CLAIMED
    assert read_manifest(stamped, trust).state is ManifestState.TRUSTED


def test_a_proven_time_before_the_revocation_outlives_it_and_one_after_does_not(
    stamped, trust, clock, authority, signer
):
    now = datetime.now(UTC)
    clocks = TrustList.of(
        name="clocks", tier=TrustTier.OFFICIAL, kind=ListKind.TSA, pem=clock.root_pem, date=now.date()
    )

    def read(hours: float, *, with_clocks: bool = True):
        at = now + timedelta(hours=hours)
        gone = Revocation.of(signer.leaf, at=at, reason=RevocationReason.KEY_COMPROMISE)
        known = replace(trust.adding(clocks) if with_clocks else trust, revoked=(gone,))
        return read_manifest(stamped, known, at=now + timedelta(hours=9))

    held = read(1)
    assert held.state is ManifestState.TRUSTED
    assert held.signer.time is SigningTime.PROVEN
    after = read(-1)
    assert after.state is ManifestState.REVOKED
    assert "signed after" in after.reason
    # The same time stamp, of an authority on no list, is a claim: whoever has the key can make one.
    assert read(1, with_clocks=False).state is ManifestState.REVOKED
