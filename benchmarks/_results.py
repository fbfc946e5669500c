"""Where results go, and what every result says about the run that made it."""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("c2pa-python", "numpy", "opencv-python-headless", "Pillow", "scipy", "torch", "diffusers")


def write(name: str, **result: Any) -> None:
    """Print ``result`` and commit it to ``results/NAME.json`` with versions and the command."""
    about = {
        "command": f"python benchmarks/{name}.py",
        "python": platform.python_version(),
        "machine": platform.machine(),
        "versions": {package: version(package) for package in PACKAGES},
    }
    text = json.dumps({**about, **result}, indent=1, ensure_ascii=False)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    print(text)
