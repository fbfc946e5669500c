"""Release: from pixels nobody has looked at to a file under its final name.

The order; each step takes only what the one before returns:

    0. intent record, private, synced before anything else
    1. check: words and pixels against the packs                        → Checked
    2. enlarge if too small for a mark, mark, encode, describe           → Marked
    3. sign                                                             → Signed
    4. read back: our verifier and the mark's decoder, on the final bytes
    5. log the manifest
    6. decide for exactly those bytes
    7. write them beside their final name, sync, compare with the disk
    8. log the decision under a new checkpoint
    9. rename                                                           → Released

Up to step 7 everything stays in memory: denied pixels never touch the disk. A crash before step 8
leaves no ALLOW in the log, and what lies on the disk is removed; a crash after it leaves synced
bytes that ``guard.recovery`` gives their name. A manifest in the log without an ALLOW is by
definition unreleased.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from guard.attest import read_back, sign
from guard.errors import Denied
from guard.inspect import pixel_facts, publish_facts
from guard.marking import mark
from guard.policy.decide import decide
from guard.policy.decision import Action
from guard.records import Progress, Record
from guard.recovery import recover_interrupted
from guard.stages import Checked, Draft, Released, Signed
from guard.writer import finish, refuse_existing, stage
from provenance.canonical import commitment
from provenance.locks import locked
from provenance.log.leaves import DecisionLeaf, ManifestLeaf

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from guard.policy.decision import Decision
    from guard.policy.obligations import Plan
    from guard.tools import Tools


def _ignore(_step: str) -> None:
    """Nobody listens to the progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What one release is asked to do.

    Attributes:
        draft: the pixels.
        plan: what is owed; from the plan decision, or smaller for ``guard sign``.
        folder: where the file goes.
        name: final file name, or None for one made from the content id.
        force: replace an existing file of that name.
        prompt: as asked, kept in the private record only.
        negative_prompt: as asked, kept in the private record only.
        publish_prompt: also put the prompt into the manifest.
        command: which flow asks, as a fact for the rules.
    """

    draft: Draft
    plan: Plan
    folder: Path
    name: str | None = None
    force: bool = False
    prompt: str | None = None
    negative_prompt: str | None = None
    publish_prompt: bool = False
    command: str = "release"


def release(order: Order, tools: Tools, *, progress: Callable[[str], None] = _ignore) -> Released:
    """Release one picture.

    Args:
        order: what to release and where to.
        tools: packs, keys, log and clock.
        progress: called with the name of each step when it is done.

    Raises:
        Denied: policy said no; nothing was written, and the refusal is in the log.
        InputError: the output exists or cannot be written.
        ConfigurationError: a key, a disk or a lock is not usable.
    """
    recover_interrupted(tools)
    content_id = _reserve(tools)
    path = order.folder / (order.name or f"{content_id.hex()}{_extension(order.draft.mime)}")
    refuse_existing(path, force=order.force)
    record = _intent(order, tools, content_id, path)  # (0)
    lock = tools.records.lock_path(record.record_id)
    with locked(lock, timeout_s=0.0):
        tools.records.write(record)
        progress("intent")
        try:
            released = _run(order, tools, record, progress)
        except Exception as error:
            _close(tools, record, Progress.DENIED if isinstance(error, Denied) else Progress.ABANDONED)
            lock.unlink(missing_ok=True)
            raise
        lock.unlink(missing_ok=True)
    return released


def _run(order: Order, tools: Tools, record: Record, progress: Callable[[str], None]) -> Released:
    checked = check(order, tools)  # (1)
    progress("checked")
    marked = mark(checked, marker=tools.marker, content_id=bytes.fromhex(record.content_id or ""))  # (2)
    progress("marked")
    signed = sign(marked, order=order, record=record, tools=tools)  # (3)
    progress("signed")
    proof = read_back(signed, tools)  # (4)
    progress("read back")
    tools.registry.record(_entry(signed, tools, record))
    manifest_leaf = _log_manifest(signed, tools, record)  # (5)
    progress("manifest logged")
    facts = publish_facts(signed, proof, order=order, tools=tools, logged=True)
    decision = decide(tools.packs, "publish", facts, now=tools.clock(), subject=signed.asset.sha256)  # (6)
    if decision.action is not Action.ALLOW:
        _log_decision(decision, signed, tools, record)
        raise Denied(decision)
    partial = _partial(record)
    stage(signed, decision, partial)  # (7)
    record = replace(record, progress=Progress.WRITTEN, **_identity(signed))
    tools.records.write(record)
    progress("written")
    decision_leaf = _log_decision(decision, signed, tools, record)  # (8)
    progress("decision logged")
    released = Released(
        signed=signed,
        decision=decision,
        path=_final(record),
        leaves=(manifest_leaf, decision_leaf),
        warnings=decision.warnings,
    )
    finish(released, partial, force=order.force)  # (9)
    progress("renamed")
    tools.registry.mark_released(_identity(signed)["manifest_sha256"], decision_leaf)
    _close(tools, record, Progress.RELEASED)
    progress("released")
    return released
