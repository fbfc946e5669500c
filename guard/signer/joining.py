"""A home for the side that generates: everything a release needs but keys, log and registry.

The signer hands out its locator key, without which no mark can be written, and the certificates of its
development roots, so that both sides say the same of a development identity. Nothing else of it leaves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guard.roots import kept_roots, list_roots
from guard.setup import CONFIG, Made
from guard.signer.connecting import ask, connect
from guard.signer.wire import malformed
from provenance.errors import ConfigurationError, InputError
from provenance.files import write_private
from provenance.key_ring import earlier_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from guard.home import Home
    from provenance.canonical import Json

_SETTINGS = """
# The keys, the log and the registry belong to a signer process (guard signer run).
[signer]
kind = "socket"
socket = {path}
"""


def handed_out(home: Home) -> dict[str, Json]:
    """What the signer in ``home`` gives to a client that joins."""
    folder = earlier_folder(home.locator_path)
    earlier = sorted(folder.glob("*.json")) if folder.is_dir() else []
    return {
        "key": home.locator_path.read_text(encoding="ascii"),
        "earlier": {path.name: path.read_text(encoding="ascii") for path in earlier},
        "roots": [root.decode("ascii") for root in kept_roots(home)],
    }


def join(home: Home, socket: Path, *, now: datetime) -> tuple[Made, ...]:
    """Make ``home`` a client of the signer at ``socket``; settings last, since they say that it is complete.

    Raises:
        InputError: ``home.exists``.
        ConfigurationError: as ``guard.signer.connecting.connect``.
    """
    if home.exists():
        raise InputError(
            "home.exists",
            "this home is in use, with keys of its own or with a signer",
            where=str(home.folder),
            hint="set GUARD_HOME to a new folder for the side that generates",
        )
    given = _asked(socket)
    home.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    home.locator_path.parent.mkdir(mode=0o700, exist_ok=True)
    made = [_kept(home.locator_path, given["key"], "key of the watermark (locator)")]
    for name, text in sorted(given["earlier"].items()):
        folder = earlier_folder(home.locator_path)
        folder.mkdir(mode=0o700, exist_ok=True)
        made.append(_kept(folder / name, text, "earlier epoch of that key"))
    home.locators()  # refuses what is no key before anything rests on it
    if given["roots"]:
        list_roots(home, [root.encode() for root in given["roots"]], now)
    home.records_folder.mkdir(mode=0o700, exist_ok=True)
    text = CONFIG + _SETTINGS.format(path=_quoted(socket))
    made.append(_kept(home.config_path, text, "settings"))
    return tuple(made)


def _asked(socket: Path) -> Mapping[str, Any]:
    wire = connect(socket)
    try:
        given = ask(wire, {"op": "join"}).header
    finally:
        wire.close()
    earlier, roots = given.get("earlier"), given.get("roots")
    if not isinstance(given.get("key"), str) or not isinstance(earlier, dict) or not isinstance(roots, list):
        raise malformed("no key came back")
    if any("/" in name or not name.endswith(".json") or name.startswith(".") for name in earlier):
        raise malformed("a key under no name of a key")
    if not all(isinstance(text, str) for text in (*earlier.values(), *roots)):
        raise malformed("a key or root that is no text")
    return given


def _kept(path: Path, text: str, what: str) -> Made:
    write_private(path, text.encode(), overwrite=True)
    return Made(what=what, path=path, new=True)


def _quoted(path: Path) -> str:
    """As a basic string of TOML.

    Raises:
        ConfigurationError: ``config.invalid`` for a path that cannot stand there.
    """
    name = str(path.absolute())
    if not name.isprintable():
        raise ConfigurationError("config.invalid", "the socket's path has characters that cannot be printed")
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
