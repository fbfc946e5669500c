"""The history of a file: every ingredient of every manifest in the store, not only the active one's.

A validator that looks at the active manifest calls a file fine whose parent was already altered when
it was taken in; two independent validators do. The finding is written down in the ingredient, so it
is read there (C2PA spec §18.16.12, validation results of ingredients).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from provenance.manifest.reading import IngredientReading

_MAX_DEPTH = 24
_MAX_NODES = 2_000
_TEXT = 512
_TYPES = 8

TRUST_OR_TIME = frozenset(
    {
        "signingCredential.trusted",
        "signingCredential.untrusted",
        "signingCredential.expired",
        "signingCredential.invalid",
        "claimSignature.insideValidity",
        "claimSignature.outsideValidity",
        "timeStamp.trusted",
        "timeStamp.untrusted",
        "cawg.x509.credential.trusted",
        "cawg.x509.credential.untrusted",
        "cawg.x509.credential.invalid",
        "cawg.x509.signature.outside_validity",
    }
)
"""Codes about who signed and when, which the library judges by its own clock; we judge these again."""

_STRANGER = TRUST_OR_TIME | {
    "signingCredential.ocsp.unknown",
    "timeStamp.mismatch",
    "timeStamp.outsideValidity",
    "timeStamp.malformed",
    "cawg.ica.credential_untrusted",
}
"""Failures that say nobody we know signed, or that the time is unproven: no alteration."""

_SUCCESS = (".match", ".validated", ".trusted", ".insideValidity", ".accessible")


def is_problem(code: str) -> bool:
    """Whether a failure code means altered or invalid, rather than unknown."""
    return code not in _STRANGER


def failures(results: object) -> tuple[str, ...]:
    """Failure codes in a ``validation_results`` map, with those of the ingredients below it."""
    if not isinstance(results, Mapping):
        return ()
    found = [_code(item) for item in _list(_map(results.get("activeManifest")).get("failure"))]
    for delta in _list(results.get("ingredientDeltas")):
        found += [_code(item) for item in _list(_map(_map(delta).get("validationDeltas")).get("failure"))]
    return tuple(found)


def ingredients(report: Mapping[str, Any]) -> tuple[IngredientReading, ...]:
    """The ingredient tree below the active manifest; manifests nothing leads to follow at its end."""
    walk = _Walk(report)
    tree = walk.below(str(report.get("active_manifest")), (), 0)
    for label in walk.manifests:
        if label not in walk.seen:
            tree += walk.below(label, (), 0)
    return tree


class _Walk:
    def __init__(self, report: Mapping[str, Any]) -> None:
        self.manifests = _map(report.get("manifests"))
        self.seen: set[str] = set()
        self.left = _MAX_NODES
        self.deltas: dict[str, tuple[str, ...]] = {}
        for delta in _list(_map(report.get("validation_results")).get("ingredientDeltas")):
            address = str(_map(delta).get("ingredientAssertionURI", ""))
            codes = [_code(item) for item in _list(_map(_map(delta).get("validationDeltas")).get("failure"))]
            # who signed is judged anew against the caller's lists (provenance.manifest.lineage)
            kept = tuple(code for code in codes if code not in TRUST_OR_TIME)
            self.deltas[address] = self.deltas.get(address, ()) + kept

    def below(self, label: str, above: tuple[str, ...], depth: int) -> tuple[IngredientReading, ...]:
        self.seen.add(label)
        if depth > _MAX_DEPTH or label in above:
            return ()
        items = _list(_map(self.manifests.get(label)).get("ingredients"))
        return tuple(self._one(_map(item), label, (*above, label), depth) for item in self._within(items))

    def _within(self, items: list[Any]) -> Iterator[Any]:
        for item in items:
            self.left -= 1
            if self.left < 0:
                return
            yield item

    def _one(
        self, item: Mapping[str, Any], manifest: str, above: tuple[str, ...], depth: int
    ) -> IngredientReading:
        own = item.get("active_manifest")
        address = f"self#jumbf=/c2pa/{manifest}/c2pa.assertions/{item.get('label', '')}"
        recorded = failures(item.get("validation_results")) + _status(item.get("validation_status"))
        revalidated = self.deltas.get(address, ())
        return IngredientReading(
            title=str(item.get("title", ""))[:_TEXT],
            relationship=str(item.get("relationship", ""))[:_TEXT],
            label=str(own)[:_TEXT] if own else None,
            recorded=tuple(dict.fromkeys(recorded)),
            revalidated=revalidated,
            problem=any(map(is_problem, recorded + revalidated)),
            children=self.below(str(own), above, depth + 1) if own else (),
            types=tuple(_types(item.get("data_types"))),
            sha256=_digest(item.get("instance_id")),
            validated=bool(item.get("validation_results") or item.get("validation_status")),
        )


def _digest(name: object) -> str | None:
    from provenance.manifest.ingredient import digest_in  # noqa: PLC0415 - most files have no ingredients

    return digest_in(name)


def _types(items: object) -> Iterator[str]:
    for item in _list(items)[:_TYPES]:
        if isinstance(said := _map(item).get("type"), str):
            yield said[:_TEXT]


def _status(items: object) -> tuple[str, ...]:
    """Failures in the flat list of ingredients before version 3, which may hold successes too."""
    codes = (_code(item) for item in _list(items) if _map(item).get("success") is not True)
    return tuple(code for code in codes if not code.endswith(_SUCCESS))


def _code(item: object) -> str:
    return str(_map(item).get("code", "general.error"))[:128]


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
