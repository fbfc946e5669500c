"""The signing identities of an installation: one in force (``keys/signing``), earlier ones beside it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from cryptography import x509

from provenance.errors import ConfigurationError, InputError
from provenance.manifest.identity import is_development
from provenance.manifest.key_files import is_encrypted, read_pem
from provenance.manifest.path import common_name, find_path, fingerprint, organisation
from provenance.manifest.profile import read_chain
from provenance.manifest.reading import TrustTier
from provenance.manifest.revocation import Revoked, revocation_of

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from guard.home import Home
    from provenance.manifest.trust import TrustLists

KEY, CHAIN = "key.pem", "chain.pem"


class IdentityState(StrEnum):
    """What an identity is good for now."""

    IN_FORCE = "in_force"
    EARLIER = "earlier"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnIdentity:
    """A signing identity of this installation, without its key.

    Attributes:
        folder: its name under ``keys/``.
        state: what it is good for.
        name: common name in its certificate.
        organisation: organisation in its certificate.
        issuer: who issued it.
        fingerprint_sha256: lower-case hex over the certificate's DER.
        not_before: start of its validity, UTC.
        not_after: end of its validity, UTC.
        tier: what the lists here say of it; unknown once it was revoked.
        development: whether nobody but this installation vouches for it.
        protected: whether its key asks for a passphrase; None where there is no key file.
        key_at: where its key is: ``file``, ``pkcs11``, ``command``, ``socket``, or ``gone``.
        revocation: from when on and why, where it was revoked.
    """

    folder: str
    state: IdentityState
    name: str
    organisation: str
    issuer: str
    fingerprint_sha256: str
    not_before: datetime
    not_after: datetime
    tier: TrustTier
    development: bool
    protected: bool | None
    key_at: str
    revocation: Revoked | None

    def __str__(self) -> str:
        """Name and tier (house promise 4)."""
        return (
            f"{self.name}, {self.organisation} [{self.tier}]"
            if self.organisation
            else f"{self.name} [{self.tier}]"
        )


def own_identities(home: Home, *, now: datetime) -> tuple[OwnIdentity, ...]:
    """The identity in force, then earlier ones, newest first.

    Raises:
        ConfigurationError: ``signer.chain-missing``, ``signer.bad-chain``, ``signer.elsewhere``.
        IntegrityError: as ``load_trust``.
    """
    trust, signing = home.trust(), home.signing_folder
    earlier = sorted(signing.parent.glob(f"{signing.name}-until-*"), reverse=True)
    kind = home.config().signer.kind
    if not (signing / CHAIN).exists():
        home.require_own_keys()
    first = _described(signing, trust, now, current=True, key_at=kind)
    return (first, *(_described(folder, trust, now, current=False, key_at="file") for folder in earlier))


def _described(folder: Path, trust: TrustLists, now: datetime, *, current: bool, key_at: str) -> OwnIdentity:
    pem = read_pem(folder / CHAIN, "signer.chain-missing", "the certificate chain")
    chain = tuple(one for one in _certificates(pem, folder) if isinstance(one, x509.Certificate))
    leaf, path = chain[0], find_path(chain, trust)
    on_path = path.certificates if path is not None else chain
    found = revocation_of(on_path, trust.revoked)
    revoked = found.told if found is not None else None
    return OwnIdentity(
        folder=folder.name,
        state=_state(leaf, revoked, now, current=current),
        name=common_name(leaf.subject),
        organisation=organisation(leaf.subject),
        issuer=common_name(leaf.issuer),
        fingerprint_sha256=fingerprint(leaf),
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
        tier=path.found.tier if path is not None and revoked is None else TrustTier.UNKNOWN,
        development=is_development(leaf),
        protected=is_encrypted(folder / KEY) if (folder / KEY).exists() else None,
        key_at="gone" if key_at == "file" and not (folder / KEY).exists() else key_at,
        revocation=revoked,
    )


def _certificates(pem: bytes, folder: Path) -> tuple[x509.Certificate | str, ...]:
    try:
        found = read_chain(pem)
    except InputError as error:
        what = "the certificate chain cannot be read as PEM"
        raise ConfigurationError("signer.bad-chain", what, where=str(folder / CHAIN)) from error
    if isinstance(found[0], str):
        raise ConfigurationError("signer.bad-chain", found[0], where=str(folder / CHAIN))
    return found


def _state(leaf: x509.Certificate, revoked: Revoked | None, now: datetime, *, current: bool) -> IdentityState:
    if revoked is not None:
        return IdentityState.REVOKED
    if now > leaf.not_valid_after_utc:
        return IdentityState.EXPIRED
    if not current:
        return IdentityState.EARLIER
    return IdentityState.NOT_YET_VALID if now < leaf.not_valid_before_utc else IdentityState.IN_FORCE
