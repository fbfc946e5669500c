"""Signing: build, lint, sign, read back; files and renaming are the caller's.

Steps of ``sign``:
    1. a source that already carries a manifest becomes the parent, unless that cannot be read, and nothing
       is said to be created anew over it;
    2. build the definition and hold it against the rubric;
    3. sign; the library validates what is taken in against the same lists a reader would use;
    4. read back with our own reader, at the same time and with the same lists;
    5. what was read has to be what was asked for.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from provenance.errors import ConfigurationError, InputError, IntegrityError
from provenance.manifest.build import PARENT, label_of, manifest_definition
from provenance.manifest.containers import has_own_trace, has_trace
from provenance.manifest.formats import MIMES, NAMES, bound_as
from provenance.manifest.read import read_manifest
from provenance.manifest.reading import ManifestReading, ManifestState
from provenance.manifest.rubric import lint
from provenance.manifest.sidecar import BESIDE
from provenance.manifest.spec import Parent, unreadable_parent
from provenance.manifest.trust import TrustLists
from provenance.media import Asset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provenance.manifest.signers import Signer
    from provenance.manifest.spec import ManifestSpec
    from provenance.stored import Bytes

MOST_BYTES = 512 * 2**20
"""Of a file that is signed: up to here the C2PA library keeps its working copy in memory, beyond it in a
readable file on the disk, where nothing may lie that is not allowed to leave yet."""
_ALTERED = {ManifestState.TAMPERED, ManifestState.HISTORY_PROBLEM}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedAsset:
    """A signed file that was read back.

    Attributes:
        asset: the file with its manifest.
        manifest: the manifest store as embedded.
        reading: what our own reader says about ``asset``.
    """

    asset: Asset
    manifest: bytes
    reading: ManifestReading

    @property
    def manifest_sha256(self) -> str:
        """Digest of the manifest store, lower-case hex."""
        return hashlib.sha256(self.manifest).hexdigest()


def sign(
    asset: Asset,
    spec: ManifestSpec,
    signer: Signer,
    *,
    parent: Asset | None = None,
    trust: TrustLists | None = None,
    at: datetime | None = None,
    embed: bool = True,
) -> SignedAsset:
    """``asset`` with a manifest that says what ``spec`` says.

    Args:
        parent: the file ``asset`` was made from, where its manifest is to be kept as history.
        trust: lists against which the parent and the result are validated.
        at: time of validation; None: the present.
        embed: put the manifest into the file, where that has a place for it (see ``BESIDE``); else it is
            bound to the file's bytes and kept beside them.

    Raises:
        InputError: ``sign.unsupported-media``, ``sign.too-large``, ``sign.parent-unreadable``, ….
        ConfigurationError: ``sign.certificate-refused``, ``sign.library-failed``.
        IntegrityError: ``sign.rubric`` or ``sign.read-back``: what was made is not what was asked for.
        Exception: whatever the signer raised.
    """
    _refuse_unsupported(asset)
    lists, moment = trust or TrustLists(), at or datetime.now(UTC)
    source = parent or (asset if has_own_trace(asset.content) else None)  # step 1
    before = _histories(source, spec, lists, moment)
    # step 2
    definition = _linted(_definition(spec, asset, source))
    # step 3
    inside = embed and asset.mime not in BESIDE
    data, store = _write(asset, definition, signer, lists, _taken_in(source, spec), embed=inside)
    # step 4
    signed = Asset.of(data, asset.mime)
    reading = read_manifest(signed, lists, at=moment, sidecar=None if inside else store)
    # step 5
    _hold_against(spec, store, reading, before)
    return SignedAsset(asset=signed, manifest=store, reading=reading)


def _refuse_unsupported(asset: Asset) -> None:
    if asset.mime not in MIMES:
        raise InputError(
            "sign.unsupported-media",
            f"{asset.mime} files are not signed",
            hint=f"{NAMES} files are",
        )
    if len(asset.content) > MOST_BYTES:
        raise InputError(
            "sign.too-large",
            f"the new file has {len(asset.content):,} bytes; up to {MOST_BYTES:,} can be signed",
            hint="cut the clip into parts, or make it smaller",
        )


def _definition(spec: ManifestSpec, asset: Asset, source: Asset | None) -> dict[str, Any]:
    """Opened where there is a source, and converted where that had another format; else created."""
    converted = source is not None and source.mime != asset.mime
    return manifest_definition(spec, with_parent=source is not None, converted=converted)


def _linted(definition: dict[str, Any]) -> dict[str, Any]:
    if findings := lint(definition):
        raise IntegrityError(
            "sign.rubric", f"the manifest would break {findings[0].check}: {findings[0].what}"
        )
    return definition


def _histories(
    source: Asset | None, spec: ManifestSpec, trust: TrustLists, at: datetime
) -> tuple[ManifestReading, ...]:
    """What the parent and every other picture or clip says, before it is taken in."""
    media = [] if source is None else [source]
    media += [item.asset for item in spec.ingredients if item.asset is not None]
    return tuple(_readable(one, trust, at) for one in media if has_trace(one.content))


def _taken_in(source: Asset | None, spec: ManifestSpec) -> tuple[Parent, ...]:
    parent = [] if source is None else [_with_bytes(source, "earlier version", PARENT, "parentOf")]
    return (
        *parent,
        *(
            _with_bytes(item.asset, item.title, label_of(place), item.relationship)
            for place, item in enumerate(spec.ingredients)
            if item.asset is not None
        ),
    )


def _with_bytes(asset: Asset, title: str, label: str, relationship: str) -> Parent:
    return Parent(data=asset.content, mime=asset.mime, title=title, label=label, relationship=relationship)


def _readable(source: Asset, trust: TrustLists, at: datetime) -> ManifestReading:
    """What the parent says; one that cannot be read would come out of the library looking sound."""
    before = read_manifest(source, trust, at=at)
    if before.state is ManifestState.MALFORMED:
        raise unreadable_parent()
    return before


def _write(
    asset: Asset,
    definition: dict[str, Any],
    signer: Signer,
    trust: TrustLists,
    taken_in: Sequence[Parent],
    *,
    embed: bool,
) -> tuple[Bytes, bytes]:
    from provenance.manifest import c2pa_adapter  # noqa: PLC0415 - loads the native library

    return c2pa_adapter.write_store(
        asset.content,
        bound_as(asset, embed=embed),
        definition,
        signer,
        trust,
        taken_in=taken_in,
        embed=embed,
    )


def _hold_against(
    spec: ManifestSpec, store: bytes, reading: ManifestReading, before: Sequence[ManifestReading]
) -> None:
    if reading.state is ManifestState.EXPIRED:
        raise ConfigurationError(
            "signer.expired", "the signing certificate is not valid at this time", hint="guard keys renew"
        )
    problems = []
    if not reading.intact:
        problems.append(f"it reads as {reading.state}: {reading.reason}")
    altered = any(one.state in _ALTERED for one in before)
    if altered and reading.state is not ManifestState.HISTORY_PROBLEM:
        problems.append("its history hides that something taken in was altered")
    if missing := _missing(spec, reading):
        problems.append(f"the ingredient {missing!r} is missing")
    if reading.manifest_sha256 != hashlib.sha256(store).hexdigest():
        problems.append("the embedded manifest is another one")
    if reading.content_id != spec.content_id or reading.recipe_commitment != spec.recipe_commitment:
        problems.append("it names another content id or recipe")
    if spec.digest_assertion is not None and reading.digest_assertion is None:
        problems.append("the content digest is missing")
    if reading.log_checkpoint != spec.log_checkpoint:
        problems.append("the log checkpoint differs")
    if (spec.soft_binding,) != reading.soft_bindings and (spec.soft_binding or reading.soft_bindings):
        problems.append("the soft binding differs")
    if problems:
        raise IntegrityError("sign.read-back", f"the file just signed was not kept: {'; '.join(problems)}")


def _missing(spec: ManifestSpec, reading: ManifestReading) -> str | None:
    """The first ingredient asked for that the file does not name, or binds to another digest."""
    found = {(one.title, one.relationship, one.sha256) for one in reading.ingredients}
    for item in spec.ingredients:
        if (item.title, item.relationship, item.sha256) not in found:
            return item.title
    return None
