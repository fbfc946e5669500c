"""Media made elsewhere: from a file to a draft that goes the same way as anything generated here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from generators.card_files import LONGEST_NAME, is_name
from guard.contradiction import (
    read_earlier_mark,
    read_generator_traces,
    refuse_beside,
    refuse_contradiction,
)
from guard.inspect import share_made
from guard.kept import is_kept, kept, refuse_unwritten
from guard.policy.facts import Colour, Fact, Media, Synthetic, failed, known
from guard.private_layer import require_number
from guard.release import Order, release
from guard.stages import Draft, Origin
from provenance.codecs import decode, header, is_lossless, jpeg_quality, read_asset
from provenance.errors import InputError
from provenance.manifest.containers import has_own_trace, has_trace
from provenance.manifest.reading import DigitalSourceType
from provenance.manifest.sidecar import read_sidecar
from provenance.sniff import format_name
from provenance.video.container import VideoCodec, is_clip, require_av

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from guard.policy.obligations import Plan
    from guard.stages import Released
    from guard.tools import Tools
    from provenance.manifest.ingredient import Ingredient
    from provenance.media import Asset, Frames

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


_METADATA_STAY = "its metadata stay as they came, what an image generator wrote into them included"
_HISTORY_LEFT = "the history in the .c2pa file beside it is not taken over; its new manifest begins anew"


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
        ingredients: what went in, such as an init picture or a LoRA.
        training_mining: ``allowed``, ``notAllowed`` or ``constrained``; None: nothing is said of training.
    """

    source_type: DigitalSourceType
    model_name: str | None = None
    software: tuple[str, str] | None = None
    ingredients: tuple[Ingredient, ...] = ()
    training_mining: str | None = None

    def __post_init__(self) -> None:
        name = self.model_name
        if name is not None:
            check_name(name)
        if name is not None and share_made(self.source_type) is Synthetic.NONE:
            raise InputError(
                "source.contradicted",
                f"a model is named, and {self.source_type.term} says that no model made any of it",
                where="--model-name",
                hint="leave the model out, or say --source partly-generated or --source generated",
            )

    def origin(self) -> Origin:
        """The same, as the flows want it."""
        return Origin(
            source_type=self.source_type,
            model_name=self.model_name,
            software=self.software,
            ingredients=self.ingredients,
            training_mining=self.training_mining,
        )


def check_name(
    name: object,
    *,
    where: str = "--model-name",
    hint: str = "give the name as people know it, e.g. --model-name 'Some API 2'",
) -> None:
    """Raises:
    InputError: ``model.bad-name``.
    """
    if not is_name(name):
        what = f"the name of a model has 1 to {LONGEST_NAME} printable characters"
        raise InputError("model.bad-name", what, where=where, hint=hint)


def draft_of(asset: Asset, statement: Statement) -> Draft:
    """Decode a file into a draft; its manifest, if it has one, becomes the new one's parent."""
    traces, readable = read_generator_traces(asset)
    if is_clip(asset.mime):
        return _clip_draft(asset, statement, Media(generator_traces=traces, metadata_readable=readable))
    if is_kept(asset.mime):
        return _kept_draft(asset, statement)
    frames = decode(asset)
    return Draft(
        frames=frames,
        mime=asset.mime,
        origin=statement.origin(),
        source=asset if has_trace(asset.content) else None,
        quality=None if is_lossless(asset) else max(jpeg_quality(asset) or 0, _LOSSY_FLOOR),
        found=Media(
            colour=known(_colour(asset, frames)), generator_traces=traces, metadata_readable=readable
        ),
    )


def _kept_draft(asset: Asset, statement: Statement) -> Draft:
    """What leaves as it came; its metadata are not read here, and that is no finding of any kind."""
    unread: Fact[bool] = failed(f"metadata of {format_name(asset.mime)} files are not read")
    return Draft(
        frames=kept(asset),
        mime=asset.mime,
        origin=statement.origin(),
        source=asset if has_own_trace(asset.content) else None,
        found=Media(
            colour=known(Colour.KEPT),
            generator_traces=unread,
            metadata_readable=known(False),  # noqa: FBT003 - the value of a fact
        ),
    )


def _clip_draft(asset: Asset, statement: Statement, found: Media) -> Draft:
    """A clip is described now and decoded when somebody looks."""
    require_av()
    from provenance.video.look import footage_of  # noqa: PLC0415 - PyAV

    footage = footage_of(asset)
    if footage.clip.generator_keywords:
        found = replace(found, generator_traces=known(True))  # noqa: FBT003 - the value of a fact
    return Draft(
        frames=footage,
        mime=asset.mime,
        origin=statement.origin(),
        source=asset if has_trace(asset.content) else None,
        found=replace(found, colour=known(Colour.KEPT)),
    )


def _untouched(draft: Draft, asset: Asset) -> Draft:
    """The same, to leave as it came with a manifest beside it.

    Raises:
        InputError: as ``refuse_beside``.
    """
    refuse_beside(asset, draft.origin.source_type)
    stay = (_METADATA_STAY,) if draft.found.generator_traces == known(True) else ()  # noqa: FBT003
    found = replace(draft.found, colour=known(Colour.KEPT))
    return replace(draft, untouched=asset, found=found, quality=None, notes=(*draft.notes, *stay))


def _colour(asset: Asset, frames: Frames) -> Colour:
    if header(asset).mode != "CMYK":
        return Colour.KEPT
    return Colour.GUESSED if frames.icc is None else Colour.CONVERTED


def take_in(path: Path, *, private_number: int | None = None) -> tuple[Asset, bytes | None]:
    """The file to release, and its manifest where that lies beside it.

    Raises:
        InputError: it cannot be read; ``watermark.private-number`` for a number that its mark cannot carry.
    """
    asset = read_asset(path)
    require_number(private_number, asset.mime)
    return asset, read_sidecar(path, asset.mime)


def release_asset(
    asset: Asset,
    statement: Statement,
    tools: Tools,
    *,
    plan: Plan,
    command: str,
    output: Path,
    force: bool = False,
    codec: VideoCodec | str | None = None,
    sidecar: bytes | None = None,
    untouched: bool = False,
    progress: Callable[[str], None] = lambda _step: None,
    finished: Callable[[Released], object] = lambda _released: None,
) -> Released:
    """Release one file made elsewhere.

    Args:
        asset, statement: the file, and what is said of it.
        tools: packs, keys, log and clock.
        plan: what is owed.
        command: which flow asks: release, sign or watermark.
        output: the new file, in a folder that exists; or that folder, for a name made from the content id.
        force: replace an existing output.
        codec: ``"av1"``, ``"vp9"`` or ``"h264"`` for a clip; None: AV1 in MP4, VP9 in WebM.
        sidecar: its manifest, where that lies beside it; it is held against ``statement``.
        untouched: not a byte of the file changes, and its new manifest lies beside it.
        progress: called with the name of each step.
        finished: called with what was released as soon as it is out (``guard.release.release``).
    """
    refuse_unwritten(asset, command=command)
    refuse_contradiction(asset, statement.source_type, tools, sidecar=sidecar)
    draft, notes = draft_of(asset, statement), () if sidecar is None else (_HISTORY_LEFT,)
    draft = _untouched(draft, asset) if untouched else draft
    mark, checked = read_earlier_mark(draft.frames, statement.source_type, tools)
    found = replace(draft.found, earlier_mark=mark, origin_checked=checked)
    draft = replace(draft, found=found, codec=_codec(codec), notes=(*draft.notes, *notes))
    folder, name = (output, None) if output.is_dir() else (output.parent, output.name)
    order = Order(draft=draft, plan=plan, command=command, folder=folder, name=name, force=force)
    return release(order, tools, progress=progress, finished=finished)


def _codec(named: VideoCodec | str | None) -> VideoCodec | None:
    return None if named is None else VideoCodec(named)
