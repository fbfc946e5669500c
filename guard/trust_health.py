"""What a person should know about a trust list in place: it is getting old, and so are its certificates."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from provenance.manifest.reading import TrustTier
from provenance.manifest.trust_certificates import contents_of

if TYPE_CHECKING:
    from datetime import datetime

    from provenance.manifest.trust import TrustList

_OLD = timedelta(days=180)
"""The official lists change every few weeks; one of half a year ago lacks signers of today."""


def health(one: TrustList, now: datetime) -> tuple[str, ...]:
    """Sentences about one list, none where all is well. Old roots of this installation's own are no news."""
    if one.tier is TrustTier.DEVELOPMENT:
        return ()
    contents = contents_of(one.pem)
    notes = [f"{one.name}: {item} expired on {item.not_after:%Y-%m-%d}" for item in contents.expired(now)]
    notes += [f"{one.name}: {item} ends on {item.not_after:%Y-%m-%d}" for item in contents.ending(now)]
    if one.source is not None and now.date() - one.date > _OLD:
        notes.append(f"{one.name}: the list is of {one.date}; guard trust update {one.name} asks for a newer")
    return tuple(notes)
