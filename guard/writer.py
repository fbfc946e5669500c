"""The only writer of media files.

Two moves: ``stage`` puts allowed bytes beside their final name under a partial one, synced and read
back; ``finish`` renames. Both ask for a decision sealed for exactly those bytes. No other function
in mediaguard writes media to disk (``tests/invariants/test_only_writer.py`` holds that).
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from guard.errors import Denied
from guard.policy.decision import Action, Decision, verify_seal
from provenance.errors import InputError, IntegrityError
from provenance.files import replace_atomically, write_new

if TYPE_CHECKING:
    from pathlib import Path

    from guard.stages import Released, Signed


def refuse_existing(path: Path, *, force: bool) -> None:
    """Say before any work is done that a name is taken.

    Raises:
        InputError: ``output.exists``.
    """
    if path.is_dir():
        raise InputError("output.is-folder", "the output name is a folder", where=str(path))
    if path.exists() and not force:
        raise InputError(
            "output.exists",
            "the output file exists already",
            where=str(path),
            hint="choose another name, or add --force to replace it",
        )


def stage(signed: Signed, decision: Decision, partial: Path) -> None:
    """Write allowed bytes under a partial name, sync them and compare what the disk gives back.

    Raises:
        Denied: the decision is not an ALLOW sealed for these bytes at stage ``publish``.
        IntegrityError: ``output.corrupted`` when the disk returns other bytes.
        ConfigurationError: ``disk.full`` or ``output.unwritable``; nothing is left behind.
    """
    require_allow(decision, signed.asset.sha256)
    write_new(partial, signed.asset.data)
    if hashlib.sha256(partial.read_bytes()).hexdigest() != signed.asset.sha256:
        partial.unlink(missing_ok=True)
        raise IntegrityError(
            "output.corrupted",
            "the disk returned other bytes than were written",
            where=str(partial),
            hint="check the disk; nothing was released",
        )


def finish(released: Released, partial: Path, *, force: bool) -> None:
    """Give staged bytes their final name.

    Raises:
        Denied: as for ``stage``.
        InputError: ``output.exists`` when somebody took the name meanwhile.
    """
    require_allow(released.decision, released.signed.asset.sha256)
    claim_name(partial, released.path, force=force)


def claim_name(partial: Path, final: Path, *, force: bool) -> None:
    """Rename ``partial`` to ``final``; without ``force`` never over an existing file."""
    if force:
        replace_atomically(partial, final)
        return
    try:
        os.link(partial, final)  # fails when the name is taken, which a rename would not
    except FileExistsError:
        refuse_existing(final, force=False)
        raise
    except OSError:
        # No hard links on this file system: look, then rename. A name taken in between is lost,
        # which is why linking is tried first.
        refuse_existing(final, force=False)
        replace_atomically(partial, final)
        return
    partial.unlink()


def require_allow(decision: Decision, subject: str) -> None:
    """Only a sealed ALLOW for exactly these bytes opens the way to the disk.

    Raises:
        Denied: anything else, forged and borrowed decisions included.
    """
    verify_seal(decision, subject=subject, stage="publish")
    if decision.action is not Action.ALLOW:
        raise Denied(decision)
