"""What a client says of its bytes, held against the bytes (the signer's side of steps 1 to 3).

What the bytes can prove comes from the bytes, decoded here with the signer's own key: whether the mark is
there and whose id it carries, size and type, the content digest, the number of frames, and that a picture
said to have no room for a mark has none. What they cannot prove is recorded as claimed (``facts``). Where a
claim and the bytes differ, the bytes win; a claim never makes anything better than they are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from guard import __version__
from guard.contradiction import refuse_beside, refuse_contradiction
from guard.inspect import kind_of, share_made
from guard.kept import Kept, is_kept, kept
from guard.marking import mark
from guard.policy.decide import decide
from guard.policy.decision import Stage, authorise
from guard.policy.fact import Kind, known, unknown
from guard.policy.obligations import MarkDuty, strictest
from guard.signer.office import contradicted
from guard.stages import Checked, Draft, Origin, Sighting
from provenance.codecs import decode, is_lossless, jpeg_quality
from provenance.digest_compare import visual_digest
from provenance.errors import ConfigurationError, IntegrityError
from provenance.evidence import Outcome
from provenance.manifest.reading import SoftBinding
from provenance.media import Frames
from provenance.sniff import extension_for, mime_of
from provenance.video.container import HOLDS, Footage, VideoCodec
from provenance.watermark.interface import WatermarkReading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guard.policy.decision import Decision
    from guard.policy.fact import Fact
    from guard.policy.facts import Facts
    from guard.submission import Making, Submission
    from guard.tools import Tools
    from provenance.evidence import Evidence
    from provenance.manifest.spec import ManifestSpec
    from provenance.media import Asset

_UNREAD = "no mark of this release can be read in the bytes"


def examined(claimed: Submission, tools: Tools) -> Submission:
    """``claimed``, as far as its bytes bear it out.

    1. the bytes are of the type that is said, and the manifest is for the id that was reserved
    2. the file they were made from says nothing else of its origin
    3. decode: mark, digest, frames
    4. the signer's own packs let words, plan and pixels pass, and the client's plan falls short in nothing
    5. the statements that the bytes prove are written anew, the mark's among them

    Raises:
        Denied: the signer's packs refuse, before there are final bytes.
        InputError: ``signer.contradicted``; ``source.…``; the bytes cannot be decoded.
        ConfigurationError: ``signer.other-plan``.
        IntegrityError: ``video.read-back`` when frames are missing.
    """
    _refuse_mismatched(claimed)  # (1)
    if claimed.source is not None:
        refuse_contradiction(claimed.source, claimed.spec.source_type, tools)  # (2)
    if claimed.untouched:
        refuse_beside(claimed.asset, claimed.spec.source_type)
    seen = _looked_at(claimed.asset, tools)  # (3)
    before = _borne_out(claimed, seen)
    checked = _checked(claimed, before, seen, tools)  # (4)
    making = _making(claimed, checked, seen, tools)
    return replace(
        claimed,
        plan=checked.plan,
        before=before,
        making=making,
        sighting=seen.sighting,
        spec=_spec(claimed, making, seen.digest, tools),  # (5)
    )


def _refuse_mismatched(claimed: Submission) -> None:
    found = mime_of(claimed.asset.content)
    if found != claimed.asset.mime:
        raise contradicted(f"the bytes are {found or 'no media'}, not {claimed.asset.mime}")
    if claimed.spec.content_id != claimed.content_id.hex():
        raise contradicted("the manifest is to name another content id than the one that was reserved")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What the bytes show.

    Attributes:
        frames: decoded, or described where they are not.
        mark: as read from them; None where no mark can be.
        digest: of what is to be seen; None for what is not decoded.
        count: frames of a clip.
    """

    frames: Frames | Footage | Kept
    mark: Evidence | None = None
    digest: Mapping[str, object] | None = None
    count: int | None = None

    @property
    def sighting(self) -> Sighting | None:
        """For the read-back of the signed bytes, where the same pixels need not be searched twice."""
        if self.mark is None or isinstance(self.frames, Kept):
            return None
        return Sighting(frames=self.frames, evidence=self.mark)


def _looked_at(asset: Asset, tools: Tools) -> _Look:
    if is_kept(asset.mime):
        file = kept(asset)
        shown = None if file.seen is None else visual_digest(file.seen).to_assertion()
        return _Look(frames=file, digest=shown)
    if kind_of(asset.mime) is Kind.VIDEO:
        from guard.clips import see  # noqa: PLC0415 - PyAV
        from provenance.video.look import footage_of  # noqa: PLC0415

        footage, seen = footage_of(asset), see(asset, [tools.marker.key])
        return _Look(frames=footage, mark=seen.mark, digest=seen.digest.to_assertion(), count=seen.frames)
    frames = decode(asset)
    digest = visual_digest(frames).to_assertion()
    return _Look(frames=frames, mark=tools.marker.detect(frames), digest=digest)


def _borne_out(claimed: Submission, seen: _Look) -> Facts:
    """The client's facts, with those that the bytes or the manifest prove in their place."""
    before, spec = claimed.before, claimed.spec
    name = "-".join((spec.model_identifier or spec.model_name or "").split())
    return replace(
        before,
        request=replace(before.request, include_prompt=known(spec.prompt is not None)),
        model=replace(before.model, id=known(name) if name else unknown("no model was named")),
        media=replace(
            before.media,
            kind=known(kind_of(claimed.asset.mime)),
            synthetic=known(share_made(spec.source_type)),
            model_made=known(spec.source_type.is_generative),
            width=_size(seen.frames.width),
            height=_size(seen.frames.height),
            mime=known(claimed.asset.mime),
        ),
    )


def _checked(claimed: Submission, before: Facts, seen: _Look, tools: Tools) -> Checked:
    """What the signer's own packs say of words, plan and pixels.

    Raises:
        Denied, ConfigurationError: see ``examined``.
    """
    subject = tools.random(16).hex()

    def asked(stage: Stage) -> Decision:
        decision = decide(tools.packs, stage, before, now=tools.clock(), subject=subject)
        authorise(decision, stage=stage, subject=subject)
        return decision

    if before.request.command.operand == "generate":
        asked(Stage.PROMPT)
    owed = asked(Stage.PLAN).obligations
    if (owed.c2pa and not claimed.plan.c2pa) or (owed.xmp and not claimed.plan.xmp):
        raise ConfigurationError(
            "signer.other-plan",
            "the signer's policy asks for a manifest or a statement that the client's does not",
            hint="give both sides the same packs: policy in config.toml, --policy",
        )
    plan = strictest(claimed.plan, replace(owed, xmp=claimed.plan.xmp, c2pa=claimed.plan.c2pa))
    origin = Origin(source_type=claimed.spec.source_type, model_name=claimed.spec.model_name)
    draft = Draft(frames=seen.frames, mime=claimed.asset.mime, origin=origin, codec=_codec(seen.frames))
    if isinstance(seen.frames, Frames) and not is_lossless(claimed.asset):
        draft = replace(draft, quality=jpeg_quality(claimed.asset) or 90)
    return Checked(draft=draft, plan=plan, decision=asked(Stage.PIXELS))


def _making(claimed: Submission, checked: Checked, seen: _Look, tools: Tools) -> Making:
    """How the bytes were made, as far as they show it."""
    said = claimed.making
    if said.frames != seen.count:
        what = f"{said.frames} frames were written and {seen.count} can be read"
        raise IntegrityError("video.read-back", what, hint="release the clip again")
    if said.marked and _is_ours(seen.mark, claimed.content_id):
        return replace(said, claimed=True, unmarked_reason=None, capacity_exceeded=False)
    reason, exceeded = (_UNREAD if said.marked else said.unmarked_reason or _UNREAD), False
    if said.capacity_exceeded and not said.marked and checked.plan.watermark is not MarkDuty.OFF:
        exceeded = mark(checked, marker=tools.marker, content_id=claimed.content_id).capacity_exceeded
        reason = reason if exceeded else "the client made no mark, though this can carry one"
    return replace(said, claimed=True, psnr=None, unmarked_reason=reason, capacity_exceeded=exceeded)


def _spec(
    claimed: Submission, making: Making, digest: Mapping[str, object] | None, tools: Tools
) -> ManifestSpec:
    """The manifest's statements; what is known here is not taken from the client."""
    content_id, bound = claimed.content_id.hex(), None
    if making.marked:
        bound = SoftBinding(algorithm=tools.marker.algorithm, value=content_id)
    return replace(
        claimed.spec,
        title=f"{content_id}{extension_for(claimed.asset.mime)}",
        claim_generator_version=__version__,
        soft_binding=bound,
        watermarked=bound is not None,
        digest_assertion=digest,
        edited=claimed.source is not None,
        resized=making.enlarged,
        log_checkpoint=None,  # the attestor puts its log's in
        when=tools.clock(),
    )


def _size(pixels: int | None) -> Fact[int]:
    return unknown("nothing was decoded") if pixels is None else known(pixels)


def _is_ours(evidence: Evidence | None, content_id: bytes) -> bool:
    reading = None if evidence is None else evidence.detail
    if evidence is None or evidence.outcome is not Outcome.SUPPORTS:
        return False
    return isinstance(reading, WatermarkReading) and reading.payload == content_id


def _codec(frames: Frames | Footage | Kept) -> VideoCodec | None:
    """What a clip is compressed with, where that can be written again."""
    if not isinstance(frames, Footage):
        return None
    able = HOLDS.get(frames.asset.mime, ())
    return next((codec for codec in able if codec.value == frames.clip.codec), None)
