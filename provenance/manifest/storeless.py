"""Files without a manifest store in its place, and a store that lies alone without its file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provenance.errors import InputError
from provenance.manifest.containers import has_own_trace
from provenance.manifest.contents import text
from provenance.manifest.reading import ManifestReading, ManifestState
from provenance.sniff import format_name

if TYPE_CHECKING:
    from datetime import datetime

    from provenance.manifest.trust import TrustLists
    from provenance.media import Asset

_WITHOUT_PLACE = frozenset({"image/bmp", "video/webm", "video/x-matroska"})
"""Media that are decoded here and that the specification has no way to embed a manifest in."""


def without_store(asset: Asset, trust: TrustLists, at: datetime) -> ManifestReading:
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


def about_another(reading: ManifestReading) -> InputError:
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


def _malformed(at: datetime, why: str) -> ManifestReading:
    return ManifestReading(state=ManifestState.MALFORMED, reason=why, at=at)
