"""Writing a registry as static files (``provenance.registry_layout`` has their names).

    1. manifests, receipts and content digests of what is new; what was published before is linked
    2. the look-up tables, withdrawals, services, locator keys
    3. the log, its checkpoint last
    4. the listing, and the signed snapshot over it
    5. the folder is replaced at once

Only released entries go in, and of them only what a stranger needs: no pending entries, no records, no keys
but those for finding marks, and these only where asked for.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provenance.log.export import export_log
from provenance.registry_entry import UNMARKED
from provenance.registry_fingerprints import ALGORITHM as FINGERPRINT
from provenance.registry_layout import (
    ALGORITHMS,
    BY_BINDING,
    BY_CONTENT,
    BY_REFERENCE,
    CAPABILITIES,
    CROWD,
    LOCATORS,
    LOG,
    SNAPSHOT,
    SPECIFICATION,
    STATIC,
    STATUS,
    SUMS,
    VKEY,
    WELL_KNOWN,
    WITHDRAWN,
    binding_value,
    bucket_hash,
    bucket_path,
    bucket_paths,
    digest_path,
    listing,
    manifest_path,
    padded,
    prefix_length,
    receipts_path,
    written,
)
from provenance.registry_receipts import receipt_document
from provenance.registry_snapshot import Snapshot, open_snapshot, sign_snapshot
from provenance.registry_staging import Staging
from provenance.registry_withdrawn import withdrawals_document

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from provenance.canonical import Json
    from provenance.log.checkpoint import NoteSigner
    from provenance.log.export import Exported
    from provenance.log.store import Log
    from provenance.registry_entry import Place
    from provenance.registry_withdrawn import Withdrawal


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What is to be published.

    Attributes:
        places: released entries, in the order of the log.
        manifest: gives a manifest by its digest, and the content digest it signs, None where it signs none.
        fingerprints: 8 bytes of how a picture looks, by digest of its manifest.
        withdrawals: by digest of the manifest.
        locators: file name to key file, empty where the locator is kept back.
    """

    places: Sequence[Place]
    manifest: Callable[[str], tuple[bytes, Mapping[str, Json] | None]]
    fingerprints: Mapping[str, bytes]
    withdrawals: Mapping[str, Withdrawal]
    locators: Mapping[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What a publication did.

    Attributes:
        snapshot: the state that is published now.
        manifests: how many it holds.
        changed: files that are new or differ from those before; 0 means that nothing was touched.
        crowd: entries in the smallest bucket of the id index.
        prefix: digits that name a bucket.
    """

    snapshot: Snapshot
    manifests: int
    changed: int
    crowd: int
    prefix: int


def publish(contents: Contents, log: Log, signer: NoteSigner, target: Path, *, now: int) -> Published:
    """Bring the folder ``target`` up to date; numbered as in the module's text.

    Args:
        contents: what to publish.
        log: the log that holds the releases.
        signer: signs the snapshot; the log's own key.
        target: made where it does not exist.
        now: seconds since 1970.

    Raises:
        InputError: ``registry.folder-in-use``, ``output.unwritable``.
        ConfigurationError: ``disk.full``.
        IntegrityError: the log is damaged, or the folder holds another log.
    """
    staging = Staging.begin(target)
    try:
        indexes = {place.manifest_sha256: place.log_index for place in contents.places}
        for manifest_sha256, index in indexes.items():
            _put_manifest(staging, contents, log, manifest_sha256, index)  # (1)
        length, crowd = _put_tables(staging, contents)  # (2)
        staging.put(VKEY, f"{signer.verifier}\n".encode())
        exported = export_log(log, _LogTarget(staging))  # (3)
        before = _snapshot_before(target, signer)
        if staging.same and before is not None:
            return Published(snapshot=before, manifests=len(indexes), changed=0, crowd=crowd, prefix=length)
        snapshot = _snapshot(staging, exported, signer.name, before, now)
        staging.head(SUMS, listing(staging.sums))  # (4)
        staging.head(SNAPSHOT, sign_snapshot(snapshot, signer))
        staging.switch()  # (5)
    finally:
        staging.abandon()
    return Published(
        snapshot=snapshot, manifests=len(indexes), changed=staging.changed, crowd=crowd, prefix=length
    )


def _put_manifest(staging: Staging, contents: Contents, log: Log, manifest_sha256: str, index: int) -> None:
    paths = (manifest_path(manifest_sha256), receipts_path(manifest_sha256), digest_path(manifest_sha256))
    known = [staging.keep(path) for path in paths]
    if known[0] and known[1]:
        return
    data, digest = contents.manifest(manifest_sha256)
    staging.put(paths[0], data)
    staging.put(paths[1], receipt_document(log, log.verifier.name, manifest_sha256, index))
    if digest is not None:
        staging.put(paths[2], written({"contentDigest": dict(digest), "manifestId": manifest_sha256}))


def _put_tables(staging: Staging, contents: Contents) -> tuple[int, int]:
    """Returns how many digits name a bucket, and how many entries the smallest one holds."""
    hashed = [
        (bucket_hash(one.algorithm, one.key_id, one.epoch, one.content_id), one)
        for one in contents.places
        if one.algorithm != UNMARKED
    ]
    length = prefix_length(hash_ for hash_, _ in hashed)
    bindings = _bucketed(BY_BINDING, length, [(hash_, _binding(one)) for hash_, one in hashed])
    references: list[tuple[str, Json]] = [
        (one.asset_sha256, {"manifestId": one.manifest_sha256, "sha256": one.asset_sha256})
        for one in contents.places
    ]
    looks: list[tuple[str, Json]] = [
        (sha256, {"alg": FINGERPRINT, "manifestId": sha256, "value": binding_value(bits)})
        for sha256, bits in sorted(contents.fingerprints.items())
    ]
    for folder, listed in (
        (BY_BINDING, bindings),
        (BY_REFERENCE, _bucketed(BY_REFERENCE, length, references)),
        (BY_CONTENT, _bucketed(BY_CONTENT, length, looks)),
    ):
        for path in bucket_paths(folder, length):
            staging.put(path, padded({"matches": listed.get(path, [])}))
    crowd = min(len(bindings.get(path, [])) for path in bucket_paths(BY_BINDING, length))
    staging.put(WITHDRAWN, withdrawals_document(contents.withdrawals))
    for name, data in contents.locators.items():
        staging.put(f"{LOCATORS}/{name}", data)
    for path, document in _services(contents, length).items():
        staging.put(path, written(document))
    return length, crowd


def _binding(place: Place) -> Json:
    return {
        "alg": place.algorithm,
        "keyId": place.key_id,
        "epoch": place.epoch,
        "value": binding_value(place.content_id),
        "manifestId": place.manifest_sha256,
    }


def _bucketed(folder: str, length: int, rows: Sequence[tuple[str, Json]]) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for hashed, row in rows:
        found.setdefault(bucket_path(folder, hashed, length), []).append(row)
    return found


def _services(contents: Contents, length: int) -> dict[str, dict[str, Json]]:
    marks: list[Json] = [
        {"alg": name} for name in sorted({one.algorithm for one in contents.places} - {UNMARKED})
    ]
    return {
        # Relative to this file, so that they hold wherever the folder is served from.
        WELL_KNOWN: {
            "apiEndpoint": "..",
            "c2paSpecificationVersion": SPECIFICATION,
            "capabilitiesEndpoint": f"../{CAPABILITIES}",
            "statusEndpoint": f"../{STATUS}",
        },
        ALGORITHMS: {"watermarks": marks, "fingerprints": [{"alg": FINGERPRINT}]},
        CAPABILITIES: {
            "c2paSpecificationVersion": SPECIFICATION,
            # Files answer no POST, and these are all that the API has names for.
            "supportedCapabilities": [],
            STATIC: {"prefixLength": length, "crowd": CROWD, "locator": bool(contents.locators)},
        },
        STATUS: {"status": "ok"},
    }


def _snapshot_before(target: Path, signer: NoteSigner) -> Snapshot | None:
    """The state that is published now.

    Raises:
        IntegrityError: it was signed by somebody else.
    """
    note = target / SNAPSHOT
    return open_snapshot(note.read_bytes(), signer.verifier) if note.is_file() else None


def _snapshot(
    staging: Staging, exported: Exported, origin: str, before: Snapshot | None, now: int
) -> Snapshot:
    return Snapshot(
        origin=origin,
        # Time makes it grow even where the folder was lost, and with it the number before.
        sequence=now if before is None else max(now, before.sequence + 1),
        time=now,
        files=len(staging.sums),
        sums_sha256=hashlib.sha256(listing(staging.sums)).hexdigest(),
        log_size=exported.checkpoint.size,
        log_root=exported.checkpoint.root,
    )


class _LogTarget:
    """The folder ``log/`` of the next state, as a target of an export."""

    def __init__(self, staging: Staging) -> None:
        self._staging = staging
        for path in staging.before(LOG):
            staging.keep(path)

    def read(self, name: str) -> bytes | None:
        """What is there already."""
        path = f"{LOG}/{name}"
        return (self._staging.folder / path).read_bytes() if path in self._staging.sums else None

    def write(self, name: str, data: bytes) -> None:
        """A file of the next state."""
        self._staging.put(f"{LOG}/{name}", data)
