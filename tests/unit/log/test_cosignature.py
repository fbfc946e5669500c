"""Witness signatures in the form of C2SP tlog-cosignature, checked against its own text."""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from provenance.errors import IntegrityError
from provenance.log.checkpoint import Checkpoint, NoteVerifier, open_checkpoint, sign_checkpoint
from provenance.log.cosignature import (
    Cosignature,
    WitnessSigner,
    WitnessVerifier,
    cosignatures,
    merged,
    only_by,
)
from provenance.log.merkle import EMPTY_ROOT

TIME = 1_679_315_147


def witness(name="witness.example/w1", seed=7):
    return WitnessSigner(name=name, private_key=Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


@pytest.fixture
def note(signer):
    return sign_checkpoint(Checkpoint(origin=signer.name, size=0, root=EMPTY_ROOT), signer)


def test_the_signed_message_and_the_line_are_those_of_the_specification(note):
    """Composed here from the words of the specification, without the code under test."""
    w1 = witness()
    public = w1.private_key.public_key()
    cosigned = w1.cosign(note, TIME)
    line = cosigned.decode().splitlines()[-1]
    assert line.startswith("— witness.example/w1 ")
    blob = base64.b64decode(line.rsplit(" ", 1)[1])
    raw = public.public_bytes_raw()
    assert blob[:4] == hashlib.sha256(b"witness.example/w1\n\x04" + raw).digest()[:4]
    assert blob[4:12] == TIME.to_bytes(8, "big")
    body = note.decode().split("\n\n")[0] + "\n"
    public.verify(blob[12:], f"cosignature/v1\ntime {TIME}\n{body}".encode())
    assert len(blob) == 76
    assert cosigned.startswith(note)


def test_a_cosigned_note_still_opens_with_the_key_of_the_log(note, signer):
    assert open_checkpoint(witness().cosign(note, TIME), signer.verifier).size == 0


def test_only_known_witnesses_count(note):
    w1, w2 = witness(), witness("witness.example/w2", 8)
    cosigned = w2.cosign(w1.cosign(note, TIME), TIME + 1)
    assert cosignatures(cosigned, [w1.verifier]) == (Cosignature(witness=w1.name, time=TIME),)
    assert [one.witness for one in cosignatures(cosigned, [w1.verifier, w2.verifier])] == [w1.name, w2.name]
    assert cosignatures(cosigned, []) == cosignatures(note, [w1.verifier]) == ()
    namesake = witness(seed=9)
    assert cosignatures(cosigned, [namesake.verifier]) == ()


@pytest.mark.parametrize("at", [4, 11, 12, 75])
def test_a_changed_time_or_signature_is_an_error_and_no_absence(note, at):
    cosigned = witness().cosign(note, TIME)
    head, encoded = cosigned.rstrip().rsplit(b" ", 1)
    blob = bytearray(base64.b64decode(encoded))
    blob[at] ^= 1
    changed = head + b" " + base64.b64encode(blob) + b"\n"
    with pytest.raises(IntegrityError) as caught:
        cosignatures(changed, [witness().verifier])
    assert caught.value.code == "log.cosignature"


def test_a_cosignature_of_another_length_is_an_error(note):
    key_id = witness().verifier.key_id
    for length in (0, 8, 64, 71, 73):
        line = base64.b64encode(key_id + bytes(max(length, 1))).decode()
        with pytest.raises(IntegrityError):
            cosignatures(note + f"— witness.example/w1 {line}\n".encode(), [witness().verifier])


def test_a_cosignature_does_not_travel_to_another_checkpoint(note, signer):
    other = sign_checkpoint(Checkpoint(origin=signer.name, size=1, root=bytes(32)), signer)
    line = witness().cosign(note, TIME)[len(note) :]
    with pytest.raises(IntegrityError):
        cosignatures(other + line, [witness().verifier])
    with pytest.raises(ValueError, match="another checkpoint"):
        merged(other, witness().cosign(note, TIME))


def test_signatures_are_gathered_once_each_and_strangers_dropped(note, signer):
    w1, w2 = witness(), witness("witness.example/w2", 8)
    both = merged(w1.cosign(note, TIME), w2.cosign(note, TIME))
    assert len(both.splitlines()) == len(note.splitlines()) + 2
    assert merged(both, w1.cosign(note, TIME)) == both
    assert merged(both, w1.cosign(note, TIME + 60)) == both, "the first statement stays"
    assert only_by(both, [signer.verifier, w1.verifier]) == w1.cosign(note, TIME)


def test_keys_of_witnesses_have_a_text_form_of_their_own(signer):
    key = witness().verifier
    assert WitnessVerifier.parse(str(key)) == key
    assert base64.b64decode(str(key).rsplit("+", 1)[1])[0] == 4
    with pytest.raises(ValueError, match="another kind"):
        WitnessVerifier.parse(str(signer.verifier))
    with pytest.raises(ValueError, match="another kind"):
        NoteVerifier.parse(str(key))


@pytest.mark.parametrize("time", [-1, 2**63])
def test_times_that_the_format_cannot_hold_are_refused(note, time):
    with pytest.raises((ValueError, OverflowError)):
        witness().cosign(note, time)
