"""A key or registry that cannot be used leaves a question open; it stops no other answer."""

from __future__ import annotations

import json

import pytest
from PIL import Image

DAMAGE = {
    "missing": lambda path: path.unlink(),
    "others can read it": lambda path: path.chmod(0o644),
    "damaged": lambda path: path.write_bytes(b"{}"),
}
HELP = {"missing": "guard init", "others can read it": "chmod 600", "damaged": "restore a copy"}


@pytest.fixture
def stripped(signed, tmp_path):
    path = tmp_path / "stripped.png"
    Image.open(signed[".png"]).save(path)
    return path


@pytest.mark.parametrize("how", DAMAGE)
def test_without_a_usable_locator_key_inspect_and_verify_go_on(guard_cli, home, signed, stripped, how):
    DAMAGE[how](home.locator_path)
    ran = guard_cli("inspect", signed[".png"], "--format", "json")
    assert ran.code == 0
    found = json.loads(ran.out)
    (signals,) = found["signals"]
    assert signals["watermark"]["outcome"] == "not_checked"
    assert HELP[how] in signals["watermark"]["reason"]
    assert signals["manifest"]["state"] == "development"
    assert guard_cli("verify", signed[".png"], "--marks").code == 0
    ran = guard_cli("verify", stripped)
    assert ran.code == 3
    assert "not checked  mark" in ran.out
    assert HELP[how] in ran.out


def test_a_damaged_registry_is_no_mark_that_nobody_knows(guard_cli, home, stripped):
    for beside in home.folder.glob("registry.sqlite*"):
        beside.unlink()
    home.registry_path.write_bytes(b"no database " * 1000)
    ran = guard_cli("verify", stripped)
    assert ran.code == 3
    assert "the registry is damaged" in ran.out
    assert "no registry here knows it" not in ran.out
    assert guard_cli("recover", stripped).code == 2
