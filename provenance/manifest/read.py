"""Reading a manifest without trusting the file, the library, or the clock.

Steps of ``read_manifest``:
    1. decide ourselves whether the file carries a manifest;
    2. parse its boxes strictly: certificates, assertions, what stands outside the signature;
    3. let the library verify hashes and signatures, with nothing fetched;
    4. both have to speak of the same manifest;
    5. walk the history;
    6. judge: integrity, history, path to a list, validity at the given time.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from provenance.errors import InputError
from provenance.manifest import contents, cose, history, jumbf, path
from provenance.manifest.cbor import StructureError
from provenance.manifest.claim import digest_of
from provenance.manifest.containers import (
    Embedded,
    Piece,
    beside,
    find_store_within_limits,
    has_trace,
)
from provenance.manifest.contents import text
from provenance.manifest.findings import library_codes, unread_stamps
from provenance.manifest.identities import codes_of, identities
from provenance.manifest.judge import judge
from provenance.manifest.lineage import with_signers
from provenance.manifest.reading import IngredientReading, ManifestReading, ManifestState, ValidationCode
from provenance.manifest.unbound import Unbound, unbound
from provenance.manifest.uncovered import around_signature, binding, how_much, left_out, named
from provenance.media import Asset
from provenance.sniff import MANIFEST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography import x509

    from provenance.manifest.jumbf import Superbox
    from provenance.manifest.trust import TrustLists


def read_manifest(
    asset: Asset, trust: TrustLists, *, at: datetime | None = None, sidecar: bytes | None = None
) -> ManifestReading:
    """The manifest of ``asset``, judged at ``at`` (None: now) against ``trust``.

    Args:
        sidecar: a manifest store kept beside the file; it is read in the place of an embedded one.

    Raises:
        InputError: ``media.damaged`` or ``media.unreadable`` when the container itself cannot be
            read and holds no trace of a manifest; ``input.too-many-parts`` likewise;
            ``input.manifest-alone`` for a manifest without the file it is about.
    """
    moment = (at or datetime.now(UTC)).astimezone(UTC)
    if asset.mime == MANIFEST:
        from provenance.manifest.storeless import about_another  # noqa: PLC0415 - for such files only

        raise about_another(read_stored_manifest(asset.data, MANIFEST, trust, at=moment))
    # step 1
    try:
        embedded = _located(asset, sidecar)
    except (StructureError, InputError) as error:
        if isinstance(error, StructureError) or has_trace(asset.content):
            return _malformed(moment, str(error))
        raise
    if embedded is None:
        from provenance.manifest.storeless import without_store  # noqa: PLC0415 - for such files only

        return without_store(asset, trust, moment)
    # step 2
    return _read(_Case(asset=asset, trust=trust, at=moment, embedded=embedded, sidecar=sidecar is not None))


def read_stored_manifest(
    store: bytes, mime: str, trust: TrustLists, *, at: datetime | None = None
) -> ManifestReading:
    """A manifest kept without its file, as a registry does: its structure, signature and history.

    The state says what it would be for unchanged bytes; ``detached`` is set and ``intact`` is never true.

    Args:
        mime: media type of the file the manifest was made for.
    """
    asset = Asset.of(store, "application/c2pa")
    moment, embedded = at or datetime.now(UTC), _alone(store)
    reading = _read(_Case(asset=asset, trust=trust, at=moment, embedded=embedded, detached=True))
    return replace(reading, mime=mime)


def raw_agrees(asset: Asset, *, sidecar: bytes | None = None) -> bool:
    """Whether the library alone, in its default state, finds the manifest and nothing changed.

    A second look at what was just signed: it knows no trust list, so an unknown signer is no objection.
    """
    from provenance.manifest import c2pa_adapter  # noqa: PLC0415 - loads the native library

    report = c2pa_adapter.read_plain(asset.content, asset.mime, sidecar=sidecar).report
    if report is None:
        return False
    found = history.failures(report.get("validation_results"))
    checked = {code.code for code in library_codes(report) if code.kind == "success"}
    return not any(map(history.is_problem, found)) and "claimSignature.validated" in checked


class _Case(NamedTuple):
    """What is judged, by whose lists and when."""

    asset: Asset
    trust: TrustLists
    at: datetime
    embedded: Embedded
    sidecar: bool = False
    detached: bool = False

    @property
    def origin(self) -> dict[str, Any]:
        """Fields of every reading of this store, however it ends."""
        return {
            "at": self.at,
            "manifest_sha256": hashlib.sha256(self.embedded.store).hexdigest(),
            "sidecar": self.sidecar,
            "detached": self.detached,
        }

    def malformed(self, why: str) -> ManifestReading:
        """The reading of a store that cannot be followed."""
        return ManifestReading(state=ManifestState.MALFORMED, reason=why, **self.origin)


class _Parsed(NamedTuple):
    label: str
    manifests: Mapping[str, Superbox]
    chain: tuple[x509.Certificate, ...]
    tree: Superbox
    assertions: Mapping[str, Any]
    block: cose.SignatureBlock


def _read(case: _Case) -> ManifestReading:
    """Steps 2 to 4."""
    from provenance.manifest import c2pa_adapter  # noqa: PLC0415 - loads the native library

    # step 2
    store = case.embedded.store
    try:
        parsed = _parse(store)
    except StructureError as error:
        return case.malformed(str(error))
    # step 3
    answer = c2pa_adapter.read_store(
        case.asset.content, case.asset.mime, case.trust, sidecar=store if case.sidecar else None
    )
    if answer.report is None:
        return case.malformed(f"the manifest cannot be read: {text(answer.message)}")
    # step 4
    active = answer.report.get("active_manifest")
    claim = answer.report.get("manifests", {}).get(active)
    if active != parsed.label or not isinstance(claim, dict):
        return case.malformed("two readings of the file disagree about which manifest is active")
    return _judged(case, parsed, answer.report, claim)


def _parse(store: bytes) -> _Parsed:
    tree = jumbf.parse_store(store)
    active = tree.boxes[-1]
    if active.uuid == jumbf.COMPRESSED:
        raise StructureError("the manifest is compressed, which is not read here")
    block = cose.signature_block(store, active)
    return _Parsed(
        label=active.label,
        manifests={box.label: box for box in tree.boxes if box.uuid in (jumbf.MANIFEST, jumbf.UPDATE)},
        chain=path.certificates(block.chain),
        tree=tree,
        assertions=contents.assertions(store, active),
        block=block,
    )


def _judged(
    case: _Case, parsed: _Parsed, report: Mapping[str, Any], claim: Mapping[str, Any]
) -> ManifestReading:
    """Steps 5 and 6."""
    store, trust, at = case.embedded.store, case.trust, case.at
    # step 5
    ingredients = with_signers(
        history.ingredients(report), report, store=store, manifests=parsed.manifests, trust=trust, at=at
    )
    # step 6
    codes = library_codes(report)
    judgement = judge(report, parsed.chain, ingredients, trust, at, said=codes, detached=case.detached)
    people = identities(parsed.assertions, codes, trust, at, judgement.signer)
    led_to = {parsed.label, *(node.label for root in ingredients for node in root.walk() if node.label)}
    loose = unbound(store, parsed.tree, led_to)
    reading = ManifestReading(
        state=judgement.state,
        reason=judgement.reason,
        claim_sha256=digest_of(store, parsed.manifests[parsed.label]),
        signer=judgement.signer,
        label=text(parsed.label),
        claim_generator=_generator(claim),
        title=text(claim.get("title")),
        mime=case.asset.mime,
        ingredients=ingredients,
        identities=people,
        codes=judgement.codes + unread_stamps(parsed.block, codes) + codes_of(people),
        uncovered=_around(case, parsed, loose, led_to, codes) + left_out(*_bound(case, parsed, ingredients)),
        left_out=how_much(*_bound(case, parsed, ingredients)),
        **case.origin,
        **_said(parsed, store, ingredients),
    )
    if not loose.assertions and reading.state not in (ManifestState.TAMPERED, ManifestState.MALFORMED):
        # The library hashes what it understood of an assertion; what was read here is not what was signed.
        return case.malformed("an assertion is not, byte for byte, what the claim hashes")
    return reading


def _around(
    case: _Case, parsed: _Parsed, loose: Unbound, led_to: set[str], codes: tuple[ValidationCode, ...]
) -> tuple[str, ...]:
    """What nothing vouches for in the manifest store and around it."""
    embedded = case.embedded
    # Of two time-stamps nobody says which one it is that holds.
    proven = len(parsed.block.stamps) == 1 and any(
        code.code == "timeStamp.validated" and code.kind == "success" for code in codes
    )
    around = around_signature(parsed.block, embedded, proven=proven)
    below = tuple(
        f"{named(embedded, one.start, one.end)}: {one.reason} beside the signature" for one in loose.beside
    )
    boxes = tuple(
        f"{named(embedded, low, high)}: a part of the manifest that no hash binds"
        for low, high in loose.ranges
    )
    strays = tuple(
        f"{named(embedded, box.start, box.end)}: a manifest that nothing leads to"
        for label, box in parsed.manifests.items()
        if label not in led_to
    )
    return embedded.uncovered + around + below + boxes + strays


def _bound(
    case: _Case, parsed: _Parsed, ingredients: tuple[IngredientReading, ...]
) -> tuple[Mapping[str, Any], Embedded, int | None]:
    """The hard bindings, where the manifest lies, and the size of what they are about."""
    hashes = binding(parsed.assertions, case.embedded.store, parsed.manifests, ingredients)
    return hashes, case.embedded, None if case.detached else len(case.asset.content)


def _said(parsed: _Parsed, store: bytes, ingredients: tuple[IngredientReading, ...]) -> dict[str, Any]:
    """The manifest's statements; how it was made may stand in the manifest of what was opened."""
    said = contents.statements(parsed.assertions)
    if said["source_type"] is None:
        edits = said["signals"]
        said |= contents.inherited(store, parsed.manifests, ingredients)
        said["signals"] = tuple(dict.fromkeys((*said["signals"], *edits)))
    return said


def _generator(claim: Mapping[str, Any]) -> str:
    """Name and version of the program that signed; claims before version 2 have one string for both."""
    for info in claim.get("claim_generator_info") or ():
        return text(f"{text(info.get('name'))} {text(info.get('version'))}".strip())
    return text(claim.get("claim_generator"))


def _located(asset: Asset, sidecar: bytes | None) -> Embedded | None:
    if sidecar is not None:
        return beside(asset.content, sidecar)
    return find_store_within_limits(asset.content)


def _alone(store: bytes) -> Embedded:
    return Embedded(store=store, pieces=(Piece(file=0, store=0, length=len(store)),), spans=())


def _malformed(at: datetime, why: str) -> ManifestReading:
    return ManifestReading(state=ManifestState.MALFORMED, reason=why, at=at)
