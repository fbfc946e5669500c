"""How long a stranger waits: whole processes, side by side with the least that could do the job.

    python benchmarks/cold_start.py            # writes benchmarks/results/cold_start.json

Each command runs in turn, round after round, so that a busy machine slows all of them alike.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _results import write

ROUNDS = 15


def seconds(command: list[str], environment: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "GUARD_HOME": f"{folder}/home"}
        guard = [str(Path(sys.executable).with_name("guard"))]
        picture, signed = Path(folder, "picture.jpg"), Path(folder, "signed.jpg")
        make = (
            "from PIL import Image; import sys;"
            "Image.effect_noise((1200, 900), 50).convert('RGB').save(sys.argv[1], quality=92)"
        )
        subprocess.run([sys.executable, "-c", make, str(picture)], check=True)
        for command in (["init"], ["sign", str(picture), "--source", "generated", "-o", str(signed)]):
            subprocess.run([*guard, *command], env=environment, check=True, capture_output=True)
        commands = {
            "python -c 'import c2pa'": [sys.executable, "-c", "import c2pa"],
            "guard --help": [*guard, "--help"],
            "guard verify signed.jpg": [*guard, "verify", str(signed)],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, command in commands.items():
                times[name].append(seconds(command, environment))
    medians = {name: statistics.median(each) for name, each in times.items()}
    base = medians["python -c 'import c2pa'"]
    write(
        "cold_start",
        n=ROUNDS,
        median_seconds={name: round(value, 4) for name, value in medians.items()},
        ratio_to_import_c2pa={name: round(value / base, 2) for name, value in medians.items()},
        goal="guard verify ≤ 2.5 × import c2pa",
    )


if __name__ == "__main__":
    main()
