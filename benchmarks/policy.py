"""Time of a decision and of a prompt review: ``python benchmarks/policy.py`` writes results/policy.json.

Reported is CPU time: the median over batches, with the 5 and 95 % points. ``calibration_us`` is a
fixed loop of plain Python on the same machine at the same moment: compare machines, and busy moments,
by it.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from guard.policy import Stage, decide, find_pack
from guard.policy.fixtures import NOW, SUBJECT, facts_from, load_cases
from guard.policy.pack import policies
from guard.policy.reading import read_pack
from guard.policy.source import Source
from guard.policy.yaml12 import load
from guard.prompt import normalise, review

if TYPE_CHECKING:
    from collections.abc import Callable

    from guard.policy.rule import Pack

PROMPT = (
    "a highly detailed studio portrait of an elderly woman laughing, 85mm lens, rim light, photorealistic, "
    * 3
)
CONDITIONS = [
    "marks.c2pa.read_back && marks.c2pa.state == 'trusted'", "marks.c2pa.soft_binding_matches",
    "marks.c2pa.digital_source_type == 'trainedAlgorithmicMedia'", "log.recorded",
    "marks.watermark.detected && marks.watermark.psnr >= 40.0", "media.width >= 256 && media.height >= 256",
    "risk.sexual == 'absent' || risk.minor == 'absent'", "size(prompt.flags) == 0",
    "prompt.flags.all(f, f != 'text:bidi')", "subject.sha256 == decision.subject",
]  # fmt: skip


def pack_of(count: int) -> Pack:
    """A pack of ``count`` rules at the verify stage, where the base pack adds none."""
    rule = '    - {{id: bench.r{0}, stage: verify, require: "{1}", on_fail: deny, message: {{en: x}}}}\n'
    text = "apiVersion: guard.policy/v1\nkind: PolicyPack\nmetadata: {name: bench, version: 1}\n"
    text += "spec:\n  rules:\n"
    text += "".join(rule.format(n, CONDITIONS[n % len(CONDITIONS)]) for n in range(count))
    return read_pack(load(Source(name="bench", text=text)), where="bench")


def timed(call: Callable[[], object], *, batch: int = 200, batches: int = 151) -> dict[str, float]:
    """Microseconds a call: median, 5 % and 95 % points over ``batches`` batches."""
    times = []
    for _ in range(batches):
        start = time.process_time()
        for _ in range(batch):
            call()
        times.append((time.process_time() - start) / batch * 1e6)
    points = statistics.quantiles(times, n=20)
    return {
        "p50_us": round(statistics.median(times), 2),
        "p05_us": round(points[0], 2),
        "p95_us": round(points[-1], 2),
    }


def import_ms() -> float:
    """Milliseconds of CPU that ``import guard.policy`` takes in a fresh interpreter; median of 9."""
    code = "import time; a = time.process_time(); import guard.policy; print((time.process_time() - a) * 1e3)"
    runs = [subprocess.run([sys.executable, "-c", code], check=True, capture_output=True) for _ in range(9)]
    return round(statistics.median(float(run.stdout) for run in runs), 1)


def main() -> None:
    cases = load_cases(policies() / "tests" / "default.yaml")
    facts = facts_from(next(case for case in cases if case.stage == "publish").given)
    default = [find_pack("default")]
    packs = {count: [pack_of(count)] for count in (1, 10, 100)}
    loop = list(range(100))
    result = {
        "command": "python benchmarks/policy.py",
        "python": platform.python_version(),
        "load_average": round(os.getloadavg()[0], 1),
        "calibration_us": timed(lambda: [n * n for n in loop])["p50_us"],
        "decision": {
            f"{count} rules": timed(
                lambda chosen=chosen: decide(chosen, Stage.VERIFY, facts, now=NOW, subject=SUBJECT)
            )
            for count, chosen in packs.items()
        }
        | {
            f"base + default, {stage}": timed(
                lambda stage=stage: decide(default, stage, facts, now=NOW, subject=SUBJECT)
            )
            for stage in (Stage.PROMPT, Stage.PLAN, Stage.PIXELS, Stage.PUBLISH)
        },
        "prompt": {
            "characters": len(PROMPT),
            "normalise": timed(lambda: normalise(PROMPT), batch=50),
            "review": timed(lambda: review(PROMPT), batch=50),
        },
        "load_default_ms": round(timed(lambda: find_pack("default"), batch=1, batches=21)["p50_us"] / 1e3, 1),
        "import_guard_policy_ms": import_ms(),
    }
    result["calibration_after_us"] = timed(lambda: [n * n for n in loop])["p50_us"]
    path = Path(__file__).parent / "results" / "policy.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
