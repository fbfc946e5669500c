"""What every test may rely on: offline, one thread, a home of its own, real pictures."""

from __future__ import annotations

import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


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
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A fresh installation, made by the code that ``guard init`` runs."""
    from guard.home import Home
    from guard.setup import initialise

    made = Home(folder=tmp_path / "home")
    initialise(made, now=datetime.now(UTC), random=secrets.token_bytes)
    monkeypatch.setenv("GUARD_HOME", str(made.folder))
    return made


@pytest.fixture
def tools(home):
    """What a release in ``home`` works with."""
    from guard.tools import assemble

    return assemble(home)


@pytest.fixture
def signed(home, tools, photograph, tmp_path: Path) -> dict[str, Path]:
    """One released picture for each container, by suffix."""
    from PIL import Image

    from guard.intake import Statement, release_file
    from guard.plan import ask
    from guard.policy.rule import Stage
    from provenance.manifest.reading import DigitalSourceType

    statement = Statement(source_type=DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA, model_name="Test model")
    owed = ask(Stage.PLAN, statement.origin(), tools, command="release").obligations
    released = {}
    (tmp_path / "out").mkdir()
    for suffix in (".png", ".jpg"):
        source = tmp_path / f"picture{suffix}"
        Image.fromarray(photograph).save(source)
        target = tmp_path / "out" / source.name
        release_file(source, statement, tools, plan=owed, command="release", output=target)
        released[suffix] = target
    return released
