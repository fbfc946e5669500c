"""What doctor says of time-stamps, asking nobody: whose list counts, and what becomes of others."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from simulators.authority import Authority

from guard.clock import utc_now
from guard.doctor import examine_home
from provenance.manifest.reading import TrustTier
from provenance.manifest.trust import ListKind, TrustList, load_trust, save_trust

SETTINGS = """
[timestamp]
authorities = ["http://stamp.example.org/tsr"]
policy = "{}"
"""


def said(home) -> tuple[str, str]:
    found = next(one for one in examine_home(home, now=utc_now()) if one.what == "time-stamps")
    return found.state, found.detail


@pytest.mark.parametrize(("policy", "does"), [("preferred", "warns of"), ("required", "refuses")])
def test_an_authority_that_no_list_vouches_for_is_told_before_and_after(home, policy, does):
    with home.config_path.open("a", encoding="utf-8") as file:
        file.write(SETTINGS.format(policy))
    state, detail = said(home)
    assert state == "broken"
    assert detail.startswith(f"time-stamps are {policy}, and no list here vouches for any authority")
    assert "--kind tsa" in detail
    root = Authority().root.public_bytes(Encoding.PEM)
    clocks = TrustList.of(
        name="clocks", tier=TrustTier.OWN, kind=ListKind.TSA, pem=root, date=utc_now().date()
    )
    save_trust(home.trust_folder, load_trust(home.trust_folder).adding(clocks))
    told = f"{policy}, of stamp.example.org; signing {does} one that clocks does not vouch for"
    assert said(home) == ("ok", told)
