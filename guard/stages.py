"""The stages of a release as types: ``Draft → Checked → Marked → Signed → Released``.

Each step takes only the type that the step before returns, so leaving the mark or the check out is
a type error and not a review comment. ``Released`` is the only type that the writer of media files
accepts. This prevents accidents; it is no wall against code in the same process that means harm.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from generators.recipe import Recipe
    from guard.policy.decision import Decision
    from guard.policy.obligations import Plan
    from guard.prompt.review import PromptReview
    from provenance.manifest.reading import DigitalSourceType, ManifestReading
    from provenance.media import Asset, Frames
    from provenance.watermark.interface import Marked as MarkedFrames


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the pixels come from, as it will be stated in the manifest.

    Attributes:
        source_type: IPTC digital source type.
        model_name: generator as a person would name it; None for media without one.
        model_identifier: machine-readable identity, e.g. a package URL with a weights digest.
        licence: SPDX expression or words on what the weights may be used for; None if unknown.
        recipe: everything needed to make the pixels again; None for media made elsewhere.
        review: the prompt's review; None where there was no prompt.
    """

    source_type: DigitalSourceType
    model_name: str | None = None
    model_identifier: str | None = None
    licence: str | None = None
    recipe: Recipe | None = None
    review: PromptReview | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Pixels that nobody has looked at yet.

    Attributes:
        frames: what was made.
        mime: container it is to leave in.
        origin: where it comes from.
        source: the file it was read from, when made elsewhere; its manifest becomes the parent.
        quality: encoder quality 1–100 where the container is lossy.
    """

    frames: Frames
    mime: str
    origin: Origin
    source: Asset | None = None
    quality: int = 95


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A draft whose prompt and pixels policy let pass."""

    draft: Draft
    plan: Plan
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """Final pixels in their container, labelled and described but not signed.

    Attributes:
        checked: the stage before.
        frames: the final pixels.
        asset: the same, encoded, with metadata.
        mark: the mark as decoded back, None where the plan or the medium has none.
        unmarked_reason: why there is no mark.
        enlarged_from: (width, height) before the picture was scaled up to carry a mark.
    """

    checked: Checked
    frames: Frames
    asset: Asset
    mark: MarkedFrames | None
    unmarked_reason: str | None = None
    enlarged_from: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """The final bytes, as signed and as our own verifier reads them back."""

    marked: Marked
    asset: Asset
    manifest: bytes
    reading: ManifestReading


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """Bytes with an ALLOW decision made for exactly them.

    Attributes:
        signed: the stage before.
        decision: sealed for ``signed.asset.sha256``.
        path: final name.
        leaves: indexes of the manifest leaf and the decision leaf in the log.
        warnings: what the decision or a step wants a person to know.
    """

    signed: Signed
    decision: Decision
    path: Path
    leaves: tuple[int, ...] = field(default=())
    warnings: tuple[str, ...] = ()
