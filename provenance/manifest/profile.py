"""What a certificate chain for signing claims has to be, rule by rule (C2PA §14.5.1, RFC 5280).

The C2PA library says "the certificate is invalid" and no more; here every rule that is broken has a
name, the clause it stands in and a sentence. ``ERROR``: the library or a verifier refuses the chain.
``WARNING``: it works today, and somebody will stumble over it.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.utils import CryptographyDeprecationWarning

from provenance.errors import InputError
from provenance.manifest import profile_chain, profile_leaf, profile_rules
from provenance.manifest.path import BROKEN, common_name, find_path, parse_whole
from provenance.manifest.trust import TrustLists

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from provenance.manifest.profile_rules import Broken

_MAX_PEM = 1 << 20
_MAX_CERTIFICATES = 16
"""Real chains have two to four; each costs signature checks with every other."""
_BEGIN = b"-----BEGIN CERTIFICATE-----"
_REQUEST = b"CERTIFICATE REQUEST-----"


class Gravity(StrEnum):
    """What comes of a broken rule."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileFinding:
    """One rule that a chain breaks.

    Attributes:
        rule: stable name, such as ``leaf.purpose``.
        gravity: whether the chain is refused for it.
        clause: where the rule stands.
        certificate: its place in the file, from 1; 0: the chain as a whole.
        subject: common name of that certificate, as its issuer wrote it; empty for the chain.
        what: what is wrong, and what it should be, in plain words.
    """

    rule: str
    gravity: Gravity
    clause: str
    certificate: int
    subject: str
    what: str


def lint_chain(pem: bytes, *, now: datetime, trust: TrustLists | None = None) -> tuple[ProfileFinding, ...]:
    """Every rule that the chain in ``pem`` breaks, errors first; empty for a sound one.

    Args:
        pem: certificates, the signer's first.
        now: time at which all of them have to be valid.
        trust: purposes a signer may have, and lists among which a path to an anchor is looked for.

    Raises:
        InputError: ``chain.unreadable`` when these are no certificates; ``chain.too-long``.
    """
    lists = trust or TrustLists()
    loaded = read_chain(pem)
    found = []
    readable: list[x509.Certificate] = []
    for place, certificate in enumerate(loaded, start=1):
        if isinstance(certificate, str):
            clause = profile_rules.RFC + "§4"
            rule = "certificate.unreadable"
            found.append(_finding((rule, Gravity.ERROR, clause, certificate), place, ""))
            continue
        readable.append(certificate)
        name = common_name(certificate.subject)
        found += [_finding(broken, place, name) for broken in _of_one(certificate, place, lists, now)]
    if len(readable) == len(loaded):
        vouched = find_path(tuple(readable), lists) is not None
        found += [_finding(broken, 0, "") for broken in profile_chain.broken(readable, vouched=vouched)]
    if b"PRIVATE KEY-----" in pem:
        found.append(_finding(_PRIVATE, 0, ""))
    return tuple(sorted(found, key=lambda one: (one.gravity is not Gravity.ERROR, one.certificate)))


def errors_of(findings: tuple[ProfileFinding, ...]) -> tuple[ProfileFinding, ...]:
    """Those for which the chain is refused."""
    return tuple(one for one in findings if one.gravity is Gravity.ERROR)


def read_chain(pem: bytes) -> tuple[x509.Certificate | str, ...]:
    """The certificates of a PEM file; in the place of one that cannot be read whole, why.

    Raises:
        InputError: ``chain.unreadable``, ``chain.too-long``.
    """
    if len(pem) > _MAX_PEM or pem.count(_BEGIN) > _MAX_CERTIFICATES:
        what = f"a chain has at most {_MAX_CERTIFICATES} certificates"
        raise InputError("chain.too-long", what, hint="give the signer's certificate and those above it only")
    with warnings.catch_warnings():
        # A serial number of zero and the like: odd, but the issuer's matter.
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        try:
            loaded = x509.load_pem_x509_certificates(pem)
        except (*BROKEN, RecursionError) as error:
            raise _no_chain(pem) from error
        return tuple(map(_whole, loaded))


def _no_chain(pem: bytes) -> InputError:
    if _REQUEST in pem:  # it lies beside what the authority returns, and is easily taken for it
        what = "this is a request for a certificate and holds none"
        hint = "send it to the authority; guard keys import CHAIN takes what that returns"
    else:
        what = "the file holds no certificates that can be read"
        hint = f'a chain is a PEM file with lines "{_BEGIN.decode()}", the signer\'s certificate first'
    return InputError("chain.unreadable", what, hint=hint)


def _whole(certificate: x509.Certificate) -> x509.Certificate | str:
    try:
        parse_whole(certificate)
    except BROKEN as error:
        return f"a part of the certificate cannot be read ({type(error).__name__})"
    return certificate


def _of_one(certificate: x509.Certificate, place: int, trust: TrustLists, now: datetime) -> Iterator[Broken]:
    yield from profile_rules.broken(certificate, now)
    if place == 1:
        yield from profile_leaf.broken(certificate, trust.ekus, now)
    else:
        yield from profile_chain.broken_authority(certificate)


_PRIVATE: Broken = (
    "chain.private-key",
    Gravity.ERROR,
    "C2PA §14.5",
    "the file also holds a private key, and a chain is published with every signed file; keep keys apart",
)


def _finding(broken: Broken, place: int, subject: str) -> ProfileFinding:
    rule, gravity, clause, what = broken
    return ProfileFinding(
        rule=rule,
        gravity=Gravity(gravity),
        clause=clause,
        certificate=place,
        subject=subject[:256],
        what=what,
    )
