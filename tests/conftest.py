"""What every test may rely on: offline, one thread, a home of its own, real pictures."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from hypothesis import settings
from simulators.clips import clip_of
from simulators.command_line import Run, in_a_process, in_this_process
from simulators.generator import PhotographGenerator
from simulators.icc import smallest_cmyk_profile
from simulators.tsa import Clock

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

# What is started in the background, as by nohup, ignores Ctrl-C, and so does all that it starts: tests of
# Ctrl-C would wait for nothing.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Without a deadline: a machine that is busy is no defect. Under CI the same examples on every run, so that
# a red run is about the change; people and nightly runs explore.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

_OUTSIDE = ["unit/manifest/test_public_files.py", "unit/manifest/test_official_rubrics.py"]
collect_ignore = [] if os.environ.get("MEDIAGUARD_PUBLIC_C2PA") else _OUTSIDE
"""Outside test files: collected only where a folder of them is named."""


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """Where everything is installed a skipped test is a hole: `.ci/run` forbids them."""
    outcome = yield
    report = outcome.get_result()
    if os.environ.get("MEDIAGUARD_FORBID_SKIPS") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped where skips are forbidden: {report.longrepr}"


@pytest.fixture(autouse=True)
def _no_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test touches the real installation."""
    monkeypatch.setenv("GUARD_HOME", str(tmp_path / "no-home"))
    monkeypatch.delenv("GUARD_PASSPHRASE", raising=False)


@pytest.fixture(scope="session")
def photograph():
    """A real photograph, 512 × 512 RGB."""
    from skimage import data

    return data.astronaut()


@pytest.fixture
def home(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A fresh installation, made by the code that ``guard init`` runs; for ``signed``, one that released."""
    from guard.home import Home

    made = Home(folder=tmp_path / "home")
    if "signed" in request.fixturenames and "released_once" in request.fixturenames:
        _copied(request.getfixturevalue("released_once"), tmp_path)
    else:
        _initialised(made)
    monkeypatch.setenv("GUARD_HOME", str(made.folder))
    return made


def _initialised(home) -> None:
    from guard.setup import initialise

    initialise(home, now=datetime.now(UTC), random=secrets.token_bytes)


def _copied(made: Path, folder: Path) -> None:
    """``made`` as if all of it had been made in ``folder``: private records know where a file went."""
    shutil.copytree(made, folder, dirs_exist_ok=True)
    for record in (folder / "home" / "records").glob("*.json"):
        record.write_text(record.read_text().replace(str(made), str(folder)))


@pytest.fixture
def tools(home):
    """What a release in ``home`` works with."""
    from guard.tools import assemble

    return assemble(home)


@pytest.fixture(scope="session")
def postgresql():
    """A real server on a Unix socket, in a folder of its own; makes databases and gives their URLs."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not programs:
        pytest.skip("needs Debian's postgresql")
    # The server refuses to run as root, and a folder under root's would be closed to another user.
    who = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
    quiet = {"capture_output": True, "cwd": "/", **who}
    with tempfile.TemporaryDirectory(prefix="mg-pg-", dir="/tmp") as name:
        if who:
            shutil.chown(name, "postgres", "postgres")
        bin_, data = programs[-1].parent, f"{name}/data"
        subprocess.run([bin_ / "initdb", "-D", data, "-U", "guard", "-A", "trust", "-N"], check=True, **quiet)
        options = f"-c listen_addresses= -c unix_socket_directories={name} -c fsync=off"
        control = [bin_ / "pg_ctl", "-D", data, "-w", "-s", "-l", f"{name}/server.log"]
        subprocess.run([*control, "-o", options, "start"], check=True, **quiet)
        try:

            def database(named: str) -> str:
                subprocess.run([bin_ / "createdb", "-h", name, "-U", "guard", named], check=True, **quiet)
                return f"postgresql+psycopg://guard@/{named}?host={name}"

            yield database
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=True, **quiet)


@pytest.fixture(scope="session")
def photographs(photograph):
    """Real photographs of different sizes, RGB."""
    from skimage import data
    from sklearn.datasets import load_sample_image

    others = [data.coffee(), data.chelsea(), load_sample_image("china.jpg"), load_sample_image("flower.jpg")]
    return [photograph, *others]


@pytest.fixture
def guard_cli(tmp_path) -> Run:
    """Run ``guard ARGUMENTS…`` in ``tmp_path`` with the environment of the test, in this process."""
    return partial(in_this_process, tmp_path)


@pytest.fixture
def guard_process(tmp_path) -> Run:
    """The same in a process of its own: cold imports, nothing kept from other tests."""
    return partial(in_a_process, tmp_path)


@pytest.fixture(scope="session")
def simulator(photographs):
    """A generator that "draws" crops of real photographs, one a seed: everything but the model is real."""
    return PhotographGenerator(photographs)


@pytest.fixture
def generated(home, tools, simulator, tmp_path: Path):
    """Pictures released by the whole generate flow, with a prompt to look for afterwards."""
    from generators.request import GenerationRequest
    from guard.generate import approve, generate

    (tmp_path / "out").mkdir(exist_ok=True)
    request = GenerationRequest(prompt="a zebra-striped lighthouse keeper", seeds=(7, 8), model="simulated:1")
    return list(generate(approve(request, tools), simulator, tools, folder=tmp_path / "out"))


@pytest.fixture(scope="session")
def released_once(photograph, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a test with ``signed`` finds in its folder: made once, copied for each."""
    from PIL import Image

    from guard.home import Home
    from guard.intake import Statement, release_asset
    from guard.plan import ask
    from guard.policy.rule import Stage
    from guard.tools import assemble
    from provenance.codecs import read_asset
    from provenance.manifest.reading import DigitalSourceType

    folder = tmp_path_factory.mktemp("released")
    home = Home(folder=folder / "home")
    _initialised(home)
    tools = assemble(home)
    statement = Statement(source_type=DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA, model_name="Test model")
    owed = ask(Stage.PLAN, statement.origin(), tools, command="release").obligations
    (folder / "out").mkdir()
    for suffix in (".png", ".jpg"):
        source = folder / f"picture{suffix}"
        Image.fromarray(photograph).save(source)
        target = folder / "out" / source.name
        release_asset(read_asset(source), statement, tools, plan=owed, command="release", output=target)
    tools.registry.close()  # what it has beside it is written back; a copy has to be whole
    return folder


@pytest.fixture
def signed(released_once, home, tmp_path: Path) -> dict[str, Path]:
    """One released picture for each container, by suffix."""
    del released_once, home
    return {suffix: tmp_path / "out" / f"picture{suffix}" for suffix in (".png", ".jpg")}


@pytest.fixture(scope="session")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Clock:
    """A time-stamp authority, and the root that vouches for it."""
    if shutil.which("openssl") is None:
        pytest.skip("the time-stamp authority is openssl ts")
    return Clock(folder=tmp_path_factory.mktemp("clock"))


@pytest.fixture
def to_be_killed(photograph, tmp_path: Path) -> tuple[Path, Path]:
    """A small picture, and the folder that it is released into by a process that dies on the way."""
    from PIL import Image

    source, folder = tmp_path / "source.png", tmp_path / "out"
    Image.fromarray(photograph[:256, :256]).save(source)
    folder.mkdir()
    return source, folder


@pytest.fixture(scope="session")
def cmyk_profile() -> bytes:
    """The smallest ICC profile from CMYK."""
    return smallest_cmyk_profile()


@pytest.fixture(scope="session")
def make_clip(photograph):
    """Makes small clips: a camera that pans over a photograph while a red square moves, with a tone."""
    return partial(clip_of, photograph)
