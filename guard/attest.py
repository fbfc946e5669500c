"""Sign, and look at the result with the eyes of a stranger (steps 3 and 4 of a release)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from guard import __version__
from guard.kept import Kept, is_kept, kept
from guard.submission import Making, Sealed, Submission
from provenance.canonical import commitment
from provenance.digest import VisualDigest
from provenance.digest_compare import recognises, visual_digest
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

    from guard.policy.facts import Facts
    from guard.records import Record
    from guard.release import Order
    from guard.stages import Marked
    from guard.tools import Marker, Tools


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBack:
    """What a verifier finds in the final bytes.

    Attributes:
        width: of the decoded pixels; None where nothing is decoded.
        height: likewise.
        manifest: read from the final bytes by our reader, as ``provenance.manifest.sign`` ends.
        raw_agrees: whether the C2PA library on its own comes to the same result.
        mark: read from the decoded pixels, or why not.
        labels: the XMP packet.
        digest_tells: whether the digest in the manifest recognises the decoded pixels; None where there is
            none, or no single picture.
    """

    width: int | None
    height: int | None
    manifest: ManifestReading
    raw_agrees: bool
    mark: Evidence
    labels: Evidence
    digest_tells: bool | None = None


def sign(work: Submission, tools: Tools) -> Sealed:
    """Sign the encoded bytes, in memory; a plan without C2PA keeps the manifest beside them."""
    signed = sign_asset(
        work.asset,
        work.spec,
        tools.signer,
        parent=work.source,
        trust=tools.trust,
        at=tools.clock(),
        embed=work.inside,
    )
    return Sealed(work=work, asset=signed.asset, manifest=signed.manifest, reading=signed.reading)


def submission(marked: Marked, *, order: Order, record: Record, before: Facts, tools: Tools) -> Submission:
    """Everything that the side with the keys is told of a release."""
    clip = marked.clip
    return Submission(
        asset=marked.asset,
        spec=manifest_spec(marked, order=order, record=record, tools=tools),
        source=marked.checked.draft.source,
        plan=marked.checked.plan,
        before=before,
        content_id=marked.content_id,
        commitment_key=bytes.fromhex(record.commitment_key),
        making=Making(
            psnr=None if marked.mark is None else marked.mark.psnr,
            frames=None if clip is None else clip.frames,
            unmarked_reason=marked.unmarked_reason,
            capacity_exceeded=marked.capacity_exceeded,
            enlarged=marked.enlarged_from is not None,
        ),
        sighting=marked.sighting,
        untouched=marked.checked.draft.untouched is not None,
    )


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
        weights_sha256=origin.weights_digest,
        ingredients=origin.ingredients,
        training_mining=origin.training_mining,
        oversight="prompt_guided" if origin.review is not None else None,
        soft_binding=binding,
        watermarked=binding is not None,
        digest_assertion=_digest(marked),
        recipe_commitment=_recipe_commitment(record),
        content_id=content_id,
        edited=marked.checked.draft.source is not None,
        resized=marked.enlarged_from is not None,
        prompt=order.prompt if order.publish_prompt else None,
        when=tools.clock(),
    )


def read_back(sealed: Sealed, marker: Marker) -> ReadBack:
    """Read the final bytes as anybody would: manifest, mark and label, each from the bytes."""
    width, height, mark, tells = _seen(sealed, marker)
    return ReadBack(
        width=width,
        height=height,
        manifest=sealed.reading,
        raw_agrees=sealed.work.plan.c2pa and raw_agrees(sealed.asset, sidecar=sealed.sidecar),
        mark=mark if sealed.work.making.marked else _no_mark(sealed.work.making),
        labels=read_metadata(sealed.asset),
        digest_tells=tells,
    )


def _seen(sealed: Sealed, marker: Marker) -> tuple[int | None, int | None, Evidence, bool | None]:
    """Width, height and mark of what a stranger decodes from the final bytes; is it what the digest says?"""
    making = sealed.work.making
    if making.frames is not None:
        from guard.clips import seen_again  # noqa: PLC0415 - PyAV

        keys = [marker.key] if making.marked else []
        return *seen_again(sealed.asset, keys, frames=making.frames), None
    if is_kept(sealed.asset.mime):
        file = kept(sealed.asset)
        return file.width, file.height, _no_mark(making), _tells(sealed, file.seen)
    from provenance.codecs import decode  # noqa: PLC0415 - Pillow

    frames = decode(sealed.asset)
    return frames.width, frames.height, _mark_in(frames, sealed.work, marker), _tells(sealed, frames)


def _tells(sealed: Sealed, frames: Frames | None) -> bool | None:
    """Whether the signed digest knows ``frames``; the very pixels that were read before, it was made of."""
    signed = sealed.reading.digest_assertion
    if signed is None or frames is None:
        return None
    digest, sighting = VisualDigest.from_assertion(signed), sealed.work.sighting
    if sighting is not None and isinstance(sighting.frames, Frames) and sighting.frames.shows(frames):
        return not digest.undecided
    return recognises(digest, frames)


def _digest(marked: Marked) -> Mapping[str, object] | None:
    """Of what is to be seen; None for sound, drawings and documents, which have no content digest.

    Where the mark was read from what leaves, decoded, the digest is of that: the read-back sees the same.
    """
    if marked.clip is not None:
        return marked.clip.digest.to_assertion()
    frames = marked.frames.seen if isinstance(marked.frames, Kept) else marked.frames
    if marked.sighting is not None:
        frames = marked.sighting.frames
    return visual_digest(frames).to_assertion() if isinstance(frames, Frames) else None


def _mark_in(frames: Frames, work: Submission, marker: Marker) -> Evidence:
    """Read the final pixels; what was read before from the very same pixels still holds."""
    sighting = work.sighting
    if not work.making.marked:
        return _no_mark(work.making)
    if sighting is not None and isinstance(sighting.frames, Frames) and sighting.frames.shows(frames):
        return sighting.evidence
    return marker.detect(frames)


def _no_mark(making: Making) -> Evidence:
    reason = making.unmarked_reason or "no mark was made"
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
