"""A log as it is looked at: the installation's own, or a published copy of anybody's with its public key.

Both are checked by the same code, against the same things: every entry and hash, the checkpoints that
witnesses signed, and whatever earlier checkpoints are given. Nothing here writes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from provenance.errors import ConfigurationError, IntegrityError
from provenance.log.audit import Earlier, LogProblem, audit
from provenance.log.published import Published, PublishedTiles
from provenance.log.vouchers import Voucher, by_witnesses, told
from provenance.log.witnessed import stamps, witnessed, witnesses

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from guard.home import Home
    from provenance.log.audit import LogReport
    from provenance.log.checkpoint import Checkpoint, NoteVerifier
    from provenance.log.cosignature import WitnessVerifier
    from provenance.log.witnessed import Witnessed
    from provenance.manifest.trust import TrustLists


@dataclass(frozen=True, slots=True, kw_only=True)
class LogView:
    """A log for reading.

    Attributes:
        folder: where it lies.
        verifier: the key that it is held against.
        witnesses: whose cosignatures count.
        trust: lists that vouch for time-stamp authorities; None: time-stamps are not looked at.
        note: its checkpoint.
        head: the same, its signature checked.
        tiles: its files.
    """

    folder: Path
    verifier: NoteVerifier
    witnesses: tuple[WitnessVerifier, ...]
    trust: TrustLists | None
    note: bytes
    head: Checkpoint
    tiles: PublishedTiles

    @classmethod
    def own(cls, home: Home) -> LogView:
        """The log of this installation; raises as ``Log.checkpoint``, and ``log.witness-key``."""
        log = home.log_as_found()
        note = log.note()  # says what a log without a checkpoint is; a copy knows only that it is none
        found = Published.open(home.log_folder, log.verifier)
        return cls(
            folder=home.log_folder,
            verifier=log.verifier,
            witnesses=witnesses(home.log_folder),
            trust=trust_here(home),
            note=note,
            head=found.head,
            tiles=found.tiles,
        )

    @classmethod
    def copy(
        cls,
        folder: Path,
        verifier: NoteVerifier,
        known: Sequence[WitnessVerifier] = (),
        trust: TrustLists | None = None,
    ) -> LogView:
        """A published log, or a mirror of one; raises as ``Published.open``."""
        found = Published.open(folder, verifier)
        return cls(
            folder=folder,
            verifier=verifier,
            witnesses=tuple(known),
            trust=trust,
            note=found.note,
            head=found.head,
            tiles=found.tiles,
        )

    def seen(self) -> tuple[Witnessed, ...]:
        """The checkpoints that its witnesses signed, smallest first.

        Raises:
            IntegrityError: one of them is damaged, or signed falsely.
        """
        return witnessed(self.folder, self.verifier, self.witnesses)

    def vouchers(self) -> tuple[Voucher, ...]:
        """Who vouches for how much; raises as ``seen``, and ``timestamp.invalid``."""
        return (*by_witnesses(self.seen()), *self._stamped())

    def audited(self, known: Sequence[Earlier] = ()) -> LogReport:
        """Read all of it, hold it against ``known`` and against what its witnesses signed.

        Damage to what witnesses signed is a problem of the log like any other.
        """
        failed: list[LogProblem] = []
        seen: tuple[Witnessed, ...] = ()
        vouchers: tuple[Voucher, ...] = ()
        try:
            seen = self.seen()
            vouchers = (*by_witnesses(seen), *self._stamped())
        except IntegrityError as error:
            failed.append(LogProblem(code=error.code, what=error.what))
        signed = [Earlier(note=one.note, source=f"signed by {_names(one)}") for one in seen]
        report = audit(self.tiles, self.note, self.verifier, [*known, *signed])
        problems = (*report.problems, *failed)
        # Who signed something else than this log is its accuser and not its witness.
        counted = () if problems else vouchers
        return replace(
            report,
            known_checkpoints=len(known),
            problems=problems,
            witness=told(counted, report.size),
            vouchers=counted,
        )

    def _stamped(self) -> tuple[Voucher, ...]:
        """Time-stamps of authorities that a list vouches for."""
        if self.trust is None:
            return ()
        from provenance.timestamp.token import authority_of, verify_token  # noqa: PLC0415

        found = []
        for head, data, token in stamps(self.folder, self.verifier):
            stamp = verify_token(token, data)
            path = authority_of(stamp, self.trust)
            if path is not None:
                name = f"the list {path.found.name} ({path.found.tier.value})"
                found.append(Voucher(kind="time-stamp", name=name, size=head.size, at=stamp.at))
        return tuple(found)


def require_view(view: LogView) -> LogView:
    """A view whose stored hashes give the root of its checkpoint, so that proofs can be made from it.

    Raises:
        IntegrityError: ``log.root-mismatch`` or ``log.tile-missing``.
    """
    from provenance.log.writing import checked_frontier  # noqa: PLC0415

    checked_frontier(view.tiles, view.head)
    return view


def trust_here(home: Home) -> TrustLists | None:
    """The lists of this installation; None where they cannot be read: no time-stamp counts then."""
    try:
        return home.trust()
    except (ConfigurationError, IntegrityError):
        return None


def _names(seen: Witnessed) -> str:
    return " and ".join(one.witness for one in seen.by)
