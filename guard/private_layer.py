"""The private layer of a mark at work: asked for where this installation has a key for it, else silent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from guard.serialise import to_json
from provenance.digest import VisualDigest
from provenance.errors import Error, InputError
from provenance.evidence import Evidence, Outcome
from provenance.media import Frames, is_clip
from provenance.watermark.interface import WatermarkReading
from provenance.watermark.private_reading import CLAIM, PrivateReading
from provenance.watermark.telling import p_in_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from guard.home import Home
    from guard.recover import Candidate, Recovery
    from provenance.keys import PrivateMarkKey
    from provenance.video.look import ClipLook
    from provenance.watermark.interface import WatermarkKey

_LIKE = "this installation marked a picture that looks like this one from afar; its parts are not checked"


def keys_at_hand(home: Home) -> tuple[PrivateMarkKey, ...] | Error:
    """Keys of the private layer, or why they cannot be used: the locator reads the mark without them."""
    try:
        return home.private_marks()
    except Error as error:
        return error


def look(
    seen: Frames | ClipLook,
    mark: Evidence,
    *,
    locators: Sequence[WatermarkKey],
    keys: Sequence[PrivateMarkKey] | Error,
    candidates: Sequence[Candidate] = (),
) -> Evidence | None:
    """Whether this installation marked a picture like this one; None where it has no private key.

    Args:
        seen: the copy, as found.
        mark: what was read in it.
        locators: keys it was looked for with.
        keys: private keys, all epochs, as ``keys_at_hand``.
        candidates: manifests that the mark led to; those of the same picture say what it looked like whole.
    """
    if isinstance(keys, Error):
        why = f"not looked for: {keys.what}"
        return Evidence(claim=CLAIM, channel="private-mark", outcome=Outcome.NOT_CHECKED, reason=why)
    if not keys:
        return None
    reading = mark.detail
    marked = isinstance(reading, WatermarkReading) and reading.geometry is not None
    if not isinstance(seen, Frames) or not isinstance(reading, WatermarkReading) or reading.geometry is None:
        why = (
            "marks of clips have no private layer"
            if marked
            else "it is read where a mark was found, and none was"
        )
        return Evidence(claim=CLAIM, channel="private-mark", outcome=Outcome.NOT_CHECKED, reason=why)
    from provenance.watermark.private_detection import read_private  # noqa: PLC0415 - numpy, scipy, OpenCV

    used = next(key for key in locators if (key.key_id, key.epoch) == (reading.key_id, reading.epoch))
    same = [one for one in candidates if one.digest.outcome is Outcome.SUPPORTS]
    shown = [lightness_of(one.manifest.digest_assertion) for one in same]
    return _told(read_private(seen, reading.geometry, used, keys, thumbnails=shown), same)


def _told(layer: Evidence, same: Sequence[Candidate]) -> Evidence:
    """With what digests say of the parts, which the layer knows nothing of."""
    altered = any(getattr(one.digest.detail, "altered_fraction", 0.0) > 0 for one in same)
    if layer.outcome is Outcome.SUPPORTS and altered:
        return replace(layer, reason="parts were altered since")
    return layer


def require_number(number: int | None, mime: str) -> None:
    """Before any work: a number for the private layer is one that it carries, of a medium that has it.

    Raises:
        InputError: ``watermark.private-number``.
    """
    if number is None:
        return
    if is_clip(mime):
        what, hint = (
            "marks of clips have no private layer to carry a number",
            "release clips without a number",
        )
        raise InputError("watermark.private-number", what, hint=hint)
    if not 0 < number < 256:
        what, hint = f"the private layer cannot carry {number}", "give a number from 1 to 255"
        raise InputError("watermark.private-number", what, hint=hint)


def in_words(layer: Evidence) -> str:
    """For one line of text."""
    reading = layer.detail
    if not isinstance(reading, PrivateReading):
        return layer.reason or "not looked for"
    if layer.outcome is Outcome.SUPPORTS:
        number = "" if reading.number is None else f", number {reading.number}"
        since = "" if layer.reason is None else f"; {layer.reason}"
        return f"{_LIKE}{number} ({p_in_words(reading.log10_p)}){since}"
    return "absent: marked without it, elsewhere, for other content, or damaged since"


def lightness_of(assertion: object) -> NDArray[np.floating]:
    """(rows, columns) of the picture that a manifest's digest assertion is about, 0 to 255.

    Raises:
        IntegrityError: ``digest.malformed``.
    """
    from provenance.digest_grid import luma_of  # noqa: PLC0415 - numpy
    from provenance.digest_planes import Reference  # noqa: PLC0415

    return 255 * luma_of(Reference.of(VisualDigest.from_assertion(assertion)).coarse)


def beside(found: Evidence | Recovery, layer: Evidence | None) -> object:
    """``found`` as a document that also holds ``private_layer``, where it was asked for."""
    if layer is None:
        return found
    document = to_json(found)
    assert isinstance(document, dict)
    return {**document, "private_layer": to_json(layer)}
