"""``read_manifest`` and ``crjson`` in a process of their own, under limits of memory and time.

The C2PA library is native code that meets bytes from strangers. In a process of its own it can crash, fill
its memory or never end, and all that comes of it is a reading: the manifest could not be read. The process
gets the file, the trust lists and the time; what it answers is held to be a value or thrown away.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from provenance import errors
from provenance.errors import Error, InputError
from provenance.manifest import values_json
from provenance.manifest.containers import has_trace
from provenance.manifest.crjson import MOST_CHARACTERS, CrJson, crjson
from provenance.manifest.reading import ManifestReading, ManifestState
from provenance.media import Asset
from provenance.sniff import format_name
from provenance.stored import FileBytes, chunks_of

if TYPE_CHECKING:
    from provenance.manifest.trust import TrustLists
    from provenance.stored import Bytes

_CODE = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    "from provenance.manifest.isolated import main; main()"
)
"""The same modules as here, wherever they were found; ``-I`` ignores whatever the environment says."""
_REASON = 512
_NONE = "the reader gave an answer that is none"
_ANSWER = 64 * 2**20
"""Bytes of an answer; a reading has some thousand."""


Answer = ManifestReading | tuple[str | None, str | None]
"""A reading; or crJSON as text and why there is none, one of which is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildLimits:
    """What the reading process may use.

    Attributes:
        memory: bytes of address space beyond the size of the file, which the library may hold once.
        cpu_s: seconds of processor time.
        wall_s: seconds by the clock, after which it is ended from outside.
    """

    memory: int = 1536 * 2**20
    cpu_s: int = 60
    wall_s: float = 180.0


def read_manifest_isolated(
    asset: Asset,
    trust: TrustLists,
    *,
    at: datetime | None = None,
    sidecar: bytes | None = None,
    limits: ChildLimits | None = None,
) -> ManifestReading:
    """As ``provenance.manifest.read.read_manifest``, in a process of its own.

    A process that crashes or reaches a limit makes the manifest MALFORMED where the file has a trace of one.

    Raises:
        InputError: as ``read_manifest``; ``media.unreadable`` also when the process failed over a file
            without a trace of a manifest.
    """
    moment, bounds = at or datetime.now(UTC), limits or ChildLimits()
    request = _request(asset, trust, moment, sidecar, bounds)
    said = _ask(asset.content, request, bounds)
    if isinstance(said, ManifestReading):
        return said
    why = said if isinstance(said, str) else _NONE
    if sidecar is not None or has_trace(asset.content):
        return ManifestReading(state=ManifestState.MALFORMED, reason=why, at=moment.astimezone(UTC))
    what = f"this {format_name(asset.mime)} file cannot be searched for a manifest: {why}"
    raise InputError("media.unreadable", what)


def crjson_isolated(
    asset: Asset,
    reading: ManifestReading,
    trust: TrustLists,
    *,
    sidecar: bytes | None = None,
    limits: ChildLimits | None = None,
) -> CrJson:
    """As ``provenance.manifest.crjson.crjson``, in a process of its own.

    Raises:
        InputError: as ``read_manifest``.
    """
    bounds = limits or ChildLimits()
    request = _request(asset, trust, reading.at, sidecar, bounds) | {"crjson": True}
    said = _ask(asset.content, request, bounds)
    if not isinstance(said, tuple):
        return CrJson(missing=said if isinstance(said, str) else _NONE)
    text, missing = said
    if text is None:
        return CrJson(missing=str(missing)[:_REASON])
    try:
        document = json.loads(text if len(text) <= 2 * MOST_CHARACTERS else "")
        same = document["manifests"][0]["label"] == reading.label
    except (ValueError, TypeError, LookupError, RecursionError):
        return CrJson(missing=_NONE)
    return CrJson(document=document) if same else CrJson(missing="it was given for another manifest")


def _request(
    asset: Asset, trust: TrustLists, at: datetime, sidecar: bytes | None, limits: ChildLimits
) -> dict[str, Any]:
    return {
        "mime": asset.mime,
        "sha256": asset.sha256,
        "size": len(asset.content),
        "trust": trust,
        "at": at,
        "sidecar": sidecar,
        "descriptor": asset.content.descriptor if isinstance(asset.content, FileBytes) else None,
        "memory": limits.memory,
        "cpu_s": limits.cpu_s,
        "crjson": False,
    }


def _ask(content: Bytes, request: dict[str, Any], limits: ChildLimits) -> Answer | str:
    """The answer, or why there is none."""
    shared = () if request["descriptor"] is None else (request["descriptor"],)
    line = [sys.executable, "-I", "-c", _CODE, json.dumps(sys.path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        line, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, pass_fds=shared, env=_environment()
    ) as child:
        try:
            answer, _ = child.communicate(b"".join(_sent(content, request)), timeout=limits.wall_s)
        except subprocess.TimeoutExpired:
            child.kill()
            return "the reader took too long and was ended"
    if child.returncode < 0:
        return "the reader crashed or reached its limit of processor time"
    if child.returncode != 0 or len(answer) > _ANSWER:
        return "the reader reached its limit of memory"
    return _understood(answer)


def _sent(content: Bytes, request: dict[str, Any]) -> list[bytes]:
    head = values_json.dumps(request) + b"\n"
    return [head] if request["descriptor"] is not None else [head, *chunks_of(content)]


def _environment() -> dict[str, str]:
    """No proxy, key or path of the caller's is the business of what reads a stranger's file."""
    kept = ("SYSTEMROOT", "LD_LIBRARY_PATH", "TMPDIR")
    return {name: os.environ[name] for name in kept if name in os.environ}


def _understood(answer: bytes) -> Answer | str:
    try:
        said = values_json.loads(answer)
    except ValueError:
        return _NONE
    if isinstance(said, ManifestReading):
        return said
    if isinstance(said, tuple) and len(said) == 2 and all(isinstance(one, str | None) for one in said):
        return said
    kind, code, what, where, hint = said if isinstance(said, tuple) and len(said) == 5 else ("",) * 5
    if kind not in ("InputError", "ConfigurationError", "IntegrityError"):
        return _NONE
    raised: Error = getattr(errors, kind)(code, what, where=where, hint=hint)
    raise raised


def main() -> None:
    """The child: one request on standard input, one answer on standard output.

    Everything it needs is loaded before the limits hold, so that they bound what the file costs.
    """
    from provenance.manifest import c2pa_adapter, read  # noqa: F401, PLC0415 - the child's business

    request = values_json.loads(sys.stdin.buffer.readline())
    answer = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints is no answer
    _bound(request)
    try:
        said = _read(request, sys.stdin.buffer)
    except MemoryError:
        os._exit(3)
    with os.fdopen(answer, "wb") as out:
        out.write(values_json.dumps(said))


def _read(request: dict[str, Any], rest: BinaryIO) -> ManifestReading | tuple[Any, ...]:
    from provenance.manifest.read import read_manifest  # noqa: PLC0415 - loaded in main

    trust, sidecar = request["trust"], request["sidecar"]

    descriptor = request["descriptor"]
    content: Bytes = rest.read() if descriptor is None else FileBytes(Path(f"/dev/fd/{descriptor}"))
    asset = Asset(content=content, mime=request["mime"], sha256=request["sha256"])
    try:
        reading = read_manifest(asset, trust, at=request["at"], sidecar=sidecar)
        if not request["crjson"]:
            return reading
        found = crjson(asset, reading, trust, sidecar=sidecar)
        return None if found.document is None else json.dumps(found.document), found.missing
    except Error as error:
        return type(error).__name__, error.code, error.what, error.where, error.hint


def _bound(request: dict[str, Any]) -> None:
    """Limits of the system, where it has them: address space, processor time, no files, no core."""
    with suppress(ImportError):  # not on Windows, where only the clock ends it
        import resource  # noqa: PLC0415 - of POSIX systems

        for which, most in (
            (resource.RLIMIT_AS, request["memory"] + 2 * request["size"]),
            (resource.RLIMIT_CPU, request["cpu_s"]),
            (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_CORE, 0),
        ):
            _, hard = resource.getrlimit(which)
            allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(which, (allowed, allowed))
