"""Verdicts on the public C2PA test files, beside what their names announce and beside another validator.

    MEDIAGUARD_PUBLIC_C2PA=FOLDER python benchmarks/public_files.py    # writes results/public_files.json

FOLDER holds ``public/*.jpg`` (c2pa-org/public-testfiles, January 2022) and
``trust/c2pa_rs_test_roots.pem``. The files are not part of this repository. In their names C is a claim, A
a parent, I an ingredient, X a hash that does not match, E-… an error; an error behind the first C sits in
the history. Classes are compared, not codes: intact, changed, history, none. The other validator is
encypher-c2pa, which shares no code with the C2PA library that is used here.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path

from _results import write

from guard.verdict import State
from guard.verify import verify
from provenance.codecs import read_asset
from provenance.manifest.reading import TrustTier
from provenance.manifest.trust import TrustList, TrustLists

AT = datetime(2026, 1, 1, tzinfo=UTC)
OURS = {
    State.TRUSTED: "intact",
    State.TAMPERED: "changed",
    State.MALFORMED: "changed",
    State.HISTORY_PROBLEM: "history",
    State.NO_CREDENTIALS: "none",
}
DIFFERENCE = (
    "the other validator judges the active manifest; what was recorded of an ingredient when it was taken "
    "in, or was changed inside an ingredient's own manifest, does not change its state"
)
"""Where the two differ it is over files whose error lies in the history; that is checked below."""


def announced(stem: str) -> str:
    """The class that the name of a public test file stands for."""
    name = stem.split("-", 2)[2]
    if "C" not in name:
        return "none"
    if name.startswith(("E-", "X")):
        return "changed"
    return "history" if "E-" in name else "intact"


def second_opinion(path: Path) -> str:
    """The same classes from encypher-c2pa, offline and without telemetry."""
    import encypher_c2pa

    report = encypher_c2pa.verify(path.read_bytes(), mime_type="image/jpeg", telemetry=False, online=False)
    if not report.get("present", report["validation_state"] != "None"):
        return "none"
    sound = (report["integrity"], report["signature"], report["hard_binding"]) == ("valid", "valid", "match")
    return "intact" if sound else "changed"


def main() -> None:
    folder = Path(os.environ.get("MEDIAGUARD_PUBLIC_C2PA", ""))
    roots = folder / "trust" / "c2pa_rs_test_roots.pem"
    files = sorted((folder / "public").glob("*.jpg"))
    if not files or not roots.exists():
        sys.exit("MEDIAGUARD_PUBLIC_C2PA names no folder of public C2PA files")
    known = TrustList.of(
        name="test-roots", tier=TrustTier.INTERIM, pem=roots.read_bytes(), date=date(2022, 1, 1)
    )
    rows = [row(path, TrustLists(lists=(known,))) for path in files]
    differing = [one for one in rows if one["ours"] != one["encypher_c2pa"]]
    assert all("CIE-" in one["file"] for one in differing), "a difference that the explanation does not cover"
    write(
        "public_files",
        n=len(rows),
        as_announced=sum(one["ours"] == one["announced"] for one in rows),
        encypher_c2pa_version=version("encypher-c2pa"),
        encypher_c2pa_as_announced=sum(one["encypher_c2pa"] == one["announced"] for one in rows),
        differing=[one["file"] for one in differing],
        difference=DIFFERENCE,
        states=dict(Counter(one["state"] for one in rows)),
        files=rows,
    )


def row(path: Path, trust: TrustLists) -> dict[str, str]:
    """One file: what its name announces, and what the two validators say."""
    state = verify(read_asset(path), trust=trust, at=AT).state
    return {
        "file": path.name,
        "announced": announced(path.stem),
        "ours": OURS.get(state, state.value),
        "state": state.value,
        "encypher_c2pa": second_opinion(path),
    }


if __name__ == "__main__":
    main()
