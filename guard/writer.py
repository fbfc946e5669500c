"""The only writer of media files.

Two moves: ``stage`` puts allowed bytes beside their final name under a partial one, synced and read
back; ``finish`` renames. Both ask for a decision sealed for exactly those bytes. No other function
in mediaguard writes media to disk (``tests/invariants/test_only_writer.py`` holds that).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guard.policy.decision import Decision, Stage, authorise
from provenance.errors import InputError, IntegrityError
from provenance.files import check_writable_folder, replace_atomically, write_temporary
from provenance.manifest.sidecar import write_sidecar
from provenance.stored import FileBytes, sha256_of

if TYPE_CHECKING:
    from pathlib import Path

    from guard.stages import Released, Signed


def check_output(path: Path, *, force: bool) -> None:
    """Say before any work is done that the output cannot be written.

    Raises:
        InputError: ``output.exists``, ``output.folder`` or ``output.unwritable``.
        ConfigurationError: ``disk.full``.
    """
    check_writable_folder(path.parent)
    if path.is_dir() or (path.exists() and not force):
        raise InputError(
            "output.exists",
            "the output exists already",
            where=str(path),
            hint="choose another name, or add --force to replace the file",
        )


def stage(signed: Signed, decision: Decision, partial: Path) -> None:
    """Write allowed bytes under a partial name, sync them and compare what the disk gives back.

    Raises:
        Denied: the decision says no.
        IntegrityError: the decision is forged, or for other bytes or another stage;
            ``output.corrupted`` when the disk returns other bytes.
        ConfigurationError: ``disk.full``; nothing is left behind.
    """
    authorise(decision, stage=Stage.PUBLISH, subject=signed.asset.sha256)
    write_temporary(partial, signed.asset.content, temporary=partial)
    if sha256_of(FileBytes(partial)) != signed.asset.sha256:
        partial.unlink(missing_ok=True)
        raise IntegrityError(
            "output.corrupted",
            "the disk returned other bytes than were written",
            where=str(partial),
            hint="check the disk; nothing was released",
        )


def finish(released: Released, partial: Path, *, force: bool) -> None:
    """Give staged bytes their final name; without ``force`` never over an existing file.

    A manifest that lies beside the file gets there first, so that no file waits for its own.

    Raises:
        Denied, IntegrityError: as for ``stage``.
        InputError: ``output.exists`` when somebody took the name meanwhile.
    """
    authorise(released.decision, stage=Stage.PUBLISH, subject=released.signed.asset.sha256)
    if released.sidecar is not None and released.signed.sidecar is not None:
        write_sidecar(released.sidecar, released.signed.sidecar)
    replace_atomically(partial, released.path, overwrite=force)
