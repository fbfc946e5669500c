"""One file held against the C2PA asset rubrics (``guard inspect --rubric``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guard.serialise import to_json
from guard.verdict import MET, NOT_MET, NOTHING_TO_CONCLUDE
from guard.verify import manifest_reader
from provenance.manifest.cbor import StructureError
from provenance.manifest.containers import find_store
from provenance.manifest.rubric import RULES, examine
from provenance.manifest.rubric_terms import SPEC_VERSION
from provenance.manifest.rubric_view import of_store

if TYPE_CHECKING:
    from datetime import datetime

    from provenance.canonical import Json
    from provenance.manifest.trust import TrustLists
    from provenance.media import Asset


def rubric_signal(
    asset: Asset, trust: TrustLists, *, at: datetime, sidecar: bytes | None = None
) -> tuple[dict[str, Json], int]:
    """Every check of the rubrics on the active manifest of ``asset`` or beside it, and the exit code.

    The code is 0 where all hold (a discouraged thing is no failure), 1 where one fails or the manifest
    cannot be read, 3 where the file carries none.
    """
    head: dict[str, Json] = {"spec_version": SPEC_VERSION, "checks": len(RULES)}
    reading = manifest_reader(asset.mime, isolated=True)(asset, trust, at=at, sidecar=sidecar)
    try:
        store = sidecar if sidecar is not None else _embedded(asset)
        if store is None:
            return head | {"not_checked": reading.reason}, NOTHING_TO_CONCLUDE
        findings = examine(of_store(store, reading.failures))
    except StructureError as error:
        return head | {"not_checked": f"the manifest cannot be read: {error}"}, NOT_MET
    failed = {finding.check for finding in findings if not finding.warning}
    return (
        head | {"passed": len(RULES) - len({f.check for f in findings}), "findings": to_json(findings)},
        NOT_MET if failed else MET,
    )


def _embedded(asset: Asset) -> bytes | None:
    found = find_store(asset.content)
    return None if found is None else found.store
