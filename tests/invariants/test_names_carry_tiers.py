"""Promise 4: a signer's name never without its tier, and an unknown signer never exits 0."""

from __future__ import annotations

import json

import pytest

from guard.verdict import exit_code


@pytest.fixture
def stranger(signed, tmp_path, monkeypatch):
    """A file signed by an installation that this one knows nothing of."""
    monkeypatch.setenv("GUARD_HOME", str(tmp_path / "elsewhere"))
    return signed[".png"]


def test_an_unknown_signer_never_exits_0(guard_cli, stranger):
    assert guard_cli("verify", stranger).code == 3
    assert guard_cli("verify", stranger, "--require", "trusted").code == 1


def test_the_name_is_printed_with_its_tier(guard_cli, stranger):
    lines = guard_cli("verify", stranger).out.splitlines()
    named = [line for line in lines if "mediaguard development" in line]
    assert named
    assert all("[unknown]" in line for line in named)
    assert "UNKNOWN: nobody you trust vouches for this name" in named[0]


def test_the_name_is_serialised_with_its_tier(guard_cli, stranger):
    document = json.loads(guard_cli("verify", stranger, "--format", "json").out)

    def signers(value):
        if isinstance(value, dict):
            if "fingerprint_sha256" in value:
                yield value
            for item in value.values():
                yield from signers(item)
        elif isinstance(value, list):
            for item in value:
                yield from signers(item)

    found = list(signers(document))
    assert found
    assert all(signer["tier"] == "unknown" for signer in found)


def test_the_development_identity_is_never_trusted(guard_cli, signed):
    assert guard_cli("verify", signed[".png"]).code == 0
    assert guard_cli("verify", signed[".png"], "--require", "trusted").code == 1
    assert guard_cli("verify", signed[".png"], "--require", "intact").code == 0


def test_exit_codes_agree_with_the_table(guard_cli, stranger):
    from guard.verdict import State

    document = json.loads(guard_cli("verify", stranger, "--format", "json").out)
    state = State(document["verdicts"][0]["state"])
    assert document["exit_code"] == exit_code(state)
