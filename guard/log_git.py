"""A git repository as a witness: checkpoints in a history that others have copies of.

Every checkpoint is one version of one file. git's own hashes tie the versions together, so whoever has a
clone has the whole series, and a changed past would show as a history that cannot be pulled. The
program ``git`` is started only by the commands that name a repository.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provenance.errors import ConfigurationError, InputError, IntegrityError
from provenance.files import write_public
from provenance.log.audit import Earlier
from provenance.log.checkpoint import MOST_NOTE_BYTES, open_checkpoint
from provenance.log.witnessed import require_contained

if TYPE_CHECKING:
    from pathlib import Path

    from provenance.log.checkpoint import NoteVerifier
    from provenance.log.store import Log

_TIMEOUT_S = 120
_MOST_VERSIONS = 100_000
_QUIET = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
"""For reading somebody else's repository: its settings start no program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """What came of a commit.

    Attributes:
        size: entries that the committed checkpoint covers.
        commit: its hash; None when this checkpoint was committed already.
    """

    size: int
    commit: str | None


def commit_checkpoint(log: Log, repository: Path) -> Committed:
    """Commit the log's checkpoint, if the log contains every one that was committed before.

    Raises:
        ConfigurationError: ``log.git-missing``.
        InputError: ``log.git`` when it is no repository, or git refuses.
        IntegrityError: ``log.truncated``, ``log.forked`` against the last committed checkpoint.
    """
    name = _file_of(log.verifier)
    path = repository / name
    head, note = log.checkpoint(), log.note()
    _run(repository, "rev-parse", "--is-inside-work-tree")
    if path.exists():
        require_contained(log, open_checkpoint(path.read_bytes(), log.verifier))
    path.parent.mkdir(exist_ok=True)
    write_public(path, note, overwrite=True)
    _run(repository, "add", "--", name)
    if not _run(repository, "status", "--porcelain", "--", name).strip():
        return Committed(size=head.size, commit=None)
    _run(repository, "commit", "-q", "-m", f"{log.verifier.name}: {head.size} entries", "--", name)
    return Committed(size=head.size, commit=_run(repository, "rev-parse", "HEAD").decode().strip())


def committed(repository: Path, verifier: NoteVerifier) -> tuple[Earlier, ...]:
    """Every checkpoint of the log in the history of a clone, oldest first.

    Raises:
        ConfigurationError: ``log.git-missing``.
        InputError: ``log.git`` when it is no repository or holds no checkpoint of this log.
        IntegrityError: as ``open_checkpoint``, for a version that is no checkpoint of this log.
    """
    name = _file_of(verifier)
    commits = _run(repository, *_QUIET, "log", "--reverse", "--format=%H", "--", name).decode().split()
    if not commits:
        what = f"no commit in this repository holds a checkpoint of {verifier.name}"
        raise InputError("log.git", what, where=str(repository), hint="guard log witness git REPOSITORY")
    found = []
    for commit in commits[-_MOST_VERSIONS:]:
        note = _run(repository, *_QUIET, "cat-file", "blob", f"{commit}:{name}", absent=True)
        if not note:
            continue  # a commit that deleted the file; the versions before and after it still count
        if len(note) > MOST_NOTE_BYTES:
            raise IntegrityError(
                "log.checkpoint-malformed", f"the checkpoint in commit {commit[:12]} is too long"
            )
        found.append(Earlier(note=note, source=f"commit {commit[:12]}"))
    return tuple(found)


def _file_of(verifier: NoteVerifier) -> str:
    """One file a log and key, named by the key: an origin may hold what no file name may."""
    return f"log-checkpoints/{verifier.key_id.hex()}"


def _run(repository: Path, *arguments: str, absent: bool = False) -> bytes:
    """What ``git`` prints; with ``absent`` nothing at all where it fails."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_DIR")}
    command = ["git", "-C", str(repository), *arguments]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            check=False,
            timeout=_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
            env={**environment, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"},
        )
    except FileNotFoundError as error:
        what, hint = "the program git is not installed", "install git, or use another kind of witness"
        raise ConfigurationError("log.git-missing", what, hint=hint) from error
    except subprocess.TimeoutExpired as error:
        what = f"git did not finish within {_TIMEOUT_S} s"
        raise InputError("log.git", what, where=str(repository), hint="run it by hand") from error
    if done.returncode != 0 and not absent:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        what = f"git says: {said[0][:200] if said else f'exit {done.returncode}'}"
        raise InputError("log.git", what, where=str(repository), hint=f"git -C {repository} status")
    return done.stdout
