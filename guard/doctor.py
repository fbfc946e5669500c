"""What works in this installation, what is missing, and the command that helps."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeVar

from guard import __version__
from guard.doctor_keys import identity, locator, private_mark, time_stamps
from guard.text import numbered
from provenance.errors import Error, IntegrityError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from guard.home import Home

_T = TypeVar("_T")

EXTRAS: dict[str, tuple[tuple[str, ...], str]] = {
    "watermark": (("scipy", "cv2"), "write and read marks, 16-bit pictures, recover"),
    "generate": (("torch", "diffusers", "transformers", "safetensors"), "the bundled and other generators"),
    "detect": (("sklearn", "onnxruntime"), "detectors"),
    "video": (("av",), "clips"),
}
"""Extra → (modules it brings, what it is for)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the examination.

    Attributes:
        state: ``"ok"``, ``"missing"`` (optional, with the command that adds it) or ``"broken"``.
        what: the part looked at.
        detail: versions, dates, or what to do.
    """

    state: str
    what: str
    detail: str


def examine(home: Home, *, now: datetime, passphrase: bytes | None = None) -> tuple[Finding, ...]:
    """Look at the installation, its extras and its home. Changes nothing, and asks for nothing.

    Args:
        home: where.
        now: time at which the certificate has to be valid.
        passphrase: tried on a protected signing key; without one such a key is not opened.
    """
    from generators.registry import available  # noqa: PLC0415

    models = Finding(state="ok", what="models", detail=", ".join(available()))
    parts = (_installation(), *map(_extra, EXTRAS), models)
    return (*parts, *examine_home(home, now=now, passphrase=passphrase))


def _installation() -> Finding:
    try:
        c2pa = version("c2pa-python")
    except PackageNotFoundError:
        return Finding(
            state="broken", what="mediaguard", detail="c2pa-python is missing: pip install mediaguard"
        )
    python = ".".join(map(str, sys.version_info[:3]))
    return Finding(
        state="ok", what="mediaguard", detail=f"{__version__}, Python {python}, c2pa-python {c2pa}"
    )


def _extra(name: str) -> Finding:
    modules, purpose = EXTRAS[name]
    absent = [module for module in modules if find_spec(module) is None]
    if absent:
        return Finding(
            state="missing", what=f"[{name}]", detail=f"{purpose}: pip install 'mediaguard[{name}]'"
        )
    return Finding(state="ok", what=f"[{name}]", detail=purpose)


def examine_home(home: Home, *, now: datetime, passphrase: bytes | None = None) -> Iterator[Finding]:
    """The part about keys, trust, log, registry and records; as ``examine``."""
    if not home.exists():
        yield Finding(state="missing", what="home", detail=f"{home.folder}: guard init")
        return
    yield Finding(state="ok", what="home", detail=str(home.folder))
    yield _looked_at("settings", lambda: f"policy {home.config().policy}, model {home.config().model}")
    if _keys_elsewhere(home):
        yield from _examine_client(home)
        yield from _added(home, now)
        return
    yield _looked_at("signing key", lambda: identity(home, now, passphrase))
    if home.requested_folder.is_dir():
        waits = "a key waits for its certificate: guard keys csr, then guard keys import"
        yield Finding(state="ok", what="certificate request", detail=waits)
    yield _looked_at("time-stamps", lambda: time_stamps(home))
    yield _looked_at("trust", lambda: _trust(home, now))
    yield _looked_at("locator key", lambda: locator(home))
    yield _looked_at("private mark key", lambda: private_mark(home))
    log = _looked_at("log", lambda: _log(home))
    yield log
    yield _looked_at("registry", lambda: _registry(home))
    both = _looked_at("log and registry", lambda: _agreement(home))
    yield replace(both, detail="not compared: the log cannot be used") if both.detail == log.detail else both
    yield _looked_at("private records", lambda: _records(home))
    yield from _added(home, now)


def _added(home: Home, now: datetime) -> Iterator[Finding]:
    """Copies of other publishers' registries."""
    from guard.added_registries import looks_at_added  # noqa: PLC0415

    for name, look in looks_at_added(home, now):
        yield _looked_at(f"registry {name}", look)


def _keys_elsewhere(home: Home) -> bool:
    """Whether a signer process has them; False where the settings cannot be read, which was said before."""
    try:
        return home.config().signer.kind == "socket"
    except Error:
        return False


def _examine_client(home: Home) -> Iterator[Finding]:
    """The home of a side that generates, whose keys are in a signer process."""
    yield _looked_at("signer process", lambda: _signer_process(home))
    yield _looked_at("trust", lambda: f"{len(home.trust().lists)} lists")
    yield _looked_at("locator key", lambda: locator(home))
    yield _looked_at("private mark key", lambda: private_mark(home))
    yield _looked_at("private records", lambda: _records(home))


def _signer_process(home: Home) -> str:
    from pathlib import Path  # noqa: PLC0415 - here alone

    from guard.signer.connecting import status  # noqa: PLC0415
    from guard.tools import TileMarker  # noqa: PLC0415

    found = status(Path(home.config().signer.socket), TileMarker(key=home.locator()))
    return f"answers; policy {', '.join(found['packs'])}; {found['entries']} entries in its log"


def _looked_at(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(state="ok", what=what, detail=look())
    except Error as error:
        return Finding(state="broken", what=what, detail=f"{error.what} ({error.hint or error.code})")


def _trust(home: Home, now: datetime) -> str:
    from guard.roots import all_listed, development_missing  # noqa: PLC0415
    from guard.trust_health import health  # noqa: PLC0415

    if not all_listed(home):
        raise development_missing()
    known = home.trust()
    gone = f"; {len(known.revoked)} certificates revoked" if known.revoked else ""
    notes = "".join(f"; {note}" for one in known.lists for note in health(one, now))
    return f"{len(known.lists)} lists{gone}{notes}"


def _log(home: Home) -> str:
    from guard.log_view import LogView  # noqa: PLC0415

    report = _with_cure(home, lambda: LogView.own(home).audited())
    for problem in report.problems:
        raise IntegrityError(problem.code, problem.what, hint="guard log verify")
    return f"{report.size} entries; {report.witness}"


def _with_cure(home: Home, look: Callable[[], _T]) -> _T:
    """Damage of the log itself, which knows of no home around it, with what helps here."""
    from guard.agreement import restore_log  # noqa: PLC0415

    try:
        return look()
    except IntegrityError as error:
        error.hint = error.hint or restore_log(served=bool(home.config().registry.url))
        raise


def _registry(home: Home) -> str:
    with home.registry_as_found() as registry:
        return f"{registry.verify_integrity()} entries, {len(registry.pending())} pending"


def _records(home: Home) -> str:
    unfinished = len(list(home.records().unfinished()))
    return (
        f"{unfinished} of releases that were interrupted or run; the next mends them"
        if unfinished
        else "there"
    )


def _agreement(home: Home) -> str:
    from guard.agreement import require_agreement, require_whole  # noqa: PLC0415

    require_whole(home)
    with home.registry_as_found() as registry:
        found = _with_cure(home, lambda: require_agreement(registry, home.log_as_found()))
    return f"agree on {numbered(found.releases, 'release')}"
