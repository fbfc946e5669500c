"""Who signed each ingredient, judged again today against the caller's lists.

What stands in an ingredient was written by whoever took it in, against their lists. A reader who trusts
others, or who knows of a revocation since, comes to another result, so every manifest in the store is
held against the same lists as the active one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from provenance.manifest import cose, path
from provenance.manifest.cbor import StructureError
from provenance.manifest.judge import revocation_at, signer_reading
from provenance.manifest.reading import IngredientReading, SignerReading, SigningTime

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from provenance.manifest.jumbf import Superbox
    from provenance.manifest.trust import TrustLists

_MOST_SIGNERS = 64
"""Manifests of one file whose certificates are followed; a path to a list costs about a millisecond."""


def with_signers(
    tree: tuple[IngredientReading, ...],
    report: Mapping[str, Any],
    *,
    store: bytes,
    manifests: Mapping[str, Superbox],
    trust: TrustLists,
    at: datetime,
) -> tuple[IngredientReading, ...]:
    """``tree`` with the signer of every ingredient whose manifest is in the store and whose signature holds.

    Args:
        tree: of ``history.ingredients``.
        report: the library's, which says whose signatures it validated.
        store: the manifest store.
        manifests: its manifests by label.
        trust: lists of the caller.
        at: the time of judging; of an ingredient no proven time is known.
    """
    if not tree:
        return ()
    validated = _validated(report)
    labels = list(dict.fromkeys(node.label for root in tree for node in root.walk() if node.label))
    signers = {
        label: _signer(store, manifests[label], trust, at)
        for label in labels[:_MOST_SIGNERS]
        if label in manifests and label in validated
    }
    return tuple(_filled(node, signers) for node in tree)


def _filled(node: IngredientReading, signers: Mapping[str, SignerReading | None]) -> IngredientReading:
    signer = None if node.problem or node.label is None else signers.get(node.label)
    return replace(node, signer=signer, children=tuple(_filled(child, signers) for child in node.children))


def _signer(store: bytes, box: Superbox, trust: TrustLists, at: datetime) -> SignerReading | None:
    try:
        chain = path.certificates(cose.signature_block(store, box).chain)
    except StructureError:  # the library could follow it, we could not: nobody is named then
        return None
    found = None if path.profile_problem(chain[0], trust.ekus) else path.find_path(chain, trust)
    revocation = revocation_at(chain[0], found, trust, at)
    return signer_reading(chain[0], found, SigningTime.NONE, None, revocation)


def _validated(report: Mapping[str, Any]) -> set[str]:
    """Labels of manifests whose claim signature was found valid now, or when they were taken in."""
    found: set[str] = set()
    for results in _results(report):
        for item in results:
            address = str(_map(item).get("url", ""))
            if _map(item).get("code") == "claimSignature.validated" and "/c2pa/" in address:
                found.add(address.split("/c2pa/", 1)[1].split("/", 1)[0])
    return found


def _results(report: Mapping[str, Any]) -> Iterator[list[Any]]:
    for delta in _list(_map(report.get("validation_results")).get("ingredientDeltas")):
        yield _list(_map(_map(delta).get("validationDeltas")).get("success"))
    for manifest in _map(report.get("manifests")).values():
        for ingredient in _list(_map(manifest).get("ingredients")):
            recorded = _map(_map(ingredient).get("validation_results"))
            yield _list(_map(recorded.get("activeManifest")).get("success"))


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
