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
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from provenance.errors import InputError
from provenance.manifest import contents, cose, history, jumbf, path
from provenance.manifest.cbor import StructureError
from provenance.manifest.containers import (
    Embedded,
    Piece,
    beside,
    find_store_within_limits,
    has_own_trace,
    has_trace,
)
from provenance.manifest.contents import text
from provenance.manifest.findings import library_codes
from provenance.manifest.identities import codes_of, identities
from provenance.manifest.judge import judge
from provenance.manifest.lineage import with_signers
from provenance.manifest.reading import IngredientReading, ManifestReading, ManifestState, ValidationCode
from provenance.manifest.uncovered import around_signature, binding, left_out, named
from provenance.media import Asset
from provenance.sniff import MANIFEST, format_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography import x509

    from provenance.manifest.jumbf import Superbox
    from provenance.manifest.trust import TrustLists

_WITHOUT_PLACE = frozenset({"image/bmp", "video/webm", "video/x-matroska"})
"""Media that are decoded here and that the specification has no way to embed a manifest in."""


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
        raise _about_another(read_stored_manifest(asset.data, MANIFEST, trust, at=moment))
    # step 1
    try:
        embedded = _located(asset, sidecar)
    except (StructureError, InputError) as error:
        if isinstance(error, StructureError) or has_trace(asset.content):
            return _malformed(moment, str(error))
        raise
    if embedded is None:
        return _without_store(asset, trust, moment)
    # step 2
    found = _found(embedded.store, moment, sidecar=sidecar is not None)
    try:
        parsed = _parse(embedded)
    except StructureError as error:
        return replace(found, reason=str(error))
    return _judged(asset, trust, parsed, found, embedded.store)


def read_stored_manifest(
    store: bytes, mime: str, trust: TrustLists, *, at: datetime | None = None
) -> ManifestReading:
    """A manifest kept without its file, as a registry does: its structure, signature and history.

    The state says what it would be for unchanged bytes; ``detached`` is set and ``intact`` is never true.

    Args:
        mime: media type of the file the manifest was made for.
    """
    found = _found(store, at or datetime.now(UTC), detached=True)
    try:
        parsed = _parse(_alone(store))
    except StructureError as error:
        return replace(found, reason=str(error))
    reading = _judged(Asset.of(store, "application/c2pa"), trust, parsed, found, store)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parsed:
    label: str
    manifests: Mapping[str, Superbox]
    chain: tuple[x509.Certificate, ...]
    assertions: Mapping[str, Any]
    embedded: Embedded
    block: cose.SignatureBlock


def _parse(embedded: Embedded) -> _Parsed:
    store = embedded.store
    tree = jumbf.parse_store(store)
    active = tree.boxes[-1]
    if active.uuid == jumbf.COMPRESSED:
        raise StructureError("the manifest is compressed, which is not read here")
    block = cose.signature_block(store, active)
    return _Parsed(
        label=active.label,
        manifests={box.label: box for box in tree.boxes if box.uuid in (jumbf.MANIFEST, jumbf.UPDATE)},
        chain=path.certificates(block.chain),
        assertions=contents.assertions(store, active),
        embedded=embedded,
        block=block,
    )


def _judged(
    asset: Asset, trust: TrustLists, parsed: _Parsed, found: ManifestReading, store: bytes
) -> ManifestReading:
    from provenance.manifest import c2pa_adapter  # noqa: PLC0415 - loads the native library

    # step 3
    answer = c2pa_adapter.read_store(
        asset.content, asset.mime, trust, sidecar=store if found.sidecar else None
    )
    if answer.report is None:
        return replace(found, reason=f"the manifest cannot be read: {text(answer.message)}")
    # step 4
    report = answer.report
    active = report.get("active_manifest")
    claim = report.get("manifests", {}).get(active)
    if active != parsed.label or not isinstance(claim, dict):
        return replace(found, reason="two readings of the file disagree about which manifest is active")
    # step 5
    ingredients = with_signers(
        history.ingredients(report), report, store=store, manifests=parsed.manifests, trust=trust, at=found.at
    )
    # step 6
    codes = library_codes(report)
    judgement = judge(report, parsed.chain, ingredients, trust, found.at, said=codes, detached=found.detached)
    people = identities(parsed.assertions, codes, trust, found.at, judgement.signer)
    said = _said(parsed, store, ingredients)
    return ManifestReading(
        state=judgement.state,
        reason=judgement.reason,
        at=found.at,
        manifest_sha256=found.manifest_sha256,
        sidecar=found.sidecar,
        detached=found.detached,
        signer=judgement.signer,
        label=text(active),
        claim_generator=_generator(claim),
        title=text(claim.get("title")),
        mime=asset.mime,
        ingredients=ingredients,
        identities=people,
        codes=judgement.codes + codes_of(people),
        uncovered=_uncovered(asset, parsed, ingredients, codes, detached=found.detached),
        **said,
    )


def _uncovered(
    asset: Asset,
    parsed: _Parsed,
    ingredients: tuple[IngredientReading, ...],
    codes: tuple[ValidationCode, ...],
    *,
    detached: bool,
) -> tuple[str, ...]:
    """What nothing vouches for: around the manifest, beside its signature, and outside its hard binding."""
    embedded = parsed.embedded
    hashes = binding(parsed.assertions, embedded.store, parsed.manifests, ingredients)
    size = None if detached else len(asset.content)
    proven = any(code.code == "timeStamp.validated" and code.kind == "success" for code in codes)
    around = around_signature(parsed.block, embedded, proven=proven)
    led_to = {parsed.label, *(node.label for root in ingredients for node in root.walk())}
    strays = tuple(
        f"{named(embedded, box.start, box.end)}: a manifest that nothing leads to"
        for label, box in parsed.manifests.items()
        if label not in led_to
    )
    return embedded.uncovered + around + strays + left_out(hashes, embedded, size)


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


def _without_store(asset: Asset, trust: TrustLists, at: datetime) -> ManifestReading:
    """No store where one belongs: absent, elsewhere, or damaged out of its place."""
    from provenance.manifest import c2pa_adapter  # noqa: PLC0415 - loads the native library

    if has_own_trace(asset.content):
        return _malformed(at, "the file holds parts of a manifest, but not where a manifest belongs")
    if asset.mime in _WITHOUT_PLACE:
        why = f"{format_name(asset.mime)} files have no place for a manifest"
        return ManifestReading(state=ManifestState.ABSENT, reason=why, at=at)
    answer = c2pa_adapter.read_store(asset.content, asset.mime, trust)
    if answer.failure is c2pa_adapter.Failure.REMOTE:
        return ManifestReading(
            state=ManifestState.REMOTE_ONLY,
            reason="the file names a manifest elsewhere; nothing was fetched",
            at=at,
            remote_url=text(answer.remote_url) or None,
        )
    if answer.failure is c2pa_adapter.Failure.ABSENT:
        return ManifestReading(state=ManifestState.ABSENT, reason="the file carries no manifest", at=at)
    if answer.report is not None:
        return _malformed(at, "a manifest was found in a place that is not read here")
    raise InputError(
        "media.unreadable",
        f"this {format_name(asset.mime)} file cannot be searched for a manifest",
        hint="guard recover FILE looks for a mark" if asset.mime.startswith(("image/", "video/")) else None,
    )


def _about_another(reading: ManifestReading) -> InputError:
    """What a ``.c2pa`` file is, said where a file was expected that it could be about."""
    if reading.signer is None or reading.state in (ManifestState.TAMPERED, ManifestState.MALFORMED):
        what = f"this is a manifest by itself, and it does not hold: {reading.reason}"
    else:
        what = f"this is a manifest by itself, signed by {reading.signer}; it is about another file"
        what += f', which it calls "{reading.title}"' if reading.title else ""
    return InputError(
        "input.manifest-alone",
        what,
        hint="guard verify FILE, with this one beside it: photo.jpg and photo.jpg.c2pa",
    )


def _found(store: bytes, at: datetime, *, sidecar: bool = False, detached: bool = False) -> ManifestReading:
    """Where every reading of a store starts: malformed until shown otherwise."""
    return ManifestReading(
        state=ManifestState.MALFORMED,
        reason="",
        at=at,
        manifest_sha256=hashlib.sha256(store).hexdigest(),
        sidecar=sidecar,
        detached=detached,
    )


def _located(asset: Asset, sidecar: bytes | None) -> Embedded | None:
    if sidecar is not None:
        return beside(asset.content, sidecar)
    return find_store_within_limits(asset.content)


def _alone(store: bytes) -> Embedded:
    return Embedded(store=store, pieces=(Piece(file=0, store=0, length=len(store)),), spans=())


def _malformed(at: datetime, why: str) -> ManifestReading:
    return ManifestReading(state=ManifestState.MALFORMED, reason=why, at=at)
