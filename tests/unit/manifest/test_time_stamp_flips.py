"""One bit of a time-stamp changed: the stamp holds all the same, or it is said that it does not."""

from __future__ import annotations

import io
import random

import pytest
from simulators.tsa import NEEDED, Server

from guard.origin_answers import manifest_answer, time_answer
from provenance.manifest.read import read_manifest
from provenance.manifest.reading import SigningTime, TrustTier
from provenance.manifest.sign import sign
from provenance.manifest.timestamps import StampedSigner, place_token
from provenance.manifest.trust import ListKind, TrustList
from provenance.media import Asset
from provenance.timestamp.client import TimePolicy, TimeStamper

pytestmark = NEEDED
FLIPS = 80
TELLS = "a time stamp is there and does not hold"


@pytest.fixture(scope="module")
def stamped(clock, picture, spec, signer, trust):
    """A signed picture with a time-stamp, the token, and lists with and without its authority."""
    clocks = TrustList.of(
        name="clocks", tier=TrustTier.OWN, kind=ListKind.TSA, pem=clock.root_pem, date=clock.now.date()
    )
    stamps: list[bytes] = []

    class Kept(TimeStamper):
        def stamp(self, data):
            found = super().stamp(data)
            stamps.append(found.token)
            return found

    with Server(clock.reply) as server:
        asking = Kept(authorities=(server.url,), policy=TimePolicy.REQUIRED, rounds=1)
        both = trust.adding(clocks)
        made = sign(picture(), spec, StampedSigner(signer=signer, stamper=asking), trust=both)
    return made, stamps[-1], both


def test_every_flipped_bit_is_listed_and_said_or_the_stamp_holds(stamped, trust):
    made, token, both = stamped
    rng, said = random.Random(13), 0
    for number in range(FLIPS):
        changed = bytearray(token)
        changed[rng.randrange(len(token))] ^= 1 << rng.randrange(8)
        out = io.BytesIO(made.asset.data)
        place_token(bytes(changed), made.manifest, made.asset.data, out)
        reading = read_manifest(Asset.of(out.getvalue(), "image/png"), both if number % 2 else trust)
        assert reading.intact
        assert any("time-stamp beside the signature" in line for line in reading.uncovered)
        validated = any(code.code == "timeStamp.validated" for code in reading.codes)
        tells = TELLS in time_answer(reading).text
        assert validated != tells, reading.codes
        assert tells == manifest_answer(reading).text.endswith("but for a time stamp that does not hold")
        assert validated or reading.signer.time is not SigningTime.PROVEN
        said += tells
    assert 20 < said < FLIPS
