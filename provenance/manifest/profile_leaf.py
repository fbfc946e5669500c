"""Rules for the certificate of the signer, the first of the chain (C2PA §14.5.1)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provenance.manifest.profile_rules import C2PA, ERROR, RFC, WARNING, extension, self_signed
from provenance.manifest.trust import CLAIM_SIGNING, DOCUMENT_SIGNING, EMAIL_PROTECTION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from provenance.manifest.profile_rules import Broken

POLICY = "C2PA Certificate Policy, claim-signing profile"
LONGEST = timedelta(days=366)
"""Of a claim-signing certificate (C2PA Certificate Policy)."""
SOON = timedelta(days=30)
"""An authority may need weeks to issue the next one."""
_ALONE = {
    ExtendedKeyUsageOID.TIME_STAMPING.dotted_string: "time stamps",
    ExtendedKeyUsageOID.OCSP_SIGNING.dotted_string: "revocation answers (OCSP)",
}
_ANY = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE.dotted_string


def broken(leaf: x509.Certificate, ekus: Sequence[str], now: datetime) -> Iterator[Broken]:
    """The rules for signers that ``leaf`` breaks; ``ekus`` are the purposes that verifiers here accept."""
    basic = extension(leaf, x509.BasicConstraints)
    authority = basic is not None and basic.value.ca
    if authority:
        what = "the first certificate belongs to an authority (CA), not to a signer"
        yield "leaf.authority", ERROR, f"{C2PA}, {RFC}§4.2.1.9", what
    if self_signed(leaf):
        what = "the signer vouches for itself: it is its own issuer, and no verifier can trust that name"
        yield "leaf.self-signed", ERROR, "C2PA §14.5", what
    yield from _usage(leaf, authority=authority)
    yield from _purposes(leaf, ekus)
    yield from _identifiers(leaf)
    yield from _lifetime(leaf, now)


def _usage(leaf: x509.Certificate, *, authority: bool) -> Iterator[Broken]:
    found = extension(leaf, x509.KeyUsage)
    if found is None:
        return  # told by the rules for all
    usage, clause = found.value, f"{C2PA}, {RFC}§4.2.1.3"
    if not usage.digital_signature:
        yield "leaf.key-usage", ERROR, clause, "its key is not for signing (key usage digitalSignature)"
    if usage.key_cert_sign and not authority:
        what = "its key may issue certificates (key usage keyCertSign), which only an authority's may"
        yield "leaf.issues-certificates", ERROR, clause, what
    other = {
        "keyEncipherment": usage.key_encipherment,
        "dataEncipherment": usage.data_encipherment,
        "keyAgreement": usage.key_agreement,
        "cRLSign": usage.crl_sign,
    }
    if named := ", ".join(name for name, there in other.items() if there):
        what = f"its key is for more than signing ({named}); a signing key should do nothing else"
        yield "leaf.other-key-usage", WARNING, POLICY, what


def _purposes(leaf: x509.Certificate, ekus: Sequence[str]) -> Iterator[Broken]:
    found, clause = extension(leaf, x509.ExtendedKeyUsage), f"{C2PA}, {RFC}§4.2.1.12"
    purposes = {one.dotted_string for one in found.value} if found else set()
    if not purposes:
        yield "leaf.purpose", ERROR, clause, "it does not say what it is for (extended key usage)"
        return
    if _ANY in purposes:
        what = "it is for any purpose (anyExtendedKeyUsage), which is not allowed"
        yield "leaf.any-purpose", ERROR, clause, what
    if not purposes & set(ekus):
        what = f"it is not for signing claims: it has {', '.join(sorted(purposes))}, and one is needed of "
        yield "leaf.purpose", ERROR, clause, what + ", ".join(map(_purpose, ekus))
    for alone, name in _ALONE.items():
        if alone in purposes and len(purposes) > 1:
            yield "leaf.mixed-purposes", ERROR, clause, f"a certificate for {name} is for nothing else"
    yield from _usual_purposes(purposes)


def _usual_purposes(purposes: set[str]) -> Iterator[Broken]:
    if CLAIM_SIGNING not in purposes:
        what = f"it lacks {_purpose(CLAIM_SIGNING)}, so it cannot get on the official C2PA list"
        yield "leaf.no-claim-signing", WARNING, POLICY, what
    elif not purposes & {EMAIL_PROTECTION, DOCUMENT_SIGNING}:
        what = f"without {_purpose(EMAIL_PROTECTION)} too, verifiers in their default state refuse it"
        yield "leaf.only-claim-signing", WARNING, POLICY, what


def _purpose(oid: str) -> str:
    names = {
        CLAIM_SIGNING: "c2pa-kp-claimSigning",
        EMAIL_PROTECTION: "emailProtection",
        DOCUMENT_SIGNING: "documentSigning",
    }
    return f"{names[oid]} ({oid})" if oid in names else oid


def _identifiers(leaf: x509.Certificate) -> Iterator[Broken]:
    if extension(leaf, x509.SubjectKeyIdentifier) is None:
        what = "it should name its own key (subject key identifier)"
        yield "leaf.subject-key-id", WARNING, f"{C2PA}, {RFC}§4.2.1.2", what
    for oid, part in ((NameOID.COMMON_NAME, "common name"), (NameOID.ORGANIZATION_NAME, "organisation")):
        if not leaf.subject.get_attributes_for_oid(oid):
            what = f"its subject has no {part}, which verifiers show as who signed"
            yield f"leaf.no-{part.replace(' ', '-')}", WARNING, POLICY, what


def _lifetime(leaf: x509.Certificate, now: datetime) -> Iterator[Broken]:
    start, end = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    if end - start > LONGEST:
        what = f"it lives {(end - start).days} days; the profile allows 366"
        yield "leaf.lifetime", WARNING, POLICY, what
    if now <= end <= now + SOON:
        what = (
            f"it expires on {end:%Y-%m-%d}, in {(end - now).days} days: guard keys csr asks for the next one"
        )
        yield "leaf.expires-soon", WARNING, f"{RFC}§4.1.2.5", what
