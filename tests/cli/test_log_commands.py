"""The log at the command line: what a stranger does with a copy and a key, a witness, and the owner."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from guard.cli.main import run
from provenance.keys import load_log_key
from provenance.log.checkpoint import NoteSigner
from provenance.log.leaves import DecisionLeaf
from provenance.log.store import Log


@pytest.fixture
def guard(guard_cli, tmp_path, monkeypatch):
    """Run ``guard ARGUMENTS…`` and require its exit code; gives stdout, or stderr where it could not."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments, code=0):
        ran = guard_cli(*arguments)
        assert ran.code == code, ran
        return ran.out if code in (0, 1, 3) else ran.err

    return call


@pytest.fixture
def stranger(monkeypatch, tmp_path):
    """From here on there is no installation, as on a stranger's machine."""

    def leave():
        monkeypatch.setenv("GUARD_HOME", str(tmp_path / "nobody"))

    return leave


def key_of(home) -> str:
    return str(home.log_as_found().verifier)


def deny(number: int) -> bytes:
    return DecisionLeaf(
        action="deny",
        decision_commitment="0" * 64,
        subject_sha256=f"{number:064x}",
        manifest_sha256=None,
        time=0,
    ).to_bytes()


def rewrite(home, entries):
    """A second history under the same key, as a malicious or careless owner could make."""
    shutil.rmtree(home.log_folder)
    log = Log.create(home.log_folder, load_log_key(home.log_key_path))
    log.append(entries)
    return log


def test_a_stranger_checks_a_copy_with_the_key_alone(home, signed, guard, stranger, tmp_path):
    out = guard("log", "export", "public")
    key = key_of(home)
    assert "EXPORTED  4 entries, 4 of them new, local, no outside witness" in out
    assert key in out
    stranger()
    assert "CONSISTENT  4 entries, local, no outside witness" in guard(
        "log", "verify", "--log", "public", "--key", key, "--against", signed[".jpg"]
    )
    (tmp_path / "key.txt").write_text(key + "\n")
    document = json.loads(guard("log", "verify", "--log", "public", "--key", "key.txt", "--format", "json"))
    assert (document["ok"], document["size"], document["unreleased"]) == (True, 4, None)
    assert document["witness"] == "local, no outside witness"
    tile = tmp_path / "public/tile/entries/000.p/4"
    tile.write_bytes(tile.read_bytes().replace(b'"allow"', b'"aloow"', 1))
    out = guard("log", "verify", "--log", "public", "--key", key, code=1)
    assert "CONTRADICTED" in out
    assert "log.entry-changed" in out


def test_a_proof_is_made_by_the_owner_and_checked_by_anybody(home, signed, guard, stranger, tmp_path, capfd):
    assert guard("log", "prove", signed[".png"], "-o", "a.tlog-proof") == "a.tlog-proof\n"
    assert "error[output.exists]" in guard("log", "prove", signed[".png"], "-o", "a.tlog-proof", code=2)
    assert "error[log.not-logged]" in guard("log", "prove", "picture.png", code=2)
    with home.registry_as_found() as registry:
        manifest = registry.releases()[0].manifest_sha256
    (tmp_path / "m.tlog-proof").write_text(guard("log", "prove", manifest))
    key = key_of(home)
    stranger()
    out = guard("log", "verify", "--proof", "a.tlog-proof", "--key", key, signed[".png"])
    assert "PROVEN  entry 1 of 4, local, no outside witness" in out
    assert "says   allow for " in out
    assert "is what was allowed" in out
    out = guard("log", "verify", "--proof", "a.tlog-proof", "--key", key, signed[".jpg"], code=1)
    assert out.startswith("MISMATCH  entry 1 of 4")
    assert "is not what this entry allowed" in out
    assert "PROVEN" not in out
    both = signed[".png"], signed[".jpg"]
    out = guard("log", "verify", "--proof", "a.tlog-proof", "--key", key, *both, code=1)
    assert out.startswith("MISMATCH")
    assert run(["log", "verify", "--proof", "a.tlog-proof", "--key", key, "nothing.png"]) == 2
    out = capfd.readouterr().out
    assert out.startswith("NOT CHECKED  entry 1 of 4")
    assert "PROVEN" not in out
    document = json.loads(guard("log", "verify", "--proof", "m.tlog-proof", "--key", key, "--format", "json"))
    assert document["proven"]["manifest_sha256"] == manifest
    assert document["proven"]["action"] == "allow"
    changed = (tmp_path / "a.tlog-proof").read_text().replace("index 1", "index 2")
    (tmp_path / "b.tlog-proof").write_text(changed)
    assert "error[log.not-proven]" in guard("log", "verify", "--proof", "b.tlog-proof", "--key", key, code=2)
    assert "error[home.missing]" in guard("log", "verify", "--proof", "a.tlog-proof", code=2)


@pytest.mark.parametrize(
    ("history", "code"),
    [
        (lambda old: [old[0], deny(1), *old[2:], deny(2)], "log.forked"),
        (lambda old: [*old[1:], deny(1), deny(2)], "log.forked"),
        (lambda old: [old[1], old[0], *old[2:]], "log.forked"),
        (lambda old: old[:1], "log.truncated"),
    ],
    ids=["edit", "delete", "reorder", "truncate"],
)
def test_a_published_file_convicts_a_rewritten_log(home, signed, guard, history, code):
    """The second file quotes the checkpoint over the two entries of the first."""
    home.registry_path.unlink()  # the owner who rewrites the log takes the registry along
    old = [entry for _, entry in home.log_as_found().entries()]
    rewrite(home, history(old))
    assert "CONSISTENT" in guard("log", "verify"), "on its own the log looks whole"
    out = guard("log", "verify", "--against", signed[".png"], signed[".jpg"], code=1)
    assert "CONTRADICTED" in out
    assert code in out
    assert f"quoted in {signed['.jpg']}" in out
    guard("log", "export", "public")
    assert code in guard("log", "verify", "--log", "public", "--key", key_of(home), signed[".jpg"], code=1)


def test_files_that_say_nothing_of_this_log_are_not_checked_and_not_passed(home, signed, guard, tmp_path):
    out = guard("log", "verify", "--against", "picture.png", code=3)
    assert "not checked  picture.png: it quotes no checkpoint of a log" in out
    out = guard("log", "verify", "--against", "picture.png", signed[".jpg"])
    assert "held against  1 earlier checkpoints, up to 2 entries" in out
    (tmp_path / "note.txt").write_text("text")
    assert "error[input.not-media]" in guard("log", "verify", "--against", "note.txt", signed[".jpg"], code=2)
    rewrite_key(home)
    out = guard("log", "verify", "--against", signed[".jpg"], code=3)
    assert "its checkpoint is of another log" in out


@pytest.mark.parametrize(("changed", "code"), [(True, 1), (False, 0)])
def test_one_key_that_shows_two_histories_under_two_names_is_a_fork(
    home, signed, guard, tmp_path, changed, code
):
    key = NoteSigner(name="elsewhere.example/log", private_key=load_log_key(home.log_key_path).private_key)
    old = [entry for _, entry in home.log_as_found().entries()]
    Log.create(tmp_path / "other", key).append([deny(1), *old[1:]] if changed else old)
    out = guard(
        "log", "verify", "--log", "other", "--key", key.verifier, "--against", signed[".jpg"], code=code
    )
    assert out.startswith("CONTRADICTED" if changed else "CONSISTENT")
    assert ("log.forked" in out) == changed
    assert f"this log's key signed it under the name {load_log_key(home.log_key_path).name}" in out


def rewrite_key(home):
    """Another log in the place of this one."""
    from provenance.keys import create_log_key

    shutil.rmtree(home.log_folder)
    home.log_key_path.unlink()
    home.registry_path.unlink()
    Log.create(home.log_folder, create_log_key(home.log_key_path))


def test_two_checkpoints_are_consistent_or_one_is_of_another_history(home, signed, guard, stranger, tmp_path):
    shutil.copy(home.log_folder / "checkpoint", tmp_path / "old")
    home.log().append([deny(1), deny(2)])
    out = guard("log", "consistency", "old", "-o", "request")
    assert "CONSISTENT  the 6 entries begin with the 4 of old" in out
    assert "held against  1 earlier checkpoints" in guard("log", "verify", "--against-checkpoint", "old")
    key = key_of(home)
    guard("log", "export", "public")
    shutil.copy(home.log_folder / "checkpoint", tmp_path / "new")
    rewrite(home, [deny(3)] * 7)
    for command in (["log", "consistency", "old"], ["log", "consistency", "new"]):
        assert "error[log.forked]" in guard(*command, code=2)
    assert "log.forked" in guard("log", "verify", "--against-checkpoint", "old", code=1)
    stranger()
    assert "CONSISTENT" in guard("log", "consistency", "old", "--proof", "request", "--key", key)
    assert "CONSISTENT" in guard("log", "consistency", "old", "new", "--log", "public", "--key", key)
    assert "error[usage]" in guard(
        "log", "consistency", "new", "old", "--log", "public", "--key", key, code=2
    )
    assert "error[log.not-proven]" in guard(
        "log", "consistency", "new", "--proof", "request", "--key", key, code=2
    )


def test_a_witness_signs_and_every_line_about_the_log_names_it(home, signed, guard, stranger, tmp_path):
    guard("log", "export", "public")
    key = key_of(home)
    own = guard("log", "witness", "new", "w1.example", "-o", "w1.key").strip()
    assert own.startswith("w1.example+")
    assert (tmp_path / "w1.key").stat().st_mode & 0o077 == 0
    sign = ["log", "witness", "sign", "public", "--log-key", key, "--key", "w1.key", "--state", "memory"]
    assert guard(*sign, "-o", "cosigned") == "cosigned\n"
    assert "error[log.no-cosignature]" in guard("log", "witness", "accept", "cosigned", code=2)
    assert "nobody" not in guard("log", "witness", "list", code=3)
    assert "is a witness of this log now" in guard("log", "witness", "add", own)
    assert "all of them witnessed by w1.example" in guard("log", "witness", "accept", "cosigned")
    assert "CONSISTENT  4 entries, all of them witnessed by w1.example (" in guard("log", "verify")
    assert "all of them witnessed by w1.example" in guard("doctor")
    home.log().append([deny(1)])
    assert "the first 4 of 5 entries witnessed by w1.example" in guard("log", "verify")
    assert "up to 4 entries" in guard("log", "witness", "list")
    guard("log", "export", "public")
    assert guard("log", "prove", signed[".png"], "-o", "p")
    stranger()
    looked = ["log", "verify", "--log", "public", "--key", key]
    assert "the first 4 of 5 entries witnessed by w1.example" in guard(*looked, "--witness", own)
    assert "local, no outside witness" in guard(*looked)
    assert "all of them witnessed by w1.example" in guard(
        "log", "verify", "--proof", "p", "--key", key, "--witness", own, signed[".png"]
    )
    other = guard("log", "witness", "new", "w2.example", "-o", "w2.key").strip()
    assert "not met  w2.example has not signed" in guard(
        *looked, "--witness", own, "--witness", other, code=1
    )
    assert "not met  w2.example" in guard(
        "log", "verify", "--proof", "p", "--key", key, "--witness", other, code=1
    )


def test_a_witness_is_told_by_its_key_and_not_by_its_name(home, signed, guard):
    """A required witness that somebody else's key signs for has not signed."""
    guard("log", "export", "public")
    key = key_of(home)
    own, other = (guard("log", "witness", "new", "w1.example", "-o", f"{n}.key").strip() for n in "ab")
    guard(
        *("log", "witness", "sign", "public", "--log-key", key, "--key", "a.key", "--state", "memory"),
        *("-o", "cosigned"),
    )
    guard("log", "witness", "add", own)
    guard("log", "witness", "accept", "cosigned")
    guard("log", "export", "public")
    for where in ((), ("--log", "public", "--key", key)):
        guard("log", "verify", *where, "--witness", own)
        assert "not met  w1.example has not signed" in guard(
            "log", "verify", *where, "--witness", other, code=1
        )
        both = ("--witness", own, "--witness", other)
        assert "error[log.witness-name]" in guard("log", "verify", *where, *both, code=2)


def test_a_witness_refuses_and_the_owner_is_told_on(home, signed, guard, tmp_path):
    guard("log", "export", "public")
    key = key_of(home)
    own = guard("log", "witness", "new", "w1.example", "-o", "w1.key").strip()
    sign = ["log", "witness", "sign", "--log-key", key, "--key", "w1.key", "--state", "memory"]
    guard(*sign, "public", "-o", "cosigned")
    home.registry_path.unlink()
    rewrite(home, [deny(1)] * 6)
    guard("log", "export", "second")
    assert "error[log.forked]" in guard(*sign, "second", code=2)
    assert "error[log.forked]" in guard("log", "export", "public", code=2)
    guard("log", "witness", "add", own)
    assert "error[log.forked]" in guard("log", "witness", "accept", "cosigned", code=2)
    assert list((tmp_path / "memory").glob("*/refused-*"))
    # An owner who files it by hand is told by the next check.
    filed = home.log_folder / "witnessed"
    filed.mkdir()
    shutil.copy(tmp_path / "cosigned", filed / "4")
    out = guard("log", "verify", code=1)
    assert "log.forked" in out
    assert "signed by w1.example" in out
    assert "CONTRADICTED  6 entries, local, no outside witness" in out


def test_a_witness_is_asked_by_a_proof(home, signed, guard, tmp_path):
    key = key_of(home)
    guard("log", "witness", "new", "w1.example", "-o", "w1.key")
    sign = ["log", "witness", "sign", "--log-key", key, "--key", "w1.key", "--state", "memory"]
    (tmp_path / "empty").write_bytes(Log.create(tmp_path / "e", load_log_key(home.log_key_path)).note())
    guard("log", "consistency", "empty", "-o", "first")
    guard(*sign, "--request", "first", "-o", "cosigned")
    home.log().append([deny(1)])
    assert "error[log.witness-size]" in guard(*sign, "--request", "first", code=2)
    guard("log", "consistency", "cosigned", "-o", "second")
    assert "w1.example" in guard(*sign, "--request", "second")


def test_a_git_repository_as_witness(home, signed, guard, stranger, tmp_path):
    git = shutil.which("git")
    if git is None:
        pytest.skip("needs git")
    repository = tmp_path / "repo"
    for words in (["init", "-q", repository], ["-C", repository, "config", "user.name", "A"],
                  ["-C", repository, "config", "user.email", "a@example.org"]):  # fmt: skip
        subprocess.run([git, *map(str, words)], check=True)
    assert "error[log.git]" in guard("log", "verify", "--against-git", repository, code=2)
    assert "error[log.git]" in guard("log", "witness", "git", tmp_path, code=2)
    assert "committed 4 entries as " in guard("log", "witness", "git", repository)
    assert "nothing new" in guard("log", "witness", "git", repository)
    home.log().append([deny(1)])
    assert "committed 5 entries" in guard("log", "witness", "git", repository)
    home.log().append([deny(2)])
    subprocess.run([git, "clone", "-q", str(repository), str(tmp_path / "clone")], check=True)
    out = guard("log", "verify", "--against-git", "clone")
    assert "held against  2 earlier checkpoints, up to 5 entries" in out
    assert "local, no outside witness" in out
    home.registry_path.unlink()
    rewrite(home, [deny(3)] * 9)
    out = guard("log", "verify", "--against-git", "clone", code=1)
    assert out.count("log.forked") == 2
    assert "(commit " in out
    assert "error[log.forked]" in guard("log", "witness", "git", repository, code=2)


def test_batches_hide_single_releases(home, signed, guard, tmp_path):
    home.log().append([deny(1)])
    out = guard("log", "export", "public", "--batch", 4)
    assert "EXPORTED  4 entries" in out
    assert "1 entries wait for their batch of 4 to be full" in out
    assert "wait" not in guard("log", "export", "public")
    document = json.loads(guard("log", "export", "public", "--batch", 4, "--format", "json"))
    assert (document["size"], document["withheld"], document["written"]) == (5, 0, [])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["log", "verify", "--key", "x+00000000+AQ=="], "usage"),
        (["log", "verify", "--log", "nowhere", "--key", "not a key"], "input.missing"),
        (["log", "verify", "--log", "nowhere", "--key", "a+00000000+AQ=="], "log.key-malformed"),
        (["log", "verify", "--log", "nowhere"], "log.not-published"),
        (["log", "verify", "--proof", "p", "--log", "x"], "usage"),
        (["log", "verify", "--proof", "checkpoint"], "log.proof-malformed"),
        (["log", "verify", "--against-checkpoint", "text"], "log.checkpoint-malformed"),
        (["log", "verify", "--against", "nothing.png"], "input.missing"),
        (["log", "consistency", "nothing"], "input.missing"),
        (["log", "consistency", "checkpoint", "--proof", "text"], "log.proof-malformed"),
        (["log", "consistency", "checkpoint", "--proof", "text", "-o", "x"], "usage"),
        (["log", "witness", "new", "two words", "-o", "w.key"], "log.witness-name"),
        (["log", "witness", "new", "w\u202e1", "-o", "w.key"], "log.witness-name"),
        (["log", "witness", "add", "w+00000000+BA=="], "log.key-malformed"),
        (["log", "witness", "accept", "checkpoint"], "log.no-cosignature"),
        (["log", "witness", "sign", "--log-key", "KEY", "--key", "w", "--state", "s"], "usage"),
        (["log", "witness", "timestamp"], "timestamp.not-configured"),
        (["log", "export", "text/x"], "output.unwritable"),
        (["log", "prove", "nothing.png"], "input.missing"),
    ],
)
def test_what_goes_wrong_has_a_code_and_a_hint(home, guard, tmp_path, arguments, code):
    shutil.copy(home.log_folder / "checkpoint", tmp_path / "checkpoint")
    (tmp_path / "text").write_text("text\n\nnothing")
    err = guard(*arguments, code=2)
    assert f"error[{code}]" in err
    assert "help: " in err
