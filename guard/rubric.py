"""One file held against the C2PA asset rubrics (``guard inspect --rubric``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guard.serialise import to_json
from guard.verdict import MET, NOT_MET, NOTHING_TO_CONCLUDE
from provenance.manifest.cbor import StructureError
from provenance.manifest.containers import find_store
from provenance.manifest.read import read_manifest
from provenance.manifest.rubric import RULES, examine
from provenance.manifest.rubric_terms import SPEC_VERSION
from provenance.manifest.rubric_view import of_store

if TYPE_CHECKING:
    from datetime import datetime

    from provenance.canonical import Json
    from provenance.manifest.trust import TrustLists
    from provenance.media import Asset


def rubric_signal(asset: Asset, trust: TrustLists, *, at: datetime) -> tuple[dict[str, Json], int]:
    """Every check of the rubrics on the active manifest of ``asset``, and the exit code.

    The code is 0 where all hold (a discouraged thing is no failure), 1 where one fails or the manifest
    cannot be read, 3 where the file carries none.
    """
    head: dict[str, Json] = {"spec_version": SPEC_VERSION, "checks": len(RULES)}
    reading = read_manifest(asset, trust, at=at)
    try:
        embedded = find_store(asset.content)
        if embedded is None:
            return head | {"not_checked": reading.reason}, NOTHING_TO_CONCLUDE
        findings = examine(of_store(embedded.store, reading.failures))
    except StructureError as error:
        return head | {"not_checked": f"the manifest cannot be read: {error}"}, NOT_MET
    failed = {finding.check for finding in findings if not finding.warning}
    return (
        head | {"passed": len(RULES) - len({f.check for f in findings}), "findings": to_json(findings)},
        NOT_MET if failed else MET,
    )
