"""Trust lists at the command line: what may be replaced or removed, and the way out of damage."""

import json
from datetime import UTC, datetime

import pytest

from provenance.manifest.identity import create_development_identity
from provenance.manifest.trust import load_trust


@pytest.fixture
def pem(tmp_path):
    def make(name: str):
        identity = create_development_identity(name=name, now=datetime.now(UTC))
        path = tmp_path / f"{name}.pem"
        path.write_bytes(identity.root_pem)
        return path

    return make


def damage(home, name: str) -> None:
    (file,) = home.trust_folder.glob(f"{name}.*.pem")
    file.write_bytes(file.read_bytes() + b"\n")


def names(home) -> list[str]:
    return [one.name for one in load_trust(home.trust_folder).lists]


def test_the_development_list_is_not_for_hands(home, guard_cli, pem):
    before = load_trust(home.trust_folder)
    stranger = pem("stranger")
    for arguments in (
        ("add", "development", stranger),
        ("add", "development", stranger, "--force"),
        ("add", "development", stranger, "--tier", "official", "--force"),
        ("remove", "development"),
    ):
        ran = guard_cli("trust", *arguments)
        assert ran.code == 2
        assert "trust.development" in ran.err
        assert "guard keys renew" in ran.err
    assert load_trust(home.trust_folder) == before


def test_a_development_list_by_another_name_is_kept_too(home, guard_cli, pem):
    index = home.trust_folder / "lists.json"
    document = json.loads(index.read_text())
    document["lists"][0]["name"] = "workshop"
    index.write_text(json.dumps(document))
    for arguments in (("add", "workshop", pem("stranger"), "--force"), ("remove", "workshop")):
        assert "trust.development" in guard_cli("trust", *arguments).err
    assert names(home) == ["workshop"]


def test_replacing_a_list_needs_force(home, guard_cli, pem):
    first, second = pem("first"), pem("second")
    assert guard_cli("trust", "add", "ours", first).code == 0
    refused = guard_cli("trust", "add", "ours", second)
    assert refused.code == 2
    assert "trust.exists" in refused.err
    assert load_trust(home.trust_folder).lists[-1].pem == first.read_bytes()
    assert guard_cli("trust", "add", "ours", second, "--force").code == 0
    assert load_trust(home.trust_folder).lists[-1].pem == second.read_bytes()
    assert names(home) == ["development", "ours"]


def test_damaged_lists_are_shown_and_can_be_removed(home, guard_cli, pem):
    for name in ("ours", "theirs"):
        assert guard_cli("trust", "add", name, pem(name)).code == 0
    assert guard_cli("doctor").code == 0
    damage(home, "ours")
    damage(home, "theirs")
    sick = guard_cli("doctor")
    assert sick.code == 1
    assert "guard trust remove" in sick.out
    assert "trust.digest-mismatch" in guard_cli("trust", "list").err
    for name in ("ours", "theirs"):
        assert guard_cli("trust", "remove", name).code == 0
    assert names(home) == ["development"]
    assert len(list(home.trust_folder.glob("*.pem"))) == 1
    assert guard_cli("doctor").code == 0


def test_a_list_without_its_file_can_be_removed(home, guard_cli, pem):
    guard_cli("trust", "add", "ours", pem("ours"))
    next(home.trust_folder.glob("ours.*.pem")).unlink()
    assert guard_cli("trust", "remove", "ours").code == 0
    assert names(home) == ["development"]


def test_a_damaged_development_list_is_made_anew(home, guard_cli):
    damage(home, "development")
    assert guard_cli("trust", "remove", "development").code == 0
    assert guard_cli("keys", "renew").code == 0
    assert names(home) == ["development"]


def test_an_unknown_list_is_said_to_be_unknown(home, guard_cli):
    assert "trust.unknown-list" in guard_cli("trust", "remove", "nobody").err
