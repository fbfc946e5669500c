"""A time-stamp on the log's checkpoint: an authority that knows nothing of the log says when it was there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provenance.errors import ConfigurationError
from provenance.log.witnessed import file_stamp, stamped_bytes

if TYPE_CHECKING:
    from datetime import datetime

    from provenance.log.store import Log
    from provenance.manifest.trust import TrustLists
    from provenance.timestamp.client import TimeStamper


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointStamp:
    """A time-stamp that was filed.

    Attributes:
        size: entries that the checkpoint covers.
        at: the authority's time, UTC.
        listed: the list that vouches for the authority, with its tier; None: no list here does.
    """

    size: int
    at: datetime
    listed: str | None


def stamp_checkpoint(log: Log, stamper: TimeStamper | None, trust: TrustLists) -> CheckpointStamp:
    """Ask for a time-stamp on the current checkpoint, check it, and file it beside that checkpoint.

    Raises:
        ConfigurationError: ``timestamp.not-configured``, ``timestamp.unavailable``.
    """
    from provenance.timestamp.token import authority_of  # noqa: PLC0415 - cryptography

    if stamper is None:
        raise ConfigurationError(
            "timestamp.not-configured",
            "no time-stamp authority is named in the settings",
            hint='add [timestamp] with authorities = ["https://…"] to config.toml',
        )
    note, head = log.note(), log.checkpoint()
    stamp = stamper.stamp(stamped_bytes(note, log.verifier))
    file_stamp(log, stamp.token, head, note)
    path = authority_of(stamp, trust)
    listed = None if path is None else f"the list {path.found.name} ({path.found.tier.value})"
    return CheckpointStamp(size=head.size, at=stamp.at, listed=listed)
