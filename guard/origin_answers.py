"""What a manifest answers of itself: bytes, manifest, signer and time of signing, each on a line of its own.

They are four questions because their answers differ: changed pixels under an intact manifest, an intact
file signed by nobody known, a known signer at a time that nobody proves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guard.verdict import Answer
from provenance.evidence import Outcome
from provenance.manifest.history import is_problem
from provenance.manifest.identities import IdentityState
from provenance.manifest.reading import BINDING_MATCHES, ManifestState, SigningTime, TrustTier

if TYPE_CHECKING:
    from provenance.manifest.identities import IdentityReading
    from provenance.manifest.reading import ManifestReading, SignerReading
    from provenance.manifest.uncovered import LeftOut

TIER_WORDS: dict[TrustTier, str] = {
    TrustTier.OFFICIAL: "on a list added here as official",
    TrustTier.INTERIM: "on a list added here as interim",
    TrustTier.OWN: "on a list of your own",
    TrustTier.DEVELOPMENT: "this installation's own development identity",
    TrustTier.UNKNOWN: "UNKNOWN: nobody you trust vouches for this name",
}

_IDENTITY: dict[IdentityState, Outcome] = {
    IdentityState.INVALID: Outcome.CONTRADICTS,
    IdentityState.REVOKED: Outcome.CONTRADICTS,
    IdentityState.UNKNOWN: Outcome.INCONCLUSIVE,
    IdentityState.EXPIRED: Outcome.INCONCLUSIVE,
    IdentityState.NOT_CHECKED: Outcome.NOT_CHECKED,
    IdentityState.TRUSTED: Outcome.SUPPORTS,
}
"""What the line about identities says, the gravest first."""

_FAILED_STAMPS = frozenset({"timeStamp.mismatch", "timeStamp.malformed", "timeStamp.outsideValidity"})
"""Nothing hashes a time-stamp: the rest of the manifest is intact when it is damaged, and it is not."""
_STAMPS = {
    **dict.fromkeys(sorted(_FAILED_STAMPS), "a time stamp is there and does not hold"),
    "timeStamp.untrusted": "a time stamp is there, of an authority on no list here",
}
"""What the line about the time says of a time stamp that proves nothing, the gravest first."""
_SHORT = 16
"""Hex digits of a fingerprint in a line; JSON and reports have all 64."""


def bytes_answer(manifest: ManifestReading, left_out: LeftOut | None) -> Answer:
    """Whether the bytes are what was signed (C2PA §18.5, hard binding), and how many nobody signed."""
    if manifest.intact:
        open_ = _not_covered(left_out) if manifest.uncovered else ""
        return _answer("bytes", Outcome.SUPPORTS, f"exactly as they were signed{open_}")
    if manifest.state is ManifestState.ABSENT:
        return _answer("bytes", Outcome.NOT_CHECKED, "no manifest in the file to hold them against")
    if manifest.state is ManifestState.REMOTE_ONLY:
        where = manifest.remote_url or "elsewhere"
        return _answer("bytes", Outcome.NOT_CHECKED, f"the manifest lies at {where} and was not fetched")
    if manifest.state is ManifestState.MALFORMED:
        return _answer("bytes", Outcome.FAILED, f"no readable manifest for them: {manifest.reason}")
    if _binding_holds(manifest):
        what = "as the manifest has them, but the manifest was changed, so that says little"
        return _answer("bytes", Outcome.INCONCLUSIVE, what)
    return _answer("bytes", Outcome.CONTRADICTS, manifest.reason)


def _not_covered(left_out: LeftOut | None) -> str:
    if left_out is None:  # only of what lies in the manifest
        return "; what no hash of its manifest covers is listed as not checked"
    if not left_out.exact:
        return "; which of them the binding does not cover cannot be told to the byte; listed as not checked"
    return f"; not covered, and listed as not checked: {share_text(left_out)}"


def share_text(left_out: LeftOut) -> str:
    """So many bytes for certain, and how much of the file that is."""
    share = round(100 * left_out.at_least / left_out.size, 2)
    percent = f"{share:g}" if share >= 0.01 else "less than 0.01"
    return f"{left_out.at_least:,} of {left_out.size:,} bytes ({percent} %)"


def manifest_answer(manifest: ManifestReading) -> Answer:
    """Whether the manifest itself is as it was signed, whatever became of the bytes around it."""
    where = ", read from the file beside this one" if manifest.sidecar else ""
    if manifest.intact:
        but = " but for a time stamp that does not hold" if _codes(manifest) & _FAILED_STAMPS else ""
        return _answer("manifest", Outcome.SUPPORTS, f"as it was signed, with every assertion{but}{where}")
    if manifest.state is ManifestState.ABSENT:
        return _answer("manifest", Outcome.ABSENT, manifest.reason)
    if manifest.state is ManifestState.REMOTE_ONLY:
        return _answer("manifest", Outcome.NOT_CHECKED, manifest.reason)
    if manifest.state is ManifestState.MALFORMED:
        return _answer("manifest", Outcome.FAILED, manifest.reason)
    if _binding_fails(manifest) and not _manifest_fails(manifest):
        return _answer("manifest", Outcome.SUPPORTS, f"as it was signed, for other bytes than these{where}")
    return _answer("manifest", Outcome.CONTRADICTS, manifest.reason)


def signer_answer(manifest: ManifestReading) -> Answer:
    """Who signed, on which list, with which certificate; the name never without its tier."""
    signer = manifest.signer
    if signer is None:
        return _answer("signer", Outcome.NOT_CHECKED, "no readable signature")
    if not manifest.intact:
        return _answer("signer", Outcome.INCONCLUSIVE, f"named as {signer}, but what was signed changed")
    if signer.revocation is not None:
        outcome = Outcome.CONTRADICTS
    else:
        outcome = Outcome.INCONCLUSIVE if signer.tier is TrustTier.UNKNOWN else Outcome.SUPPORTS
    return _answer("signer", outcome, f"{signer}: {worth(signer)}; {_certificate(signer)}")


def time_answer(manifest: ManifestReading) -> Answer:
    """When it was signed: proven by an authority, claimed, or unsaid; then the next best evidence."""
    if manifest.signer is None:
        return _answer("time", Outcome.NOT_CHECKED, "no readable signature")
    if not manifest.intact:
        return _answer("time", Outcome.NOT_CHECKED, "what was signed changed")
    if manifest.signer.time is SigningTime.PROVEN:
        return _answer("time", Outcome.SUPPORTS, when(manifest))
    stamp = next((said for code, said in _STAMPS.items() if code in _codes(manifest)), "")
    said = "; ".join(filter(None, (when(manifest), stamp, _not_before(manifest))))
    silent = manifest.signer.time is SigningTime.NONE and manifest.claimed_time is None and not stamp
    return _answer("time", Outcome.ABSENT if silent else Outcome.INCONCLUSIVE, said)


def worth(signer: SignerReading) -> str:
    """What the signer's name is worth here, in words."""
    revoked = "REVOKED: nobody vouches for this name any more"
    return revoked if signer.revocation is not None else TIER_WORDS[signer.tier]


def when(manifest: ManifestReading) -> str:
    """When it was signed and how that is known, in words."""
    signer = manifest.signer
    proven = signer is not None and signer.time is SigningTime.PROVEN
    moment = signer.signed_at if signer is not None and proven else manifest.claimed_time
    if moment is None and signer is not None:
        moment = signer.signed_at  # of a time stamp that no list vouches for
    if moment is None:
        return "time of signing not stated"
    stamp = f"{moment.date().isoformat()} {moment.hour:02}:{moment.minute:02} UTC"
    if not proven:
        return f"signed {stamp} (as it claims, not proven)"
    authority = signer.time_authority if signer is not None else None
    return f"signed {stamp} (proven by a time stamp{f' of {authority}' if authority else ''})"


def _codes(manifest: ManifestReading) -> set[str]:
    return {code.code for code in manifest.codes}


def _not_before(manifest: ManifestReading) -> str:
    """The log's head that was signed along: it did not exist before its last entry did."""
    lines = (manifest.log_checkpoint or "").split("\n")
    if len(lines) < 3 or lines[1] == "0":
        return ""
    return f"quotes the log {lines[0]} at {lines[1]} entries, so it was not signed before these"


def _certificate(signer: SignerReading) -> str:
    return (
        f"certificate {signer.fingerprint_sha256[:_SHORT]}…, "
        f"valid {signer.not_before.date().isoformat()} to {signer.not_after.date().isoformat()}"
    )


def _binding_holds(manifest: ManifestReading) -> bool:
    return any(code.kind == "success" and code.code in BINDING_MATCHES for code in manifest.codes)


def _binding_fails(manifest: ManifestReading) -> bool:
    return any(map(_is_binding, manifest.failures))


def _manifest_fails(manifest: ManifestReading) -> bool:
    """Whether anything but the hard binding, the signer's standing or the time failed."""
    succeeded = {code.code for code in manifest.codes if code.kind == "success"}
    return "claimSignature.validated" not in succeeded or any(
        is_problem(code) and "signingCredential" not in code and not _is_binding(code)
        for code in manifest.failures
    )


def _is_binding(code: str) -> bool:
    return code.removesuffix(".mismatch") + ".match" in BINDING_MATCHES


def identity_answer(manifest: ManifestReading) -> Answer:
    """Who says that the content is theirs (CAWG identity assertion), which is not who signed the manifest."""
    if manifest.state in (ManifestState.ABSENT, ManifestState.REMOTE_ONLY):
        return _answer("identity", Outcome.NOT_CHECKED, "no manifest in the file to read one from")
    if not manifest.intact:
        return _answer("identity", Outcome.NOT_CHECKED, "the manifest is not intact")
    if not manifest.identities:
        return _answer("identity", Outcome.ABSENT, "no identity assertion beside the signer")
    gravest = next(one for one in _IDENTITY if any(one is item.state for item in manifest.identities))
    return _answer("identity", _IDENTITY[gravest], "; ".join(map(_identity, manifest.identities)))


def _identity(one: IdentityReading) -> str:
    """A name only with what it is worth beside it (house promise 4)."""
    if one.signer is None:
        return one.reason
    roles = f" as {', '.join(one.roles)}" if one.roles else ""
    return f"{one.signer}{roles}: {one.reason}"


def _answer(question: str, outcome: Outcome, text: str) -> Answer:
    return Answer(question=question, outcome=outcome, text=text)
