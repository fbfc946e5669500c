"""What a file says of its own origin, held against what the person who releases it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guard.kept import Kept
from guard.policy.fact import EarlierMark, Fact, Status, failed, known, unknown
from guard.recover import recover
from guard.verify import decoded
from provenance.errors import InputError
from provenance.evidence import Outcome
from provenance.manifest.containers import has_trace
from provenance.manifest.reading import DigitalSourceType, ManifestState
from provenance.media import Frames
from provenance.metadata.generator_text import generator_keywords
from provenance.metadata.reading import MetadataReading, read_metadata

if TYPE_CHECKING:
    from guard.tools import Tools
    from provenance.manifest.reading import ManifestReading
    from provenance.media import Asset
    from provenance.video.container import Footage

_CAPTURED = frozenset(
    {
        DigitalSourceType.DIGITAL_CAPTURE,
        DigitalSourceType.COMPUTATIONAL_CAPTURE,
        DigitalSourceType.COMPOSITE_CAPTURE,
        DigitalSourceType.NEGATIVE_FILM,
        DigitalSourceType.POSITIVE_FILM,
        DigitalSourceType.PRINT,
    }
)
"""Taken from the world outside by a camera or scanner."""

_NEVER_CAPTURED = frozenset(
    {
        DigitalSourceType.ALGORITHMIC_MEDIA,
        DigitalSourceType.COMPOSITE,
        DigitalSourceType.COMPOSITE_SYNTHETIC,
        DigitalSourceType.DATA_DRIVEN_MEDIA,
        DigitalSourceType.DIGITAL_CREATION,
        DigitalSourceType.SCREEN_CAPTURE,
        DigitalSourceType.VIRTUAL_RECORDING,
    }
)
"""What no later step turns into a capture. Not edits and enhancements: a capture may lie under them."""


def refuse_contradiction(
    asset: Asset, said: DigitalSourceType, tools: Tools, *, sidecar: bytes | None = None
) -> None:
    """A file whose manifest or XMP says that a model made it does not leave as anything else.

    Nor does what they call drawn by a program or by hand, or put together, leave as a capture.

    Args:
        sidecar: the manifest, where it lies beside the file.

    Raises:
        InputError: ``source.contradicted``, or ``source.tampered`` for a manifest that does not hold.
    """
    before = _manifest(asset, tools, sidecar)
    if before is not None and before.state in (ManifestState.TAMPERED, ManifestState.MALFORMED):
        raise InputError(
            "source.tampered",
            f"the file carries a manifest that does not hold: {before.reason}",
            hint="start from the original, or from a copy without metadata",
        )
    if before is not None:
        _refuse("its manifest says", before.source_type, said)
    labels = read_metadata(asset).detail
    for term in labels.source_terms if isinstance(labels, MetadataReading) else ():
        _refuse("its XMP says", DigitalSourceType.known(term), said)


def refuse_beside(asset: Asset, said: DigitalSourceType) -> None:
    """A manifest beside a file that stays as it is must not stand against what lies in it.

    Raises:
        InputError: ``sign.manifest-inside``; ``source.contradicted`` where its XMP names another origin.
    """
    if has_trace(asset.content):
        raise InputError(
            "sign.manifest-inside",
            "the file has a manifest of its own, and readers never look at one beside it",
            hint="leave --sidecar away: its manifest is then kept as history in the new one",
        )
    labels = read_metadata(asset).detail
    found = labels.source_type if isinstance(labels, MetadataReading) else None
    if found is not None and found is not said:
        what = f"its XMP says {found.term}, and would stand beside a manifest that says {said.term}"
        hint = f"--source {found.term}, or leave --sidecar away: its XMP is then written anew"
        raise InputError("source.contradicted", what, hint=hint)


def read_earlier_mark(
    frames: Frames | Footage | Kept, said: DigitalSourceType, tools: Tools
) -> tuple[Fact[EarlierMark], Fact[bool]]:
    """The same for a copy whose metadata were stripped: our own mark leads back to its manifest.

    A mark can be copied onto somebody's photograph, so only a manifest whose signed digest is of this
    picture refuses it (house promise 3); anything less leaves the question open, for the packs to see.

    Returns:
        ``media.earlier_mark`` and ``media.origin_checked``.

    Raises:
        InputError: ``source.contradicted``.
    """
    if said.is_generative:
        why = "it is said to be generated, so nothing could contradict it"
        return known(EarlierMark.NOT_CHECKED), unknown(why)
    shown = frames.seen if isinstance(frames, Kept) else frames
    if shown is None:
        return known(EarlierMark.NOT_CHECKED), unknown("no mark is looked for in files of this kind")
    keys = tools.locators or (tools.marker.key,)
    seen = shown if isinstance(shown, Frames) else decoded(shown.asset, keys)
    found = recover(seen, keys=keys, registry=tools.finder, trust=tools.trust, at=tools.clock())
    same = [one.manifest for one in found.candidates if one.digest.outcome is Outcome.SUPPORTS]
    for manifest in same:
        _refuse("its mark leads to a manifest of the same picture, which says", manifest.source_type, said)
    held = [one.manifest for one in found.candidates if one.digest.outcome is not Outcome.FAILED]
    kinds = [one.source_type for one in held]
    if same or found.mark.outcome is Outcome.ABSENT:
        return known(EarlierMark.NONE), known(True)  # noqa: FBT003 - the value of a fact
    if found.mark.outcome is Outcome.NOT_CHECKED:
        return known(EarlierMark.NOT_CHECKED), unknown(found.reason)
    if any(kind is not None and kind.is_generative for kind in kinds):
        return known(EarlierMark.GENERATED), unknown(found.reason)
    if kinds and None not in kinds and len(kinds) == len(found.candidates):
        return known(EarlierMark.OTHER), known(True)  # noqa: FBT003 - the value of a fact
    return known(EarlierMark.UNCLEAR), unknown(found.reason)


def read_generator_traces(asset: Asset) -> tuple[Fact[bool], Fact[bool]]:
    """Whether the metadata hold what image generators write.

    Returns:
        ``media.generator_traces`` and ``media.metadata_readable``; the first is an error where the
        second is false.
    """
    traces = _generator_traces(asset)
    return traces, known(traces.status is not Status.ERROR)


def _generator_traces(asset: Asset) -> Fact[bool]:
    labels = read_metadata(asset)
    if labels.outcome is Outcome.FAILED:
        return failed(labels.reason or "the XMP cannot be read")
    named = isinstance(labels.detail, MetadataReading) and labels.detail.model_name is not None
    try:
        return known(named or bool(generator_keywords(asset)))
    except InputError as error:
        return failed(error.what)


def _manifest(asset: Asset, tools: Tools, sidecar: bytes | None) -> ManifestReading | None:
    """What ``verify`` would read; None where the container cannot be walked and shows no trace of one."""
    from provenance.manifest.read import read_manifest  # noqa: PLC0415 - c2pa

    try:
        return read_manifest(asset, tools.trust, at=tools.clock(), sidecar=sidecar)
    except InputError:
        return None


def _refuse(how: str, found: DigitalSourceType | None, said: DigitalSourceType) -> None:
    if found is None:
        return
    generated = found.is_generative and not said.is_generative
    if not generated and not (found in _NEVER_CAPTURED and said in _CAPTURED):
        return
    way = "partly-generated, or --source generated" if generated else f"{found.term}, or --source human-edits"
    raise InputError(
        "source.contradicted", f"{how} {found.term}; it cannot leave as {said.term}", hint=f"--source {way}"
    )
