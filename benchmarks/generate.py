"""How long a stranger waits for pictures, and how much of it is guarding: whole processes, side by side.

    python benchmarks/generate.py [ROUNDS]      # writes benchmarks/results/generate.json

Round after round: a process that imports what the model is made of; one that runs ``guard generate`` for one
picture; one for four. Then, in this process, how much of the time of a picture goes into guarding it.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _results import write
from guard_path import shares

ROOT = Path(__file__).parents[1]
IMPORTS = "from guard_path import import_libraries; import_libraries()"
PROMPT = "a portrait of a firefighter"


def measured(command: list[str], environment: dict[str, str]) -> dict[str, float]:
    """Seconds by the clock, and of processors with all children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run(command, env=environment, check=True, capture_output=True, cwd=ROOT)
    clock = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"clock": clock, "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as folder:
        paths = f"{ROOT}{os.pathsep}{ROOT / 'benchmarks'}"
        environment = {**os.environ, "GUARD_HOME": f"{folder}/home", "PYTHONPATH": paths}
        guard = [sys.executable, "-m", "guard"]
        subprocess.run([*guard, "init"], env=environment, check=True, capture_output=True)
        draw = [*guard, "generate", PROMPT, "--seed", "1", "-o", f"{folder}/out"]
        commands = {
            "import": [sys.executable, "-c", IMPORTS],
            "one signed picture": draw,
            "four signed pictures": [*draw, "-n", "4"],
        }
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, command in commands.items():
                runs[name].append(measured(command, environment))
    median = {
        name: {kind: round(statistics.median(run[kind] for run in each), 2) for kind in ("clock", "cpu")}
        for name, each in runs.items()
    }
    beyond = {kind: median["one signed picture"][kind] - median["import"][kind] for kind in ("clock", "cpu")}
    write(
        "generate",
        n=rounds,
        threads=os.environ.get("OMP_NUM_THREADS", "torch's own"),
        load_average=os.getloadavg()[0],
        median_seconds=median,
        first_signed_picture_beyond_import={kind: round(value, 2) for kind, value in beyond.items()},
        guarding=shares(),
        goals="first signed picture ≤ import + 2 s; four of 512 px ≤ 12 s; guarding ≤ 10 % of 5 s",
    )


if __name__ == "__main__":
    main()
