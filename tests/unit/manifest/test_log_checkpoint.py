"""The log's head inside each published file: whoever keeps one is a witness."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from provenance.errors import InputError
from provenance.log.checkpoint import Checkpoint, NoteSigner, open_checkpoint, sign_checkpoint
from provenance.manifest.build import manifest_definition
from provenance.manifest.read import read_manifest
from provenance.manifest.rubric import lint
from provenance.manifest.sign import sign


@pytest.fixture(scope="module")
def log_key() -> NoteSigner:
    return NoteSigner(name="example.com/log", private_key=Ed25519PrivateKey.generate())


@pytest.fixture(scope="module")
def head() -> Checkpoint:
    return Checkpoint(origin="example.com/log", size=20_852_163, root=bytes(range(32)))


@pytest.mark.parametrize("mime", ["image/png", "image/jpeg"])
def test_a_checkpoint_comes_back_and_still_opens(picture, spec, signer, trust, log_key, head, mime):
    note = sign_checkpoint(head, log_key).decode()
    made = sign(picture(mime), replace(spec, log_checkpoint=note), signer, trust=trust)
    found = read_manifest(made.asset, trust).log_checkpoint
    assert found == note
    assert open_checkpoint(found.encode(), log_key.verifier) == head
    without = sign(picture(mime), spec, signer, trust=trust)
    assert len(made.manifest) - len(without.manifest) < 600


def test_without_one_nothing_is_said(signed, trust):
    assert read_manifest(signed().asset, trust).log_checkpoint is None


def test_the_definition_stays_conformant(spec, log_key, head):
    note = sign_checkpoint(head, log_key).decode()
    assert lint(manifest_definition(replace(spec, log_checkpoint=note))) == ()


@pytest.mark.parametrize(
    "note",
    [
        "",
        "a/log\n1\nAAAA\n",  # no signature
        "a/log\n\n— a/log AAAA\n",  # no size, no root
        "a/log\n1\nAAAA\n\n— a/log AAAA",  # no last newline
        "a/log\n1\nAAAA\n\n— a/log \x1b[31m\n",
        "a/log\n1\nAAAA\n\n— a/log " + "A" * 20_000 + "\n",
    ],
)
def test_what_is_no_note_is_not_written(spec, note):
    with pytest.raises(InputError) as caught:
        replace(spec, log_checkpoint=note)
    assert caught.value.code == "manifest.bad-value"


def test_what_is_no_note_is_not_read():
    """Anybody may write anything under our label."""
    from provenance.manifest import contents, labels

    for odd in ("nothing of the kind", 7, ["a"], "a/log\n1\nAAAA\n\n— a/log \u202e\n"):
        assert contents.statements({labels.CHECKPOINT_LABEL: {"note": odd}})["log_checkpoint"] is None
    assert contents.statements({labels.CHECKPOINT_LABEL: 7})["log_checkpoint"] is None
