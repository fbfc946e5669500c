"""``Attestor``: the side of a release that has the signing key, the log and the registry.

It takes bytes and gives them back signed, logged and decided on (steps 3 to 6), and logs the ALLOW once
they lie on the disk (step 8). ``InProcess`` does that here; ``guard.signer.client`` asks a process that
has the keys for itself. A release cannot tell the two apart.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from guard.attest import read_back, sign
from guard.errors import Denied
from guard.inspect import publish_facts
from guard.ledger import log_decision, log_manifest, remember
from guard.policy.decide import decide
from guard.policy.decision import Stage
from guard.recovery import Books, OwnBooks
from guard.submission import Attested

if TYPE_CHECKING:
    from collections.abc import Callable

    from guard.policy.decision import Decision
    from guard.policy.facts import Facts
    from guard.submission import Sealed, Submission
    from guard.tools import Tools


def unheard(_step: str) -> None:
    """Nobody listens to the progress."""


class Attestor(Books, Protocol):
    """Signs, reads back, logs and decides; its books say afterwards how a release ended."""

    def reserve(self) -> bytes:
        """A content id that the marking key has not used before."""
        ...

    def attest(
        self,
        work: Submission,
        *,
        note: Callable[[str, str], None],
        progress: Callable[[str], None] = unheard,
    ) -> Attested:
        """Steps 3 to 6: sign, read back, log the manifest, decide for exactly those bytes.

        Args:
            work: what is to be signed.
            note: called with the digests of the final bytes and of their manifest before anything can be
                allowed under them, so that a crash can be mended.
            progress: called with the name of each step once it is done.

        Raises:
            Denied: policy said no; that is in the log.
            Error: it could not be signed, or the result does not read as it has to.
        """
        ...

    def allow(self, attested: Attested) -> int:
        """Step 8: log the ALLOW under a new checkpoint; its index."""
        ...

    def conclude(self, attested: Attested, index: int) -> None:
        """After the last step: the registry says that it is released, and where the log says so."""
        ...


@dataclass(frozen=True, slots=True)
class InProcess:
    """The same with keys that this process has."""

    tools: Tools

    def reserve(self) -> bytes:
        """See ``Attestor``."""
        from provenance.watermark.interface import new_content_id  # noqa: PLC0415

        tools = self.tools
        key = tools.marker.key
        while True:
            content_id = new_content_id(tools.random)
            if tools.registry.reserve(tools.marker.algorithm, key.key_id, key.epoch, content_id):
                return content_id

    def attest(
        self,
        work: Submission,
        *,
        note: Callable[[str, str], None],
        progress: Callable[[str], None] = unheard,
    ) -> Attested:
        """See ``Attestor``."""
        tools = self.tools
        spec = replace(work.spec, log_checkpoint=tools.log.note().decode())
        sealed = sign(replace(work, spec=spec), tools)  # (3)
        progress("signed")
        proof = read_back(sealed, tools.marker)  # (4)
        progress("read back")
        note(sealed.asset.sha256, sealed.manifest_sha256)
        remember(sealed, tools)
        leaf = log_manifest(sealed, tools)  # (5)
        progress("manifest logged")
        facts = publish_facts(sealed, proof, algorithm=tools.marker.algorithm, logged=True)
        decision = self._decided(sealed, facts)  # (6)
        return Attested(sealed=sealed, proof=proof, decision=decision, leaf=leaf)

    def allow(self, attested: Attested) -> int:
        """See ``Attestor``."""
        return log_decision(attested.decision, attested.sealed, self.tools)

    def conclude(self, attested: Attested, index: int) -> None:
        """See ``Attestor``."""
        self.tools.registry.mark_released(attested.sealed.manifest_sha256, index)

    def require_latest(self) -> None:
        """See ``Books``."""
        self._books.require_latest()

    def outcome(self, manifest_sha256: str, asset_sha256: str) -> int | None:
        """See ``Books``."""
        return self._books.outcome(manifest_sha256, asset_sha256)

    def manifest(self, manifest_sha256: str, asset_sha256: str) -> bytes | None:
        """See ``Books``."""
        return self._books.manifest(manifest_sha256, asset_sha256)

    @property
    def _books(self) -> OwnBooks:
        return OwnBooks(log=self.tools.log, registry=self.tools.registry)

    def _decided(self, sealed: Sealed, facts: Facts) -> Decision:
        """A refusal of final bytes is logged as well.

        Raises:
            Denied: policy said no.
        """
        tools = self.tools
        decision = decide(tools.packs, Stage.PUBLISH, facts, now=tools.clock(), subject=sealed.asset.sha256)
        if not decision.allowed:
            log_decision(decision, sealed, tools)
            raise Denied(decision, unmarked=sealed.work.making.unmarked_reason)
        return decision
