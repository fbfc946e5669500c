"""How fast the log appends, proves, opens and audits: ``python benchmarks/log.py``."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from provenance.log.checkpoint import NoteSigner
from provenance.log.leaves import DecisionLeaf
from provenance.log.merkle import leaf_hash, verify_inclusion
from provenance.log.store import Log

if TYPE_CHECKING:
    from collections.abc import Callable

RESULT = Path(__file__).parent / "results" / "log.json"


def timed(action: Callable[[], object], times: int) -> dict[str, float]:
    """Milliseconds of ``action``: median and 95th percentile on the clock, mean of the processor alone."""
    took, busy = [], time.process_time()
    for _ in range(times):
        start = time.perf_counter()
        action()
        took.append(1e3 * (time.perf_counter() - start))
    cuts, cpu = statistics.quantiles(took, n=20), 1e3 * (time.process_time() - busy) / times
    return {
        "median_ms": round(statistics.median(took), 3),
        "p95_ms": round(cuts[-1], 3),
        "cpu_ms": round(cpu, 3),
        "n": times,
    }


def fsync_once(folder: Path) -> None:
    with (folder / "probe").open("ab") as file:
        file.write(b"x" * 300)
        file.flush()
        os.fsync(file.fileno())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1_000_000, help="entries in the large log")
    size = parser.parse_args().size
    entry = DecisionLeaf(
        action="allow",
        decision_commitment="a" * 64,
        subject_sha256="b" * 64,
        manifest_sha256="c" * 64,
        time=0,
    ).to_bytes()
    signer = NoteSigner(name="benchmark.invalid/log", private_key=Ed25519PrivateKey.generate())
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as scratch:
        folder = Path(scratch)
        result: dict[str, object] = {
            "entry_bytes": len(entry),
            "python": platform.python_version(),
            "cpus": os.cpu_count(),
            "load_average_at_start": round(os.getloadavg()[0], 1),
        }
        result["fsync_alone"] = timed(lambda: fsync_once(folder), 200)
        log = Log.create(folder / "log", signer)
        result["append_one"] = timed(lambda: log.append([entry]), 500)
        result["append_256"] = timed(lambda: log.append([entry] * 256), 100)
        start, before = time.perf_counter(), log.checkpoint().size
        while log.checkpoint().size < size:
            log.append([entry] * min(50_000, size - log.checkpoint().size))
        result["entries_per_s_in_batches"] = round((size - before) / (time.perf_counter() - start))
        result["size"] = size
        result["open_and_check_root"] = timed(
            lambda: Log.open(log.folder, signer.verifier, signer=signer), 50
        )
        result["prove"] = timed(lambda: log.prove_inclusion(size // 3), 100)
        proof, head, leaf = log.prove_inclusion(size // 3), log.checkpoint(), leaf_hash(entry)
        assert verify_inclusion(size // 3, size, leaf, proof, head.root)
        result["check_proof"] = timed(lambda: verify_inclusion(size // 3, size, leaf, proof, head.root), 1000)
        result["append_one_to_large"] = timed(lambda: log.append([entry]), 200)
        start = time.perf_counter()
        assert log.verify().ok
        result["audit_s"] = round(time.perf_counter() - start, 2)
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
