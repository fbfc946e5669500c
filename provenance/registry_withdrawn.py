"""What was recalled: one small file, so that verifying an intact picture opens no database.

The log is the truth of what was withdrawn, and this file its index with the reasons: where the two differ,
the log counts. The same form serves ``withdrawn.json`` of an installation and of a published registry. The
log holds a commitment to each reason; the salt beside the reason opens it. With both erased (``""``) the log
stays whole and the withdrawal in force.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from provenance.canonical import commitment
from provenance.errors import Error, IntegrityError
from provenance.files import read_bounded, write_private
from provenance.registry_layout import MOST_JSON, WITHDRAWN, is_manifest_id, parsed, unreadable, written

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from provenance.canonical import Json
    from provenance.log.leaves import WithdrawalLeaf

MOST_REASON = 300
"""Characters of a reason: one sentence for those who verify."""
_RESTORE = "restore withdrawn.json from a copy, or move it away and withdraw again what the log names"
_SALT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """One manifest that its publisher recalled.

    Attributes:
        manifest_sha256: which.
        reason: in the publisher's words, so printers escape it; empty where it was erased or lost.
        salt: 32 bytes as hex, key of the commitment that the log holds; empty with the reason.
        time: seconds since 1970 by the publisher's clock.
        log_index: where in the log it stands.
    """

    manifest_sha256: str
    reason: str
    salt: str
    time: int
    log_index: int

    @property
    def told(self) -> str:
        """The reason, or that there is none."""
        return self.reason or "the reason is not here any more"

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
        text = _is_text(reason) and len(reason) <= MOST_REASON and isinstance(salt, str)
        erased = reason == salt == ""
        if not (
            whole and text and (erased or _SALT.fullmatch(salt)) and is_manifest_id(item["manifest_sha256"])
        ):
            raise unreadable(where, "a withdrawal is malformed")
        found[item["manifest_sha256"]] = Withdrawal(**item)
    return found


def _is_text(value: object) -> bool:
    """JSON's escapes can also write halves of characters, which no file and no commitment can hold."""
    return isinstance(value, str) and not any("\ud800" <= one <= "\udfff" for one in value)


def read_withdrawals(folder: Path) -> dict[str, Withdrawal]:
    """The index of an installation; empty where there is none, which the log may contradict.

    Raises:
        IntegrityError: ``registry.withdrawals-damaged``.
    """
    path = folder / WITHDRAWN
    if not path.exists():
        return {}
    try:
        return parse_withdrawals(read_bounded(path, most=MOST_JSON), str(path))
    except Error as error:
        what = f"the list of what was withdrawn here cannot be read: {error.what.rpartition(': ')[2]}"
        raise IntegrityError("registry.withdrawals-damaged", what, where=str(path), hint=_RESTORE) from error


def write_withdrawals(folder: Path, withdrawals: Mapping[str, Withdrawal]) -> None:
    """The index of an installation, whole and durable or not at all; raises as ``write_private``."""
    write_private(folder / WITHDRAWN, withdrawals_document(withdrawals), overwrite=True)


def unlogged(listed: Mapping[str, Withdrawal], logged: Mapping[int, WithdrawalLeaf]) -> tuple[str, ...]:
    """Manifests that the index lists, and the log does not hold in their place with that reason."""
    return tuple(sha256 for sha256, one in listed.items() if not _is_of(logged.get(one.log_index), one))


def unlisted(listed: Mapping[str, Withdrawal], logged: Mapping[int, WithdrawalLeaf]) -> tuple[str, ...]:
    """Manifests that the log withdrew, and the index leaves out."""
    withdrawn = dict.fromkeys(leaf.manifest_sha256 for leaf in logged.values())
    return tuple(sha256 for sha256 in withdrawn if sha256 not in listed)


def completed(
    listed: Mapping[str, Withdrawal], logged: Mapping[int, WithdrawalLeaf]
) -> dict[str, Withdrawal]:
    """The index, and what only the log knows, without its reason."""
    lost = {
        leaf.manifest_sha256: Withdrawal(
            manifest_sha256=leaf.manifest_sha256, reason="", salt="", time=leaf.time, log_index=index
        )
        for index, leaf in logged.items()
    }
    return {**lost, **listed}


def _is_of(leaf: object, one: Withdrawal) -> bool:
    from provenance.log.leaves import WithdrawalLeaf  # noqa: PLC0415 - cryptography

    if not isinstance(leaf, WithdrawalLeaf) or leaf.manifest_sha256 != one.manifest_sha256:
        return False
    return not one.salt or leaf.reason_commitment == one.commitment
