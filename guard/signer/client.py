"""The client's side: the ``Attestor`` of a release whose keys are in the signer process.

What comes back is not believed either: the bytes have to be those of the decision, and our own reader has
to find in them the manifest that was asked for.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from guard.attest import read_back
from guard.attestor import unheard
from guard.policy.decision import Stage, authorise
from guard.signer.connecting import ask, connect
from guard.signer.decisions import received_decision
from guard.signer.facts import facts_to_wire
from guard.signer.values import to_wire
from guard.signer.wire import Wire, malformed
from guard.submission import Attested, Sealed
from provenance.errors import IntegrityError
from provenance.manifest.read import read_manifest
from provenance.media import Asset
from provenance.registry_entry import MOST_UNDER_ONE_ID, RegistryEntry, found_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from guard.signer.wire import Message
    from guard.submission import Submission
    from guard.tools import Marker
    from provenance.canonical import Json
    from provenance.manifest.trust import TrustLists
    from provenance.registry_entry import Found
    from provenance.stored import Bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteAttestor:
    """Asks the signer at a socket; implements ``guard.attestor.Attestor`` and
    ``provenance.registry_entry.Lookup``.

    Attributes:
        path: of the socket.
        marker: reads the mark of what comes back; its key has to be the signer's.
        trust: lists that what comes back is held against.
        clock: the time, in UTC.
        waiting: connections whose ALLOW is not logged yet, by the digest of their manifest.
    """

    path: Path
    marker: Marker
    trust: TrustLists
    clock: Callable[[], datetime]
    waiting: dict[str, Wire] = field(default_factory=dict)

    def reserve(self) -> bytes:
        """See ``Attestor``."""
        content_id = self._ask({"op": "reserve"}).header.get("content_id")
        if not isinstance(content_id, str):
            raise malformed("no content id came back")
        return bytes.fromhex(content_id)

    def attest(
        self,
        work: Submission,
        *,
        note: Callable[[str, str], None],
        progress: Callable[[str], None] = unheard,
    ) -> Attested:
        """See ``Attestor``. The connection stays open until ``allow``."""
        wire = connect(self.path, self.marker)
        try:
            parts: list[Bytes] = []
            reply = ask(wire, _told(work, parts), parts)
            attested = self._received(work, reply)
            sealed = attested.sealed
            note(sealed.asset.sha256, sealed.manifest_sha256)
            for step in ("signed", "read back", "manifest logged"):
                progress(step)
        except BaseException:
            wire.close()
            raise
        self.waiting[sealed.manifest_sha256] = wire
        return attested

    def allow(self, attested: Attested) -> int:
        """See ``Attestor``."""
        sealed = attested.sealed
        wire = self.waiting.pop(sealed.manifest_sha256)
        try:
            reply = ask(wire, {"op": "allow", **_digests(sealed.manifest_sha256, sealed.asset.sha256)})
        finally:
            wire.close()
        return _index(reply)

    def conclude(self, attested: Attested, index: int) -> None:
        """See ``Attestor``; the signer did that when it logged the ALLOW."""

    def close(self) -> None:
        """Give up what waits for its ALLOW; the signer notices."""
        while self.waiting:
            self.waiting.popitem()[1].close()

    def require_latest(self) -> None:
        """See ``guard.recovery.Books``: whether the signer can log at all."""
        self._ask({"op": "ready"})

    def outcome(self, manifest_sha256: str, asset_sha256: str) -> int | None:
        """See ``guard.recovery.Books``."""
        reply = self._settled(manifest_sha256, asset_sha256)
        return None if reply.header.get("index") is None else _index(reply)

    def manifest(self, manifest_sha256: str, asset_sha256: str) -> bytes | None:
        """See ``guard.recovery.Books``."""
        parts = self._settled(manifest_sha256, asset_sha256).parts
        return bytes(parts[0]) if parts else None

    @property
    def notes(self) -> tuple[str, ...]:
        """See ``provenance.registry_entry.Lookup``."""
        return ()

    def look_up(self, algorithm: str, key_id: str, epoch: int, content_id: bytes) -> Found:
        """Released manifests of the signer's registry for the id in a mark."""
        mark: dict[str, Json] = {
            "algorithm": algorithm,
            "key_id": key_id,
            "epoch": epoch,
            "content_id": content_id.hex(),
        }
        found: list[RegistryEntry] = []
        with self._connected() as wire:
            while len(found) <= MOST_UNDER_ONE_ID:
                reply = ask(wire, {"op": "find", "at": len(found), **mark})
                if reply.header.get("found") is not True:
                    break
                found.append(_entry(reply, algorithm, key_id, epoch, content_id))
        return found_of(tuple(found), "the signer's registry")

    def clips(self, most: int) -> tuple[RegistryEntry, ...]:  # noqa: ARG002 - as ``Lookup`` has it
        """None: clips are compared where the registry is."""
        return ()

    def _settled(self, manifest_sha256: str, asset_sha256: str) -> Message:
        """A release given up here is given up there, too."""
        wire = self.waiting.pop(manifest_sha256, None)
        if wire is not None:
            wire.close()
        return self._ask({"op": "outcome", **_digests(manifest_sha256, asset_sha256)})

    def _received(self, work: Submission, reply: Message) -> Attested:
        """The signer's answer, held against what was asked of it.

        Raises:
            IntegrityError: ``signer.other-bytes``, or as ``authorise``.
        """
        if len(reply.parts) != 2 or type(reply.header.get("leaf")) is not int:
            raise malformed("no signed bytes came back")
        asset, manifest = Asset.of(reply.parts[0], work.asset.mime), bytes(reply.parts[1])
        reading = read_manifest(asset, self.trust, at=self.clock(), sidecar=None if work.inside else manifest)
        sealed = Sealed(work=work, asset=asset, manifest=manifest, reading=reading)
        if not reading.intact or reading.manifest_sha256 != sealed.manifest_sha256:
            raise _other_bytes(f"their manifest reads as {reading.state}: {reading.reason}")
        if reading.content_id != work.content_id.hex():
            raise _other_bytes("their manifest is that of another release")
        decision = received_decision(reply.header.get("decision"))
        authorise(decision, stage=Stage.PUBLISH, subject=asset.sha256)
        proof = read_back(sealed, self.marker)
        return Attested(sealed=sealed, proof=proof, decision=decision, leaf=reply.header["leaf"])

    def _ask(self, header: dict[str, Json]) -> Message:
        with self._connected() as wire:
            return ask(wire, header)

    @contextmanager
    def _connected(self) -> Iterator[Wire]:
        wire = connect(self.path, self.marker)
        try:
            yield wire
        finally:
            wire.close()


def _told(work: Submission, parts: list[Bytes]) -> dict[str, Json]:
    """The request; ``parts`` takes the bytes that go with it."""
    return {
        "op": "attest",
        "asset": to_wire(work.asset, parts),
        "source": to_wire(work.source, parts),
        "spec": to_wire(work.spec, parts),
        "plan": to_wire(work.plan),
        "facts": facts_to_wire(work.before),
        "content_id": work.content_id.hex(),
        "commitment_key": work.commitment_key.hex(),
        "making": to_wire(work.making),
        "untouched": work.untouched,
    }


def _digests(manifest_sha256: str, asset_sha256: str) -> dict[str, Json]:
    return {"manifest_sha256": manifest_sha256, "asset_sha256": asset_sha256}


def _index(reply: Message) -> int:
    index = reply.header.get("index")
    if type(index) is not int:
        raise malformed("no place in the log came back")
    return index


def _entry(reply: Message, algorithm: str, key_id: str, epoch: int, content_id: bytes) -> RegistryEntry:
    told = {name: reply.header.get(name) for name in ("asset_sha256", "mime", "created_at", "log_index")}
    if len(reply.parts) != 1:
        raise malformed("no manifest came back")
    manifest = bytes(reply.parts[0])
    try:
        return RegistryEntry(
            algorithm=algorithm,
            key_id=key_id,
            epoch=epoch,
            content_id=content_id,
            manifest=manifest,
            manifest_sha256=hashlib.sha256(manifest).hexdigest(),
            state="released",
            **told,  # type: ignore[arg-type]  # the entry asks for what it needs
        )
    except (ValueError, TypeError) as error:
        raise malformed("an entry that is none came back") from error


def _other_bytes(why: str) -> IntegrityError:
    return IntegrityError(
        "signer.other-bytes",
        f"what came back from the signer is not what was asked for: {why}",
        hint="see that the socket is the signer's own; guard doctor shows which one is used",
    )
