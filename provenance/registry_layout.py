"""Names and shapes of the files of a published registry, which any web server or folder can hold.

The names are those of the C2PA Soft Binding Resolution API 2.4; where that API computes an answer from a
query, a static file holds the answers to many queries (docs/guide/registry.md has the table)::

    snapshot                          signed note: sequence number, digest of SHA256SUMS
    SHA256SUMS                        every other file; ``sha256sum -c`` reads it
    publisher.vkey                    key that signs snapshot and log, in C2SP's text form
    .well-known/c2pa-soft-binding-resolution
    services/supportedAlgorithms, services/capabilities, services/status
    manifests/ID/manifest.c2pa        ID is the SHA-256 of the manifest
    manifests/ID/receipts             where the log holds its ALLOW, with the proof
    manifests/ID/content-digest.json  the digest it signs
    matches/byBinding/PREFIX.json     from the id in a mark to manifests
    matches/byContent/PREFIX.json     from a fingerprint to manifests that may look alike
    matches/byReference/PREFIX.json   from the digest of a file to its manifest
    withdrawn.json                    what was recalled
    locator/KEY.json                  keys that marks are found with, unless kept back
    log/                              the transparency log, C2SP tlog-tiles
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from provenance.canonical import canonical_bytes
from provenance.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from provenance.canonical import Json

SNAPSHOT, SUMS, VKEY = "snapshot", "SHA256SUMS", "publisher.vkey"
WELL_KNOWN = ".well-known/c2pa-soft-binding-resolution"
ALGORITHMS, CAPABILITIES = "services/supportedAlgorithms", "services/capabilities"
STATUS = "services/status"
SPECIFICATION = "2.4.0"
"""Of C2PA, whose names these are."""
STATIC = "org.mediaguard.static"
"""Key in the capabilities, for what the API has no words for: how buckets of static files are named."""
WITHDRAWN = "withdrawn.json"
LOCATORS, LOG = "locator", "log"
BY_BINDING, BY_CONTENT, BY_REFERENCE = "matches/byBinding", "matches/byContent", "matches/byReference"
SCHEMA_VERSION = 1

MOST_JSON = 16 * 2**20
"""Bytes of a JSON file; a bucket of a full registry has some kilobytes."""
CROWD = 32
"""Entries that every bucket holds at least, where there are that many: who asks for one is one of so many."""
VALUE_BYTES = 8
"""Of an id in a mark, and of a fingerprint."""
_WHOLE = "all"
_MOST_PREFIX = 6
_PAGE = 4096
_PATH = re.compile(r"(?:[A-Za-z0-9._-]{1,80}/){0,8}[A-Za-z0-9_.-]{1,80}")
_SUM = re.compile(r"([0-9a-f]{64})  (\S+)")
_ID = re.compile(r"[0-9a-f]{64}")


def bucket_hash(algorithm: str, key_id: str, epoch: int, content_id: bytes) -> str:
    """Hex SHA-256 that says which bucket of ``byBinding`` an id is in: the one its first digits name."""
    named = "\0".join(("mediaguard bucket", algorithm, key_id, str(epoch), content_id.hex()))
    return hashlib.sha256(named.encode()).hexdigest()


def prefix_length(hashes: Iterable[str], *, crowd: int = CROWD) -> int:
    """The most digits for which every bucket still holds ``crowd`` entries, and none is missing.

    0, one bucket for all, where there are too few entries for more.
    """
    known = list(hashes)
    for length in range(1, _MOST_PREFIX + 1):
        counts: dict[str, int] = {}
        for one in known:
            counts[one[:length]] = counts.get(one[:length], 0) + 1
        if len(counts) < 16**length or min(counts.values()) < crowd:
            return length - 1
    return _MOST_PREFIX


def bucket_path(folder: str, hashed: str, length: int) -> str:
    """The file of ``folder`` that holds what ``hashed`` belongs to."""
    return f"{folder}/{hashed[:length] or _WHOLE}.json"


def bucket_paths(folder: str, length: int) -> tuple[str, ...]:
    """All files of ``folder``."""
    return tuple(
        bucket_path(folder, f"{number:0{length}x}" if length else "", length) for number in range(16**length)
    )


def manifest_path(manifest_sha256: str) -> str:
    """The manifest store, as it was embedded."""
    return f"manifests/{manifest_sha256}/manifest.c2pa"


def receipts_path(manifest_sha256: str) -> str:
    """Where the log holds its release."""
    return f"manifests/{manifest_sha256}/receipts"


def digest_path(manifest_sha256: str) -> str:
    """The content digest that it signs."""
    return f"manifests/{manifest_sha256}/content-digest.json"


def manifest_ids(paths: Iterable[str]) -> tuple[str, ...]:
    """Of every manifest among ``paths``."""
    found = (path.split("/") for path in paths)
    return tuple(
        parts[1]
        for parts in found
        if len(parts) == 3
        and parts[0] == "manifests"
        and parts[2] == "manifest.c2pa"
        and _ID.fullmatch(parts[1])
    )


def binding_value(data: bytes) -> str:
    """A soft binding's value as the API has it in queries: base64 of its bytes.

    In the manifest the same bytes stand as hex, since the assertion's text has to be text.
    """
    return base64.b64encode(data).decode()


def parsed_value(value: object) -> bytes | None:
    """The 8 bytes of a value of ours, which have 12 characters; in hex, with 16, as it was written at first.

    None for anything else.
    """
    if not isinstance(value, str):
        return None
    try:
        if len(value) == 2 * VALUE_BYTES:
            return None if set(value) - set("0123456789abcdef") else bytes.fromhex(value)
        data = base64.b64decode(value, validate=True)
    except ValueError:
        return None
    return data if len(data) == VALUE_BYTES and binding_value(data) == value else None


def written(document: Mapping[str, Json]) -> bytes:
    """A JSON file, the same bytes for the same content."""
    return canonical_bytes({"schema_version": SCHEMA_VERSION, **document}) + b"\n"


def padded(document: Mapping[str, Json]) -> bytes:
    """The same, filled with blanks to whole pages: its length says less about which bucket was asked for."""
    data = written(document)
    return data[:-1] + b" " * (-len(data) % _PAGE) + b"\n"


def parsed(data: bytes, where: str) -> dict[str, Any]:
    """The JSON file ``data``.

    Raises:
        IntegrityError: ``registry.published-damaged`` for anything but an object of a known version.
    """
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise unreadable(where, "it is not JSON") from error
    if not isinstance(document, dict) or document.get("schema_version") != SCHEMA_VERSION:
        raise unreadable(where, "it is not of a version that is read here")
    return document


def listing(sums: Mapping[str, str]) -> bytes:
    """``SHA256SUMS`` for path to digest."""
    return "".join(f"{digest}  {path}\n" for path, digest in sorted(sums.items())).encode()


def parsed_listing(data: bytes, *, most: int) -> dict[str, str]:
    """Path to digest; every path is safe to join to a folder.

    Raises:
        IntegrityError: ``registry.published-damaged``; more than ``most`` files, paths that lead elsewhere,
            or two that some file systems would take for one.
    """
    if data.count(b"\n") > most:
        raise unreadable(SUMS, f"it lists more than {most:,} files")
    found: dict[str, str] = {}
    for line in data.decode("ascii", "replace").splitlines():
        match = _SUM.fullmatch(line)
        if match is None or not is_safe(match[2]) or match[2] in (SNAPSHOT, SUMS):
            raise unreadable(SUMS, f"the line {line[:120]!r} names no file of a registry")
        found[match[2]] = match[1]
    if len({path.lower() for path in found}) != data.count(b"\n"):
        raise unreadable(SUMS, "it names a file twice")
    return found


def is_safe(path: str) -> bool:
    """Whether ``path`` stays inside the folder that it is joined to."""
    return bool(_PATH.fullmatch(path)) and not {".", ".."} & set(path.split("/"))


def is_manifest_id(value: object) -> bool:
    """Whether ``value`` can name a manifest."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def unreadable(where: str, why: str) -> IntegrityError:
    """A published registry is not what its publisher signed, or nothing that can be read here."""
    return IntegrityError(
        "registry.published-damaged",
        f"the published registry cannot be used: {why}",
        where=where,
        hint="fetch it again, or ask its publisher",
    )
