"""Withdrawing: whoever released a file says that they no longer stand by it.

    1. find what was released here: by a file, by its manifest, or by the id in its mark
    2. write to the log: a withdrawal of this manifest, with a commitment to the reason
    3. write down the reason, for verify, recover and the next publication

Nothing is deleted and no bytes change. From 2 on the manifest is withdrawn. A process killed before 3 leaves
a leaf without a reason, as does a list that was lost; running the command again writes another leaf.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from provenance.errors import InputError
from provenance.registry_withdrawn import MOST_REASON, Withdrawal, read_withdrawals, write_withdrawals

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from guard.home import Home
    from provenance.log.store import Log
    from provenance.registry import Registry
    from provenance.registry_entry import RegistryEntry

_HINT = "guard recover FILE shows the id of a copy"
_ID, _MANIFEST = re.compile(r"[0-9a-f]{16}"), re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """What was withdrawn.

    Attributes:
        withdrawals: one for each manifest.
        new: how many of them are new; the others had been withdrawn before, and keep their reason.
    """

    withdrawals: tuple[Withdrawal, ...]
    new: int


def withdraw(
    home: Home, what: str, reason: str, *, now: datetime, random: Callable[[int], bytes]
) -> Withdrawn:
    """Withdraw everything that was released here as ``what``; numbered as in the module's text.

    Args:
        home: the installation that released it.
        what: a released file, an id as ``recover`` shows it (16 digits), or the digest of a manifest.
        reason: one sentence, which will be public.
        now: when.
        random: for the salt of the commitment.

    Raises:
        InputError: ``registry.withdraw-unknown``, ``registry.withdraw-reason``, ``input.…``.
        IntegrityError: ``log.behind-registry``, and damage to log or registry.
    """
    from guard.agreement import require_latest  # noqa: PLC0415
    from provenance.locks import locked  # noqa: PLC0415

    if not 0 < len(reason.strip()) <= MOST_REASON:
        said = f"the reason has 1 to {MOST_REASON} characters"
        raise InputError("registry.withdraw-reason", said, hint="guard registry withdraw FILE --reason TEXT")
    home.require().require_own_keys()
    with locked(home.folder / ".publish.lock"), home.registry_as_found() as registry:
        log = home.log()
        require_latest(registry, log)
        found = tuple(dict.fromkeys(entry.manifest_sha256 for entry in _released(registry, what)))  # (1)
        known = read_withdrawals(home.folder)
        new = tuple(one for one in found if one not in known)
        for manifest_sha256 in new:
            made = Withdrawal(
                manifest_sha256=manifest_sha256,
                reason=reason.strip(),
                salt=random(32).hex(),
                time=int(now.timestamp()),
                log_index=0,
            )
            known[manifest_sha256] = replace(made, log_index=_logged(made, log))  # (2)
            write_withdrawals(home.folder, known)  # (3)
    return Withdrawn(withdrawals=tuple(known[one] for one in found), new=len(new))


def _logged(made: Withdrawal, log: Log) -> int:
    """Where in the log the withdrawal stands now."""
    from provenance.log.leaves import WithdrawalLeaf  # noqa: PLC0415

    leaf = WithdrawalLeaf(
        manifest_sha256=made.manifest_sha256, reason_commitment=made.commitment, time=made.time
    )
    return log.append([leaf.to_bytes()]).indexes[0]


def _released(registry: Registry, what: str) -> tuple[RegistryEntry, ...]:
    """Entries of a file, an id or a manifest.

    Raises:
        InputError: ``registry.withdraw-unknown``; ``input.…`` for a file that cannot be read.
    """
    from provenance.files import open_file  # noqa: PLC0415
    from provenance.stored import sha256_of  # noqa: PLC0415

    if Path(what).exists():
        found = registry.by_asset(sha256_of(open_file(Path(what))))
    elif _MANIFEST.fullmatch(what):
        found = registry.by_manifest(what)
    elif _ID.fullmatch(what):
        found = registry.by_content_id(bytes.fromhex(what))
    else:
        said = "this is no file here, no id of 16 hexadecimal digits and no digest of a manifest"
        raise InputError("registry.withdraw-unknown", said, where=what, hint=_HINT)
    if not found:
        said = "nothing of this was released here"
        raise InputError("registry.withdraw-unknown", said, where=what, hint=_HINT)
    return found
