"""Vocabularies of C2PA 2.4 that the asset rubrics of 2026-08 name: labels, actions, parameters, codes."""

from __future__ import annotations

SPEC_VERSION = "2.4"
"""Version of the specification that is written, and that files are held against."""

INCEPTION = frozenset({"c2pa.created", "c2pa.opened"})
NOT_EDITORIAL = frozenset(
    {
        "c2pa.converted",
        "c2pa.published",
        "c2pa.repackaged",
        "c2pa.transcoded",
        "c2pa.resized.proportional",
        "c2pa.enhanced",
        "c2pa.edited.metadata",
        "c2pa.watermarked",
        "c2pa.watermarked.bound",
        "c2pa.watermarked.unbound",
        "c2pa.redacted",
    }
)
"""Actions that change nothing a person perceives (conformance requirements 0.2)."""
WITHOUT_SOURCE_TYPE = INCEPTION | NOT_EDITORIAL | {"c2pa.placed"}
"""Actions of which no digital source type is asked; what is placed brings its own."""

DEPRECATED_ACTIONS = frozenset(
    {
        "c2pa.copied",
        "c2pa.formatted",
        "c2pa.version_updated",
        "c2pa.printed",
        "c2pa.managed",
        "c2pa.produced",
        "c2pa.saved",
        "c2pa.color_adjustments",
        "c2pa.watermarked",
    }
)
ACTIONS = WITHOUT_SOURCE_TYPE | {
    "c2pa.addedText",
    "c2pa.adjustedColor",
    "c2pa.changedSpeed",
    "c2pa.color_adjustments",
    "c2pa.cropped",
    "c2pa.deleted",
    "c2pa.drawing",
    "c2pa.dubbed",
    "c2pa.edited",
    "c2pa.filtered",
    "c2pa.mastered",
    "c2pa.mixed",
    "c2pa.orientation",
    "c2pa.remixed",
    "c2pa.removed",
    "c2pa.resized",
    "c2pa.translated",
    "c2pa.trimmed",
    "c2pa.unknown",
}
"""Action names of §18.15, deprecated ones that the rubric still lists included."""
PARAMETERS = frozenset(
    {
        "redacted",
        "ingredients",
        "ingredient",
        "description",
        "relatedAssertions",
        "sourceLanguage",
        "targetLanguage",
        "multipleInstances",
        "ranges",
        "weight",
        "width",
        "italic",
        "slant",
        "optical-size",
    }
)

DEPRECATED_LABELS = frozenset(
    {
        "c2pa.claim",
        "c2pa.hash.bmff.v2",
        "c2pa.asset-type",
        "c2pa.ingredient",
        "c2pa.ingredient.v2",
        "c2pa.actions",
    }
)
LABELS = frozenset(
    {
        "c2pa.hash.data",
        "c2pa.hash.data.part",
        "c2pa.hash.boxes",
        "c2pa.hash.bmff.v3",
        "c2pa.hash.collection.data",
        "c2pa.hash.multi-asset",
        "c2pa.actions.v2",
        "c2pa.ingredient.v3",
        "c2pa.soft-binding",
        "c2pa.cloud-data",
        "c2pa.embedded-data",
        "c2pa.metadata",
        "c2pa.certificate-status",
        "c2pa.asset-ref",
        "c2pa.asset-type.v2",
        "c2pa.thumbnail.claim",
        "c2pa.thumbnail.ingredient",
        "c2pa.depthmap.GDepth",
        "c2pa.icon",
        "c2pa.alternative-content-representation",
        "c2pa.external-reference",
        "c2pa.session-keys",
        "c2pa.environmental-sustainability",
        "c2pa.repository-receipt",
        "c2pa.ai-disclosure",
        "c2pa.assertion.metadata",
        "c2pa.time-stamp",
    }
)
"""Assertion labels of the specification itself (§18)."""
NOT_REFERABLE = frozenset({"c2pa.actions", "c2pa.actions.v2", "c2pa.cloud-data", "c2pa.external-reference"})
"""Assertions that an external reference must not stand for, beside hashes and ingredients (§18.24.1)."""

RELATIONSHIPS = frozenset({"parentOf", "inputTo", "componentOf"})
HUMAN_ENTRY = frozenset({"humanEntry.anonymous", "humanEntry.credentialed"})
TIFF = frozenset({"image/tiff", "image/x-adobe-dng"})

STRUCTURE_CODES = frozenset(
    {
        *(
            f"assertion.{name}.malformed"
            for name in (
                *("action", "bmffHash", "boxesHash", "collectionHash", "dataHash", "external-reference"),
                *("ingredient", "alternativeContentRepresentation", "multiAssetHash"),
            )
        ),
        "assertion.external-reference.labelMismatch",
        "assertion.external-reference.created",
        "assertion.alternativeContentRepresentation.missing",
        "assertion.cbor.invalid",
        "assertion.json.invalid",
        "assertion.boxesHash.unknownBox",
        "assertion.multipleHardBindings",
        "claim.cbor.invalid",
        "claim.hardBindings.missing",
        "claim.malformed",
        "claim.missing",
        "claim.multiple",
        "hashedURI.missing",
        "ingredient.manifest.missing",
        "manifest.compressed.invalid",
        "manifest.html.multipleManifests",
        "manifest.inaccessible",
        "manifest.multipleParents",
        *(
            f"manifest.structuredText.{name}"
            for name in (
                *("emptyReference", "malformedReference", "multipleReferences"),
                *("noManifest", "noResolutionPath"),
            )
        ),
        "manifest.timestamp.invalid",
        "manifest.timestamp.wrongParents",
        "manifest.update.invalid",
        "manifest.update.wrongParents",
    }
)
"""Status codes of a manifest that is not well formed (§15.2.2)."""
INTEGRITY_CODES = frozenset(
    {
        "assertion.action.ingredientMismatch",
        "assertion.action.redactionMismatch",
        "assertion.bmffHash.mismatch",
        "assertion.boxesHash.mismatch",
        "assertion.collectionHash.mismatch",
        "assertion.dataHash.mismatch",
        "assertion.external-reference.hashMismatch",
        "assertion.alternativeContentRepresentation.hashMismatch",
        "assertion.multiAssetHash.mismatch",
        "assertion.hashedURI.mismatch",
        "assertion.hardBinding.redacted",
        "hashedURI.mismatch",
        "ingredient.manifest.mismatch",
        "ingredient.claimSignature.missing",
        "ingredient.claimSignature.mismatch",
        "claimSignature.missing",
    }
)
"""Status codes of a manifest that is well formed and not valid."""
TRUST_CODES = frozenset(
    {
        "claimSignature.mismatch",
        "claimSignature.outsideValidity",
        "signingCredential.invalid",
        "signingCredential.ocsp.revoked",
        "signingCredential.untrusted",
        "mediaguard.signingCredential.revoked",
    }
)
"""Status codes of a manifest that is valid and not trusted; the last is how ours calls a revoked signer."""
