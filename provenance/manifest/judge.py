"""From findings to one state: the gravest decides.

container or box structure broken          MALFORMED
a hash or signature does not fit           TAMPERED
an ingredient altered when it was taken in HISTORY_PROBLEM
revoked, not proven to have signed before  REVOKED
no path to a list, or a wrong certificate  UNKNOWN_SIGNER
certificate not valid, time not proven     EXPIRED
development list / any other list          DEVELOPMENT / TRUSTED
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from provenance.manifest import path
from provenance.manifest.contents import TEXT, text
from provenance.manifest.history import TRUST_OR_TIME, is_problem
from provenance.manifest.reading import (
    BINDING_MATCHES,
    IngredientReading,
    ManifestState,
    SignerReading,
    SigningTime,
    TrustTier,
    ValidationCode,
)
from provenance.manifest.revocation import revocation_of
from provenance.manifest.trust import ListKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cryptography import x509

    from provenance.manifest.revocation import Revoked
    from provenance.manifest.trust import TrustLists

_BROKEN = ("malformed", "hardBindings", "multiple", "invalid", "inaccessible", "general.error")
_NEEDED = (("claimSignature.validated",), BINDING_MATCHES)
"""Successes without which nothing was verified, whatever the list of failures says."""


class Judgement(NamedTuple):
    """A state with the sentence that explains it, and the signer where the signature holds."""

    state: ManifestState
    reason: str
    signer: SignerReading | None
    codes: tuple[ValidationCode, ...]


def judge(
    report: Mapping[str, Any],
    chain: tuple[x509.Certificate, ...],
    history: Sequence[IngredientReading],
    trust: TrustLists,
    at: datetime,
    *,
    said: tuple[ValidationCode, ...],
    detached: bool = False,
) -> Judgement:
    """The judgement over a library report whose structure we could follow ourselves.

    Args:
        said: the library's findings in it (``findings.library_codes``).
        detached: the manifest was read without its file, so its hard binding says nothing.
    """
    library = tuple(code for code in said if not _is_binding(code.code)) if detached else said
    codes = [code for code in library if code.code not in TRUST_OR_TIME]
    succeeded = {code.code for code in library if code.kind == "success"}
    signer: SignerReading | None = None
    problem: str | None = None
    own: list[ValidationCode] = []
    if "claimSignature.validated" in succeeded:
        signer, problem, own = _signer(report, chain, library, trust, at)
    all_codes = tuple(codes + own)
    if bad := _integrity(codes, succeeded if not detached else succeeded | {BINDING_MATCHES[0]}, report):
        return Judgement(state=bad[0], reason=bad[1], signer=signer, codes=all_codes)
    assert signer is not None  # _integrity returned for every report without a valid signature
    state, reason = _standing(signer, problem, history)
    if detached:
        reason = reason.replace("bytes intact", "manifest intact, read without its file")
    return Judgement(state=state, reason=reason, signer=signer, codes=all_codes)


def _integrity(
    codes: Sequence[ValidationCode], succeeded: set[str], report: Mapping[str, Any]
) -> tuple[ManifestState, str] | None:
    failed = [code for code in codes if code.kind == "failure" and is_problem(code.code)]
    for code in failed:
        if not any(word in code.code for word in _BROKEN):
            return ManifestState.TAMPERED, _why(code)
    if failed:
        return ManifestState.MALFORMED, f"the manifest breaks the specification: {failed[0].code}"
    for delta in _map(report.get("validation_results")).get("ingredientDeltas") or ():
        for item in _map(_map(delta).get("validationDeltas")).get("failure") or ():
            if is_problem(text(_map(item).get("code"))):
                return (
                    ManifestState.TAMPERED,
                    "an earlier manifest inside this file was changed after signing",
                )
    for group in _NEEDED:
        if not succeeded.intersection(group):
            return ManifestState.MALFORMED, f"nothing shows that {group[0].split('.')[1]} was checked"
    return None


def _is_binding(code: str) -> bool:
    return code.removesuffix(".mismatch") + ".match" in BINDING_MATCHES


def _why(code: ValidationCode) -> str:
    if "Hash.mismatch" in code.code and "hashedURI" not in code.code:
        return "the content was changed after signing"
    if code.code == "claimSignature.mismatch":
        return "the signature does not fit the claim: the manifest was changed, or signed with another key"
    return f"the manifest was changed after signing: {code.code}"


def _signer(
    report: Mapping[str, Any],
    chain: tuple[x509.Certificate, ...],
    library: Sequence[ValidationCode],
    trust: TrustLists,
    at: datetime,
) -> tuple[SignerReading, str | None, list[ValidationCode]]:
    """Who signed, why not to rely on it (a code), and our findings in the place of the library's."""
    leaf = chain[0]
    moment, how, authority = _time(report, library, trust)
    unfit, found = _vouched_for(chain, trust)
    when = moment if how is SigningTime.PROVEN and moment else at
    revocation = revocation_at(leaf, found, trust, when)
    own: list[ValidationCode] = []
    problem: str | None = None
    if revocation is not None:
        problem = "mediaguard.signingCredential.revoked"
        own.append(_own(problem, str(revocation), "failure"))
    elif unfit:
        problem = "signingCredential.invalid"
        own.append(_own(problem, unfit, "failure"))
    elif found is None:
        problem = "signingCredential.untrusted"
        own.append(_own(problem, "no list the caller trusts vouches for the certificate", "failure"))
    elif not found.not_before <= when <= found.not_after:
        problem = "signingCredential.expired"
        own.append(_own(problem, f"not valid on {when:%Y-%m-%d %H:%M} UTC", "failure"))
    else:
        own.append(_own("signingCredential.trusted", f"found on the list {found.found.name}", "success"))
    if how is SigningTime.PROVEN:
        own.append(_own("timeStamp.trusted", "the time stamp's authority is on a list", "success"))
    elif how is SigningTime.CLAIMED:
        own.append(_own("timeStamp.untrusted", "no list vouches for the time stamp", "informational"))
    reading = signer_reading(leaf, found, how, moment, revocation)
    return (reading if authority is None else replace(reading, time_authority=authority)), problem, own


@lru_cache(maxsize=64)  # each look-up of its own hashes the certificates again
def _vouched_for(
    chain: tuple[x509.Certificate, ...], trust: TrustLists
) -> tuple[str | None, path.TrustPath | None]:
    """Why the first certificate may not sign, or who vouches for it."""
    unfit = path.profile_problem(chain[0], trust.ekus)
    return unfit, None if unfit else path.find_path(chain, trust)


def revocation_at(
    leaf: x509.Certificate, found: path.TrustPath | None, trust: TrustLists, when: datetime
) -> Revoked | None:
    """What takes the signature its worth at ``when``: the proven time, else the time of judging.

    A claimed time is no help: whoever holds a stolen key writes whatever time is needed.
    """
    on_path = found.certificates if found is not None else (leaf,)
    revoked = revocation_of(on_path, trust.revoked) if trust.revoked else None
    return revoked.told if revoked is not None and when >= revoked.at else None


def signer_reading(
    leaf: x509.Certificate,
    found: path.TrustPath | None,
    how: SigningTime,
    moment: datetime | None,
    revocation: Revoked | None,
) -> SignerReading:
    """The signer of ``leaf``, with the tier of the list that ``found`` leads to and that was not revoked."""
    vouches = found.found if found is not None and revocation is None else None
    return SignerReading(
        **_named(leaf),
        tier=vouches.tier if vouches else TrustTier.UNKNOWN,
        list_name=vouches.name if vouches else None,
        time=how,
        signed_at=moment,
        revocation=revocation,
    )


@lru_cache(maxsize=64)  # the files of one publisher have one signer
def _named(leaf: x509.Certificate) -> dict[str, Any]:
    """What stands in the certificate itself."""
    return {
        "name": path.common_name(leaf.subject)[:TEXT],
        "organisation": path.organisation(leaf.subject)[:TEXT],
        "issuer": path.common_name(leaf.issuer)[:TEXT],
        "fingerprint_sha256": path.fingerprint(leaf),
        "not_before": leaf.not_valid_before_utc,
        "not_after": leaf.not_valid_after_utc,
    }


def _standing(
    signer: SignerReading, problem: str | None, history: Sequence[IngredientReading]
) -> tuple[ManifestState, str]:
    if signer.revocation is not None:
        proven = signer.time is SigningTime.PROVEN
        late = "it signed after that" if proven else "nothing proves that it signed before"
        return ManifestState.REVOKED, f"bytes intact; the certificate is {signer.revocation}, and {late}"
    for ingredient in (node for root in history for node in root.walk()):
        if ingredient.problem:
            code = next(filter(is_problem, ingredient.recorded + ingredient.revalidated))
            return (
                ManifestState.HISTORY_PROBLEM,
                f"an ingredient was already altered or invalid when taken in: {code}",
            )
    if problem == "signingCredential.invalid":
        return (
            ManifestState.UNKNOWN_SIGNER,
            "bytes intact; the signer's certificate is not one for signing claims",
        )
    if problem == "signingCredential.untrusted":
        return ManifestState.UNKNOWN_SIGNER, "bytes intact; nobody you trust vouches for the signer"
    if problem:
        return (
            ManifestState.EXPIRED,
            "bytes intact; the certificate is not valid at this time, and no proof of when it signed",
        )
    if signer.tier is TrustTier.DEVELOPMENT:
        return (
            ManifestState.DEVELOPMENT,
            "bytes intact; signed by this installation's own development identity",
        )
    return ManifestState.TRUSTED, f"bytes intact; the signer is on a list you trust ({signer.tier})"


def _time(
    report: Mapping[str, Any], library: Sequence[ValidationCode], trust: TrustLists
) -> tuple[datetime | None, SigningTime, str | None]:
    """The time in the signature, how it is known, and the authority that proves it."""
    active = _map(_map(report.get("manifests")).get(str(report.get("active_manifest"))))
    raw = _map(active.get("signature_info")).get("time")
    try:
        moment = datetime.fromisoformat(raw).astimezone(UTC) if isinstance(raw, str) else None
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        return None, SigningTime.NONE, None
    succeeded = {code.code: code.explanation for code in library if code.kind == "success"}
    authority = _authority(succeeded.get("timeStamp.trusted", ""), trust)
    if authority is None or "timeStamp.validated" not in succeeded:
        return moment, SigningTime.CLAIMED, None
    return moment, SigningTime.PROVEN, authority


def _authority(vouched: str, trust: TrustLists) -> str | None:
    """Name of the time-stamp authority that one of the caller's lists vouches for.

    The library trusts the time stamps of claims before version 2 on no list's word and says "legacy
    timestamp cert trusted"; only the sentence tells the two apart. Any other sentence proves nothing.
    """
    head = "timestamp cert trusted: "
    for item in trust.of_kind(ListKind.TSA):
        tail = f", trust list: {item.name}"
        if vouched.startswith(head) and vouched.endswith(tail):
            return f"{vouched[len(head) : -len(tail)]} [{item.tier}: {item.name}]"
    return None


def _own(code: str, explanation: str, kind: str) -> ValidationCode:
    return ValidationCode(code=code, explanation=explanation, kind=kind)


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
