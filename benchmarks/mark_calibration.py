"""Are the mark's p-values true on pictures without a mark? ``python benchmarks/mark_calibration.py``.

A trial is a copy of a piece of an unmarked picture and a fresh key, through the hypotheses of the product.
``--search size`` follows what the copy's size implies (5 ms a trial), ``--search full`` all of them
(0.3 s). Trials are kept in ``--state``; run again, it goes on where it stopped. Targets: observed over
nominal at most 1.2 down to 1e-4, no payload accepted.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from _results import RESULTS, write
from _unmarked import COPIES, patches, sources

from audits.robustness.security.calibration import full_trials, levels, size_implied_trials
from audits.statistics import wilson
from provenance.media import Frames
from provenance.watermark.front_end import luma_of, whiten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provenance.watermark.front_end import Whitened

SEARCHES = {"size": (size_implied_trials, 50), "full": (full_trials, 3)}
"""How, and with how many keys one copy is tried."""
PATCHES = 8


def arguments() -> argparse.Namespace:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--search", choices=SEARCHES, default="size")
    made.add_argument("-n", type=int, default=100_000, help="trials")
    made.add_argument("--minutes", type=float, default=600, help="stop after so much processor time")
    made.add_argument("--state", type=Path, default=Path("mark-calibration"), help="folder for trials made")
    return made.parse_args()


def copies(first: int) -> Iterator[tuple[str, str, str, Whitened]]:
    """(kind, source, copy, plane) from number ``first`` on, in an order in which every source comes early."""
    random = np.random.default_rng(22)
    everything = [
        (kind, name, list(patches(pixels, random, most=PATCHES))) for kind, name, pixels in sources()
    ]
    for number in count(first):
        lap, place = divmod(number, len(everything))
        kind, name, pieces = everything[place]
        how = list(COPIES)[(lap + place) % len(COPIES)]
        copy = COPIES[how](pieces[(lap // len(COPIES)) % PATCHES])
        yield kind, name, how, whiten(luma_of(Frames(pixels=copy[None])))


def run(asked: argparse.Namespace) -> list[dict[str, Any]]:
    """The trials made so far and those made now, one row a copy."""
    trials, keys = SEARCHES[asked.search]
    asked.state.mkdir(parents=True, exist_ok=True)
    file = asked.state / f"{asked.search}.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    began = time.process_time()
    if len(rows) * keys >= asked.n:
        return rows
    with file.open("a") as out:
        for number, (kind, name, how, whitened) in enumerate(copies(len(rows)), start=len(rows)):
            if number * keys >= asked.n or time.process_time() - began > 60 * asked.minutes:
                break
            random = np.random.default_rng((22, keys, number))
            found = list(trials(whitened, keys, random.bytes))
            row = {
                "kind": kind,
                "source": name,
                "copy": how,
                "log10_p": [round(one.log10_p, 4) for one in found],
                "accepted": sum(one.accepted for one in found),
            }
            rows.append(row)
            out.write(json.dumps(row) + "\n")
            out.flush()
    return rows


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    found = [p for row in rows for p in row["log10_p"]]
    kinds = {
        kind: [
            level.to_json()
            for level in levels(p for row in rows if row["kind"] == kind for p in row["log10_p"])
        ]
        for kind in sorted({row["kind"] for row in rows})
    }
    return {
        "trials": len(found),
        "copies": len(rows),
        "sources": dict(Counter(kind for kind, _ in {(row["kind"], row["source"]) for row in rows})),
        "wrong_payloads_accepted": wilson(sum(row["accepted"] for row in rows), len(found)).to_json(),
        "levels": [level.to_json() for level in levels(found)],
        "levels_by_kind": kinds,
    }


def main() -> None:
    cv2.setNumThreads(1)
    asked = arguments()
    measured = {asked.search: summary(run(asked))}
    kept = RESULTS / "mark_calibration.json"
    before = json.loads(kept.read_text("utf-8")).get("searches", {}) if kept.exists() else {}
    write("mark_calibration", searches=before | measured)


if __name__ == "__main__":
    main()
