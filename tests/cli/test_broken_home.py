"""What is broken in a home is said by the command that meets it, with a hint that helps."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from guard.cli.main import run
from guard.clock import utc_now
from guard.home import Home
from guard.setup import initialise
from provenance.keys import load_log_key
from provenance.log.store import Log

RELEASE = ("release", "picture.png", "--source", "generated", "-o", "again")


def foreign_log(home, tmp_path) -> None:
    other = Home(folder=tmp_path / "other")
    initialise(other, now=utc_now(), random=secrets.token_bytes)
    shutil.rmtree(home.log_folder)
    Log.create(home.log_folder, load_log_key(other.log_key_path))


def damaged_registry(home, tmp_path) -> None:
    for beside in home.folder.glob("registry.sqlite*"):
        beside.unlink()
    home.registry_path.write_bytes(b"no database " * 1000)


def manifest_changed(home, tmp_path) -> None:
    with home.registry() as registry:
        registry._database._connection.execute("UPDATE manifest SET data = x'00'")


BROKEN = {
    "config": lambda home, tmp_path: home.config_path.write_text("policy = = 1"),
    "a lost signing key": lambda home, tmp_path: (home.signing_folder / "key.pem").unlink(),
    "a changed manifest": manifest_changed,
    "a damaged registry": damaged_registry,
    "a foreign log": foreign_log,
}


@pytest.mark.parametrize("how", BROKEN)
def test_init_says_what_is_broken_and_does_not_send_on(home, signed, guard_cli, tmp_path, how):
    assert "next: guard generate" in guard_cli("init").out
    BROKEN[how](home, tmp_path)
    ran = guard_cli("init")
    assert ran.code in {1, 2}
    assert "next: guard generate" not in ran.out
    assert ("broken  " in ran.out) is (ran.code == 1)
    assert ("error[" in ran.err) is (ran.code == 2)
    assert guard_cli("doctor").code == 1


def test_a_foreign_log_is_told_once_and_with_its_cure(home, guard_cli, tmp_path):
    foreign_log(home, tmp_path)
    for ran in (guard_cli("init"), guard_cli("doctor")):
        assert ran.code == 1
        assert ran.out.count("the checkpoint is not signed by") == 1
        assert ran.out.count("restore log/ and keys/log.pem from a copy") == 1
        assert "not compared: the log cannot be used" in ran.out


def test_lost_records_are_noticed_and_made_anew(home, signed, guard_cli):
    shutil.rmtree(home.records_folder)
    ran = guard_cli(*RELEASE)
    assert ran.code == 2
    assert "error[records.missing]" in ran.err
    assert "guard init" in ran.err
    ran = guard_cli("doctor")
    assert ran.code == 1
    assert "broken   private records" in ran.out
    assert "made  private records" in guard_cli("init").out
    assert home.records_folder.stat().st_mode & 0o777 == 0o700
    assert guard_cli(*RELEASE).code == 0


@pytest.mark.parametrize("part", ["registry.sqlite", "keys/log.pem", "log"])
def test_hints_speak_of_a_copy_first_where_a_part_is_lost(home, signed, guard_cli, part):
    lost = home.folder / part
    shutil.rmtree(lost) if lost.is_dir() else lost.unlink()
    for ran in (guard_cli("doctor"), guard_cli("log", "verify"), guard_cli("recover", "picture.png")):
        for line in (ran.out + ran.err).splitlines():
            assert "(guard init)" not in line
            assert line.strip() != "help: guard init"
    assert "restore" in guard_cli("doctor").out


def test_a_file_size_limit_is_not_called_a_matter_of_permissions(home):
    script = """
        import pathlib, resource, sys
        from guard.home import Home
        from provenance.errors import Error
        with Home(folder=pathlib.Path(sys.argv[1])).registry() as registry:
            resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
            try:
                for number in range(10_000):
                    registry.reserve("a" * 400, "k", 1, number.to_bytes(8, "big"))
            except Error as error:
                print(error.code, error.hint)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(home.folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("disk.f")
    assert "permission" not in done.stdout


def test_only_pictures_are_sent_on_to_recover(home, guard_cli, tmp_path):
    (tmp_path / "s.pdf").write_bytes(b"%PDF-1.7\n%%EOF\n")
    ran = guard_cli("verify", "s.pdf", "--format", "json")
    assert ran.code == 2
    assert "guard recover" not in json.dumps(json.loads(ran.out)) + ran.err


@pytest.mark.parametrize("command", [RELEASE, ("verify", "a.png"), ("recover", "a.png"), ("keys", "list")])
@pytest.mark.parametrize("part", ["", "trust", "config.toml"])
def test_a_home_that_may_not_be_read_is_no_bug(home, capsys, monkeypatch, part, command):
    closed = home.folder / part

    def refusing(real):
        def call(path, *given, **more):
            if path != closed and path.is_relative_to(closed):
                raise PermissionError(13, "Permission denied", str(path))
            return real(path, *given, **more)

        return call

    for name in ("stat", "open"):
        monkeypatch.setattr(Path, name, refusing(getattr(Path, name)))
    code, told = run(command), capsys.readouterr().err
    assert code != 70
    assert "PermissionError" not in told
    if part == "" and command[0] != "verify":
        assert (code, "error[home.unusable]: " in told) == (2, True)
