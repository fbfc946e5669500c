"""In a home whose keys are in a signer process: each command works there, or says where it has to be run."""

from __future__ import annotations

import shlex
from pathlib import Path

import click
import pytest

from guard.cli.main import cli, run

ELSEWHERE = """
init
signer run --socket other.sock
keys new --signing
keys csr --organisation Example -o request.pem
keys csr --organisation Example --current -o request.pem
keys csr --organisation Example --pkcs11 'pkcs11:token=a;object=b?module-path=/c.so' -o request.pem
keys import chain.pem
keys import missing.pem
keys import chain.pem --key key.pem
keys list
keys renew
keys renew --development
keys renew --locator
keys revoke 0123abcd --reason superseded
registry publish public
registry withdraw picture.png --reason 'made in error'
registry move postgresql+psycopg://guard:secret@host/base
log verify
log verify --against picture.png
log verify --proof picture.png
log prove picture.png
log consistency old
log export public
log witness add 'w.example+e533421d+BAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f'
log witness accept cosigned
log witness git clone
log witness list
log witness timestamp
recover picture.png
"""
HERE = {
    "bench generators", "bench watermark", "doctor", "explain", "generate", "inspect",
    "keys export-locator", "keys lint", "log witness new", "log witness sign", "records erase",
    "registry add", "registry list", "registry remove", "registry update", "release", "replay", "sign",
    "signer join", "signer status", "train custom-diffusion", "train dreambooth", "train gan", "train ldm",
    "train lora", "train motion", "train textual-inversion", "trust add", "trust import", "trust list",
    "trust remove", "trust update", "verify", "watermark detect", "watermark embed",
}  # fmt: skip
"""Commands that need none of these keys: theirs are here, somebody else's, or asked of the signer."""
LINES = [shlex.split(line) for line in ELSEWHERE.strip().splitlines()]


@pytest.fixture
def inside(joined, signer, home, picture, tmp_path, monkeypatch) -> Path:
    """A folder with what the commands name, in the home of a client."""
    joined(signer())
    monkeypatch.setenv("GUARD_HOME", str(tmp_path / "client"))
    folder = tmp_path / "files"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "picture.png").write_bytes(picture.data)
    for name in ("chain.pem", "key.pem"):
        (folder / name).write_bytes((home.signing_folder / name).read_bytes())
    return folder


def test_each_says_so_with_the_command_for_the_other_side_and_leaves_nothing(inside, tmp_path, capfd):
    before = sorted(tmp_path.rglob("*"))
    for words in LINES:
        assert run(words) == 2, words
        out, err = capfd.readouterr()
        assert "error[signer.elsewhere]" in err, (words, out, err)
        said = err.strip().splitlines()[-1]
        assert said.startswith("  help: as the signer's user, with its GUARD_HOME: guard "), words
        again = shlex.split(said.partition("GUARD_HOME: ")[2])[1:]
        assert again == ["URL" if "://" in word else word for word in words]
        assert "secret" not in err
        assert sorted(tmp_path.rglob("*")) == before, words


def test_what_the_client_holds_is_at_hand_there(inside, capfd):
    for words in (
        ["keys", "export-locator", "locator.json"],
        ["keys", "new", "--private-mark"],
        ["keys", "renew", "--private-mark"],
        ["keys", "revoke", "--certificate", "chain.pem", "--reason", "superseded"],
        ["keys", "lint", "chain.pem"],
        ["registry", "list"],
        ["trust", "list"],
        ["inspect", "picture.png"],
        ["signer", "status"],
    ):
        assert run(words) == 0, (words, capfd.readouterr())


def test_no_command_is_forgotten_here():
    known = {tuple(words) for words in LINES}

    def names(group: click.Group, before: tuple[str, ...] = ()):
        context = click.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if isinstance(command, click.Group):
                yield from names(command, (*before, name))
            else:
                yield (*before, name)

    every = set(names(cli))
    at_the_signer = {name for name in every if any(words[: len(name)] == name for words in known)}
    assert {" ".join(name) for name in every - at_the_signer} == HERE
