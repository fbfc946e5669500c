"""What was recalled: one small file, so that verifying an intact picture opens no database.

The same form serves ``withdrawn.json`` of an installation and of a published registry. The log holds a
commitment to each reason; the salt beside the reason opens it, and removing both leaves the log whole.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from provenance.canonical import commitment
from provenance.files import read_bounded, write_private
from provenance.registry_layout import MOST_JSON, WITHDRAWN, is_manifest_id, parsed, unreadable, written

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from provenance.canonical import Json

MOST_REASON = 300
"""Characters of a reason: one sentence for those who verify."""
_SALT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """One manifest that its publisher recalled.

    Attributes:
        manifest_sha256: which.
        reason: in the publisher's words, so printers escape it.
        salt: 32 bytes as hex, key of the commitment that the log holds.
        time: seconds since 1970 by the publisher's clock.
        log_index: where in the log it stands.
    """

    manifest_sha256: str
    reason: str
    salt: str
    time: int
    log_index: int

    @property
    def commitment(self) -> str:
        """What the log holds of the reason."""
        return commitment(
            bytes.fromhex(self.salt), {"reason": self.reason, "withdrawn": self.manifest_sha256}
        )


def withdrawals_document(withdrawals: Mapping[str, Withdrawal]) -> bytes:
    """The file that holds ``withdrawals``, each under the digest of its manifest."""
    listed: list[Json] = [asdict(one) for _, one in sorted(withdrawals.items())]
    return written({"withdrawn": listed})


def parse_withdrawals(data: bytes, where: str) -> dict[str, Withdrawal]:
    """What ``withdrawals_document`` wrote.

    Raises:
        IntegrityError: ``registry.published-damaged``.
    """
    found: dict[str, Withdrawal] = {}
    listed = parsed(data, where).get("withdrawn")
    for item in listed if isinstance(listed, list) else [None]:
        if not isinstance(item, dict) or set(item) != set(Withdrawal.__dataclass_fields__):
            raise unreadable(where, "an entry has other fields than a withdrawal")
        reason, salt, times = item["reason"], item["salt"], (item["time"], item["log_index"])
        whole = all(type(value) is int and 0 <= value < 2**53 for value in times)
        text = isinstance(reason, str) and len(reason) <= MOST_REASON and isinstance(salt, str)
        if not (whole and text and _SALT.fullmatch(salt) and is_manifest_id(item["manifest_sha256"])):
            raise unreadable(where, "a withdrawal is malformed")
        found[item["manifest_sha256"]] = Withdrawal(**item)
    return found


def read_withdrawals(folder: Path) -> dict[str, Withdrawal]:
    """Those of an installation, or of the kept copy of a registry; empty where nothing was recalled.

    Raises:
        IntegrityError: ``registry.published-damaged``.
        InputError: ``input.unreadable``.
    """
    path = folder / WITHDRAWN
    return parse_withdrawals(read_bounded(path, most=MOST_JSON), str(path)) if path.exists() else {}


def write_withdrawals(folder: Path, withdrawals: Mapping[str, Withdrawal]) -> None:
    """Those of an installation, whole and durable or not at all; raises as ``write_private``."""
    write_private(folder / WITHDRAWN, withdrawals_document(withdrawals), overwrite=True)
