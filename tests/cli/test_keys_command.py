"""Keys at the command line: a protected one stays protected, and one is handed out where asked."""

from __future__ import annotations

import pytest

from guard.home import Home
from provenance.keys import load_locator_key


@pytest.fixture
def protected(guard_cli, tmp_path, monkeypatch):
    monkeypatch.setenv("GUARD_HOME", str(tmp_path / "locked"))
    monkeypatch.setenv("GUARD_PASSPHRASE", "correct horse")
    assert guard_cli("init", "--passphrase").code == 0
    return Home(folder=tmp_path / "locked")


def signing_line(guard_cli) -> str:
    return next(line for line in guard_cli("doctor").out.splitlines() if "signing key" in line)


def test_renewing_keeps_the_protection(protected, guard_cli):
    ran = guard_cli("keys", "renew")
    assert ran.code == 0
    assert "protected by a passphrase" in ran.out
    assert protected.is_protected()
    ran = guard_cli("keys", "renew", "--plain")
    assert "without a passphrase" in ran.out
    assert not protected.is_protected()
    assert guard_cli("keys", "renew").code == 0
    assert not protected.is_protected()


def test_renewing_without_a_passphrase_at_hand_changes_nothing(protected, guard_cli, monkeypatch):
    before = (protected.signing_folder / "key.pem").read_bytes()
    monkeypatch.delenv("GUARD_PASSPHRASE")
    ran = guard_cli("keys", "renew")
    assert ran.code == 2
    assert "error[passphrase.needed]" in ran.err
    assert (protected.signing_folder / "key.pem").read_bytes() == before


@pytest.mark.parametrize("option", [(), ("--plain",), ("--passphrase",)])
def test_renewing_needs_the_passphrase_of_the_old_key(protected, guard_cli, monkeypatch, option):
    before = (protected.signing_folder / "key.pem").read_bytes()
    monkeypatch.setenv("GUARD_PASSPHRASE", "typotypo")
    ran = guard_cli("keys", "renew", *option)
    assert ran.code == 2
    assert "error[signer.passphrase-wrong]" in ran.err
    assert (protected.signing_folder / "key.pem").read_bytes() == before


def test_a_lost_passphrase_has_the_cure_that_its_error_names(protected, guard_cli, monkeypatch):
    monkeypatch.setenv("GUARD_PASSPHRASE", "another horse")
    assert "move that folder away" in guard_cli("keys", "renew").err
    protected.signing_folder.rename(protected.signing_folder.with_name("lost"))
    assert guard_cli("keys", "renew", "--passphrase").code == 0
    assert protected.is_protected()


def test_a_passphrase_set_to_nothing_is_none(protected, guard_cli, monkeypatch):
    monkeypatch.setenv("GUARD_PASSPHRASE", "")
    for command in (("keys", "renew"), ("release", "picture.png", "--source", "generated", "-o", "out")):
        ran = guard_cli(*command)
        assert ran.code == 2
        assert "error[passphrase.needed]" in ran.err
        assert "set GUARD_PASSPHRASE" in ran.err


def test_without_a_terminal_nothing_is_asked(guard_cli, tmp_path, monkeypatch):
    monkeypatch.setenv("GUARD_HOME", str(tmp_path / "locked"))
    ran = guard_cli("init", "--passphrase", stdin="\n")
    assert ran.code == 2
    assert "error[passphrase.needed]" in ran.err
    assert "GetPassWarning" not in ran.err
    assert not (tmp_path / "locked").exists()


def test_the_examination_says_whether_the_key_is_protected(protected, guard_cli, monkeypatch):
    line = signing_line(guard_cli)
    assert line.startswith("ok")
    assert "protected by a passphrase, " in line
    monkeypatch.setenv("GUARD_PASSPHRASE", "wrong horse")
    line = signing_line(guard_cli)
    assert line.startswith("broken")
    assert "the passphrase does not open the private key" in line
    monkeypatch.delenv("GUARD_PASSPHRASE")
    line = signing_line(guard_cli)
    assert line.startswith("ok")
    assert "not tried" in line


def test_a_plain_key_is_not_called_protected(home, guard_cli):
    assert "protected" not in signing_line(guard_cli)


def test_a_lost_signing_key_names_the_command_that_helps(home, guard_cli, signed):
    (home.signing_folder / "key.pem").unlink()
    ran = guard_cli("release", "picture.png", "--source", "generated", "-o", "again")
    assert ran.code == 2
    assert "guard keys renew" in ran.err
    assert guard_cli("keys", "renew").code == 0
    assert guard_cli("release", "picture.png", "--source", "generated", "-o", "again").code == 0


def test_the_locator_key_is_exported_into_a_folder_that_is_there(home, guard_cli, tmp_path):
    ran = guard_cli("keys", "export-locator", "nowhere/deep/key.json")
    assert ran.code == 2
    assert "error[output.folder]" in ran.err
    assert not (tmp_path / "nowhere").exists()
    assert guard_cli("keys", "export-locator", "key.json").code == 0
    assert load_locator_key(tmp_path / "key.json") == home.locator()
