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
without an ALLOW is by definition unreleased.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from guard.attest import submission
from guard.attestor import unheard
from guard.errors import Denied
from guard.inspect import pixel_facts
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


def release(order: Order, tools: Tools, *, progress: Callable[[str], None] = unheard) -> Released:
    """Release one picture or clip.

    Args:
        order: what to release and where to.
        tools: packs, keys, log and clock.
        progress: called with the name of each step once it is done; tests interrupt here.

    Raises:
        Denied: policy said no; nothing was written, and a refusal of final bytes is in the log.
        InputError: the output exists or cannot be written.
        ConfigurationError: a key, a disk or a lock is not usable.
    """
    mend(tools.records, tools.attestor)
    content_id = tools.attestor.reserve()
    final = order.folder / (order.name or f"{content_id.hex()}{extension_for(order.draft.mime)}")
    check_output(final, force=order.force)
    if (beside := _beside(order, final)) is not None:
        check_output(beside, force=order.force)
    record = _intent(order, tools, content_id, final)  # (0)
    lock = tools.records.lock_path(record.record_id)
    with locked(lock, timeout_s=0.0):
        tools.records.write(record)
        progress("intent")
        try:
            released = _run(order, tools, record, final, progress)
        except BaseException as error:
            otherwise = Progress.DENIED if isinstance(error, Denied) else Progress.ABANDONED
            settle(record.record_id, tools.records, tools.attestor, otherwise=otherwise)
            lock.unlink(missing_ok=True)  # kept when settling fails, so that the next run tries again
            raise
        if released.pending is None:
            lock.unlink(missing_ok=True)
    return released


def check(order: Order, tools: Tools, facts: Facts, subject: str) -> Checked:
    """Step 1: pixels and words against the packs.

    Raises:
        Denied: policy said no.
    """
    decision = decide(tools.packs, Stage.PIXELS, facts, now=tools.clock(), subject=subject)
    authorise(decision, stage=Stage.PIXELS, subject=subject)
    return Checked(draft=order.draft, plan=order.plan, decision=decision)


def _run(
    order: Order, tools: Tools, record: Record, final: Path, progress: Callable[[str], None]
) -> Released:
    marked, before = _prepared(order, tools, record, progress)  # (1), (2)
    work = submission(marked, order=order, record=record, before=before, tools=tools)

    def note(asset_sha256: str, manifest_sha256: str) -> None:
        """Before registry and log know it, so that a crash can be mended."""
        digests = replace(record, asset_sha256=asset_sha256, manifest_sha256=manifest_sha256)
        tools.records.write(digests)

    attested = tools.attestor.attest(work, note=note, progress=progress)  # (3) to (6)
    sealed, decision = attested.sealed, attested.decision
    signed = Signed(marked=marked, asset=sealed.asset, manifest=sealed.manifest, reading=sealed.reading)
    partial = Path(record.partial_path)
    stage(signed, decision, partial)  # (7)
    staged = tools.records.read(record.record_id)
    tools.records.write(replace(staged, progress=Progress.WRITTEN, decision=decision.canonical().decode()))
    progress("written")
    index = tools.attestor.allow(attested)  # (8)
    progress("decision logged")
    released = Released(
        signed=signed,
        proof=attested.proof,
        decision=decision,
        path=final,
        leaves=(attested.leaf, index),
    )
    finish(released, partial, force=order.force)  # (9), a manifest that lies beside the file first
    progress("renamed")
    return replace(released, pending=_registered(attested, index, record, tools))


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
