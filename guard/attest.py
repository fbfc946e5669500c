"""Sign, and look at the result with the eyes of a stranger (steps 3 and 4 of a release)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from guard import __version__
from guard.stages import Marked, Signed
from provenance.canonical import commitment
from provenance.digest_compare import visual_digest
from provenance.evidence import Evidence, Outcome
from provenance.manifest.read import raw_agrees
from provenance.manifest.reading import ManifestReading, SoftBinding
from provenance.manifest.sign import sign as sign_asset
from provenance.manifest.spec import ManifestSpec
from provenance.media import Frames
from provenance.metadata.reading import read_metadata
from provenance.sniff import extension_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guard.records import Record
    from guard.release import Order
    from guard.tools import Tools


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBack:
    """What a verifier finds in the final bytes.

    Attributes:
        width: of the decoded pixels.
        height: of the decoded pixels.
        manifest: read from the final bytes by our reader, as ``provenance.manifest.sign`` ends.
        raw_agrees: whether the C2PA library on its own comes to the same result.
        mark: read from the decoded pixels, or why not.
        labels: the XMP packet.
    """

    width: int
    height: int
    manifest: ManifestReading
    raw_agrees: bool
    mark: Evidence
    labels: Evidence


def sign(marked: Marked, *, order: Order, record: Record, tools: Tools) -> Signed:
    """Sign the encoded bytes, in memory; a plan without C2PA keeps the manifest beside them."""
    spec = manifest_spec(marked, order=order, record=record, tools=tools)
    signed = sign_asset(
        marked.asset,
        spec,
        tools.signer,
        parent=marked.checked.draft.source,
        trust=tools.trust,
        at=tools.clock(),
        embed=marked.checked.plan.c2pa,
    )
    return Signed(marked=marked, asset=signed.asset, manifest=signed.manifest, reading=signed.reading)


def manifest_spec(marked: Marked, *, order: Order, record: Record, tools: Tools) -> ManifestSpec:
    """What the manifest will say. Nothing of the prompt, unless its author asked for that."""
    origin = marked.checked.draft.origin
    content_id = record.content_id
    binding = None
    if marked.mark is not None:
        binding = SoftBinding(algorithm=tools.marker.algorithm, value=content_id)
    return ManifestSpec(
        title=f"{content_id}{extension_for(marked.asset.mime)}",
        claim_generator_version=__version__,
        source_type=origin.source_type,
        software_agent=origin.software,
        model_name=origin.model_name,
        model_identifier=origin.model_identifier,
        oversight="prompt_guided" if origin.review is not None else None,
        soft_binding=binding,
        watermarked=binding is not None,
        digest_assertion=_digest(marked),
        recipe_commitment=_recipe_commitment(record),
        content_id=content_id,
        log_checkpoint=tools.log.note().decode(),
        edited=marked.checked.draft.source is not None,
        resized=marked.enlarged_from is not None,
        prompt=order.prompt if order.publish_prompt else None,
        when=tools.clock(),
    )


def read_back(signed: Signed, tools: Tools) -> ReadBack:
    """Read the final bytes as anybody would: manifest, mark and label, each from the bytes."""
    width, height, mark = _seen(signed, tools)
    return ReadBack(
        width=width,
        height=height,
        manifest=signed.reading,
        raw_agrees=signed.marked.checked.plan.c2pa and raw_agrees(signed.asset, sidecar=signed.sidecar),
        mark=_no_mark(signed) if signed.marked.mark is None else mark,
        labels=read_metadata(signed.asset),
    )


def _seen(signed: Signed, tools: Tools) -> tuple[int, int, Evidence]:
    """Width, height and mark of what a stranger decodes from the final bytes."""
    if signed.marked.clip is not None:
        from guard.clips import seen_again  # noqa: PLC0415 - PyAV

        return seen_again(signed.asset, signed.marked.clip, tools)
    from provenance.codecs import decode  # noqa: PLC0415 - Pillow

    frames = decode(signed.asset)
    return frames.width, frames.height, _mark_in(frames, signed, tools)


def _digest(marked: Marked) -> Mapping[str, object]:
    if marked.clip is not None:
        return marked.clip.digest.to_assertion()
    assert isinstance(marked.frames, Frames)
    return visual_digest(marked.frames).to_assertion()


def _mark_in(frames: Frames, signed: Signed, tools: Tools) -> Evidence:
    """Read the final pixels; what was read before from the very same pixels still holds."""
    sighting = signed.marked.sighting
    if signed.marked.mark is None:
        return _no_mark(signed)
    if sighting is not None and isinstance(sighting.frames, Frames) and sighting.frames.shows(frames):
        return sighting.evidence
    return tools.marker.detect(frames)


def _no_mark(signed: Signed) -> Evidence:
    reason = signed.marked.unmarked_reason or "no mark was made"
    claim = "carries the mark that was put in"
    return Evidence(claim=claim, channel="watermark", outcome=Outcome.NOT_CHECKED, reason=reason)


def _recipe_commitment(record: Record) -> str | None:
    """Keyed with the record's own key: erasing the record erases the link to recipe and prompt."""
    if record.recipe is None:
        return None
    return commitment(
        bytes.fromhex(record.commitment_key),
        {"recipe": record.recipe, "prompt": record.prompt, "negative_prompt": record.negative_prompt},
    )
