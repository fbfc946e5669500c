"""Without the key of its log an installation answers for the files of others, and can begin another log."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image

from guard.agreement import audited
from guard.api import recover_file, release_file, verify_file
from guard.home import Home
from guard.recalls import Book, own_book, recalls_of
from guard.registries import add, publish
from guard.setup import initialise
from guard.verdict import State
from guard.withdrawing import withdraw
from provenance.errors import Error
from provenance.keys import create_log_key
from provenance.log.checkpoint import Checkpoint, NoteSigner, sign_checkpoint
from provenance.registry_source import FetchLimits

NOW = datetime.now(UTC)
LATER = NOW + timedelta(hours=1)
MOVED = ("log", "keys/log.pem", "registry.sqlite", "registry.sqlite-wal", "registry.sqlite-shm")
HARM = {
    "lost": lambda home: home.log_key_path.unlink(),
    "damaged": lambda home: home.log_key_path.write_text("{"),
    "of another log": lambda home: (home.log_key_path.unlink(), create_log_key(home.log_key_path)),
    "cut log": lambda home: (home.log_folder / "checkpoint").write_bytes(b"\0" * 50),
    "no checkpoint": lambda home: (home.log_folder / "checkpoint").unlink(),
}


def code_of(action, *arguments, **options):
    with pytest.raises(Error) as caught:
        action(*arguments, **options)
    return caught.value.code


@pytest.fixture
def other(tmp_path, photograph_file):
    """Another installation, which released something as well."""
    made = Home(folder=tmp_path / "other")
    initialise(made, now=NOW, random=secrets.token_bytes)
    release_file(photograph_file, tmp_path / "theirs.png", source="digitalCapture", home=made)
    return made


@pytest.fixture
def photograph_file(photograph, tmp_path):
    Image.fromarray(photograph[:256, :256]).save(tmp_path / "photograph.png")
    return tmp_path / "photograph.png"


@pytest.mark.parametrize("how", HARM)
def test_files_of_others_get_their_verdict_and_own_ones_an_error(how, signed, other, tmp_path):
    HARM[how](other)
    verdict = verify_file(signed[".png"], home=other)
    assert verdict.state is State.UNKNOWN_SIGNER
    assert [one for one in verdict.not_checked if "the log of this installation" in one]
    code = code_of(verify_file, tmp_path / "theirs.png", home=other)
    assert code.startswith(("key.", "log."))


def test_the_list_answers_for_what_quotes_no_log(home, signed):
    """Manifests that were signed before they quoted the log."""
    withdraw(home, str(signed[".png"]), "by mistake", now=NOW, random=secrets.token_bytes)
    withdrawn = verify_file(signed[".png"], home=home).evidence[0].detail.manifest_sha256
    home.log_key_path.unlink()
    assert [one.counts for one in recalls_of(withdrawn, None, None, [own_book(home)])] == [True]
    assert recalls_of("0" * 64, None, None, [own_book(home)]) == ()
    (home.folder / "withdrawn.json").write_text("{")
    assert code_of(recalls_of, "0" * 64, None, None, [own_book(home)]) == "key.missing"


def signer_of(number):
    key = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
    return NoteSigner(name=f"log.example/{number}", private_key=key)


def test_a_damaged_copy_is_asked_for_files_of_every_key_that_lies_in_it():
    signers = [signer_of(number) for number in range(3)]
    keys = [str(signer.verifier) for signer in signers]
    heads = [Checkpoint(origin=signer.name, size=0, root=bytes(32)) for signer in signers]
    notes = [sign_checkpoint(head, signer).decode() for head, signer in zip(heads, signers, strict=True)]
    book = Book(publisher="them", key=keys[0], damage=Error("x.y", "unreadable"), suspects=(keys[1],))
    assert [book.may_hold(note) for note in notes] == [True, True, False]
    assert not book.may_hold(heads[0].text())


def begin_another(home, aside):
    """The steps of docs/guide/log.md."""
    aside.mkdir()
    for part in MOVED:
        if (home.folder / part).exists():
            (home.folder / part).rename(aside / part.rpartition("/")[2])
    (home.folder / "withdrawn.json").rename(home.folder / "withdrawn-1.json")
    initialise(home, now=LATER, random=secrets.token_bytes)


def test_another_log_is_begun_and_what_was_withdrawn_stays_so(home, signed, photograph_file, tmp_path):
    withdraw(home, str(signed[".png"]), "by mistake", now=NOW, random=secrets.token_bytes)
    publish(home, tmp_path / "old", locator=True, now=NOW)
    home.log_key_path.unlink()
    assert code_of(verify_file, signed[".jpg"], home=home) == "key.missing"
    begin_another(home, tmp_path / "before")
    assert audited(home).problems == ()
    assert verify_file(signed[".png"], home=home).state is State.WITHDRAWN
    assert verify_file(signed[".jpg"], home=home).state is State.DEVELOPMENT
    release_file(photograph_file, tmp_path / "new.png", source="digitalCapture", home=home)
    assert verify_file(tmp_path / "new.png", home=home).state is State.DEVELOPMENT
    assert withdraw(home, str(tmp_path / "new.png"), "too", now=LATER, random=secrets.token_bytes).new == 1
    assert verify_file(tmp_path / "new.png", home=home).state is State.WITHDRAWN
    publish(home, tmp_path / "new", locator=True, now=LATER)
    add(home, str(tmp_path / "old"), name="before", at=LATER, limits=FetchLimits())
    found = recover_file(signed[".png"], home=home)
    assert found.candidates[0].entry.publisher == "before"
    assert verify_file(signed[".png"], home=home).state is State.WITHDRAWN
    (home.folder / "withdrawn-1.json").write_text("{")
    assert code_of(verify_file, signed[".jpg"], home=home) == "registry.withdrawals-damaged"
