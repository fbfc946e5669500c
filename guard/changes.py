"""What happened to a found copy, in words and as a map a person reads at a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provenance.codecs import jpeg_quality
from provenance.video.clip_digest_reading import ClipMatch, SlotState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provenance.digest import DigestReading
    from provenance.media import Asset
    from provenance.video.clip_digest_reading import ClipReading

MAP_ROWS, MAP_COLUMNS = 16, 32
"""A terminal cell is about twice as high as wide, so two rows of the digest make one row of the map."""

_MOST_NAMED = 6
"""Stretches of seconds that are named one by one."""
_WHOLE = 0.985
"""Share of the picture from which a copy counts as uncropped: registration is exact to about a cell."""


def describe_changes(reading: DigestReading, asset: Asset) -> str:
    """One line on a copy that matches: "the same picture, cropped to 81 %, about JPEG 55, altered in 3 %"."""
    parts = ["the same picture"]
    if reading.crop_fraction < _WHOLE:
        parts.append(f"cropped to {reading.crop_fraction:.0%}")
    if reading.around_fraction > 1 - _WHOLE:
        parts.append(f"{reading.around_fraction:.0%} of this file lies around it")
    parts += _geometry(reading)
    quality = jpeg_quality(asset)
    if quality is not None:
        parts.append(f"about JPEG {quality}")
    parts += reading.notes
    if reading.altered_fraction > 0:
        parts.append(f"altered in {max(reading.altered_fraction, 0.01):.0%} of what is left")
    return ", ".join(parts)


def _geometry(reading: DigestReading) -> list[str]:
    found = []
    if reading.mirrored:
        found.append("mirrored")
    turn = round(reading.rotation)
    if turn:
        found.append(f"turned by {180 if turn == -180 else turn}°")
    horizontal, vertical = reading.scale
    if abs(horizontal / vertical - 1) > 0.03:
        found.append(f"stretched to {horizontal:.0%} × {vertical:.0%}")
    elif abs(horizontal - 1) > 0.02:
        found.append(f"scaled to {horizontal:.0%}")
    return found


def recovered_picture(reading: DigestReading) -> str:
    """The first line on a picture that was recovered: what it is, and whether that is all."""
    parts = ["the same picture"]
    if reading.altered_fraction > 0:
        parts.append("altered in places")
    if reading.added:
        parts.append("with something around it")
    return ", ".join(parts)


def recovered_clip(reading: ClipReading) -> str:
    """The same of a clip."""
    part = reading.match is ClipMatch.PART and not reading.cut_out
    parts = ["a part of the same clip" if part else "the same clip"]
    if any(slot.state in (SlotState.ALTERED, SlotState.OTHER) for slot in reading.slots):
        parts.append("altered in places")
    parts += clip_edits(reading)
    if reading.framed:
        parts.append("with something around it")
    return f"{', '.join(parts)} (not compared: {', '.join(reading.not_compared)})"


_CLIP_WORDS = {
    ClipMatch.SAME: "the whole clip, unaltered as far as its digest can tell",
    ClipMatch.PART: "a part of the clip, unaltered as far as its digest can tell",
    ClipMatch.ALTERED: "the clip, with seconds altered, replaced or added",
    ClipMatch.INSIDE: "something else, with seconds of the clip in it",
    ClipMatch.UNDECIDED: "too little of the clip to say more",
}


def describe_clip(reading: ClipReading) -> str:
    """One line on a file that shows a released clip, or seconds of it."""
    parts = [_CLIP_WORDS.get(reading.match, "not the clip")]
    left, top, right, bottom = reading.kept
    shown = (right - left) * (bottom - top)
    if shown < _WHOLE:
        parts.append(f"cropped to {shown:.0%}")
    if reading.around_fraction > 1 - _WHOLE:
        parts.append(f"{reading.around_fraction:.0%} of this file lies around it")
    changed = _stretches(reading)
    if changed:
        parts.append(f"altered in seconds {_named(changed, digits=0)} of the released clip")
    return ", ".join(parts + clip_edits(reading))


def clip_edits(reading: ClipReading) -> list[str]:
    """What was cut out of a clip, put in, or put in another order."""
    found = []
    if reading.cut_out:
        found.append(f"with {_named(reading.cut_out)} s cut out")
    if reading.other_seconds:
        found.append(f"with something else in {_named(reading.other_seconds)} s of this file")
    if reading.reordered:
        found.append("in another order")
    return found


def _named(stretches: Sequence[tuple[float, float]], digits: int = 1) -> str:
    where = ", ".join(f"{start:.{digits}f}–{end:.{digits}f}" for start, end in stretches[:_MOST_NAMED])
    left = len(stretches) - _MOST_NAMED
    return where if left <= 0 else f"{where} and {left} more stretches"


def _stretches(reading: ClipReading) -> list[tuple[float, float]]:
    """(start, end) of altered seconds on end, in the released clip."""
    found: list[tuple[float, float]] = []
    for slot in reading.slots:
        if slot.state in (SlotState.ALTERED, SlotState.OTHER):
            joins = bool(found) and abs(found[-1][1] - slot.start) < reading.slot_seconds / 2
            start = found.pop()[0] if joins else slot.start
            found.append((start, slot.start + reading.slot_seconds))
    return found


def span_lines(reading: ClipReading) -> tuple[str, ...]:
    """Which seconds of the file are which of the released clip; "about" where little moves."""
    whole = reading.match is ClipMatch.SAME
    return tuple(
        f"{'about ' if span.about and not whole else ''}{span.start:.1f}–{span.end:.1f} of this file are "
        f"{span.signed_start:.1f}–{span.signed_end:.1f} of the released clip"
        for span in reading.spans
    )


def heat_map(reading: DigestReading) -> tuple[str, ...]:
    """The released picture as rows of characters: ``·`` cut away, ``░`` as it was, ``█`` altered."""
    return tuple(
        "".join(_cell(reading, row, column) for column in range(MAP_COLUMNS)) for row in range(MAP_ROWS)
    )


def _cell(reading: DigestReading, row: int, column: int) -> str:
    left, top, right, bottom = reading.kept
    x, y = (column + 0.5) / MAP_COLUMNS, (row + 0.5) / MAP_ROWS
    if not (left <= x <= right and top <= y <= bottom):
        return "·"
    rows = reading.altered[2 * row : 2 * row + 2]
    return "█" if any(cells[column] for cells in rows) else "░"
