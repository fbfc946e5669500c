"""One client of the signer: what it may ask, and what becomes of its work when it goes away.

A client's bytes are signed and logged first, and given to it only where the decision is ALLOW. The ALLOW
itself is logged when the client says that they lie on its disk: for that digest, by the connection that it
was decided for, once. A connection that ends before leaves a manifest leaf without ALLOW, which is by
definition unreleased, and no registry entry.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from guard import __version__
from guard.errors import Denied
from guard.policy.obligations import Plan
from guard.signer.examine import examined
from guard.signer.facts import facts_from_wire
from guard.signer.failures import error_to_wire
from guard.signer.office import contradicted
from guard.signer.values import from_wire
from guard.signer.wire import PROTOCOL, malformed
from guard.submission import Making, Submission
from provenance.errors import Error
from provenance.manifest.spec import ManifestSpec
from provenance.media import Asset
from provenance.registry_entry import UNMARKED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from guard.attestor import InProcess
    from guard.signer.office import Office
    from guard.signer.wire import Message, Wire
    from guard.submission import Attested
    from provenance.canonical import Json
    from provenance.stored import Bytes

    Reply = tuple[Mapping[str, Json], Sequence[Bytes]]

_SHA256 = re.compile(r"[0-9a-f]{64}")
_HEX = re.compile(r"(?:[0-9a-f]{2}){8,32}")


class Session:
    """Answers one connection, message by message.

    Args:
        office: what the sessions share.
        wire: the connection.
        uid: the user at the other end, as the kernel says.
    """

    def __init__(self, office: Office, wire: Wire, *, uid: int) -> None:
        self._office = office
        self._wire = wire
        self._uid = uid
        self._attested: Attested | None = None

    def run(self, patient: Callable[[], bool]) -> None:
        """Until the client is done, breaks a rule of the wire, or ``patient`` says no between releases."""
        with self._office.home.registry() as registry:
            desk = self._office.desk(registry)
            try:
                self._greet()
                while message := self._wire.receive(patient=lambda: self._attested is not None or patient()):
                    self._answer(message, desk)
            except Error as error:
                self._hang_up(error)
            finally:
                self._forget(desk)
                self._wire.close()

    def _greet(self) -> None:
        key = self._office.tools.marker.key
        self._wire.send({"ok": PROTOCOL, "version": __version__, "locator": [key.key_id, key.epoch]})

    def _answer(self, message: Message, desk: InProcess) -> None:
        operation = _OPERATIONS.get(str(message.header.get("op")))
        if operation is None:
            raise malformed("it asks for nothing that is known here")
        try:
            reply, parts = operation(self, message, desk)
        except Error as error:
            if error.code == "signer.message":
                raise
            self._wire.send(error_to_wire(error))
        else:
            self._wire.send({"ok": PROTOCOL, **reply}, parts)

    def _hang_up(self, error: Error) -> None:
        """Say why, to a peer that may have gone."""
        self._say(f"{error.code}: {error.what}")
        try:
            self._wire.send(error_to_wire(error))
        except Error as gone:
            self._say(f"{gone.code}: could not be told")

    def _forget(self, desk: InProcess) -> None:
        """What was decided and never asked for again was not released."""
        if self._attested is not None:
            sealed, self._attested = self._attested.sealed, None
            self._office.settle(desk, sealed.manifest_sha256, sealed.asset.sha256)
            self._say("gone before its bytes lay on the disk; not released")

    def _say(self, what: str) -> None:
        self._office.say(f"uid {self._uid}: {what}")

    def reserve(self, _message: Message, desk: InProcess) -> Reply:
        """A content id that was never used."""
        return {"content_id": desk.reserve().hex()}, ()

    def attest(self, message: Message, desk: InProcess) -> Reply:
        """Steps 3 to 6; signed bytes come back where the decision is ALLOW."""
        if self._attested is not None:
            raise malformed("the release before was neither finished nor given up")
        started, work = time.monotonic(), _submission(message)
        with self._office.turn(work.content_id):
            found = self._decided(work, desk)
        self._attested = found
        self._say(f"manifest signed and allowed, entry {found.leaf}, {time.monotonic() - started:.2f} s")
        reply: dict[str, Json] = {"decision": found.decision.to_json(), "leaf": found.leaf}
        return reply, (found.sealed.asset.content, found.sealed.manifest)

    def _decided(self, work: Submission, desk: InProcess) -> Attested:
        """Steps 3 to 6; nothing stays pending of what comes to no ALLOW."""
        noted: list[tuple[str, str]] = []

        def note(asset_sha256: str, manifest_sha256: str) -> None:
            noted.append((manifest_sha256, asset_sha256))
            self._office.note(manifest_sha256)

        try:
            desk.require_latest()
            _require_unused(work.content_id, desk)
            return desk.attest(examined(work, desk.tools), note=note)
        except BaseException as error:
            for digests in noted:
                self._office.settle(desk, *digests)
            if isinstance(error, Denied):
                self._say(f"{error.code} at {error.where}")
            raise

    def allow(self, message: Message, desk: InProcess) -> Reply:
        """Step 8, for the bytes that this connection was given, once."""
        found, header = self._attested, message.header
        asked = header.get("asset_sha256"), header.get("manifest_sha256")
        if found is None or asked != (found.sealed.asset.sha256, found.sealed.manifest_sha256):
            raise contradicted("no ALLOW waits for these bytes on this connection")
        index = self._office.allow(desk, found)
        self._attested = None
        self._say(f"released, entry {index}")
        return {"index": index}, ()

    def outcome(self, message: Message, desk: InProcess) -> Reply:
        """How a release ended, for a client that lost track of it."""
        digests = tuple(message.header.get(name) for name in ("manifest_sha256", "asset_sha256"))
        if not all(isinstance(one, str) and _SHA256.fullmatch(one) for one in digests):
            raise malformed("a digest is not one")
        manifest_sha256, asset_sha256 = str(digests[0]), str(digests[1])
        index = self._office.settle(desk, manifest_sha256, asset_sha256)
        manifest = None if index is None else desk.manifest(manifest_sha256, asset_sha256)
        return {"index": index}, () if manifest is None else (manifest,)

    def find(self, message: Message, desk: InProcess) -> Reply:
        """The manifest number ``at`` of those that a mark leads to."""
        words, at, epoch = message.header, message.header.get("at"), message.header.get("epoch")
        algorithm, key_id = words.get("algorithm"), words.get("key_id")
        if not (isinstance(algorithm, str) and isinstance(key_id, str) and type(at) is type(epoch) is int):
            raise malformed("what a mark says is not in form")
        known = desk.tools.registry.find(algorithm, key_id, epoch, _bytes(words, "content_id"))
        if not 0 <= at < len(known):
            return {"found": False}, ()
        one = known[at]
        told = {name: getattr(one, name) for name in ("asset_sha256", "mime", "created_at", "log_index")}
        return {"found": True, **told}, (one.manifest,)

    def ready(self, _message: Message, desk: InProcess) -> Reply:
        """Whether anything can be released, and what with."""
        desk.require_latest()
        checkpoint = desk.tools.log.checkpoint()
        packs = [f"{pack.name} {pack.version}" for pack in desk.tools.packs]
        return {"log": checkpoint.origin, "entries": checkpoint.size, "packs": packs}, ()

    def join(self, _message: Message, _desk: InProcess) -> Reply:
        """What a new client's home needs."""
        from guard.signer.joining import handed_out  # noqa: PLC0415 - once in the life of a client

        return handed_out(self._office.home), ()


_OPERATIONS: Mapping[str, Callable[[Session, Message, InProcess], Reply]] = {
    "reserve": Session.reserve,
    "attest": Session.attest,
    "allow": Session.allow,
    "outcome": Session.outcome,
    "find": Session.find,
    "ready": Session.ready,
    "join": Session.join,
}
"""What a client may ask for."""


def _submission(message: Message) -> Submission:
    """What is to be signed, with every claim marked as such by those who read it.

    Raises:
        InputError: ``signer.message``, or what the values themselves raise.
    """
    header, parts = message.header, message.parts
    source = header.get("source")
    return Submission(
        asset=from_wire(Asset, header.get("asset"), parts),
        spec=from_wire(ManifestSpec, header.get("spec"), parts),
        source=None if source is None else from_wire(Asset, source, parts),
        plan=from_wire(Plan, header.get("plan")),
        before=facts_from_wire(header.get("facts")),
        content_id=_bytes(header, "content_id"),
        commitment_key=_bytes(header, "commitment_key"),
        making=from_wire(Making, header.get("making")),
        untouched=_flag(header, "untouched"),
    )


def _flag(header: Mapping[str, Any], name: str) -> bool:
    found = header.get(name)
    if not isinstance(found, bool):
        raise malformed(f"{name} is not in form")
    return found


def _bytes(header: Mapping[str, Any], name: str) -> bytes:
    found = header.get(name)
    if not isinstance(found, str) or not _HEX.fullmatch(found):
        raise malformed(f"{name} is not in form")
    return bytes.fromhex(found)


def _require_unused(content_id: bytes, desk: InProcess) -> None:
    """An id is good for one release, whoever reserved it; here it is claimed if nobody did.

    Raises:
        InputError: ``signer.contradicted``.
    """
    tools, key = desk.tools, desk.tools.marker.key
    place = key.key_id, key.epoch, content_id
    if len(content_id) != 8:
        raise malformed("a content id has 8 bytes")
    tools.registry.reserve(tools.marker.algorithm, *place)
    for algorithm in (tools.marker.algorithm, UNMARKED):
        if tools.registry.find(algorithm, *place, include_pending=True):
            raise contradicted("this content id was used before")
