"""Proofs as text: the example of C2SP tlog-proof, every size, every change, hostile files."""

import base64
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provenance.errors import Error, IntegrityError
from provenance.log.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from provenance.log.merkle import consistency_proof, inclusion_proof, leaf_hash, tree_hash
from provenance.log.proof import (
    HEADER,
    MAX_PROOF_BYTES,
    ConsistencyProof,
    InclusionProof,
    prove_consistency,
    prove_inclusion,
)


def code_of(action, *arguments):
    with pytest.raises(IntegrityError) as caught:
        action(*arguments)
    return caught.value.code


@pytest.fixture
def proof(log, entries):
    log.append(entries(300))
    return prove_inclusion(log.tiles, log.note(), 300, 77, entries(78)[77])


def test_the_text_is_that_of_the_specification(proof, log):
    text = proof.to_bytes().decode()
    lines, note = text.split("\n\n", 1)
    first, extra, index, *hashes = lines.split("\n")
    assert first == HEADER == "c2sp.org/tlog-proof@v1"
    assert base64.b64decode(extra.removeprefix("extra ")) == proof.entry
    assert index == "index 77"
    assert [base64.b64decode(one) for one in hashes] == list(log.prove_inclusion(77))
    assert note.encode() == log.note()
    assert InclusionProof.parse(proof.to_bytes()) == proof
    assert proof.check(log.verifier) == log.checkpoint()


def a_log(signer, count):
    """Hashes and checkpoint of a log of ``count`` entries, without files."""
    leaves = [leaf_hash(b"%d" % at) for at in range(count)]
    head = Checkpoint(origin=signer.name, size=count, root=tree_hash(leaves))
    return (lambda start, end: tree_hash(leaves[start:end])), sign_checkpoint(head, signer)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_every_place_of_every_tree_is_proven_and_only_as_it_is(signer, data):
    size = data.draw(st.integers(1, 70))
    index = data.draw(st.integers(0, size - 1))
    hashes, note = a_log(signer, size)
    made = InclusionProof(
        index=index, hashes=inclusion_proof(index, size, hashes), note=note, entry=b"%d" % index
    )
    read = InclusionProof.parse(made.to_bytes())
    assert read == made
    assert read.check(signer.verifier).size == size
    other = data.draw(st.integers(0, size - 1).filter(lambda at: at != index) if size > 1 else st.just(1))
    moved = InclusionProof(index=other, hashes=made.hashes, note=note, entry=made.entry)
    assert code_of(moved.check, signer.verifier) == "log.not-proven"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_every_pair_of_trees_is_proven(signer, data):
    size = data.draw(st.integers(0, 70))
    old_size = data.draw(st.integers(0, size))
    hashes, note = a_log(signer, size)
    _, old_note = a_log(signer, old_size)
    path = consistency_proof(old_size, size, hashes) if old_size else ()
    made = ConsistencyProof(old_size=old_size, hashes=path, note=note)
    read = ConsistencyProof.parse(made.to_bytes())
    assert read == made
    old = open_checkpoint(old_note, signer.verifier)
    assert read.check(old, signer.verifier).size == size
    if old_size:
        other = Checkpoint(origin=old.origin, size=old.size, root=bytes(32))
        assert code_of(read.check, other, signer.verifier) == "log.forked"


def test_a_request_begins_as_the_specification_of_witnesses_says(log, entries):
    log.append(entries(5))
    request = prove_consistency(log.tiles, log.note(), 5, 3)
    assert request.to_bytes().startswith(b"old 3\n")
    assert request.to_bytes().endswith(b"\n\n" + log.note())
    assert prove_consistency(log.tiles, log.note(), 5, 0).to_bytes() == b"old 0\n\n" + log.note()


def test_what_consistency_refuses(log, entries):
    log.append(entries(3))
    three = log.checkpoint()
    note = log.note()
    log.append(entries(2, start=3))
    five = log.checkpoint()
    proof = prove_consistency(log.tiles, log.note(), 5, 3)
    assert code_of(proof.check, five, log.verifier) == "log.not-proven"
    back = ConsistencyProof(old_size=5, hashes=(), note=note)
    assert code_of(back.check, five, log.verifier) == "log.truncated"
    assert proof.check(three, log.verifier) == five
    wrong = ConsistencyProof(old_size=3, hashes=proof.hashes[1:], note=proof.note)
    assert code_of(wrong.check, three, log.verifier) == "log.forked"


def test_no_changed_byte_of_a_proof_passes(proof, log):
    """Not even a change that leaves the decoded value as it is: one proof has one spelling."""
    data = proof.to_bytes()
    for at in range(0, len(data), 3):
        changed = bytearray(data)
        changed[at] ^= 1 << (at % 7)
        with pytest.raises(Error):
            assert InclusionProof.parse(bytes(changed)).check(log.verifier) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        HEADER,
        f"{HEADER}\n\n",
        f"{HEADER}\nindex 0\n\nnote",
        f"{HEADER}\nextra AA==\nindex 00\n\nnote",
        f"{HEADER}\nextra AA==\nindex -1\n\nnote",
        f"{HEADER}\nextra AA==\nindex 99999999999999999999\n\nnote",
        f"{HEADER}\nextra AB==\nindex 0\n\nnote",
        f"{HEADER}\nextra A\nindex 0\n\nnote",
        f"{HEADER}\nextra AA==\nindex 0\nAAAA\n\nnote",
        f"{HEADER}\nextra AA==\nindex 0\n" + "\n".join([base64.b64encode(bytes(32)).decode()] * 64) + "\n\n",
        f"{HEADER}\nextra {base64.b64encode(bytes(65_536)).decode()}\nindex 0\n\nnote",
        "old x\n\nnote",
        "ﾠ\n\nnote",
        "x" * (MAX_PROOF_BYTES + 1),
    ],
)
def test_hostile_files_are_said_to_be_no_proofs(text):
    for kind in (InclusionProof, ConsistencyProof):
        assert code_of(kind.parse, text.encode()) == "log.proof-malformed"


@given(st.binary(max_size=300))
def test_any_bytes_are_a_proof_or_an_error(data):
    for kind in (InclusionProof, ConsistencyProof):
        with suppress(IntegrityError):
            assert kind.parse(data).to_bytes() == data
