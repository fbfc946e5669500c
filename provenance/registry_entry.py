"""What the registry holds (``provenance.registry``): manifests that marks lead to, and their releases."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

State: TypeAlias = Literal["pending", "released"]
CONTENT_ID_BYTES = 8
_HEX_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryEntry:
    """One manifest that a mark can lead to.

    Attributes:
        algorithm: the mark's algorithm, as written in the manifest's soft binding.
        key_id: the locator key's id.
        epoch: the locator key's epoch.
        content_id: the 8 bytes in the mark.
        manifest: the signed manifest store, exactly as embedded.
        manifest_sha256: hex digest of ``manifest``.
        asset_sha256: hex digest of the whole released file.
        mime: type of that file.
        created_at: seconds since 1970, claimed by the writer.
        state: ``"pending"`` until the release is complete.
        log_index: where in the log its ALLOW is; None while pending.
    """

    algorithm: str
    key_id: str
    epoch: int
    content_id: bytes
    manifest: bytes
    manifest_sha256: str
    asset_sha256: str
    mime: str
    created_at: int
    state: State = "pending"
    log_index: int | None = None

    def __post_init__(self) -> None:
        if len(self.content_id) != CONTENT_ID_BYTES:
            raise ValueError(f"a content id has {CONTENT_ID_BYTES} bytes")
        if hashlib.sha256(self.manifest).hexdigest() != self.manifest_sha256:
            raise ValueError("manifest_sha256 is not the digest of manifest")
        if not _HEX_SHA256.fullmatch(self.asset_sha256):
            raise ValueError("asset_sha256 is not the lower-case hex of 32 bytes")
        if (self.state == "released") != (self.log_index is not None):
            raise ValueError("released entries have a log index, pending ones have none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Where the log has to hold the ALLOW for which file, and which key finds its mark.

    Attributes:
        manifest_sha256: hex digest of the manifest.
        asset_sha256: hex digest of the released file.
        log_index: place in the log.
        key_id: the locator key's id.
        epoch: the locator key's epoch.
    """

    manifest_sha256: str
    asset_sha256: str
    log_index: int
    key_id: str
    epoch: int
