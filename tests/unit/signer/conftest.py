"""A signer that runs, and a home whose releases go to it."""

from __future__ import annotations

import io
import os
import tempfile
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from PIL import Image

from guard.clock import utc_now
from guard.home import Home
from guard.inspect import kind_of
from guard.intake import Statement, release_asset
from guard.plan import ask
from guard.policy.rule import Stage
from guard.signer.joining import join
from guard.signer.office import Office
from guard.signer.server import Server
from guard.tools import assemble
from provenance.manifest.reading import DigitalSourceType
from provenance.media import Asset


@dataclass
class Running:
    """A signer in threads of this process, and what it said."""

    office: Office
    path: Path
    said: list[str] = field(default_factory=list)
    thread: threading.Thread | None = None
    server: Server | None = None

    def start(self, **how) -> None:
        ready = threading.Event()

        def say(line: str) -> None:
            self.said.append(line)
            if line.startswith("ready"):
                ready.set()

        tools = self.office.tools
        tools = replace(tools, packs=how.pop("packs", tools.packs))
        self.office = Office(home=self.office.home, tools=tools, say=say, wait_s=30.0)
        how = {"users": frozenset({os.geteuid()}), **how}
        self.server = Server(office=self.office, path=self.path, **how)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        assert ready.wait(60)

    def end(self) -> None:
        if self.server is not None and self.thread is not None:
            self.server.stop.set()
            self.thread.join(60)
            assert not self.thread.is_alive()


@pytest.fixture
def socket_path():
    """Short: the path of a socket has 107 bytes at most."""
    with tempfile.TemporaryDirectory(prefix="mg-") as folder:
        yield Path(folder) / "s"


@pytest.fixture
def signer(home, socket_path):
    """Starts a signer with the keys of ``home``: ``signer(**how)``; ended afterwards."""
    running = Running(office=Office(home=home, tools=assemble(home), say=str), path=socket_path)

    def start(**how) -> Running:
        running.start(**how)
        return running

    yield start
    running.end()


@pytest.fixture
def joined(signer, tmp_path):
    """Tools of a new home without keys whose releases go to a signer: ``joined(running)``."""
    clients = []

    def join_it(running, name="client"):
        mine = Home(folder=tmp_path / name)
        join(mine, running.path, now=utc_now())
        clients.append(assemble(mine))
        return clients[-1]

    yield join_it
    for one in clients:
        one.remote.close()


@pytest.fixture
def client(signer, joined):
    """The same, of a signer with default packs."""
    return joined(signer())


@pytest.fixture
def let_go(tmp_path):
    """Release an asset with tools: ``let_go(tools, asset, source, command)``."""

    def run(tools, asset, source="trainedAlgorithmicMedia", command="release", **how):
        said = Statement(source_type=DigitalSourceType.known(source))
        kind = kind_of(asset.mime)
        plan = ask(Stage.PLAN, said.origin(), tools, command=command, kind=kind).obligations
        folder = tmp_path / "out"
        folder.mkdir(exist_ok=True)
        return release_asset(asset, said, tools, plan=plan, command=command, output=folder, **how)

    return run


@pytest.fixture
def picture(photograph):
    """A photograph of 288 × 288 pixels, as PNG."""
    out = io.BytesIO()
    Image.fromarray(photograph[:288, :288]).save(out, "PNG")
    return Asset.of(out.getvalue(), "image/png")
