"""The full check of a log: every entry, every stored hash, the root, and earlier checkpoints.

An edit, deletion, insertion or reordering changes a leaf hash; a changed hash changes its tile's parent;
changing all of them changes the root that the checkpoint signs. Whoever holds the log key can still
write another history from scratch: only a checkpoint kept elsewhere (``known``) shows that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from provenance.errors import IntegrityError
from provenance.log.checkpoint import NoteVerifier, open_by_key, open_checkpoint
from provenance.log.merkle import EMPTY_ROOT, HASH_BYTES, Frontier, leaf_hash, tree_hash
from provenance.log.tiles import TILE_WIDTH, Tiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provenance.log.checkpoint import Checkpoint
    from provenance.log.vouchers import Voucher

LOCAL_WITNESS = "local, no outside witness"
_MOST_PROBLEMS = 100
"""A destroyed log would list every entry; this many tell the story."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogProblem:
    """One contradiction between what is stored and what was signed."""

    code: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A checkpoint of the log that somebody kept.

    Attributes:
        note: with its signatures.
        source: who or what kept it, in words.
    """

    note: bytes
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogReport:
    """The result of reading a whole log.

    Attributes:
        origin: the log's name.
        size: entries that the checkpoint covers, all of which were read.
        root: hex of the signed root.
        known_checkpoints: how many earlier checkpoints the log was held against.
        known_size: entries that the largest of them covers.
        problems: the contradictions found, at most a hundred; empty means none.
        not_checked: what this report did not look at, and why.
        witness: who else vouches for this history. A log on one's own disk under one's own key: nobody.
        vouchers: the same one by one.
    """

    origin: str
    size: int
    root: str
    known_checkpoints: int
    known_size: int
    problems: tuple[LogProblem, ...]
    not_checked: tuple[str, ...] = ()
    witness: str = LOCAL_WITNESS
    vouchers: tuple[Voucher, ...] = ()

    @property
    def ok(self) -> bool:
        """True when nothing contradicts anything."""
        return not self.problems


def audit(
    tiles: Tiles, note: bytes, verifier: NoteVerifier, known: Sequence[bytes | Earlier] = ()
) -> LogReport:
    """Check everything below ``tiles`` that the checkpoint in ``note`` covers.

    Args:
        tiles: the log's files.
        note: its current signed checkpoint.
        verifier: the log's key.
        known: signed checkpoints of the same key kept from earlier times or found in published files,
            whatever name the log has in them; the problems name the source of those that have one.

    Raises:
        IntegrityError: a checkpoint itself is malformed or not signed by the log's key.
    """
    head = open_checkpoint(note, verifier)
    earlier = [_opened(kept, verifier) for kept in known]
    wanted = {kept.size for kept, _ in earlier} | {head.size}
    reading = _Reading(tiles=tiles, wanted=wanted)
    reading.read(head.size)
    problems = reading.problems
    if reading.roots.get(head.size) != head.root:
        problems.append(LogProblem(code="log.root-mismatch", what="the entries do not give the signed root"))
    for kept, source in earlier:
        if kept.size > head.size:
            what = f"a checkpoint over {kept.size} entries is known{source}, the log has {head.size}"
            problems.append(LogProblem(code="log.truncated", what=what))
        elif reading.roots.get(kept.size) != kept.root:
            what = f"the first {kept.size} entries are not those of a checkpoint known from before{source}"
            problems.append(LogProblem(code="log.forked", what=what))
    return LogReport(
        origin=head.origin,
        size=head.size,
        root=head.root.hex(),
        known_checkpoints=len(earlier),
        known_size=max((kept.size for kept, _ in earlier), default=0),
        problems=tuple(problems[:_MOST_PROBLEMS]),
    )


def _opened(kept: bytes | Earlier, verifier: NoteVerifier) -> tuple[Checkpoint, str]:
    """The checkpoint, and where it was kept as it is said in a sentence."""
    if isinstance(kept, bytes):
        return open_by_key(kept, verifier), ""
    return open_by_key(kept.note, verifier), f" ({kept.source})"


@dataclass(slots=True, kw_only=True)
class _Reading:
    """One pass over the entries, remembering the roots at the sizes that are wanted."""

    tiles: Tiles
    wanted: set[int]
    problems: list[LogProblem] = field(default_factory=list)
    roots: dict[int, bytes] = field(default_factory=dict)
    frontier: Frontier = field(default_factory=Frontier)

    def read(self, size: int) -> None:
        """Fold ``size`` entries into the tree, comparing each stored hash on the way."""
        self.roots[0] = EMPTY_ROOT
        levels: list[list[bytes]] = []
        for number in range(-(-size // TILE_WIDTH)):
            count = min(TILE_WIDTH, size - number * TILE_WIDTH)
            leaves = self._leaves(number, count)
            if leaves is None:
                return
            self._compare(0, number, leaves)
            for leaf in leaves:
                self.frontier.push(leaf)
                if self.frontier.size in self.wanted:
                    self.roots[self.frontier.size] = self.frontier.root()
            if count == TILE_WIDTH:
                self._climb(levels, number, tree_hash(leaves))
        for level, hashes in enumerate(levels, start=1):
            if hashes:
                self._compare(level, (size >> 8 * level) // TILE_WIDTH, hashes)

    def _leaves(self, number: int, count: int) -> list[bytes] | None:
        """Leaf hashes of a bundle, or None after noting that entries are missing, where reading ends."""
        try:
            return [leaf_hash(entry) for entry in self.tiles.entries(number, count)]
        except IntegrityError as error:
            what = f"{error.what}, from entry {number * TILE_WIDTH} on"
            self.problems.append(LogProblem(code=error.code, what=what))
            return None

    def _compare(self, level: int, number: int, computed: Sequence[bytes]) -> None:
        stored = self.tiles.read(level, number)
        for offset, expected in enumerate(computed):
            if stored[offset * HASH_BYTES : (offset + 1) * HASH_BYTES] != expected:
                index = number * TILE_WIDTH + offset
                code = "log.entry-changed" if level == 0 else "log.tile-changed"
                what = (
                    f"entry {index} and its hash differ"
                    if level == 0
                    else f"hash {index} of level {level} differs"
                )
                self.problems.append(LogProblem(code=code, what=what))

    def _climb(self, levels: list[list[bytes]], number: int, tile_root: bytes) -> None:
        """Add the root of full tile ``number`` of level 0 to level 1, and so on upwards."""
        current, index = tile_root, number
        for level in range(1, len(levels) + 2):
            if level > len(levels):
                levels.append([])
            levels[level - 1].append(current)
            if len(levels[level - 1]) < TILE_WIDTH:
                return
            self._compare(level, index // TILE_WIDTH, levels[level - 1])
            current, index = tree_hash(levels[level - 1]), index // TILE_WIDTH
            levels[level - 1].clear()
