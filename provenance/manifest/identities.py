"""CAWG identity assertions: who says that the content is theirs, beside who signed the manifest (CAWG 1.2).

The library checks their signatures and what they cover; whom to believe is judged here, against lists of
kind ``cawg``, at the caller's time. They are read, not written: the library writes one only for a signer
that it takes from its settings, whose key would have to stand there, readable.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from provenance.manifest import cose, path
from provenance.manifest.cbor import StructureError
from provenance.manifest.contents import is_label, text
from provenance.manifest.history import TRUST_OR_TIME
from provenance.manifest.judge import revocation_at, signer_reading
from provenance.manifest.reading import SignerReading, SigningTime, ValidationCode
from provenance.manifest.trust import ListKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from cryptography import x509

    from provenance.manifest.trust import TrustLists

_LABEL = "cawg.identity"
_X509 = "cawg.x509.cose"
_VALIDATED = "cawg.x509.signature.validated"
_MISMATCH = "cawg.x509.signature.mismatch"
_MOST = 16
"""Identity assertions of one manifest that are followed."""


class IdentityState(StrEnum):
    """What an identity assertion amounts to."""

    TRUSTED = "trusted"
    """Its signature holds, and a list of kind ``cawg`` vouches for its signer."""
    UNKNOWN = "unknown"
    """Its signature holds, and nobody the caller trusts vouches for the name."""
    EXPIRED = "expired"
    """The same, and its certificate is not valid at the time."""
    REVOKED = "revoked"
    """Its certificate was revoked, and nothing proves that it signed before."""
    INVALID = "invalid"
    """Its signature does not hold, or does not cover the content."""
    NOT_CHECKED = "not_checked"
    """Of a kind that is not read here, such as an aggregator's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityReading:
    """One identity assertion of the active manifest.

    Attributes:
        label: of the assertion.
        kind: ``sig_type`` as it stands there.
        state: what it amounts to.
        reason: one sentence.
        code: status code of CAWG that says the same.
        signer: who, with the tier of the list that vouches; None where the signature does not hold.
        roles: what the signer says to have been, such as ``cawg.creator``.
        covers: labels of the assertions that it signs.
    """

    label: str
    kind: str
    state: IdentityState
    reason: str
    code: str
    signer: SignerReading | None = None
    roles: tuple[str, ...] = ()
    covers: tuple[str, ...] = ()


def identities(
    found: Mapping[str, Any],
    codes: Sequence[ValidationCode],
    trust: TrustLists,
    at: datetime,
    signer: SignerReading | None = None,
) -> tuple[IdentityReading, ...]:
    """The identity assertions among ``found`` (label to value), in the order of the manifest.

    Args:
        codes: what the library found out about the manifest.
        trust: lists of the caller.
        at: time of judging.
        signer: of the manifest; where the time of that is proven, the assertions in it are older.
    """
    labels = [label for label in found if is_label(label, _LABEL)][:_MOST]
    proven = signer.signed_at if signer is not None and signer.time is SigningTime.PROVEN else None
    court = _Court(codes=codes, trust=trust, at=at, proven=proven)
    return tuple(_identity(label, found[label], court) for label in labels)


def codes_of(found: Sequence[IdentityReading]) -> tuple[ValidationCode, ...]:
    """Our findings in the place of the library's, which knows neither the caller's time nor revocations."""
    return tuple(
        ValidationCode(
            code=one.code,
            explanation=one.reason,
            kind="success" if one.state is IdentityState.TRUSTED else "failure",
            where=one.label,
        )
        for one in found
        if one.signer is not None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Court:
    """By whom, and when, an identity is judged."""

    codes: Sequence[ValidationCode]
    trust: TrustLists
    at: datetime
    proven: datetime | None


def _identity(label: str, data: object, court: _Court) -> IdentityReading:
    payload = _map(_map(data).get("signer_payload"))
    said = IdentityReading(
        label=label,
        kind=text(payload.get("sig_type")),
        state=IdentityState.NOT_CHECKED,
        reason="an identity assertion of a kind that is not read here",
        code="cawg.identity.sig_type.unknown",
        roles=tuple(_roles(payload)),
        covers=tuple(_covers(payload)),
    )
    if said.kind != _X509:
        return said
    why = _broken(label, court.codes)
    if why is not None:
        return _invalid(said, why, f"the signature does not hold: {why}")
    signature = _map(data).get("signature")
    try:
        chain = path.certificates(cose.chain_of(signature if isinstance(signature, bytes) else b""))
    except StructureError as error:
        return _invalid(said, _MISMATCH, str(error))
    return _standing(said, chain, court)


def _invalid(said: IdentityReading, code: str, reason: str) -> IdentityReading:
    return replace(said, state=IdentityState.INVALID, code=code, reason=reason)


def _broken(label: str, codes: Sequence[ValidationCode]) -> str | None:
    """The code that says why the library did not validate it; None where it did."""
    ours = [one for one in codes if (one.where or "").endswith(f"/{label}")]
    for one in ours:
        if one.kind == "failure" and one.code not in TRUST_OR_TIME:
            return one.code
    validated = any(one.kind == "success" and one.code == _VALIDATED for one in ours)
    return None if validated else _MISMATCH


def _standing(said: IdentityReading, chain: tuple[x509.Certificate, ...], court: _Court) -> IdentityReading:
    """Who, and what that name is worth; the claim's proven time is later than the identity's signature."""
    leaf, when = chain[0], court.proven or court.at
    unfit = path.profile_problem(leaf, court.trust.ekus)
    found = None if unfit else path.find_path(chain, court.trust, ListKind.CAWG)
    revocation = revocation_at(leaf, found, court.trust, when)
    how = SigningTime.NONE if court.proven is None else SigningTime.PROVEN
    if revocation is not None:
        state, reason, code = IdentityState.REVOKED, f"the certificate is {revocation}", "revoked"
    elif found is None:
        why = unfit or "no list of identities that you trust vouches for the name"
        state, reason, code = IdentityState.UNKNOWN, why, "untrusted"
    elif not found.not_before <= when <= found.not_after:
        state, code = IdentityState.EXPIRED, "expired"
        reason = f"the certificate is not valid on {when:%Y-%m-%d}"
    else:
        state, reason, code = IdentityState.TRUSTED, f"on the list {found.found.name}", "trusted"
    signer = signer_reading(leaf, found, how, court.proven, revocation)
    return replace(said, state=state, reason=reason, code=f"cawg.x509.credential.{code}", signer=signer)


def _roles(payload: Mapping[str, Any]) -> Iterator[str]:
    roles = payload.get("role")
    yield from filter(None, (text(role) for role in (roles if isinstance(roles, list) else [])[:_MOST]))


def _covers(payload: Mapping[str, Any]) -> Iterator[str]:
    items = payload.get("referenced_assertions")
    for item in (items if isinstance(items, list) else [])[:64]:
        if label := text(_map(item).get("url")).rpartition("/")[2]:
            yield label


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
