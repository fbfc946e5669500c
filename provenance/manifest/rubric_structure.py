"""Rules of the asset rubrics about claim, assertions, ingredients and validation. As ``rubric_actions``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provenance.manifest.rubric_shapes import MOST, each_ingredient, each_label
from provenance.manifest.rubric_terms import (
    DEPRECATED_LABELS,
    HUMAN_ENTRY,
    INTEGRITY_CODES,
    LABELS,
    NOT_REFERABLE,
    RELATIONSHIPS,
    SPEC_VERSION,
    STRUCTURE_CODES,
    TIFF,
    TRUST_CODES,
)
from provenance.manifest.rubric_view import base, mapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from provenance.manifest.rubric_view import RubricView


def spec_version(view: RubricView) -> Iterator[str]:
    """The claim's generator names the version of the specification, in ``claim_generator_info``."""
    info = view.claim.get("claim_generator_info")
    said = mapped(info[0] if isinstance(info, list) and info else info).get("specVersion")
    if said is None:
        yield "claim_generator_info names no specVersion"
    elif not isinstance(said, str) or said.split(".")[:2] != SPEC_VERSION.split("."):
        yield f"claim_generator_info names specVersion {str(said)[:MOST]!r}, not {SPEC_VERSION}"


def claim_fields(view: RubricView) -> Iterator[str]:
    """The version belongs to the generator, not to the claim."""
    if view.claim.get("specVersion") is not None:
        yield "specVersion stands in the claim itself"


def manifest_urn(view: RubricView) -> Iterator[str]:
    """Manifests are named in the URN space of C2PA since 2.2."""
    if not (view.label or "").startswith("urn:c2pa:"):
        yield f"the manifest is called {(view.label or '')[:MOST]!r}, not urn:c2pa:…"


deprecated_labels = each_label(
    "{label} is deprecated", lambda label: label.startswith("stds.") or base(label) in DEPRECATED_LABELS
)
"""Assertions that later versions took back."""


unsupported_labels = each_label(
    f"{{label}} is no assertion of C2PA {SPEC_VERSION}",
    lambda label: label.startswith("c2pa.") and base(label) not in LABELS | DEPRECATED_LABELS,
)
"""Assertions in the specification's own name space that it does not have."""


custom_labels = each_label(
    "the assertion {label!r} has no name space",
    lambda label: not label.startswith("c2pa.") and "." not in label,
)
"""An entity's own assertions carry its name space."""


def review_ratings(view: RubricView) -> Iterator[str]:
    """Reviews are of what a machine said, not of what a person entered."""
    for data in view.values():
        kind = mapped(data.get("dataSource")).get("type")
        if data.get("reviewRatings") is not None and isinstance(kind, str) and kind in HUMAN_ENTRY:
            yield f"review ratings of a {kind}"


results_without_manifest = each_ingredient(
    "an ingredient without a manifest has validation results",
    lambda item: item.get("activeManifest") is None and item.get("validationResults") is not None,
)
"""An ingredient without a manifest has nothing that was validated."""


manifest_without_results = each_ingredient(
    "an ingredient with a manifest has no validation results",
    lambda item: item.get("activeManifest") is not None and item.get("validationResults") is None,
)
"""An ingredient with a manifest says how that was found when it was taken in."""


ingredient_source_type = each_ingredient(
    "an ingredient has both a manifest and a digital source type",
    lambda item: item.get("activeManifest") is not None and item.get("digitalSourceType") is not None,
)
"""An ingredient with a manifest has its source type there."""


def relationships(view: RubricView) -> Iterator[str]:
    """Parent, component or input; nothing else."""
    for item in view.ingredients():
        said = item.get("relationship")
        if not isinstance(said, str) or said not in RELATIONSHIPS:
            yield f"{str(said)[:MOST]!r} is no relationship of an ingredient"


def original_image(view: RubricView) -> Iterator[str]:
    """An original that is kept lies in one place."""
    for data in view.values():
        parameters = mapped(data.get("parameters"))
        if "exif.originalPreservationImage" not in (data.get("type"), parameters.get("type")):
            continue
        part, inside = (
            parameters.get(key) for key in ("multiAssetPartIndex", "embeddedOriginalPreservationImage")
        )
        if (part is None) == (inside is None):
            yield "an original image is referred to in both ways, or in neither"


def external_references(view: RubricView) -> Iterator[str]:
    """Some assertions have to be in the manifest itself."""
    for data in view.values():
        label = data.get("label")
        if not isinstance(label, str) or data.get("url") is None or data.get("relationship") is not None:
            continue
        if label in NOT_REFERABLE or label.startswith(("c2pa.hash", "c2pa.ingredient")):
            yield f"an external reference stands for {label[:MOST]}"


def urls_in_hashes(view: RubricView) -> Iterator[str]:
    """A hash is of this asset, not of one elsewhere."""
    for label in ("c2pa.hash.data", "c2pa.hash.bmff.v3"):
        if mapped(view.assertions.get(label)).get("url"):
            yield f"{label} has a url"


def box_hash_of_tiff(view: RubricView) -> Iterator[str]:
    """TIFF files are bound by a hash of their data."""
    form = mapped(view.assertions.get("c2pa.asset-type.v2")).get("dc:format")
    if "c2pa.hash.boxes" in view.assertions and isinstance(form, str) and form in TIFF:
        yield "a TIFF file is bound by a hash of boxes"


def validated(view: RubricView) -> Iterator[str]:
    """Nothing is said of a manifest that nobody validated."""
    if view.failures is None:
        yield "the manifest was not validated"


def well_formed(view: RubricView) -> Iterator[str]:
    """Validation found no broken structure."""
    yield from _failed(view, STRUCTURE_CODES)


def valid(view: RubricView) -> Iterator[str]:
    """Validation found no hash or signature that does not fit."""
    yield from _failed(view, INTEGRITY_CODES)


def trusted(view: RubricView) -> Iterator[str]:
    """Validation found somebody who vouches for the signer."""
    yield from _failed(view, TRUST_CODES)


def known_soft_binding(view: RubricView) -> Iterator[str]:
    """Ours: an algorithm has a listed or a reverse-DNS name (§18.9); the library signs any text."""
    for label, data in view.assertions.items():
        if base(label) == "c2pa.soft-binding" and "." not in str(mapped(data).get("alg", "")):
            yield f"the soft binding's algorithm {str(mapped(data).get('alg'))[:MOST]!r} has no name space"


def unknown_fields(definition: Mapping[str, Any]) -> Iterator[str]:
    """Ours: fields of a definition that are written here; the library drops unknown ones without a word."""
    yield from (
        f"the definition has an unknown field {key!r}" for key in definition if key not in _DEFINITION
    )


_DEFINITION = frozenset({"claim_generator_info", "title", "assertions", "ingredients"})


def _failed(view: RubricView, codes: frozenset[str]) -> Iterator[str]:
    found = ["no validation results"] if view.failures is None else [c for c in view.failures if c in codes]
    yield from dict.fromkeys(found)
