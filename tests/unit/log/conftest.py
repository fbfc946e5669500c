import os

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from provenance.log.checkpoint import NoteSigner
from provenance.log.store import Log


@pytest.fixture(scope="session")
def signer():
    return NoteSigner(
        name="log.example/1", private_key=Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    )


@pytest.fixture
def log(tmp_path, signer):
    return Log.create(tmp_path / "log", signer)


@pytest.fixture(scope="session")
def entries():
    """The first ``count`` entries of one endless, uneven sequence."""

    def make(count, start=0):
        return [f"entry {index} ".encode() * (1 + index % 7) for index in range(start, start + count)]

    return make


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch):
    """What is synced and when has its own test; the others need not wait for it."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
