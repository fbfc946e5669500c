"""The command line as a stranger meets it: real processes, real files."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Ran:
    """What one run of ``guard`` did."""

    code: int
    out: str
    err: str


@pytest.fixture
def guard(tmp_path) -> Callable[..., Ran]:
    """Run ``guard ARGUMENTS…`` in ``tmp_path`` with the environment of the test."""

    def run(*arguments: object, stdin: str | None = None) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "guard", *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Ran(code=done.returncode, out=done.stdout, err=done.stderr)

    return run
