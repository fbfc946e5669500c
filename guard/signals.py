"""Every signal in a file, read and not judged (``guard inspect``)."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

from guard.recover import read_mark
from guard.serialise import to_json
from guard.statements import mark_not_read
from guard.verify import decoded, manifest_reader
from provenance.codecs import header, jpeg_quality
from provenance.errors import Error, InputError
from provenance.evidence import Evidence, Outcome
from provenance.media import Frames, is_clip
from provenance.metadata.reading import read_metadata
from provenance.video.container import require_av
from provenance.watermark.carriers import look, not_looked

if TYPE_CHECKING:
    from datetime import datetime

    from guard.home import Home
    from provenance.canonical import Json
    from provenance.media import Asset
    from provenance.video.look import ClipLook


def signals(asset: Asset, home: Home, *, at: datetime, sidecar: bytes | None = None) -> dict[str, Json]:
    """Container, manifest, labels and marks of ``asset``; a part that cannot be read says so."""
    pixels, read = _decoded(asset, home), manifest_reader(asset.mime, isolated=True)
    return {
        "container": _container(asset),
        "manifest": to_json(read(asset, home.trust(), at=at, sidecar=sidecar)),
        "labels": to_json(read_metadata(asset)),
        "watermark": to_json(_mark(pixels, home)),
        "carrier": to_json(_carrier(pixels)),
    }


def _container(asset: Asset) -> Json:
    known: dict[str, Json] = {"mime": asset.mime, "bytes": len(asset.content), "sha256": asset.sha256}
    try:
        found = to_json(_clip(asset) if is_clip(asset.mime) else header(asset))
        assert isinstance(found, dict)
        known |= found
    except Error as error:
        known["unreadable"] = error.what
    quality = jpeg_quality(asset)
    return known if quality is None else {**known, "jpeg_quality": quality}


def _clip(asset: Asset) -> dict[str, object]:
    """What a clip's container says; times as decimal numbers."""
    require_av()
    from provenance.video.look import footage_of  # noqa: PLC0415 - PyAV

    clip = footage_of(asset).clip
    numbers = {name: float(getattr(clip, name) or 0) for name in ("time_base", "rate", "pixel_aspect")}
    return {field.name: getattr(clip, field.name) for field in fields(clip)} | numbers


def _decoded(asset: Asset, home: Home) -> Frames | ClipLook | Error:
    try:
        return decoded(asset, home.locators() if is_clip(asset.mime) and home.exists() else ())
    except Error as error:
        return error


def _mark(pixels: Frames | ClipLook | Error, home: Home) -> Evidence:
    if isinstance(pixels, Error):
        return mark_not_read(pixels)
    try:
        return read_mark(pixels, home.locators() if home.exists() else ())
    except Error as error:
        return mark_not_read(error)


def _carrier(pixels: Frames | ClipLook | Error) -> Evidence:
    """What generators write by themselves; see ``provenance.watermark.carriers`` for how little it proves."""
    if isinstance(pixels, Error):
        return not_looked(pixels)
    if not isinstance(pixels, Frames):
        return not_looked(InputError("watermark.clip", "carriers are looked for in single pictures"))
    try:
        found = look(pixels)
    except Error as error:
        return not_looked(error)
    # the likeliest of those that are not there has a name, and would be read as a finding
    return replace(found, detail=None) if found.outcome is Outcome.ABSENT else found
