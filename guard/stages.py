"""The stages of a release as types: ``Draft → Checked → Marked → Signed → Released``.

Each step takes only the type that the step before returns, so leaving the mark or the check out is
a type error and not a review comment. ``Released`` is the only type that the writer of media files
accepts. This prevents accidents; it is no wall against code in the same process that means harm.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from guard.policy.facts import Media
from provenance.manifest.sidecar import BESIDE, place_beside
from provenance.video.container import Footage

if TYPE_CHECKING:
    from pathlib import Path

    from generators.energy import Energy
    from generators.recipe import Recipe
    from guard.attest import ReadBack
    from guard.kept import Kept
    from guard.policy.decision import Decision
    from guard.policy.obligations import Plan
    from guard.prompt.review import PromptReview
    from provenance.evidence import Evidence
    from provenance.manifest.ingredient import Ingredient
    from provenance.manifest.reading import DigitalSourceType, ManifestReading
    from provenance.media import Asset, Frames
    from provenance.video.container import VideoCodec
    from provenance.video.marking import MarkedClip
    from provenance.watermark.interface import Marked as MarkedFrames


_CANNOT_TELL = (
    "the content digest does not recognise this picture's own pixels: copies that lost their manifest "
    "cannot be recovered"
)
_NO_LAYER = "the mark has no private layer, nor a number in it: the picture cannot carry both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the pixels come from, as it will be stated in the manifest.

    Attributes:
        source_type: IPTC digital source type.
        software: name and version of the program that made them; None if unknown.
        model_name: generator as a person would name it; None for media without one.
        model_identifier: machine-readable identity, e.g. a package URL with a weights digest.
        weights_digest: SHA-256 over the weights' digests; None for media made elsewhere.
        licence: SPDX expression of the weights; None if unknown.
        data_licence: SPDX expression of what the weights were trained on; None if unknown.
        recipe: everything needed to make the pixels again; None for media made elsewhere.
        review: the prompt's review; None where there was no prompt.
        ingredients: what went in besides the source.
        training_mining: what the manifest says of its use for training; None: nothing.
    """

    source_type: DigitalSourceType
    software: tuple[str, str] | None = None
    model_name: str | None = None
    model_identifier: str | None = None
    weights_digest: str | None = None
    licence: str | None = None
    data_licence: str | None = None
    recipe: Recipe | None = None
    review: PromptReview | None = None
    ingredients: tuple[Ingredient, ...] = ()
    training_mining: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Pixels that nobody has looked at yet.

    Attributes:
        frames: what was made, a clip drawn here with its ``fps``; a clip from a file stays compressed, and
            what is not written again stays as it came.
        mime: container it is to leave in.
        origin: where it comes from.
        source: the file it was read from, where that carries a manifest, which becomes the parent.
        quality: encoder quality 1–100; None where nothing is to be lost.
        found: facts about the file it was read from; unknown for what was made here.
        codec: what a clip's frames are compressed with; None: what its container has first.
        notes: what does not come along or went otherwise than asked, in sentences.
        energy: what drawing it took; None for media made elsewhere.
        untouched: the file itself, where not a byte of it is to change; its manifest then lies beside it.
    """

    frames: Frames | Footage | Kept
    mime: str
    origin: Origin
    source: Asset | None = None
    quality: int | None = None
    found: Media = field(default_factory=Media)
    codec: VideoCodec | None = None
    notes: tuple[str, ...] = ()
    untouched: Asset | None = None
    energy: Energy | None = None

    @property
    def beside(self) -> bool:
        """Whether a manifest lies beside the file, which has no place for it or stays as it is."""
        return self.untouched is not None or self.mime in BESIDE


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A draft whose prompt and pixels policy let pass."""

    draft: Draft
    plan: Plan
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What the blind decoder read, and in which pixels: the same pixels need not be searched twice."""

    frames: Frames | Footage
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """Final pixels in their container, labelled and described but not signed.

    Attributes:
        checked: the stage before.
        frames: the final pixels.
        asset: the same, encoded, with metadata.
        mark: the mark as it was made, None where the plan or the medium has none.
        sighting: the mark as last read from pixels, None where there is none.
        content_id: the 64-bit id of this release; the mark's payload where there is a mark.
        unmarked_reason: why there is no mark.
        capacity_exceeded: the mark was tried and the picture cannot carry it at the quality floor.
        enlarged_from: (width, height) before the picture was scaled up to carry a mark.
        clip: a clip as it was written, marked or not; None for a picture.
    """

    checked: Checked
    frames: Frames | Footage | Kept
    asset: Asset
    content_id: bytes
    mark: MarkedFrames | MarkedClip | None
    sighting: Sighting | None = None
    capacity_exceeded: bool = False
    unmarked_reason: str | None = None
    enlarged_from: tuple[int, int] | None = None
    clip: MarkedClip | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """The final bytes.

    Attributes:
        marked: the stage before.
        asset: marked, labelled and signed.
        manifest: the C2PA manifest store inside them, for the registry.
        reading: what our verifier reads from exactly these bytes.
    """

    marked: Marked
    asset: Asset
    manifest: bytes
    reading: ManifestReading

    @property
    def content_id(self) -> bytes:
        """The 64-bit id of this release."""
        return self.marked.content_id

    @property
    def sidecar(self) -> bytes | None:
        """The manifest, where it lies beside the file."""
        checked = self.marked.checked
        return self.manifest if checked.draft.beside and checked.plan.c2pa else None

    @property
    def manifest_sha256(self) -> str:
        """Digest of the manifest store, as it stands in log and registry."""
        return hashlib.sha256(self.manifest).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """Bytes with an ALLOW decision made for exactly them.

    Attributes:
        signed: the stage before.
        proof: what a verifier found in the final bytes.
        decision: sealed for ``signed.asset.sha256``.
        path: final name.
        leaves: indexes of the manifest leaf and the decision leaf in the log.
        pending: why the registry does not say yet that it is released; the next release brings it up to date.
    """

    signed: Signed
    proof: ReadBack
    decision: Decision
    path: Path
    leaves: tuple[int, int]
    pending: str | None = None

    @property
    def sidecar(self) -> Path | None:
        """Where its manifest lies, if that is not inside it."""
        return None if self.signed.sidecar is None else place_beside(self.path, self.signed.asset.mime)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What whoever released it should know, in sentences."""
        said = tuple(warned.message for warned in self.decision.warnings)
        draft = self.signed.marked.checked.draft
        notes = (*draft.notes, *(draft.frames.notes if isinstance(draft.frames, Footage) else ()))
        layer = () if getattr(self.signed.marked.mark, "private_layer", None) is not False else (_NO_LAYER,)
        blind = (_CANNOT_TELL,) if self.proof.digest_tells is False else ()
        return (*said, *notes, *layer, *blind, *(() if self.pending is None else (self.pending,)))
