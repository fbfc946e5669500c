"""Evidence → facts: what the rules may know of a release, each fact from where it can be seen.

Publish facts are read from the final bytes by ``guard.attest.read_back``, never taken from what a
step of the release believed it did.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from guard.policy.fact import C2paState, Capacity, Command, Fact, Kind, Synthetic, known, unknown
from guard.policy.facts import (
    C2pa,
    Environment,
    Facts,
    Log,
    Marks,
    Media,
    Model,
    Request,
    Subject,
    Watermark,
    Xmp,
)
from guard.policy.obligations import MarkDuty
from guard.prompt.safety import prompt_facts, risk_facts
from provenance.evidence import Evidence, Outcome
from provenance.manifest.reading import (
    DigitalSourceType,
    ManifestReading,
    ManifestState,
    SigningTime,
    TrustTier,
)
from provenance.metadata.reading import MetadataReading
from provenance.video.container import is_clip
from provenance.watermark.interface import WatermarkReading
from provenance.watermark.telling import told_log10_p

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guard.attest import ReadBack
    from guard.stages import Draft, Origin
    from guard.submission import Sealed, Submission

_PARTLY = frozenset(
    {
        DigitalSourceType.COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA,
        DigitalSourceType.COMPOSITE_SYNTHETIC,
        DigitalSourceType.ALGORITHMICALLY_ENHANCED,
    }
)
_FULLY = frozenset({DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA, DigitalSourceType.ALGORITHMIC_MEDIA})


def draft_facts(
    origin: Origin,
    *,
    command: str,
    include_prompt: bool,
    inspected: Sequence[Evidence] = (),
    kind: Kind | None = Kind.IMAGE,
) -> Facts:
    """What is known before there are final bytes: the request, the words, the model.

    ``kind`` is None where the model is not loaded yet, which may make pictures or clips.
    """
    return Facts(
        request=Request(command=known(Command(command)), include_prompt=known(include_prompt)),
        prompt=prompt_facts(origin.review),
        model=_model(origin),
        media=_declared(Media(), origin, kind),
        risk=risk_facts(origin.review, inspected),
    )


def pixel_facts(
    draft: Draft, *, command: str, include_prompt: bool, inspected: Sequence[Evidence] = ()
) -> Facts:
    """The same, and the pixels as they were made."""
    before = draft_facts(draft.origin, command=command, include_prompt=include_prompt, inspected=inspected)
    media = replace(
        _declared(draft.found, draft.origin, kind_of(draft.mime)),
        width=_size(draft.frames.width),
        height=_size(draft.frames.height),
        mime=known(draft.mime),
    )
    return Facts(
        request=before.request, prompt=before.prompt, model=before.model, media=media, risk=before.risk
    )


def publish_facts(sealed: Sealed, proof: ReadBack, *, algorithm: str, logged: bool) -> Facts:
    """Everything, as read from the final bytes.

    Args:
        sealed: the final bytes, and what was known before there were any.
        proof: what a verifier found in them.
        algorithm: of the mark that counts.
        logged: whether the manifest of these bytes is in the log.
    """
    work, before = sealed.work, sealed.work.before
    return Facts(
        request=before.request,
        prompt=before.prompt,
        model=before.model,
        risk=before.risk,
        media=replace(
            before.media,
            width=_size(proof.width),
            height=_size(proof.height),
            mime=known(sealed.asset.mime),
            upscaled=known(work.making.enlarged),
        ),
        marks=Marks(
            watermark=_watermark(work, proof.mark),
            c2pa=replace(
                _c2pa(proof, algorithm),
                digest_tells=unknown("no picture was compared with a digest")
                if proof.digest_tells is None
                else known(proof.digest_tells),
                beside=known(sealed.sidecar is not None),
            ),
            xmp=_xmp(proof.labels),
        ),
        subject=Subject(sha256=known(sealed.asset.sha256), content_id=known(work.content_id.hex())),
        log=Log(recorded=known(logged)),
        environment=_environment(proof.manifest),
    )


def kind_of(mime: str) -> Kind:
    """Picture, clip, sound or document, by the type found in the content."""
    if is_clip(mime):
        return Kind.VIDEO
    kinds = {"audio": Kind.AUDIO, "application": Kind.DOCUMENT}
    return kinds.get(mime.partition("/")[0], Kind.IMAGE)


def _size(pixels: int | None) -> Fact[int]:
    return unknown("nothing was decoded") if pixels is None else known(pixels)


def _declared(media: Media, origin: Origin, kind: Kind | None) -> Media:
    """What whoever releases it says of it, added to what was found."""
    made = origin.source_type
    return replace(
        media,
        kind=unknown("the model is not loaded yet") if kind is None else known(kind),
        synthetic=known(share_made(made)),
        model_made=known(made.is_generative),
    )


def share_made(source_type: DigitalSourceType) -> Synthetic:
    """How much of the media a program made by itself, by this statement."""
    if source_type in _FULLY:
        return Synthetic.FULL
    return Synthetic.PARTIAL if source_type in _PARTLY else Synthetic.NONE


def _model(origin: Origin) -> Model:
    name = origin.model_identifier or origin.model_name
    return Model(
        id=known("-".join(name.split())) if name else unknown("no model was named, or none is loaded yet"),
        licence=known(origin.licence) if origin.licence else unknown("the model declares no licence"),
        data_licence=known(origin.data_licence)
        if origin.data_licence
        else unknown("the model declares no licence of what it was trained on"),
        weights_digest=known(origin.weights_digest)
        if origin.weights_digest
        else unknown("made elsewhere: the weights were not seen"),
    )


def _watermark(work: Submission, mark: Evidence) -> Watermark:
    reading, making = mark.detail, work.making
    required = known(work.plan.watermark is MarkDuty.REQUIRED)
    if making.psnr is None or not isinstance(reading, WatermarkReading):
        why = making.unmarked_reason or mark.reason or "no mark was read"
        absent = mark.outcome is Outcome.ABSENT
        return Watermark(
            required=required,
            detected=known(not absent) if absent else unknown(why),
            id_matches=unknown(why),
            psnr=unknown(why),
            capacity=known(Capacity.EXCEEDED if making.capacity_exceeded else Capacity.NOT_CHECKED),
        )
    producer = reading.algorithm
    return Watermark(
        required=required,
        detected=known(mark.outcome is Outcome.SUPPORTS, producer=producer),
        psnr=known(making.psnr, producer="claimed" if making.claimed else producer),
        log10_p=known(told_log10_p(reading.log10_p), producer=producer),
        id_matches=known(reading.payload == work.content_id, producer=producer),
        capacity=known(Capacity.OK, producer=producer),
    )


def _c2pa(proof: ReadBack, algorithm: str) -> C2pa:
    manifest = proof.manifest
    if manifest.state is ManifestState.ABSENT:
        return C2pa(
            state=known(C2paState.NO_CREDENTIALS),
            read_back=unknown("no manifest"),
            digital_source_type=unknown("no manifest"),
            soft_binding_matches=unknown("no manifest"),
            time=unknown("no manifest"),
        )
    return C2pa(
        state=known(C2paState(manifest.state.value)),
        digital_source_type=known(manifest.source_type.term)
        if manifest.source_type
        else unknown("the manifest names none"),
        read_back=known(proof.raw_agrees),
        soft_binding_matches=_binding(manifest, proof.mark, algorithm),
        time=_time(manifest),
    )


def _time(manifest: ManifestReading) -> Fact[SigningTime]:
    if manifest.signer is None:
        return unknown("nobody signed")
    silent = manifest.signer.time is SigningTime.NONE and manifest.claimed_time is not None
    return known(SigningTime.CLAIMED if silent else manifest.signer.time)


def _binding(manifest: ManifestReading, mark: Evidence, algorithm: str) -> Fact[bool]:
    if not isinstance(mark.detail, WatermarkReading) or mark.detail.payload is None:
        return unknown("no mark was read from the pixels")
    payload = mark.detail.payload.hex()
    return known(any(b.algorithm == algorithm and b.value == payload for b in manifest.soft_bindings))


def _xmp(labels: Evidence) -> Xmp:
    reading = labels.detail
    if isinstance(reading, MetadataReading) and reading.source_type is not None:
        return Xmp(digital_source_type=known(reading.source_type.term))
    return Xmp(digital_source_type=unknown(labels.reason or "the file states none"))


def _environment(manifest: ManifestReading) -> Environment:
    if manifest.signer is None:
        return Environment(dev_identity=unknown("nobody signed"))
    return Environment(dev_identity=known(manifest.signer.tier is TrustTier.DEVELOPMENT))
