"""Revoking a signing certificate: from when on, and why; written where every verdict here looks.

A revocation is never taken back and never moves to a later time: whoever holds a stolen key would gain by it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from provenance.errors import InputError
from provenance.locks import locked
from provenance.manifest.revocation import Revocation, RevocationReason, load_revocations, save_revocations

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509

    from guard.home import Home
    from guard.identities import OwnIdentity

_LOCK = "revoked.lock"
SHORTEST = 8
"""Hexadecimal digits of a fingerprint that name an identity."""


def revoke(
    home: Home, certificate: x509.Certificate, *, at: datetime, reason: RevocationReason, now: datetime
) -> Revocation:
    """Let no signature of ``certificate`` count from ``at`` on, unless its time is proven to be earlier.

    Raises:
        InputError: ``revocation.future``; ``revocation.known`` when it is revoked since then or before.
        IntegrityError: ``trust.revocations-damaged``.
    """
    if at > now:
        what = (
            f"{at:%Y-%m-%d %H:%M} UTC is yet to come; a certificate is revoked from now or an earlier time on"
        )
        raise InputError("revocation.future", what, hint="leave --at out for now")
    home.trust_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with locked(home.trust_folder / _LOCK):
        known = load_revocations(home.trust_folder)
        added = Revocation.of(certificate, at=at, reason=reason)
        same = tuple(one for one in known if one.tbs_sha256 == added.tbs_sha256)
        others = tuple(one for one in known if one not in same)
        for before in same:
            added = _graver(before, added)
        save_revocations(home.trust_folder, (*others, added))
    return added


def named(identities: tuple[OwnIdentity, ...], digits: str) -> OwnIdentity:
    """The identity whose fingerprint begins with ``digits``.

    Raises:
        InputError: ``identity.unknown``.
    """
    wanted = digits.lower().replace(":", "")
    found = [one for one in identities if one.fingerprint_sha256.startswith(wanted)]
    if len(wanted) < SHORTEST or len(found) != 1:
        what = f"no one identity here has a fingerprint that begins with these {SHORTEST} digits or more"
        raise InputError("identity.unknown", what, hint="guard keys list shows the fingerprints")
    return found[0]


def _graver(before: Revocation, added: Revocation) -> Revocation:
    """Both revocations of one certificate in one: the earlier time and the graver reason."""
    compromised = RevocationReason.KEY_COMPROMISE
    if before.at <= added.at and (before.reason is compromised or added.reason is not compromised):
        what = f"this certificate is {before.told} already"
        hint = "name an earlier time with --at, or --reason key-compromise; nothing else changes a revocation"
        raise InputError("revocation.known", what, hint=hint)
    reason = compromised if compromised in (before.reason, added.reason) else added.reason
    return replace(added, at=min(before.at, added.at), reason=reason)
