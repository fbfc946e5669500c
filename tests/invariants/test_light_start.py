"""What is fast to start stays fast: no heavy library is loaded before it is needed.

Asserted on ``sys.modules`` in a fresh interpreter, not on the clock.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"torch", "diffusers", "transformers", "peft", "sklearn", "scipy", "cv2", "onnxruntime", "av"}
PROBE = """
import json, sys
from guard.cli.main import run
code = run(sys.argv[1:])
print("MODULES" + json.dumps([code, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


def loaded_by(*arguments: str) -> tuple[int, set[str]]:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments], capture_output=True, text=True, check=True
    )
    code, modules = json.loads(done.stdout.rpartition("MODULES")[2])
    return code, set(modules)


def test_help_loads_neither_heavy_libraries_nor_numpy() -> None:
    code, modules = loaded_by("--help")
    assert code == 0
    assert not modules & (HEAVY | {"numpy", "PIL", "c2pa", "cryptography", "yaml"})


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_verifying_a_signed_picture_loads_nothing_heavy(signed: dict[str, Path], suffix: str) -> None:
    code, modules = loaded_by("verify", str(signed[suffix]))
    assert code == 0
    assert "c2pa" in modules
    assert not modules & (HEAVY | {"numpy", "PIL", "yaml", "sqlite3"})


OF_OTHER_FILES = {
    *("provenance.manifest.containers.others", "provenance.manifest.storeless", "provenance.metadata.tiff"),
    *("provenance.metadata.bmff", "provenance.metadata.riff", "provenance.registry_published"),
    *("guard.recover", "provenance.manifest.isolated"),
}
"""What files of other formats, files without a manifest and published registries take."""


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_verifying_a_signed_picture_loads_nothing_of_other_files(
    signed: dict[str, Path], suffix: str
) -> None:
    probe = PROBE.replace('name.partition(".")[0]', "name")
    done = subprocess.run(
        [sys.executable, "-c", probe, "verify", str(signed[suffix])],
        capture_output=True,
        text=True,
        check=True,
    )
    code, modules = json.loads(done.stdout.rpartition("MODULES")[2])
    assert code == 0
    assert not set(modules) & OF_OTHER_FILES


def test_importing_the_public_package_loads_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import guard, sys, json; print(json.dumps(sorted(sys.modules)))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {name.partition(".")[0] for name in json.loads(done.stdout)} & (HEAVY | {"numpy"})
