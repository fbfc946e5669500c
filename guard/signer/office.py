"""What all sessions of the signer share, and the rules between them."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING

from guard.attestor import InProcess
from guard.recovery import OwnBooks, mend_interrupted
from guard.tools import Vault
from provenance.errors import ConfigurationError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from guard.home import Home
    from guard.submission import Attested
    from guard.tools import Tools
    from provenance.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """The signer's keys, and who is at work with them.

    Attributes:
        home: the signer's installation.
        tools: its keys, packs, log and clock; each session opens the registry for itself.
        say: takes one line for the journal.
        turns: so many submissions are worked on at a time.
        wait_s: how long one waits for its turn.
        decided: manifests whose ALLOW, if they get one, is not logged yet; each with a lock, held while that
            is logged or the release is settled, so that one of the two comes first.
        in_hand: content ids that are worked on.
    """

    home: Home
    tools: Tools
    say: Callable[[str], None]
    turns: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(2))
    wait_s: float = 60.0
    decided: dict[str, Lock] = field(default_factory=dict)
    in_hand: set[bytes] = field(default_factory=set)
    _one: Lock = field(default_factory=Lock)

    def desk(self, registry: Registry) -> InProcess:
        """Signs and logs for one session, which alone uses ``registry``."""
        vault = Vault(signer=self.tools.signer, registry=registry, log=self.tools.log)
        return InProcess(replace(self.tools, vault=vault))

    def mend(self) -> int:
        """What the process before this one left undecided, at the start; how much that was.

        No client is connected yet, so nothing that is pending can still be allowed. What a release of the
        signer's own user is at work on is left to it.
        """
        records, log = self.tools.records, self.tools.log
        with self.home.registry() as registry:
            mended = mend_interrupted(records, log, registry)
            at_work = {record.manifest_sha256 for record in records.unfinished()}
            left = [entry for entry in registry.pending() if entry.manifest_sha256 not in at_work]
            books = OwnBooks(log=log, registry=registry)
            for entry in left:
                books.outcome(entry.manifest_sha256, entry.asset_sha256)
        return len(mended) + len(left)

    def note(self, manifest_sha256: str) -> None:
        """From here on an ALLOW may be logged for this manifest, until the release is settled."""
        self.decided[manifest_sha256] = Lock()

    def settle(self, desk: InProcess, manifest_sha256: str, asset_sha256: str) -> int | None:
        """How a release ended; one that waits for its ALLOW gets none any more."""
        with self.decided.get(manifest_sha256) or nullcontext():
            self.decided.pop(manifest_sha256, None)
            return desk.outcome(manifest_sha256, asset_sha256)

    def allow(self, desk: InProcess, found: Attested) -> int:
        """Log the ALLOW of what was decided and not settled since; its index.

        Raises:
            InputError: ``signer.contradicted``.
        """
        manifest_sha256 = found.sealed.manifest_sha256
        with self.decided.get(manifest_sha256) or nullcontext():
            if self.decided.pop(manifest_sha256, None) is None:
                raise contradicted("this release was settled without an ALLOW")
            index = desk.allow(found)
            desk.conclude(found, index)
        return index

    @contextmanager
    def turn(self, content_id: bytes) -> Iterator[None]:
        """Work on one submission, when there is room for it.

        Raises:
            ConfigurationError: ``signer.busy``.
            InputError: ``signer.contradicted`` for an id that somebody works on already.
        """
        with self._one:
            if content_id in self.in_hand:
                raise contradicted("another connection works under this content id")
            self.in_hand.add(content_id)
        try:
            if not self.turns.acquire(timeout=self.wait_s):
                raise busy()
            try:
                yield
            finally:
                self.turns.release()
        finally:
            self.in_hand.discard(content_id)


def busy() -> ConfigurationError:
    """The error for more work than the signer takes on."""
    return ConfigurationError(
        "signer.busy",
        "the signer has as much to do as it takes on at a time",
        hint="try again, or let it take more: guard signer run --clients",
    )


def contradicted(why: str) -> InputError:
    """The error for a message whose claims its bytes, or the signer's books, refute."""
    return InputError(
        "signer.contradicted", f"the signer refuses: {why}", hint="guard doctor checks the client's side"
    )
