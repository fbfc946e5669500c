"""This installation's development roots: kept beside the identity each issued, listed in ``trust/``.

A root's key is thrown away after it issued one certificate, so the certificate of the root is all that
is left of it, and public. Kept in two places it can be put back on the list it was removed from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from provenance.errors import ConfigurationError, InputError, IntegrityError
from provenance.manifest.identity import ORGANISATION
from provenance.manifest.reading import TrustTier
from provenance.manifest.trust import DEVELOPMENT, TrustList, TrustLists, load_trust, save_trust

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from guard.home import Home

ROOT = "root.pem"


def kept_roots(home: Home) -> tuple[bytes, ...]:
    """The root beside each identity, now and earlier, as PEM.

    Raises:
        IntegrityError: ``trust.foreign-root`` for one that did not issue the identity it lies beside.
    """
    folders = sorted(home.signing_folder.parent.glob(f"{home.signing_folder.name}*"))
    return tuple(_issuer_in(folder) for folder in folders if (folder / ROOT).exists())


def all_listed(home: Home) -> bool:
    """Whether ``trust/`` has the list of own identities, with every root that is kept."""
    listed = _listed(load_trust(home.trust_folder))
    return bool(listed) and all(root in listed for root in kept_roots(home))


def list_roots(home: Home, roots: Sequence[bytes], now: datetime) -> None:
    """Add ``roots`` to the list; those of earlier identities stay, so that their files stay verifiable.

    Raises:
        ConfigurationError: ``trust.development-missing`` when there is none to list.
    """
    known = load_trust(home.trust_folder)
    listed = _listed(known)
    if not listed and not roots:
        raise development_missing()
    combined = listed + b"".join(pem for pem in dict.fromkeys(roots) if pem not in listed)
    own = TrustList.of(name=DEVELOPMENT, tier=TrustTier.DEVELOPMENT, pem=combined, date=now.date())
    save_trust(home.trust_folder, known.adding(own))


def refuse_development(pem: bytes) -> None:
    """A development root vouches for nobody, so it gets on no other list than its own installation's.

    Raises:
        InputError: ``trust.development-root``, or ``trust.not-certificates`` when they cannot be read.
    """
    try:
        roots = [root for root in x509.load_pem_x509_certificates(pem) if _is_development(root)]
    except ValueError as error:
        hint = 'give a file with lines "-----BEGIN CERTIFICATE-----"'
        raise InputError("trust.not-certificates", f"no certificates: {error}", hint=hint) from error
    if roots:
        what = "the file holds a root of an untrusted development identity, which vouches for nobody"
        hint = "add the roots of an authority; guard verify knows this installation's own development root"
        raise InputError("trust.development-root", what, hint=hint)


def development_missing() -> ConfigurationError:
    """Nobody vouches for what this installation signs, not even itself."""
    return ConfigurationError(
        "trust.development-missing",
        "no trust list holds this installation's own root: what it signs is of an unknown signer",
        hint="guard init puts it back; guard keys renew makes another identity",
    )


def _listed(trust: TrustLists) -> bytes:
    return b"".join(one.pem for one in trust.lists if one.tier is TrustTier.DEVELOPMENT)


def _issuer_in(folder: Path) -> bytes:
    """Only a development root, shown by its signatures: a real authority vouches for strangers too."""
    try:
        root = x509.load_pem_x509_certificate((folder / ROOT).read_bytes())
        issued = x509.load_pem_x509_certificates((folder / "chain.pem").read_bytes())[0]
        root.verify_directly_issued_by(root)
        issued.verify_directly_issued_by(root)
    except (OSError, ValueError, TypeError, InvalidSignature) as error:
        raise _foreign(folder, f"it did not issue the identity beside it ({error})") from error
    if not _is_development(root):
        raise _foreign(folder, "it is no development root")
    return root.public_bytes(Encoding.PEM)


def _is_development(certificate: x509.Certificate) -> bool:
    names = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return [name.value for name in names] == [ORGANISATION]


def _foreign(folder: Path, why: str) -> IntegrityError:
    return IntegrityError(
        "trust.foreign-root",
        f"the root certificate kept with an identity is not its own: {why}",
        where=str(folder / ROOT),
        hint="restore it from a copy, or move it away",
    )
