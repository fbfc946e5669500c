"""The keys of a home as ``guard.doctor`` tells of them: what signs, what stamps the time, what marks.

Each line is returned, and what is wrong is raised, as an ``Error`` with what helps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provenance.errors import ConfigurationError, Error

if TYPE_CHECKING:
    from datetime import datetime

    from guard.home import Home

SOON = 14
"""Days before the end of a certificate from which its renewal is asked for."""
SOON_ISSUED = 30
"""The same where an authority has to issue the next one, which may take weeks."""
LAST = 7
"""The same, for what nobody should overlook."""
_AFTER = "what was signed without a time stamp is EXPIRED after that, until guard sign signs it again"


def identity(home: Home, now: datetime, passphrase: bytes | None) -> str:
    """Who signs here, where the key is, and how long the certificate still holds."""
    from guard.identities import own_identities  # noqa: PLC0415
    from provenance.manifest.revocation import refuse_revoked  # noqa: PLC0415

    how, needs_secret = _key_at(home, now, passphrase)
    untried = " (not tried: GUARD_PASSPHRASE is not set)" if needs_secret and passphrase is None else ""
    refuse_revoked(_chain(home), home.trust().revoked)
    one = own_identities(home, now=now)[0]
    left, advice = (one.not_after - now).days, ""
    if one.development and left <= SOON:
        advice = f"; renew soon: guard keys renew; {_AFTER}"
    elif not one.development and left <= SOON_ISSUED:
        advice = f"; ask for the next one now: guard keys csr; {_AFTER}"
    if left <= LAST:
        advice = f", AND THEN IT ENDS{advice}"
    who = "development identity" if one.development else f"identity {one}"
    return f"{who}{how}{untried}, {left} days left{advice}"


def _chain(home: Home) -> bytes:
    from provenance.manifest.key_files import read_pem  # noqa: PLC0415 - cryptography

    return read_pem(home.signing_folder / "chain.pem", "signer.chain-missing", "the certificate chain")


def _key_at(home: Home, now: datetime, passphrase: bytes | None) -> tuple[str, bool]:
    """Where the key is, tried as far as that needs nobody; and whether it wants a passphrase or PIN."""
    from guard.signing_keys import reach_signer  # noqa: PLC0415
    from provenance.manifest.identity import check_validity, load_signer  # noqa: PLC0415
    from provenance.manifest.signers import leaf_of  # noqa: PLC0415

    settings, folder = home.config().signer, home.signing_folder
    secret = None if passphrase is None else lambda: passphrase
    if settings.kind == "file":
        try:
            load_signer(folder / "chain.pem", folder / "key.pem", secret, now=now)
        except Error as error:
            if error.code != "signer.passphrase-needed":
                raise
        protected = home.is_protected()
        return ", protected by a passphrase" if protected else "", protected
    chain = _chain(home)
    check_validity(leaf_of(chain), now)
    if settings.kind == "pkcs11":
        if secret is not None:
            reach_signer(chain, settings, secret).self_test()
        return f", on the token {settings.token}", True
    # A program may ask somebody far away, and examining asks for nothing.
    return f", with {'a program' if settings.kind == 'command' else 'a signer process'}, not asked", False


def time_stamps(home: Home) -> str:
    """Who is asked when something is signed. Nobody is, for this."""
    from provenance.manifest.trust import ListKind  # noqa: PLC0415 - cryptography

    settings = home.config().timestamp
    stamper = settings.stamper()
    if stamper is None:
        return "nobody is asked; the time in a manifest is what its signer claims"
    from provenance.timestamp.client import host_of  # noqa: PLC0415 - cryptography

    if lists := home.trust().of_kind(ListKind.TSA):
        # Who stamps for an authority shows in its tokens, and nobody is asked for one here.
        names = ", ".join(one.name for one in lists)
        does = "refuses" if settings.policy == "required" else "warns of"
        told = f"signing {does} one that {names} does not vouch for"
        return f"{settings.policy}, of {', '.join(map(host_of, stamper.authorities))}; {told}"
    what = f"time-stamps are {settings.policy}, and no list here vouches for any authority"
    raise ConfigurationError("timestamp.unlisted", what, hint="guard trust add NAME PEM --kind tsa")


def locator(home: Home) -> str:
    """The key of the marks, which has to be that of the log."""
    from guard.agreement import require_locator  # noqa: PLC0415

    require_locator(home)
    key, *earlier = home.locators()
    kept = f"; finds marks of {len(earlier)} earlier epochs too" if earlier else ""
    return f"{key.key_id}, epoch {key.epoch}{kept}"


def private_mark(home: Home) -> str:
    """The key of the private layer of the marks."""
    keys = home.private_marks()
    if not keys:
        return "none; the private layer is off"
    return f"{keys[0].key_id}, epoch {keys[0].epoch}"
