"""A withdrawal holds for a manifest whose unsigned parts were written anew: its digest is no name for it."""

from __future__ import annotations

import secrets
import shutil
from datetime import UTC, datetime

import pytest
from simulators.ecdsa_forms import other_form

from guard.api import verify_file
from guard.home import Home
from guard.lookup import Sources
from guard.registries import add, publish
from guard.setup import initialise
from guard.verdict import State
from guard.withdrawing import withdraw
from provenance.registry_source import FetchLimits

NOW = datetime.now(UTC)


@pytest.fixture
def rewritten(home, signed, tmp_path):
    """A released and withdrawn picture, whose signature is written in its other form."""
    withdraw(home, str(signed[".png"]), "by mistake", now=NOW, random=secrets.token_bytes)
    path = tmp_path / "rewritten.png"
    path.write_bytes(other_form(signed[".png"].read_bytes()))
    return path


def test_here(home, signed, rewritten):
    assert verify_file(rewritten, home=home).state is State.WITHDRAWN
    assert verify_file(signed[".jpg"], home=home).state is State.DEVELOPMENT


def test_on_another_machine(home, rewritten, tmp_path):
    publish(home, tmp_path / "pub", locator=True, now=NOW)
    nowhere = Home(folder=tmp_path / "nowhere")
    named = Sources(home=nowhere, folders=[tmp_path / "pub"])
    assert verify_file(rewritten, home=nowhere, sources=named).state is State.WITHDRAWN
    stranger = Home(folder=tmp_path / "stranger")
    initialise(stranger, now=NOW, random=secrets.token_bytes)
    add(stranger, str(tmp_path / "pub"), name="them", at=NOW, limits=FetchLimits())
    assert verify_file(rewritten, home=stranger).state is State.WITHDRAWN


def test_nothing_of_this_installation_passes_without_the_withdrawn_manifest(home, signed, rewritten):
    """With the registry lost nobody can tell whether it is the one that was withdrawn."""
    shutil.move(home.registry_path, home.registry_path.with_suffix(".lost"))
    with pytest.raises(Exception, match="registry"):
        verify_file(rewritten, home=home)
    assert verify_file(signed[".png"], home=home).state is State.WITHDRAWN
