"""Media made elsewhere: from a file to a draft that goes the same way as anything generated here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from guard.inspect import origin_evidence
from guard.recover import recover
from guard.release import Order, release
from guard.stages import Draft, Origin
from provenance.codecs import decode, jpeg_quality
from provenance.errors import InputError
from provenance.evidence import Outcome
from provenance.manifest.containers import has_trace
from provenance.manifest.reading import DigitalSourceType, ManifestState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from guard.policy.obligations import Plan
    from guard.stages import Released
    from guard.tools import Tools
    from provenance.evidence import Evidence
    from provenance.media import Asset, Frames

MAX_NAME = 100
"""Characters of a model's name; it stands in the manifest and in XMP."""

_LOSSY_FLOOR = 90
"""A JPEG or WebP is never written again below this quality: the mark and the digest are made on
what leaves, and the picture should not suffer for being released."""


SOURCES = {
    "generated": DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA,
    "partly-generated": DigitalSourceType.COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA,
    "digital-capture": DigitalSourceType.DIGITAL_CAPTURE,
    "digital-creation": DigitalSourceType.DIGITAL_CREATION,
    "human-edits": DigitalSourceType.HUMAN_EDITS,
    "algorithmic": DigitalSourceType.ALGORITHMIC_MEDIA,
    "screen-capture": DigitalSourceType.SCREEN_CAPTURE,
}
"""Words for how a picture was made; any IPTC term is accepted beside them."""


def source_type(word: str) -> DigitalSourceType:
    """The IPTC type for one of our words or an IPTC term.

    Raises:
        InputError: ``source.unknown``.
    """
    found = SOURCES.get(word) or DigitalSourceType.known(word)
    if found is None:
        raise InputError(
            "source.unknown", f"{word!r} is no digital source type", hint=f"--source {' | '.join(SOURCES)}"
        )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What the person who releases a file says of it.

    Attributes:
        source_type: how the pixels came to be.
        model_name: the model, for people; None if there was none or it is not known.
        software: name and version of the program; None if unknown.
    """

    source_type: DigitalSourceType
    model_name: str | None = None
    software: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        name = self.model_name
        if name is not None and not (0 < len(name) <= MAX_NAME and name.isprintable() and name.strip()):
            raise InputError(
                "model.bad-name",
                f"the name of a model has 1 to {MAX_NAME} printable characters",
                where="--model-name",
                hint="give the name as people know it, e.g. --model-name 'Some API 2'",
            )

    def origin(self) -> Origin:
        """The same, as the flows want it."""
        return Origin(source_type=self.source_type, model_name=self.model_name, software=self.software)


def draft_of(asset: Asset, statement: Statement) -> Draft:
    """Decode a file into a draft; its manifest, if it has one, becomes the new one's parent."""
    quality = jpeg_quality(asset) or _LOSSY_FLOOR
    return Draft(
        frames=decode(asset),
        mime=asset.mime,
        origin=statement.origin(),
        source=asset if has_trace(asset.data) else None,
        quality=max(quality, _LOSSY_FLOOR),
    )


def refuse_contradiction(asset: Asset, statement: Statement, tools: Tools) -> None:
    """A file whose own intact manifest says that a model made it is not released as anything else.

    Raises:
        InputError: ``source.contradicted``, or ``source.tampered`` for a manifest that no longer holds.
    """
    from provenance.manifest.read import read_manifest  # noqa: PLC0415 - c2pa

    if not has_trace(asset.data):
        return
    before = read_manifest(asset, tools.trust, at=tools.clock())
    if before.state in (ManifestState.TAMPERED, ManifestState.MALFORMED):
        raise InputError(
            "source.tampered",
            f"the file carries a manifest that does not hold: {before.reason}",
            hint="start from the original, or from a copy without metadata",
        )
    said = before.source_type
    if said is not None and said.is_generative and not statement.source_type.is_generative:
        raise _contradicted("its manifest says", said, statement)


def look_for_origin(frames: Frames, statement: Statement, tools: Tools) -> Evidence:
    """The same for a copy whose manifest was stripped: our own mark leads back to it.

    A mark can be copied onto somebody's photograph, so only a manifest whose signed digest is of this
    picture refuses it (house promise 3); anything less leaves the question open, for the packs to see.

    Raises:
        InputError: ``source.contradicted``.
    """
    if statement.source_type.is_generative:
        return origin_evidence(
            Outcome.NOT_CHECKED, "it is said to be generated, so nothing could contradict it"
        )
    found = recover(
        frames, keys=(tools.marker.key,), registry=tools.registry, trust=tools.trust, at=tools.clock()
    )
    same = [one.manifest for one in found.candidates if one.digest.outcome is Outcome.SUPPORTS]
    for said in (manifest.source_type for manifest in same):
        if said is not None and said.is_generative:
            raise _contradicted(
                "its mark leads to a manifest of the same picture, which says", said, statement
            )
    if same or found.mark.outcome is Outcome.ABSENT:
        return origin_evidence(Outcome.ABSENT)
    blind = found.mark.outcome is Outcome.NOT_CHECKED
    return origin_evidence(Outcome.NOT_CHECKED if blind else Outcome.INCONCLUSIVE, found.reason)


def _contradicted(how: str, said: DigitalSourceType, statement: Statement) -> InputError:
    return InputError(
        "source.contradicted",
        f"{how} {said.term}; it cannot leave as {statement.source_type.term}",
        hint="--source partly-generated, or --source generated",
    )


def release_asset(
    asset: Asset,
    statement: Statement,
    tools: Tools,
    *,
    plan: Plan,
    command: str,
    output: Path,
    force: bool = False,
    progress: Callable[[str], None] = lambda _step: None,
) -> Released:
    """Release one file made elsewhere.

    Args:
        asset: the file.
        statement: what is said of it.
        tools: packs, keys, log and clock.
        plan: what is owed.
        command: which flow asks: release, sign or watermark.
        output: the new file; its folder exists.
        force: replace an existing output.
        progress: called with the name of each step.
    """
    refuse_contradiction(asset, statement, tools)
    draft = draft_of(asset, statement)
    origin = look_for_origin(draft.frames, statement, tools)
    order = Order(
        draft=draft,
        plan=plan,
        command=command,
        folder=output.parent,
        name=output.name,
        force=force,
    )
    looked = replace(tools, inspectors=(*tools.inspectors, lambda _frames: origin))
    return release(order, looked, progress=progress)
