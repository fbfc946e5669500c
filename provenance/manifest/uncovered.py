"""Bytes that the hard binding of a file leaves out (C2PA §18.5 to §18.8): nobody notices when they change.

What a binding leaves out is chosen by whoever signed. Where it cannot be told to the byte, the whole file is
listed: too much is said then, and never too little.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from provenance.manifest.containers.embedded import OpenRange, lines
from provenance.manifest.contents import ancestors, as_list, as_map, is_label, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from provenance.manifest.containers import Embedded
    from provenance.manifest.cose import SignatureBlock
    from provenance.manifest.jumbf import Superbox
    from provenance.manifest.reading import IngredientReading

_KINDS = "c2pa.hash."
_MAX_NAMED = 5
_NARROWING = ("subset", "length", "version", "flags")
"""What else an exclusion of a BMFF hash can ask of a box, or leave out of it in part."""
_WIDE_PERCENT = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """How much of a file its hard binding does not cover; bytes of the manifest are not among these.

    Attributes:
        bytes: that can be changed without anybody noticing; an upper bound where ``exact`` is False.
        at_least: those of them that can be for certain, as many where ``exact`` is True.
        size: of the whole file, with the manifest in it.
        percent: ``bytes`` of ``size``, 0 to 100, to two digits.
        exact: False: the binding names parts of the file, and which bytes these are cannot be told here.
    """

    bytes: int
    at_least: int
    size: int
    percent: float
    exact: bool

    @property
    def wide(self) -> bool:
        """Whether it is more than headers and padding take, so that it should not be overlooked."""
        return 100 * self.at_least > _WIDE_PERCENT * self.size


def how_much(hashes: Mapping[str, Any], embedded: Embedded, size: int | None) -> LeftOut | None:
    """How much of the file ``hashes`` do not cover, with what is open around its manifest.

    Returns:
        None where all of it is bound, and for a manifest that was read without its file.
    """
    return None if size is None else share((*embedded.open, *_left_out(hashes, embedded, size)), size)


def share(ranges: Iterable[OpenRange], size: int) -> LeftOut | None:
    """How much of a file of ``size`` bytes is in ``ranges``, each byte once.

    Returns:
        None where all of it is bound.
    """
    parts = tuple(ranges)
    count, certain = _length(parts, size), _length((one for one in parts if one.exact), size)
    if not count:
        return None
    percent = round(100 * count / size, 2)
    return LeftOut(bytes=count, at_least=certain, size=size, percent=percent, exact=certain == count)


def _length(ranges: Iterable[OpenRange], size: int) -> int:
    count, reached = 0, 0
    for one in sorted(ranges):
        end = min(one.end, size)
        count += max(0, end - max(one.start, reached))
        reached = max(reached, end)
    return count


def binding(
    found: Mapping[str, Any],
    store: bytes,
    manifests: Mapping[str, Superbox],
    history: Sequence[IngredientReading],
) -> Mapping[str, Any]:
    """The hard bindings among ``found``; of an update manifest those of the manifest it updates (§11.2.3)."""
    for said in chain((found,), ancestors(store, manifests, history)):
        if hashes := {label: data for label, data in said.items() if label.startswith(_KINDS)}:
            return hashes
    return {}


def left_out(hashes: Mapping[str, Any], embedded: Embedded, size: int | None) -> tuple[str, ...]:
    """Ranges of the file that ``hashes`` do not cover and that hold no manifest.

    Args:
        hashes: label to value of the hard bindings.
        embedded: where the manifest lies, and the boxes of the file.
        size: of the file; None for a manifest that was read without it.
    """
    return lines(_left_out(hashes, embedded, size))


def _left_out(hashes: Mapping[str, Any], embedded: Embedded, size: int | None) -> tuple[OpenRange, ...]:
    result: list[OpenRange] = []
    for label, data in hashes.items():
        if is_label(label, "c2pa.hash.data"):
            result += _ranges(as_map(data), embedded)
        elif is_label(label, "c2pa.hash.bmff") and embedded.boxes:
            result += _boxes(as_map(data), embedded)
        elif size is not None:
            result.append(OpenRange(0, size, _parts(label, as_map(data)), exact=False))
    if not hashes and size is not None:
        untold = "the manifest has no binding that says what it covers"
        result.append(OpenRange(0, size, untold, exact=False))
    return tuple(result)


def around_signature(block: SignatureBlock, embedded: Embedded, *, proven: bool) -> tuple[str, ...]:
    """What stands in the signature's box and is covered by no hash.

    A time-stamp that holds is listed as well: its signature covers the time and its digest, and neither the
    structure around them (RFC 5652 §5.3, §5.4) nor certificates that nobody needed.

    Args:
        block: the signature of the active manifest.
        embedded: where the manifest lies.
        proven: whether a time-stamp in it is over this signature; otherwise its bytes can be anything.
    """
    alone = ", which vouches for itself alone" if proven else ""
    unsigned = ((one, "") for one in block.unsigned)
    return tuple(
        f"{named(embedded, one.start, one.end)}: {one.reason} beside the signature{more}"
        for one, more in (*unsigned, *((one, alone) for one in block.stamps))
    )


def named(embedded: Embedded, start: int, end: int) -> str:
    """A range of the manifest store, where it lies in the file."""
    low, high = embedded.file_range(start, end)
    return f"bytes {low}-{high - 1}{'' if embedded.spans else ' of the manifest beside the file'}"


def _parts(label: str, data: Mapping[str, Any]) -> str:
    """Of a binding that names parts of a file (§18.8): which parts they are depends on who reads it."""
    if not is_label(label, "c2pa.hash.boxes"):
        return f"the binding {label[:60]} is of a kind that is not followed here"
    maps = [as_map(item) for item in as_list(data.get("boxes"))]
    open_ = (item for item in maps if item.get("excluded") or item.get("exclusions"))
    names = [text(name) for item in open_ for name in as_list(item.get("names"))]
    chosen = f"; its signer left out all or some of {', '.join(names[:_MAX_NAMED])}" if names else ""
    more = " and more" if len(names) > _MAX_NAMED else ""
    return f"bound part by part, which leaves out whatever follows the last part{chosen}{more}"


def _ranges(data: Mapping[str, Any], embedded: Embedded) -> Iterator[OpenRange]:
    """Exclusions of a data hash."""
    for item in map(as_map, as_list(data.get("exclusions"))):
        for low, high in _gap(item.get("start"), item.get("length"), embedded.spans):
            yield OpenRange(low, high, "left out of the hash by the signer")


def _gap(start: object, length: object, spans: tuple[tuple[int, int], ...]) -> Iterator[tuple[int, int]]:
    if isinstance(start, int) and isinstance(length, int) and length > 0:
        yield from _without(start, start + length, spans)


def _without(start: int, end: int, spans: tuple[tuple[int, int], ...]) -> Iterator[tuple[int, int]]:
    for low, high in sorted(spans):
        if start < min(low, end):
            yield start, min(low, end)
        start = max(start, high)
    if start < end:
        yield start, end


def _boxes(data: Mapping[str, Any], embedded: Embedded) -> Iterator[OpenRange]:
    """Boxes that a BMFF hash leaves out (§18.7): the file type, free space, and whatever its signer chose."""
    for item in map(as_map, as_list(data.get("exclusions"))):
        names = text(item.get("xpath")).strip("/").split("/")
        if names == ["mdat"] and data.get("merkle"):
            continue  # hashed piece by piece instead
        for box, head in embedded.boxes:
            # The library writes the type of a box as UTF-8, with the same sign for all that is none.
            kind = box.kind.decode("utf-8", "replace")
            if kind != names[0] or (box.start, box.end) in embedded.spans or not _chosen(item, head):
                continue
            alone = len(names) == 1 and not _narrowed(item, head)
            which = f"{kind} box" if len(names) == 1 else f"{'/'.join(names)} in this box"
            # Only the boxes of the file are known here, not those inside: there may be none such.
            yield OpenRange(box.start, box.end, f"{which}, which the binding leaves out", exact=alone)


def _narrowed(exclusion: Mapping[str, Any], head: bytes) -> bool:
    """Whether less than every box of a type is meant, by something that is not looked at here (§18.7.2)."""
    if any(exclusion.get(name) is not None for name in _NARROWING):
        return True
    wanted = [(one.get("offset"), one.get("value")) for one in map(as_map, as_list(exclusion.get("data")))]
    return not all(
        isinstance(at, int) and isinstance(value, bytes) and 0 <= at <= len(head) - len(value)
        for at, value in wanted
    )


def _chosen(exclusion: Mapping[str, Any], head: bytes) -> bool:
    """Whether a box that begins with ``head`` is meant; what cannot be told from that counts as meant."""
    for wanted in as_list(exclusion.get("data")):
        offset, value = as_map(wanted).get("offset"), as_map(wanted).get("value")
        if not isinstance(offset, int) or not isinstance(value, bytes):
            continue
        if 0 <= offset <= len(head) - len(value) and head[offset : offset + len(value)] != value:
            return False
    return True
