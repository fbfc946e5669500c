"""Release: from pixels nobody has looked at to a file under its final name.

The order; each step takes only what the one before returns:

    0. intent record, private, synced before anything else
    1. check words and pixels against the packs                         → Checked
    2. enlarge if too small for a mark, mark, encode, describe           → Marked
    3. sign                                                             → Signed
    4. read back: our verifier and the mark's decoder, on the final bytes
    5. log the manifest
    6. decide for exactly those bytes
    7. write them beside their final name, sync, compare with the disk
    8. log the decision under a new checkpoint
    9. rename                                                           → Released

Steps 3 to 6 and 8 are done by whoever has the keys (``guard.attestor``), here or in a process of its own.
Up to step 7 everything stays in memory, or unreadable (``provenance.spool``): denied pixels never touch the
disk in any other form. A crash before step 8 leaves no ALLOW in the log, and what lies on the disk is
removed; a crash after it leaves synced bytes that ``guard.recovery`` gives their name. A manifest in the log
without an ALLOW is by definition unreleased. From step 8 on a Ctrl-C waits until the caller has been told
what was released, and whatever fails there, a file that is out is told.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from guard.attest import submission
from guard.attestor import unheard
from guard.errors import Denied
from guard.inspect import pixel_facts
from guard.interruption import held
from guard.kept import Kept
from guard.marking import mark
from guard.policy.decide import decide
from guard.policy.decision import Stage, authorise
from guard.records import Progress, Record
from guard.recovery import mend, settle
from guard.serialise import to_json
from guard.stages import Checked, Draft, Released, Signed
from guard.writer import check_output, finish, stage
from provenance.errors import Error
from provenance.files import temporary_beside
from provenance.locks import locked
from provenance.manifest.sidecar import place_beside
from provenance.media import Frames, is_clip
from provenance.sniff import extension_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from guard.policy.facts import Facts
    from guard.policy.obligations import Plan
    from guard.stages import Marked
    from guard.submission import Attested
    from guard.tools import Tools
    from provenance.evidence import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What one release is asked to do.

    Attributes:
        draft: the pixels.
        plan: what is owed: the obligations of the plan decision.
        command: which flow asks, as a fact for the rules: generate, release, sign or watermark.
        folder: where the file goes.
        name: final file name, or None for one made from the content id.
        force: replace an existing file of that name.
        prompt: as asked, kept in the private record only.
        negative_prompt: as asked, kept in the private record only.
        publish_prompt: also put the prompt into the manifest.
        drawing: how it was drawn, kept in the private record only.
    """

    draft: Draft
    plan: Plan
    command: str
    folder: Path
    name: str | None = None
    force: bool = False
    prompt: str | None = None
    negative_prompt: str | None = None
    publish_prompt: bool = False
    drawing: str | None = None


def release(
    order: Order,
    tools: Tools,
    *,
    progress: Callable[[str], None] = unheard,
    finished: Callable[[Released], object] = lambda _released: None,
) -> Released:
    """Release one picture or clip.

    Args:
        order: what to release and where to.
        tools: packs, keys, log and clock.
        progress: called with the name of each step once it is done; tests interrupt here.
        finished: called with what was released before an interruption can end this, and also where that or a
            failure came once the file was out.

    Raises:
        Denied: policy said no; nothing was written, and a refusal of final bytes is in the log.
        InputError: the output exists or cannot be written.
        ConfigurationError: a key, a disk or a lock is not usable.
    """
    record, final = _begun(order, tools)
    lock = tools.records.lock_path(record.record_id)
    with locked(lock, timeout_s=0.0), ExitStack() as until_told:
        tools.records.write(record)  # (0)
        progress("intent")
        staged = None
        try:
            staged = _staged(order, tools, record, final, progress)  # (1) to (7)
            until_told.enter_context(held())
            released = _let_out(staged, record, tools, progress)  # (8), (9)
        except BaseException as error:
            _settle(record, tools, error, staged, finished)
            raise
        if released.pending is None:
            lock.unlink(missing_ok=True)
        finished(released)
    return released


def check(order: Order, tools: Tools, facts: Facts, subject: str) -> Checked:
    """Step 1: pixels and words against the packs.

    Raises:
        Denied: policy said no.
    """
    decision = decide(tools.packs, Stage.PIXELS, facts, now=tools.clock(), subject=subject)
    authorise(decision, stage=Stage.PIXELS, subject=subject)
    return Checked(draft=order.draft, plan=order.plan, decision=decision)


def _begun(order: Order, tools: Tools) -> tuple[Record, Path]:
    """The intent, not yet written, and the final name, which is free."""
    mend(tools.records, tools.attestor)
    content_id = tools.attestor.reserve()
    final = order.folder / (order.name or f"{content_id.hex()}{extension_for(order.draft.mime)}")
    check_output(final, force=order.force)
    if (beside := _beside(order, final)) is not None:
        check_output(beside, force=order.force)
    return _intent(order, tools, content_id, final), final


@dataclass(frozen=True, slots=True, kw_only=True)
class _Staged:
    """Bytes that policy allows, synced beside the name ``final`` and compared with the disk."""

    signed: Signed
    attested: Attested
    final: Path

    def released(self, index: int) -> Released:
        """What they are once the log allows them at ``index``."""
        return Released(
            signed=self.signed,
            proof=self.attested.proof,
            decision=self.attested.decision,
            path=self.final,
            leaves=(self.attested.leaf, index),
        )


def _staged(
    order: Order, tools: Tools, record: Record, final: Path, progress: Callable[[str], None]
) -> _Staged:
    marked, before = _prepared(order, tools, record, progress)  # (1), (2)
    work = submission(marked, order=order, record=record, before=before, tools=tools)

    def note(asset_sha256: str, manifest_sha256: str) -> None:
        """Before registry and log know it, so that a crash can be mended."""
        digests = replace(record, asset_sha256=asset_sha256, manifest_sha256=manifest_sha256)
        tools.records.write(digests)

    attested = tools.attestor.attest(work, note=note, progress=progress)  # (3) to (6)
    sealed, decision = attested.sealed, attested.decision
    signed = Signed(marked=marked, asset=sealed.asset, manifest=sealed.manifest, reading=sealed.reading)
    stage(signed, decision, Path(record.partial_path))  # (7)
    noted = tools.records.read(record.record_id)
    tools.records.write(replace(noted, progress=Progress.WRITTEN, decision=decision.canonical().decode()))
    progress("written")
    return _Staged(signed=signed, attested=attested, final=final)


def _let_out(staged: _Staged, record: Record, tools: Tools, progress: Callable[[str], None]) -> Released:
    index = tools.attestor.allow(staged.attested)  # (8)
    progress("decision logged")
    released = staged.released(index)
    # (9), a manifest that lies beside the file first
    finish(released, Path(record.partial_path), force=record.force)
    progress("renamed")
    return replace(released, pending=_registered(staged.attested, index, record, tools))


def _settle(
    record: Record,
    tools: Tools,
    error: BaseException,
    staged: _Staged | None,
    finished: Callable[[Released], object],
) -> None:
    """End what ``error`` interrupted, forwards or backwards, and tell of it if the file is out."""
    otherwise = Progress.DENIED if isinstance(error, Denied) else Progress.ABANDONED
    ended = settle(record.record_id, tools.records, tools.attestor, otherwise=otherwise)
    # The lock is kept when settling fails, so that the next run tries again.
    tools.records.lock_path(record.record_id).unlink(missing_ok=True)
    if staged is not None and ended.progress is Progress.RELEASED:
        index = tools.attestor.outcome(ended.manifest_sha256 or "", ended.asset_sha256 or "")
        assert index is not None, "settled as released"
        finished(staged.released(index))


def _registered(attested: Attested, index: int, record: Record, tools: Tools) -> str | None:
    """Registry and record say that it is released, or why they do not yet: the file is out either way."""
    try:
        tools.attestor.conclude(attested, index)
        ended = replace(tools.records.read(record.record_id), progress=Progress.RELEASED)
        tools.records.write(ended)
    except Error as error:
        return f"released; the registry's entry is pending until the next release ({error.what})"
    return None


def _prepared(
    order: Order, tools: Tools, record: Record, progress: Callable[[str], None]
) -> tuple[Marked, Facts]:
    """Steps 1 and 2, nothing readable written: bytes to be signed, and what is known before they are."""
    facts = pixel_facts(
        order.draft,
        command=order.command,
        include_prompt=order.publish_prompt,
        inspected=inspected(order.draft, tools),
    )
    checked = check(order, tools, facts, record.record_id)  # (1)
    progress("checked")
    content_id = bytes.fromhex(record.content_id)
    marked = mark(checked, marker=tools.marker, content_id=content_id, spool=order.folder)  # (2)
    progress("marked")
    return marked, facts


def inspected(draft: Draft, tools: Tools) -> list[Evidence]:
    """What every inspector says of the picture, or of a clip frame by frame."""
    if not tools.inspectors:
        return []
    return [inspect(picture) for picture in _stills(draft) for inspect in tools.inspectors]


def _stills(draft: Draft) -> Iterable[Frames]:
    frames = draft.frames
    if isinstance(frames, Frames) and is_clip(draft.mime):
        from guard.drawn_clips import drawn_stills  # noqa: PLC0415 - PyAV

        return drawn_stills(frames)
    if isinstance(frames, Frames):
        return (frames,)
    if isinstance(frames, Kept):
        return () if frames.seen is None else (frames.seen,)
    from guard.clips import stills  # noqa: PLC0415 - PyAV

    return stills(frames)


def _intent(order: Order, tools: Tools, content_id: bytes, final: Path) -> Record:
    recipe, review = order.draft.origin.recipe, order.draft.origin.review
    return Record(
        record_id=tools.random(16).hex(),
        commitment_key=tools.random(32).hex(),
        created_at=tools.clock().isoformat(),
        partial_path=str(temporary_beside(final).absolute()),
        final_path=str(final.absolute()),
        force=order.force,
        prompt=order.prompt,
        negative_prompt=order.negative_prompt,
        edits=None if review is None else json.dumps(to_json(review.edits), ensure_ascii=True),
        recipe=None if recipe is None else recipe.canonical().decode(),
        drawing=order.drawing,
        content_id=content_id.hex(),
        sidecar_path=None if (beside := _beside(order, final)) is None else str(beside.absolute()),
    )


def _beside(order: Order, final: Path) -> Path | None:
    """Where the manifest goes, if there is one and it does not go into the file."""
    return place_beside(final, order.draft.mime) if order.plan.c2pa and order.draft.beside else None
