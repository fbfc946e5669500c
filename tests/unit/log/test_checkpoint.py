import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from provenance.errors import IntegrityError
from provenance.log.checkpoint import Checkpoint, NoteSigner, NoteVerifier, open_checkpoint, sign_checkpoint
from provenance.log.merkle import EMPTY_ROOT

# The example of Go's golang.org/x/mod/sumdb/note, whose format C2SP signed-note writes down.
PETER = NoteVerifier.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
PETER_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def head(size=3, origin="log.example/1"):
    return Checkpoint(origin=origin, size=size, root=bytes(range(32)))


def code_of(note, verifier):
    with pytest.raises(IntegrityError) as caught:
        open_checkpoint(note, verifier)
    return caught.value.code


def test_what_was_signed_opens(signer):
    note = sign_checkpoint(head(), signer)
    assert open_checkpoint(note, signer.verifier) == head()
    assert note.decode().splitlines()[:3] == [
        "log.example/1",
        "3",
        base64.b64encode(bytes(range(32))).decode(),
    ]


def test_a_note_of_the_go_implementation_is_accepted_up_to_its_being_no_checkpoint():
    assert str(PETER) == "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    assert code_of(PETER_NOTE.encode(), PETER) == "log.checkpoint-malformed"  # the signature was fine
    assert code_of(PETER_NOTE.replace("know", "knew").encode(), PETER) == "log.checkpoint-signature"


def test_witness_signatures_and_extension_lines_are_allowed(signer):
    witness = NoteSigner(name="witness.example", private_key=Ed25519PrivateKey.generate())
    text = head().text() + "an extension\n"
    note = signer.sign(text) + witness.sign(text).rpartition(b"\n\n")[2]
    assert open_checkpoint(note, signer.verifier) == head()


def test_every_changed_bit_is_noticed(signer):
    note = sign_checkpoint(head(12345), signer)
    for at in range(len(note)):
        for bit in range(8):
            changed = bytearray(note)
            changed[at] ^= 1 << bit
            with pytest.raises(IntegrityError):
                open_checkpoint(bytes(changed), signer.verifier)


def test_other_keys_and_names_are_refused(signer):
    other = NoteSigner(name=signer.name, private_key=Ed25519PrivateKey.generate())
    assert code_of(sign_checkpoint(head(), other), signer.verifier) == "log.checkpoint-signature"
    renamed = NoteSigner(name="log.example/2", private_key=signer.private_key)
    assert (
        code_of(sign_checkpoint(head(origin="log.example/2"), renamed), signer.verifier)
        == "log.checkpoint-signature"
    )
    assert code_of(signer.sign(head(origin="log.example/2").text()), signer.verifier) == "log.origin"
    with pytest.raises(ValueError, match="cannot sign for"):
        sign_checkpoint(head(origin="other"), signer)


def test_a_false_signature_spoils_a_true_one(signer):
    note = sign_checkpoint(head(), signer)
    line = note.rpartition(b"\n\n")[2]
    assert open_checkpoint(note + line, signer.verifier) == head()
    blob = bytearray(base64.b64decode(line.split()[2]))
    blob[-1] ^= 1
    forged = b"\xe2\x80\x94 log.example/1 " + base64.b64encode(blob) + b"\n"
    assert code_of(note + forged, signer.verifier) == "log.checkpoint-signature"


@pytest.mark.parametrize(
    "text",
    [
        "\n3\n{root}\n",
        "log.example/1\n03\n{root}\n",
        "log.example/1\n-3\n{root}\n",
        "log.example/1\n3\n",
        "log.example/1\n3\n{root}=\n",
        "log.example/1\n3\nAAAA\n",
        "log.example/1\n99999999999999999999\n{root}\n",
    ],
)
def test_malformed_checkpoints(signer, text):
    note = signer.sign(text.format(root=base64.b64encode(bytes(32)).decode()))
    assert code_of(note, signer.verifier) == "log.checkpoint-malformed"


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"\xff\xfe\n",
        b"a\nb\n",
        b"a\n\nb\n",
        b"a\tb\n\n\xe2\x80\x94 a AAAAAAA=\n",
        b"x" * 20_000,
        b"\n\n\xe2\x80\x94 a AA==\n",
    ],
)
def test_what_is_no_note(signer, note):
    assert code_of(note, signer.verifier) == "log.checkpoint-malformed"


def test_verifier_text_round_trip_and_checks(signer):
    assert NoteVerifier.parse(str(signer.verifier)) == signer.verifier
    for text in ("", "a+b", "log+00000000+" + base64.b64encode(b"\1" + bytes(32)).decode(), "a b+00+AA=="):
        with pytest.raises(ValueError, match=r".*"):
            NoteVerifier.parse(text)
    assert Checkpoint(origin="o", size=0, root=EMPTY_ROOT).text().endswith("=\n")
