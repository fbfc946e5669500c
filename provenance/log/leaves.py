"""What may be written into the log: three kinds of leaf, and nothing that says who or what was asked.

No prompts, names, paths or hosts; digests of released bytes, and keyed commitments for the rest. A leaf
is one canonical JSON object, so equal leaves are equal bytes and a parsed leaf gives back its own bytes.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from provenance.canonical import canonical_bytes
from provenance.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provenance.log.store import Log

Action: TypeAlias = Literal["allow", "review", "deny"]
ALLOW: Action = "allow"
REVIEW: Action = "review"
DENY: Action = "deny"
_ACTIONS = (ALLOW, REVIEW, DENY)
VERSION = 1
_HEX_SHA256 = re.compile(r"[0-9a-f]{64}")
_LATEST_TIME = 253_402_300_799
"""End of the year 9999; a time beyond it is an error, not a date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestLeaf:
    """A manifest was made. Without a later ALLOW for it, it was never released.

    Attributes:
        manifest_sha256: hex digest of the manifest's bytes.
        content_commitment: hex HMAC, under a per-record key, of what ties the manifest to its content.
        time: seconds since 1970 by the writer's clock; claimed, not proven.
    """

    type: ClassVar[str] = "manifest"

    manifest_sha256: str
    content_commitment: str
    time: int

    def __post_init__(self) -> None:
        _require_digests(self.manifest_sha256, self.content_commitment)
        _require_time(self.time)

    def to_bytes(self) -> bytes:
        """The log entry."""
        return _encoded(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionLeaf:
    """A decision was taken, for or against.

    Attributes:
        action: what the policy said.
        decision_commitment: hex HMAC, under a per-record key, of the canonical decision: its facts say
            something about the prompt.
        subject_sha256: hex digest of the bytes decided on; for denied content, which nobody may look up
            by its digest, a keyed commitment in its place.
        manifest_sha256: hex digest of the manifest in those bytes; None when the decision came before it.
        time: seconds since 1970 by the writer's clock; claimed, not proven.
    """

    type: ClassVar[str] = "decision"

    action: Action
    decision_commitment: str
    subject_sha256: str
    manifest_sha256: str | None
    time: int

    def __post_init__(self) -> None:
        if self.action not in _ACTIONS:
            raise ValueError(f"{self.action!r} is no action")
        _require_digests(self.decision_commitment, self.subject_sha256)
        if self.manifest_sha256 is not None:
            _require_digests(self.manifest_sha256)
        _require_time(self.time)

    def to_bytes(self) -> bytes:
        """The log entry."""
        return _encoded(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalLeaf:
    """A manifest was recalled by whoever released it.

    Attributes:
        manifest_sha256: hex digest of the manifest's bytes.
        reason_commitment: hex HMAC of the reason, under a salt that is published beside it: free text that
            must be erased one day does not stand in the log.
        time: seconds since 1970 by the writer's clock; claimed, not proven.
    """

    type: ClassVar[str] = "withdrawal"

    manifest_sha256: str
    reason_commitment: str
    time: int

    def __post_init__(self) -> None:
        _require_digests(self.manifest_sha256, self.reason_commitment)
        _require_time(self.time)

    def to_bytes(self) -> bytes:
        """The log entry."""
        return _encoded(self)


Leaf: TypeAlias = ManifestLeaf | DecisionLeaf | WithdrawalLeaf
_TYPES: dict[str, type[ManifestLeaf] | type[DecisionLeaf] | type[WithdrawalLeaf]] = {
    ManifestLeaf.type: ManifestLeaf,
    DecisionLeaf.type: DecisionLeaf,
    WithdrawalLeaf.type: WithdrawalLeaf,
}


def parse_leaf(entry: bytes) -> Leaf:
    """The leaf whose bytes are ``entry``, exactly.

    Raises:
        IntegrityError: ``log.leaf-malformed`` for anything that ``to_bytes`` would not have written.
    """
    try:
        stored: Any = json.loads(entry)
        kind = _TYPES[stored.pop("type")]
        if stored.pop("v") != VERSION or set(stored) != {entry_field.name for entry_field in fields(kind)}:
            raise _malformed("unknown version or fields")
        leaf = kind(**stored)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _malformed(str(error)) from error
    if leaf.to_bytes() != entry:
        raise _malformed("it is not in canonical form")
    return leaf


def leaves(log: Log, start: int = 0) -> Iterator[tuple[int, Leaf]]:
    """All leaves from ``start`` with their index, each checked against its hash and parsed."""
    for index, entry in log.entries(start):
        yield index, parse_leaf(entry)


def decisions_for(log: Log, manifest_sha256: str) -> tuple[tuple[int, DecisionLeaf], ...]:
    """Every decision about the manifest, oldest first, with its index. Reads the whole log."""
    found = ((index, leaf) for index, leaf in leaves(log) if isinstance(leaf, DecisionLeaf))
    return tuple((index, leaf) for index, leaf in found if leaf.manifest_sha256 == manifest_sha256)


def allowed_at(log: Log, manifest_sha256: str, subject_sha256: str) -> int | None:
    """Index of the ALLOW for exactly these bytes under this manifest; None when they were never released."""
    for index, leaf in reversed(decisions_for(log, manifest_sha256)):
        if leaf.action == ALLOW and leaf.subject_sha256 == subject_sha256:
            return index
    return None


def unreleased(log: Log) -> tuple[tuple[int, ManifestLeaf], ...]:
    """Manifest leaves without any ALLOW behind them: what a crash or a denial left. Reads the whole log."""
    waiting: dict[str, tuple[int, ManifestLeaf]] = {}
    for index, leaf in leaves(log):
        if isinstance(leaf, ManifestLeaf):
            waiting[leaf.manifest_sha256] = (index, leaf)
        elif isinstance(leaf, DecisionLeaf) and leaf.action == ALLOW and leaf.manifest_sha256 is not None:
            waiting.pop(leaf.manifest_sha256, None)
    return tuple(waiting.values())


def _encoded(leaf: Leaf) -> bytes:
    return canonical_bytes({"v": VERSION, "type": leaf.type, **asdict(leaf)})


def _require_digests(*values: object) -> None:
    for value in values:
        if not isinstance(value, str) or not _HEX_SHA256.fullmatch(value):
            raise ValueError(f"{value!r} is not the lower-case hex of 32 bytes")


def _require_time(value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LATEST_TIME:
        raise ValueError(f"{value!r} is not a time in whole seconds")


def _malformed(why: str) -> IntegrityError:
    return IntegrityError("log.leaf-malformed", f"a log entry is no leaf known here: {why[:200]}")
