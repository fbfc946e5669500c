"""What a client may try that is not a release: each is refused, and the signer goes on."""

from __future__ import annotations

import os
import secrets
import socket
from dataclasses import replace

import pytest

from guard.attest import submission
from guard.errors import Denied
from guard.inspect import pixel_facts
from guard.intake import Statement, draft_of
from guard.marking import mark
from guard.plan import ask
from guard.policy.fact import Capacity, EarlierMark, Synthetic, known
from guard.policy.obligations import MarkDuty
from guard.policy.rule import Stage
from guard.records import Record
from guard.release import Order, check
from guard.signer.client import _digests, _told
from guard.signer.connecting import ask as asked
from guard.signer.connecting import connect
from guard.signer.values import to_wire
from guard.signer.wire import Wire, WireLimits
from provenance.canonical import canonical_bytes
from provenance.codecs import read_asset
from provenance.errors import Error
from provenance.log.leaves import DecisionLeaf, leaves
from provenance.manifest.reading import DigitalSourceType

AI = DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA


def actions(home) -> list[str]:
    return [leaf.action for _, leaf in leaves(home.log_as_found()) if isinstance(leaf, DecisionLeaf)]


@pytest.fixture
def work_of(tmp_path):
    """An honest submission of an asset, to be made dishonest: ``work_of(client, asset)``."""

    def make(client, asset, source=AI, watermark=None):
        said = Statement(source_type=source)
        plan = ask(Stage.PLAN, said.origin(), client, command="release").obligations
        if watermark is not None:
            plan = replace(plan, watermark=watermark)
        draft = draft_of(asset, said)
        found = replace(draft.found, earlier_mark=known(EarlierMark.NONE), origin_checked=known(True))
        draft = replace(draft, found=found)
        order = Order(draft=draft, plan=plan, command="release", folder=tmp_path)
        record = Record(
            record_id=secrets.token_hex(16),
            commitment_key=secrets.token_hex(32),
            created_at="2026-01-01T00:00:00+00:00",
            partial_path="",
            final_path="",
            content_id=client.attestor.reserve().hex(),
        )
        facts = pixel_facts(order.draft, command="release", include_prompt=False)
        checked = check(order, client, facts, record.record_id)
        marked = mark(checked, marker=client.marker, content_id=bytes.fromhex(record.content_id))
        return submission(marked, order=order, record=record, before=facts, tools=client)

    return make


def attest(client, work):
    return client.remote.attest(work, note=lambda *_: None)


def code_of(do, *arguments) -> str:
    with pytest.raises(Error) as caught:
        do(*arguments)
    return caught.value.code


# --- claims that the bytes do not bear out ---------------------------------------------------------------


def test_a_mark_that_is_not_in_the_bytes_is_not_believed(client, work_of, picture, home):
    """Said to be marked, sent as it came: no rule about marks is met by a claim."""
    work = work_of(client, picture)
    unmarked = work_of(client, picture, watermark=MarkDuty.OFF)
    lie = replace(work, asset=unmarked.asset)
    with pytest.raises(Denied) as caught:
        attest(client, lie)
    facts = caught.value.decision.facts
    assert facts["marks.watermark.detected"].value is not True
    assert facts["marks.c2pa.soft_binding_matches"].value is not True
    assert actions(home) == ["deny"]
    assert home.registry().pending() == ()


def test_a_picture_with_room_for_a_mark_does_not_leave_as_one_without(client, work_of, picture, home):
    work = work_of(client, picture, watermark=MarkDuty.OFF)
    plan = replace(work.plan, watermark=MarkDuty.IF_CAPABLE)
    lie = replace(work, plan=plan, making=replace(work.making, capacity_exceeded=True))
    with pytest.raises(Denied) as caught:
        attest(client, lie)
    assert caught.value.decision.facts["marks.watermark.capacity"].value == Capacity.NOT_CHECKED
    assert "can carry one" in caught.value.what
    assert actions(home) == ["deny"]


def test_size_and_type_and_share_of_a_model_are_those_of_the_bytes(client, work_of, picture, home):
    work = work_of(client, picture)
    media = replace(work.before.media, width=_known(9999), synthetic=_known("none"), model_made=_known(False))
    found = attest(client, replace(work, before=replace(work.before, media=media)))
    facts = found.decision.facts
    assert facts["media.width"].value == 288
    assert facts["media.synthetic"].value == "full"
    assert facts["media.model_made"].value is True


def _known(value):
    return known(Synthetic(value) if isinstance(value, str) else value)


def test_the_digest_that_is_signed_is_that_of_the_bytes(client, work_of, picture, home, photograph):
    work = work_of(client, picture)
    other = {**work.spec.digest_assertion, "coarse": "bm90aGluZw=="}
    found = attest(client, replace(work, spec=replace(work.spec, digest_assertion=other)))
    assert found.sealed.reading.digest_assertion == work.spec.digest_assertion


def test_a_manifest_for_another_id_than_the_mark_is_refused(client, work_of, picture):
    work = work_of(client, picture)
    other = client.attestor.reserve().hex()
    lie = replace(work, spec=replace(work.spec, content_id=other))
    assert code_of(attest, client, lie) == "signer.contradicted"


def test_a_mark_under_another_id_than_the_reserved_one_does_not_count(client, work_of, picture):
    work, other = work_of(client, picture), client.attestor.reserve()
    lie = replace(work, content_id=other, spec=replace(work.spec, content_id=other.hex()))
    assert code_of(attest, client, lie) == "policy.denied"


def test_a_swapped_parent_that_says_otherwise_is_refused(client, work_of, let_go, picture, home):
    generated = read_asset(let_go(client, picture).path)
    work = work_of(client, picture, source=DigitalSourceType.DIGITAL_CAPTURE)
    lie = replace(work, source=generated)
    assert code_of(attest, client, lie) == "source.contradicted"
    assert actions(home) == ["allow"]


def test_bytes_of_another_type_than_is_said_are_refused(client, work_of, picture):
    work = work_of(client, picture)
    lie = replace(work, asset=replace(work.asset, mime="image/jpeg"))
    assert code_of(attest, client, lie) == "signer.contradicted"


# --- ALLOWs that nobody decided on -------------------------------------------------------------------------


def test_an_allow_is_logged_for_the_decided_bytes_only_and_once(client, work_of, picture, home):
    found = attest(client, work_of(client, picture))
    sealed = found.sealed
    wire = client.remote.waiting[sealed.manifest_sha256]
    swapped = {"op": "allow", **_digests(sealed.manifest_sha256, "0" * 64)}
    assert code_of(asked, wire, swapped) == "signer.contradicted"
    honest = {"op": "allow", **_digests(sealed.manifest_sha256, sealed.asset.sha256)}
    elsewhere = connect(client.remote.path)
    assert code_of(asked, elsewhere, honest) == "signer.contradicted"
    elsewhere.close()
    assert actions(home) == []
    asked(wire, honest)
    assert code_of(asked, wire, honest) == "signer.contradicted"
    assert actions(home) == ["allow"]


def test_what_was_settled_gets_no_allow_any_more(client, work_of, picture, home):
    found = attest(client, work_of(client, picture))
    digests = _digests(found.sealed.manifest_sha256, found.sealed.asset.sha256)
    other = connect(client.remote.path)
    assert asked(other, {"op": "outcome", **digests}).header["index"] is None
    other.close()
    wire = client.remote.waiting[found.sealed.manifest_sha256]
    assert code_of(asked, wire, {"op": "allow", **digests}) == "signer.contradicted"
    assert actions(home) == []
    assert home.registry().pending() == ()


def test_an_id_is_good_for_one_release(client, work_of, picture, home):
    work = work_of(client, picture)
    client.remote.allow(attest(client, work))
    assert code_of(attest, client, work) == "signer.contradicted"
    assert actions(home) == ["allow"]


# --- who is not to be there, and messages that are none -----------------------------------------------------


def test_another_user_is_sent_away(signer):
    running = signer(users=frozenset({os.geteuid() + 1}))
    assert code_of(connect, running.path) == "signer.not-allowed"


def test_the_socket_is_the_owners_alone(signer):
    assert signer().path.stat().st_mode & 0o777 == 0o600


def test_more_clients_than_are_let_in_are_told_to_come_back(signer):
    running = signer(clients=1)
    first = connect(running.path)
    assert code_of(connect, running.path) == "signer.busy"
    asked(first, {"op": "ready"})
    first.close()


def test_two_signers_never_share_a_socket(signer):
    running = signer()
    assert code_of(running.server.run) == "signer.running"
    connect(running.path).close()


def raw(path) -> socket.socket:
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    peer.connect(str(path))
    peer.settimeout(30)
    return peer


def told(peer) -> str:
    """The code of the error that the signer ends with."""
    wire = Wire(peer)
    wire.receive()  # the greeting
    answer = wire.receive(wait_s=30)
    assert answer is not None
    assert wire.receive(wait_s=30) is None, "the connection is closed"
    wire.close()
    return answer.header["error"]["code"]


def framed(header: bytes) -> bytes:
    return len(header).to_bytes(4, "big") + header


GARBAGE = {
    "noise": b"\0\0\0\x10" + b"\xff" * 16,
    "a giant header": b"\xff\xff\xff\xff",
    "no JSON": framed(b"GET / HTTP/1.1\r\n"),
    "no object": framed(b"[1,2]"),
    "another form": framed(b'{"op": "ready", "parts": []}'),
    "the same key twice": framed(b'{"op":"ready","op":"join","parts":[]}'),
    "no parts": framed(canonical_bytes({"op": "ready"})),
    "a giant part": framed(canonical_bytes({"op": "attest", "parts": [2**40]})),
    "giant parts together": framed(canonical_bytes({"op": "attest", "parts": [2**29] * 3})),
    "a negative part": framed(canonical_bytes({"op": "attest", "parts": [-1]})),
    "a length that is none": framed(canonical_bytes({"op": "attest", "parts": [True]})),
    "too many parts": framed(canonical_bytes({"op": "attest", "parts": [0] * 1000})),
    "an unknown wish": framed(canonical_bytes({"op": "sign", "parts": []})),
    "depth": framed(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b',"parts":[]}'),
    "nothing to attest": framed(canonical_bytes({"op": "attest", "parts": []})),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_ends_the_connection_and_nothing_else(signer, name):
    running = signer()
    peer = raw(running.path)
    peer.sendall(GARBAGE[name])
    assert told(peer) == "signer.message"
    connect(running.path).close()


def test_whoever_sends_a_byte_at_a_time_is_dropped_and_holds_nobody_up(signer):
    running = signer(limits=WireLimits(header_s=0.3, slowest_bytes_per_s=2**30))
    slow, stuck = raw(running.path), raw(running.path)
    slow.sendall(b"\0")
    stuck.sendall(framed(canonical_bytes({"op": "attest", "parts": [1000]})) + b"some of it")
    other = connect(running.path)
    asked(other, {"op": "ready"})
    other.close()
    assert told(slow) == "signer.timeout"
    assert told(stuck) == "signer.timeout"


def test_a_header_that_is_almost_right_is_no_release(client, work_of, picture, home):
    """Each field left out, and each with something else in its place."""
    work = work_of(client, picture)
    parts: list = []
    honest = _told(work, parts)
    for name in honest.keys() - {"op", "source"}:
        for wrong in (None, 7, "x", [], {}, {"part": 9, "mime": "image/png"}):
            wire = connect(client.remote.path)
            assert code_of(asked, wire, {**honest, name: wrong}, parts).startswith(("signer.", "manifest."))
            wire.close()
    assert actions(home) == []


def test_every_kind_of_value_that_travels_comes_back(client, work_of, picture):
    from guard.signer.facts import facts_from_wire, facts_to_wire
    from guard.signer.values import from_wire
    from provenance.manifest.spec import ManifestSpec

    work, parts = work_of(client, picture), []
    assert from_wire(ManifestSpec, to_wire(work.spec, parts), parts) == work.spec
    before = facts_from_wire(facts_to_wire(work.before))
    assert before.request.command.value == work.before.request.command.value
    assert before.media.width.producer == "claimed"


def test_a_signer_that_gives_back_other_bytes_is_not_believed(client, work_of, picture, monkeypatch):
    """Somebody else's file, allowed and all, in the place of the one that was asked for."""
    first = attest(client, work_of(client, picture))
    work = work_of(client, picture)
    from guard.signer.wire import Message

    reply = Message(
        header={"decision": first.decision.to_json(), "leaf": first.leaf},
        parts=(first.sealed.asset.content, first.sealed.manifest),
    )
    assert code_of(client.remote._received, work, reply) == "signer.other-bytes"
    changed = bytearray(first.sealed.asset.data)
    changed[-40] ^= 1
    other = replace(reply, parts=(bytes(changed), first.sealed.manifest))
    assert code_of(client.remote._received, first.sealed.work, other) == "signer.other-bytes"
