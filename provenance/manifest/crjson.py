"""crJSON: a manifest store in the form that validators exchange (C2PA conformance programme 0.2).

The conformance programme wants it for an asset, a trust list, a list of time-stamp authorities and a
validation time. The library judges by its own clock, so what it found of the active manifest is replaced by
what our reader found with the caller's lists at the caller's time; the two never say different things.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC
from typing import TYPE_CHECKING, Any

from provenance.manifest.findings import kinds_of_codes
from provenance.manifest.reading import ManifestState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provenance.manifest.reading import ManifestReading, ValidationCode
    from provenance.manifest.trust import TrustLists
    from provenance.media import Asset

MOST_CHARACTERS = 16 * 2**20
"""Of one document; a manifest store of hundreds of ingredients has a tenth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrJson:
    """One file's crJSON, or why there is none.

    Attributes:
        document: the crJSON object; it names signers without a tier, which the verdict beside it has.
        missing: why there is no document.
    """

    document: Mapping[str, Any] | None = None
    missing: str | None = None


def crjson(
    asset: Asset, reading: ManifestReading, trust: TrustLists, *, sidecar: bytes | None = None
) -> CrJson:
    """The crJSON of ``asset``, judged as ``reading`` is.

    Args:
        asset: the file.
        reading: of the same file against the same lists.
        trust: those lists.
        sidecar: the manifest store, where that lies beside the file.
    """
    if reading.label is None:
        return CrJson(missing=f"there is no readable manifest: {reading.reason}")
    from provenance.manifest import c2pa_adapter  # noqa: PLC0415 - loads the native library

    text = c2pa_adapter.read_crjson(asset.content, asset.mime, trust, sidecar=sidecar)
    if text is None or len(text) > MOST_CHARACTERS:
        return CrJson(missing="the C2PA library gives none for this file, or one beyond all measure")
    document = json.loads(text)
    manifests = document.get("manifests")
    if not isinstance(manifests, list) or not manifests or manifests[0].get("label") != reading.label:
        return CrJson(missing="two readings of the file disagree about which manifest is active")
    manifests[0]["validationResults"] = {
        **manifests[0].get("validationResults", {}),
        **kinds_of_codes(_codes(reading)),
        "validationTime": reading.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    }
    return CrJson(document=document)


def _codes(reading: ManifestReading) -> list[ValidationCode]:
    """Our findings, each with its address. A development identity is trusted by nobody who reads this."""
    signature = f"self#jumbf=/c2pa/{reading.label}/c2pa.signature"
    found = []
    for code in reading.codes:
        one = replace(code, where=code.where or signature)
        if one.code == "signingCredential.trusted" and reading.state is ManifestState.DEVELOPMENT:
            why = "a development identity, which nobody vouches for"
            one = replace(one, code="signingCredential.untrusted", kind="failure", explanation=why)
        found.append(one)
    return found
