"""What goes to the side of a release that has the keys, and what comes back (``guard.attestor``).

Where that side is another process, a ``Submission`` is all that it learns of the making; nothing here
refers to the prompt, the recipe, or a path.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from provenance.manifest.sidecar import BESIDE

if TYPE_CHECKING:
    from guard.attest import ReadBack
    from guard.policy.decision import Decision
    from guard.policy.facts import Facts
    from guard.policy.obligations import Plan
    from guard.stages import Sighting
    from provenance.manifest.reading import ManifestReading
    from provenance.manifest.spec import ManifestSpec
    from provenance.media import Asset


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """How the bytes were made: what they do not show by themselves.

    Attributes:
        psnr: dB of the mark against the unmarked pixels; None where no mark was made.
        frames: how many a clip was written with; None for a picture.
        unmarked_reason: why there is no mark.
        capacity_exceeded: the mark was tried and the medium cannot carry it at the quality floor.
        enlarged: the pixels were scaled up to carry a mark.
        claimed: all this is what the client of a signer process says of it.
    """

    psnr: float | None = None
    frames: int | None = None
    unmarked_reason: str | None = None
    capacity_exceeded: bool = False
    enlarged: bool = False
    claimed: bool = False

    @property
    def marked(self) -> bool:
        """Whether a mark was made."""
        return self.psnr is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """Marked, encoded and described bytes that want to be signed and let go.

    Attributes:
        asset: the bytes.
        spec: what their manifest is to say.
        source: the file they were made from, where its manifest is to be kept as history.
        plan: what is owed.
        before: facts of the request, the words, the model and their risks.
        content_id: as ``Attestor.reserve`` gave it; the mark's payload where there is a mark.
        commitment_key: of this release's commitments in the log.
        making: how the bytes were made.
        sighting: what the blind decoder read in which pixels; the same pixels need not be searched twice.
        untouched: not a byte of the file is to change; its manifest is to lie beside it.
    """

    asset: Asset
    spec: ManifestSpec
    source: Asset | None
    plan: Plan
    before: Facts
    content_id: bytes
    commitment_key: bytes = field(repr=False)
    making: Making
    sighting: Sighting | None = None
    untouched: bool = False

    @property
    def inside(self) -> bool:
        """Whether the manifest goes into the file; else it lies beside it, or in the registry alone."""
        return self.plan.c2pa and not self.untouched and self.asset.mime not in BESIDE


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A submission with its manifest, read back, but not decided on.

    Attributes:
        work: what was signed.
        asset: the final bytes.
        manifest: the manifest store, in them or beside them.
        reading: what our verifier reads from exactly these bytes.
    """

    work: Submission
    asset: Asset
    manifest: bytes
    reading: ManifestReading

    @property
    def manifest_sha256(self) -> str:
        """Digest of the manifest store, as it stands in log and registry."""
        return hashlib.sha256(self.manifest).hexdigest()

    @property
    def sidecar(self) -> bytes | None:
        """The manifest, where it lies beside the file."""
        return self.manifest if self.work.plan.c2pa and not self.work.inside else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """Final bytes with an ALLOW decision for exactly them, which is not logged yet.

    Attributes:
        sealed: the bytes.
        proof: what a verifier found in them.
        decision: sealed for ``sealed.asset.sha256``.
        leaf: index of the manifest leaf in the log.
    """

    sealed: Sealed
    proof: ReadBack
    decision: Decision
    leaf: int
