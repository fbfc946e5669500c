"""How fast the log appends, proves, opens, publishes and audits: ``python benchmarks/log.py``."""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import _results
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from provenance.log.checkpoint import NoteSigner
from provenance.log.export import export_log
from provenance.log.group import shared
from provenance.log.leaves import DecisionLeaf, WithdrawalLeaf
from provenance.log.merkle import leaf_hash, verify_inclusion
from provenance.log.proof import InclusionProof, prove_inclusion
from provenance.log.recall_index import INDEX
from provenance.log.recalled import recalled_here
from provenance.log.store import Log

if TYPE_CHECKING:
    from collections.abc import Callable

THREADS = 256
"""Writers that wait at the same time; a group has as many entries at the most."""
ENTRY = DecisionLeaf(
    action="allow", decision_commitment="a" * 64, subject_sha256="b" * 64, manifest_sha256="c" * 64, time=0
).to_bytes()

WITHDRAWALS = 100
"""In the large log, when it is asked what was withdrawn."""


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


def alone(log: Log, seconds: float) -> float:
    """Entries a second of one writer, each with a checkpoint and syncs of its own."""
    start, done = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        log.append([ENTRY])
        done += 1
    return done / (time.perf_counter() - start)


def together(log: Log, seconds: float) -> float:
    """Entries a second of many threads that append one entry at a time to a shared log."""
    group, counts = shared(log), [0] * THREADS
    start = time.perf_counter()

    def work(number: int) -> None:
        while time.perf_counter() - start < seconds:
            group.append([ENTRY])
            counts[number] += 1

    threads = [threading.Thread(target=work, args=[number]) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - start)


def batches(log: Log, seconds: float) -> float:
    """Entries a second of one writer that hands in 256 at a time."""
    start, done = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        log.append([ENTRY] * 256)
        done += 256
    return done / (time.perf_counter() - start)


def rates(folder: Path, signer: NoteSigner, rounds: int, seconds: float) -> dict[str, Any]:
    """The three ways to append, in turn, each to a log of its own; medians over the rounds."""
    ways = {"one_writer": alone, "threads_in_groups": together, "batches_of_256": batches}
    logs = {name: Log.create(folder / name, signer) for name in ways}
    found: dict[str, list[float]] = {name: [] for name in ways}
    busy = dict.fromkeys(ways, 0.0)
    for _ in range(rounds):
        for name, way in ways.items():
            before = time.process_time()
            found[name].append(way(logs[name], seconds))
            busy[name] += time.process_time() - before
    assert all(log.verify().ok for log in logs.values())
    about: dict[str, Any] = {
        "unit": "entries/s",
        "rounds": rounds,
        "seconds_each": seconds,
        "threads": THREADS,
    }
    for name, each in found.items():
        about[name] = {
            "median": round(statistics.median(each)),
            "least": round(min(each)),
            "most": round(max(each)),
            "per_second_of_processor": round(logs[name].checkpoint().size / busy[name]),
        }
    return about


def large(folder: Path, signer: NoteSigner, size: int) -> dict[str, Any]:
    """A log of ``size`` entries: made, opened, proven from, published, audited."""
    log = Log.create(folder / "large", signer)
    start = time.perf_counter()
    while (done := log.checkpoint().size) < size:
        log.append([ENTRY] * min(50_000, size - done))
    made = time.perf_counter() - start
    result: dict[str, Any] = {"size": size, "entries_per_s_in_batches_of_50000": round(size / made)}
    result["open_and_check_root"] = timed(lambda: Log.open(log.folder, signer.verifier, signer=signer), 50)
    result["prove"] = timed(lambda: log.prove_inclusion(size // 3), 100)
    path, head, leaf = log.prove_inclusion(size // 3), log.checkpoint(), leaf_hash(ENTRY)
    assert verify_inclusion(size // 3, size, leaf, path, head.root)
    result["check_path"] = timed(lambda: verify_inclusion(size // 3, size, leaf, path, head.root), 1000)
    text = prove_inclusion(log.tiles, log.note(), size, size // 3, ENTRY).to_bytes()
    result["read_and_check_proof_with_signature"] = timed(
        lambda: InclusionProof.parse(text).check(signer.verifier), 1000
    )
    result["append_one_to_large"] = timed(lambda: log.append([ENTRY]), 200)
    start = time.perf_counter()
    first = export_log(log, folder / "public")
    result["first_export"] = {"s": round(time.perf_counter() - start, 2), "files": len(first.written)}

    def one_more() -> None:
        log.append([ENTRY])
        export_log(log, folder / "public")

    result["append_one_and_export"] = timed(one_more, 50)
    result["withdrawals"] = withdrawals(log, signer)
    start = time.perf_counter()
    assert log.verify().ok
    result["audit_s"] = round(time.perf_counter() - start, 2)
    return result


def withdrawals(log: Log, signer: NoteSigner) -> dict[str, Any]:
    """What every verify asks of the own log: without an index, with one, and with one that is behind."""
    log.append(
        [
            WithdrawalLeaf(manifest_sha256=f"{number:064x}", reason_commitment="e" * 64, time=0).to_bytes()
            for number in range(WITHDRAWALS)
        ]
    )

    def ask() -> None:
        assert len(recalled_here(log.folder, signer)) == WITHDRAWALS

    (log.folder / INDEX).unlink(missing_ok=True)
    start = time.perf_counter()
    ask()
    built = round(time.perf_counter() - start, 2)
    with_index = timed(ask, 200)
    log.append([ENTRY] * 255)
    return {
        "withdrawn": WITHDRAWALS,
        "first_s": built,
        "with_index": with_index,
        "255_behind": timed(ask, 200),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1_000_000, help="entries in the large log")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each way to append")
    asked = parser.parse_args()
    signer = NoteSigner(name="benchmark.invalid/log", private_key=Ed25519PrivateKey.generate())
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as scratch:
        folder = Path(scratch)
        _results.write(
            "log",
            entry_bytes=len(ENTRY),
            cpus=os.cpu_count(),
            load_average_at_start=round(os.getloadavg()[0], 1),
            fsync_alone=timed(lambda: fsync_once(folder), 200),
            appending=rates(folder, signer, asked.rounds, 2.0),
            large=large(folder, signer, asked.size),
        )


if __name__ == "__main__":
    main()
