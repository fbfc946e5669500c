"""What has to stay unloaded until something is really signed or read."""

from __future__ import annotations

import json
import subprocess
import sys


def loaded_by(code: str) -> set[str]:
    script = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    return set(json.loads(done.stdout))


def test_the_values_load_nothing():
    names = loaded_by("import provenance.manifest.reading, provenance.metadata.reading")
    assert not names & {"c2pa", "numpy", "PIL", "cryptography"}


def test_the_reader_loads_the_library_on_first_use_only():
    names = loaded_by("import provenance.manifest.read, provenance.manifest.sign, provenance.metadata.strip")
    assert not names & {"c2pa", "numpy", "PIL", "torch"}


def test_only_one_file_names_the_library():
    from pathlib import Path

    import provenance

    root = Path(provenance.__file__).parent
    naming = {path.name for path in root.rglob("*.py") if "import c2pa\n" in path.read_text("utf-8")}
    assert naming == {"c2pa_adapter.py"}
