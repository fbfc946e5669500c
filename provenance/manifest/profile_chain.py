"""Rules for the authorities of a chain and for how it hangs together (C2PA §14.5, RFC 5280 §6)."""

from __future__ import annotations

from itertools import pairwise, permutations
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from provenance.manifest.path import common_name, fingerprint
from provenance.manifest.profile_rules import C2PA, ERROR, RFC, WARNING, extension, self_signed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from provenance.manifest.profile_rules import Broken

_ORDER = "C2PA §14.5, RFC 9360 §2"
_PATH = f"{RFC}§6.1.3"
_MAX_LINKS = 6
"""Certificates up to the anchor that our verifier follows, and most others."""
_MAX_SORTED = 5
"""More are not brought into order for the sentence that tells it."""


def broken_authority(certificate: x509.Certificate) -> Iterator[Broken]:
    """The rules for issuers that a certificate after the first breaks."""
    found, clause = extension(certificate, x509.BasicConstraints), f"{C2PA}, {RFC}§4.2.1.9"
    if found is None or not found.value.ca:
        what = "it stands where an issuer belongs and is none (basic constraints, CA)"
        yield "authority.no-authority", ERROR, clause, what
    elif not found.critical:
        yield "authority.constraints-critical", ERROR, clause, "its basic constraints are not marked critical"
    usage = extension(certificate, x509.KeyUsage)
    if usage is not None and not usage.value.key_cert_sign:
        what = "its key may not issue certificates (key usage keyCertSign)"
        yield "authority.key-usage", ERROR, f"{C2PA}, {RFC}§4.2.1.3", what
    if extension(certificate, x509.SubjectKeyIdentifier) is None:
        what = "it does not name its own key (subject key identifier), as an authority has to"
        yield "authority.subject-key-id", ERROR, f"{C2PA}, {RFC}§4.2.1.2", what


def broken(chain: Sequence[x509.Certificate], *, vouched: bool) -> Iterator[Broken]:
    """The rules about links that ``chain`` breaks; ``vouched``: it leads to an anchor on a known list."""
    if len({fingerprint(one) for one in chain}) < len(chain):
        yield "chain.twice", ERROR, _ORDER, "a certificate stands in the chain twice"
        return
    links = [_link(subject, issuer) for subject, issuer in pairwise(chain)]
    if any(links):
        yield from _unlinked(chain, links)
        return
    yield from _depth(chain)
    if len(chain) > 1 and self_signed(chain[-1]):
        what = "the root at the end should be left out: verifiers take it from their own lists only"
        yield "chain.root", WARNING, _ORDER, what
    elif not vouched:
        what = (
            f"its last issuer, {common_name(chain[-1].issuer)!r}, is on no list here: if that is no root, "
            "its certificate is missing; if it is one, guard trust add NAME PEM makes it known here"
        )
        yield "chain.no-anchor-here", WARNING, "C2PA §14.4", what


def _unlinked(chain: Sequence[x509.Certificate], links: Sequence[str | None]) -> Iterator[Broken]:
    if (order := _right_order(chain)) is not None:
        what = f"the certificates are in the wrong order; the right one is {', '.join(map(str, order))}"
        yield "chain.order", ERROR, _ORDER, what
        return
    for place, why in enumerate(links, start=1):
        if why:
            what = f"certificate {place} was not issued by certificate {place + 1}: {why}"
            yield "chain.broken-link", ERROR, _PATH, what


def _depth(chain: Sequence[x509.Certificate]) -> Iterator[Broken]:
    if len(chain) > _MAX_LINKS:
        what = f"it has {len(chain)} certificates; verifiers follow at most {_MAX_LINKS}"
        yield "chain.deep", ERROR, _PATH, what
    for below, certificate in enumerate(chain[1:]):
        found = extension(certificate, x509.BasicConstraints)
        limit = found.value.path_length if found is not None else None
        if limit is not None and limit < below:
            what = f"certificate {below + 2} allows {limit} authorities below it, and there are {below}"
            yield "chain.path-length", ERROR, f"{RFC}§4.2.1.9", what
    for place, (subject, issuer) in enumerate(pairwise(chain), start=1):
        if subject.not_valid_after_utc > issuer.not_valid_after_utc:
            what = f"certificate {place + 1} expires before certificate {place}, which then has no issuer"
            yield "chain.issuer-expires-first", WARNING, _PATH, what


def _right_order(chain: Sequence[x509.Certificate]) -> tuple[int, ...] | None:
    """Places in the order in which each was issued by the next, if there is one."""
    if len(chain) > _MAX_SORTED:
        return None
    issued = {
        (low, high): _link(chain[low], chain[high]) is None
        for low in range(len(chain))
        for high in range(len(chain))
        if low != high
    }
    for order in permutations(range(len(chain))):
        if all(issued[pair] for pair in pairwise(order)):
            return tuple(place + 1 for place in order)
    return None


def _link(subject: x509.Certificate, issuer: x509.Certificate) -> str | None:
    """Why ``issuer`` did not issue ``subject``, or None when it did."""
    if subject.issuer != issuer.subject:
        return f"it names {common_name(subject.issuer)!r} as its issuer, not {common_name(issuer.subject)!r}"
    try:
        subject.verify_directly_issued_by(issuer)
    except InvalidSignature:
        return "the names fit, but the signature on it was not made with that key"
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return "the signature on it cannot be checked with that key"
    return None
