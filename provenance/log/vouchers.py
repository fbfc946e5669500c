"""Who vouches for a log beside its owner, in one line that every statement about the log ends in.

A witness that was named by whoever checks counts. A time-stamp counts where a list vouches for its
authority. Copies on the same disk, such as published files or a git repository that were handed to the
check, are told but are no witness by themselves: the log's owner may have written both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from provenance.log.audit import LOCAL_WITNESS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from provenance.log.witnessed import Witnessed


@dataclass(frozen=True, slots=True, kw_only=True)
class Voucher:
    """Somebody outside has seen the log up to a size.

    Attributes:
        kind: a witness's cosignature, or a time-stamp.
        name: the witness; for a time-stamp the list that its authority is on, with its tier.
        size: entries covered.
        at: when, by the clock of whoever vouches.
    """

    kind: Literal["cosignature", "time-stamp"]
    name: str
    size: int
    at: datetime


def by_witnesses(found: Iterable[Witnessed]) -> tuple[Voucher, ...]:
    """A voucher for each cosignature."""
    return tuple(
        Voucher(kind="cosignature", name=one.witness, size=seen.checkpoint.size, at=_moment(one.time))
        for seen in found
        for one in seen.by
    )


def told(vouchers: Sequence[Voucher], size: int) -> str:
    """Who vouches for how much of a log of ``size`` entries; it stands behind that number.

    >>> told((), 5)
    'local, no outside witness'
    """
    covering = [one for one in vouchers if 0 < one.size <= size]
    if not covering:
        return LOCAL_WITNESS
    most = max(one.size for one in covering)
    names = dict.fromkeys(_named(one) for one in covering if one.size == most)
    return f"{_part(most, size)} witnessed by {' and '.join(names)}"


def _part(most: int, size: int) -> str:
    if most < size:
        return f"the first {most} of {size} entries" if most > 1 else f"the first of {size} entries"
    return "all of them" if size > 1 else "the only one"


def _named(voucher: Voucher) -> str:
    stamp = f"{voucher.at:%Y-%m-%d %H:%M} UTC"
    if voucher.kind == "time-stamp":
        return f"a time-stamp of an authority on {voucher.name} ({stamp})"
    return f"{voucher.name} ({stamp})"


def _moment(time: int) -> datetime:
    """A time that no calendar here holds is the last one that it does: it is a claim, and shown as one."""
    return datetime.fromtimestamp(min(time, 253_402_300_799), UTC)
