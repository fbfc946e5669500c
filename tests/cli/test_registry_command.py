"""``guard registry`` as a person and as a script meet it."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner
from PIL import Image

from guard.cli.registry import command
from provenance.errors import Error, InputError
from provenance.registry_kept import KeptRegistries


def copy_of(path, target):
    with Image.open(path) as picture:
        picture.convert("RGB").save(target, quality=80)
    return target


def test_publish_add_withdraw_update(guard_cli, home, signed, tmp_path, monkeypatch):
    assert "no registries were added" in guard_cli("registry", "list").out
    ran = guard_cli("registry", "publish", "pub")
    assert ran.code == 0
    assert ran.out.startswith("PUBLISHED  pub\n")
    assert "can also forge and remove marks" in ran.err
    key = re.search(r"key +((?:[0-9a-f]{4}:){7}[0-9a-f]{4})", ran.out)[1]
    again = json.loads(guard_cli("registry", "publish", "pub", "--format", "json").out)
    assert (again["exit_code"], again["published"]["changed"], again["fingerprint"]) == (0, 0, key)

    monkeypatch.setenv("GUARD_HOME", str(tmp_path / "other"))
    assert guard_cli("init").code == 0
    ran = guard_cli("registry", "add", "pub", "--name", "them")
    assert ran.code == 0
    assert ran.out.startswith("ADDED  them\n")
    assert key in ran.out
    listed = json.loads(guard_cli("registry", "list", "--format", "json").out)
    assert [(one["name"], one["fingerprint"]) for one in listed["registries"]] == [("them", key)]
    assert guard_cli("registry", "update").out.startswith("SAME  them\n")
    copy_of(signed[".png"], tmp_path / "copy.jpg")
    ran = guard_cli("recover", "copy.jpg")
    assert ran.code == 3  # its signer is unknown here
    assert "found in   registry them" in ran.out

    monkeypatch.setenv("GUARD_HOME", str(home.folder))
    ran = guard_cli("registry", "withdraw", signed[".png"], "--reason", "by mistake \x1b[31m")
    assert ran.code == 0
    assert "\x1b" not in ran.out
    ran = guard_cli("verify", signed[".png"])
    assert ran.code == 1
    assert ran.out.startswith("WITHDRAWN")
    assert "withdrawn here: by mistake" in ran.out
    assert "bytes     exactly as they were signed" in ran.out
    assert guard_cli("verify", signed[".png"], "--require", "recovered").code == 1
    assert guard_cli("registry", "publish", "pub").code == 0

    monkeypatch.setenv("GUARD_HOME", str(tmp_path / "other"))
    ran = guard_cli("registry", "update", "them")
    assert ran.out.startswith("UPDATED  them\n")
    assert "withdrawn  1" in ran.out
    ran = guard_cli("recover", "copy.jpg", "--format", "json")
    assert ran.code == 1
    assert json.loads(ran.out)["recoveries"][0]["state"] == "withdrawn"
    assert guard_cli("registry", "remove", "them").code == 0
    assert guard_cli("registry", "update", "them").code == 2


def test_a_damaged_copy_is_listed_as_damaged_mended_and_removed(guard_cli, home, tmp_path, monkeypatch):
    assert guard_cli("registry", "publish", "pub").code == 0
    monkeypatch.setenv("GUARD_HOME", str(tmp_path / "other"))
    assert guard_cli("init").code == 0
    added = guard_cli("registry", "add", "pub", "--name", "them")
    key = added.out.partition("    key        ")[2].split()[0]
    assert guard_cli("registry", "add", "pub", "--name", "again", "--key", key).code == 0
    state = tmp_path / "other" / "registries" / "them" / "kept.json"
    state.write_text("{}")
    ran = guard_cli("registry", "list")
    assert ran.code == 1
    assert ran.out.startswith("KEPT  again\n")
    assert (
        "DAMAGED  them\n    why        what is known of the copy of registry them cannot be read" in ran.out
    )
    assert f"    key        {key}\n    help       guard registry update them" in ran.out
    state.with_name("pin.json").write_text("{}")
    listed = json.loads(guard_cli("registry", "list", "--format", "json").out)["registries"]
    assert [(one["name"], one["fingerprint"], one["exit_code"]) for one in listed] == [
        ("again", key, 0),
        ("them", None, 1),
    ]
    ran = guard_cli("registry", "update")
    assert ran.code == 2
    assert ran.out.startswith("SAME  again\n")
    assert "error[registry.pin-lost]" in ran.err
    ran = guard_cli("registry", "add", "pub", "--name", "them", "--key", key)
    assert (ran.code, ran.out.startswith("MENDED  them\n")) == (0, True)
    state.write_text("{}")
    assert guard_cli("registry", "remove", "them").code == 0
    assert guard_cli("registry", "list").out.count("KEPT") == 1


@pytest.mark.parametrize(
    "lost",
    [
        "log/checkpoint",
        "matches/byBinding/all.json",
        "manifests/*/manifest.c2pa",
        "locator/*",
        "withdrawn.json",
    ],
)
def test_list_and_doctor_judge_a_copy_alike(lost, guard_cli, home, signed, tmp_path, monkeypatch):
    assert guard_cli("registry", "publish", "pub").code == 0
    monkeypatch.setenv("GUARD_HOME", str(tmp_path / "other"))
    assert guard_cli("init").code == 0
    assert guard_cli("registry", "add", "pub", "--name", "them").code == 0
    assert guard_cli("registry", "list").code == 0
    assert broken(guard_cli) == []
    (copy,) = (tmp_path / "other" / "registries" / "them").glob("copy-*")
    next(copy.glob(lost)).unlink()
    ran = guard_cli("registry", "list")
    assert ran.code == 1
    assert ran.out.startswith("DAMAGED  them\n")
    assert "help       guard registry update them" in ran.out
    (line,) = broken(guard_cli)
    assert line.startswith("broken   registry them")
    assert guard_cli("registry", "update").code == 0
    assert guard_cli("registry", "list").out.startswith("KEPT  them\n")


def broken(guard_cli):
    return [line for line in guard_cli("doctor").out.splitlines() if line.startswith("broken")]


def test_what_nobody_expected_of_one_registry_ends_no_update_of_the_others(
    guard_cli, home, signed, tmp_path, monkeypatch
):
    assert guard_cli("registry", "publish", "pub").code == 0
    monkeypatch.setenv("GUARD_HOME", str(tmp_path / "other"))
    assert guard_cli("init").code == 0
    for name in ("first", "second", "third"):
        assert guard_cli("registry", "add", "pub", "--name", name).code == 0
    usual = KeptRegistries.fetch

    def fetch(self, source, *, name, **more):
        if name == "first":
            raise TypeError("unhashable type: 'dict'")
        if name == "second":
            raise InputError("registry.over-limit", "it is too large")
        return usual(self, source, name=name, **more)

    monkeypatch.setattr(KeptRegistries, "fetch", fetch)
    ran = guard_cli("registry", "update")
    assert ran.code == 70
    assert ran.out.startswith("SAME  third\n")
    assert "error[bug]" in ran.err
    assert "registry first" in ran.err
    assert "error[registry.over-limit]" in ran.err
    ran = guard_cli("registry", "update", "--format", "json")
    document = json.loads(ran.out)
    assert (ran.code, document["exit_code"]) == (70, 70)
    assert [one["name"] for one in document["registries"]] == ["third"]
    assert [one["code"] for one in document["errors"]] == ["bug", "registry.over-limit"]


def test_similar_is_off_unless_asked_for_and_decides_nothing(guard_cli, home, signed, photograph, tmp_path):
    Image.fromarray(photograph).resize((400, 400)).save(tmp_path / "unmarked.jpg", quality=60)
    ran = guard_cli("recover", "unmarked.jpg")
    assert (ran.code, "looks like" in ran.out) == (3, False)
    ran = guard_cli("recover", "unmarked.jpg", "--similar")
    assert ran.code == 3
    assert ran.out.startswith("NO_CREDENTIALS")
    assert ran.out.count("looks like manifest") == 2  # both files of that picture
    assert "[development]" in ran.out
    assert "no mark says that it is" in ran.out
    document = json.loads(guard_cli("recover", "unmarked.jpg", "--similar", "--format", "json").out)
    assert len(document["recoveries"][0]["similar"]) == 2


def test_what_cannot_be_done_says_what_helps(home, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    for arguments, code in (
        (("registry", "add", "empty"), "registry.not-published"),
        (("registry", "add", "http://example.org/x"), "registry.url-refused"),
        (("registry", "remove", "nobody"), "registry.unknown"),
        (("registry", "remove", "../x"), "registry.name"),
        (("registry", "withdraw", "0" * 16, "--reason", "x"), "registry.withdraw-unknown"),
        (("registry", "withdraw", "0" * 16, "--reason", " "), "registry.withdraw-reason"),
    ):
        ran = CliRunner().invoke(command, arguments[1:])
        assert isinstance(ran.exception, Error), arguments
        assert (ran.exception.code, bool(ran.exception.hint)) == (code, True)


def test_against_with_a_handed_out_key_needs_no_installation(guard_cli, home, signed, tmp_path, monkeypatch):
    assert guard_cli("keys", "export-locator", "key.json").code == 0
    copy_of(signed[".png"], tmp_path / "copy.jpg")
    monkeypatch.setenv("GUARD_HOME", str(tmp_path / "nowhere"))
    ran = guard_cli("recover", "copy.jpg", "--against", signed[".png"])
    assert ran.out.startswith("SIMILAR")
    ran = guard_cli("recover", "copy.jpg", "--against", signed[".png"], "--locator", "key.json")
    assert ran.out.startswith("RECOVERED")
    assert ran.code == 3  # nobody vouches for the signer here
