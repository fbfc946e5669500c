"""Fetches models of the Hugging Face hub at their pinned commits, or finds them where they were put before.

``generators.loading_adapter`` imports this after it has told the library to open no socket unless asked.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies

import huggingface_hub

from generators.weights import SETTINGS
from provenance.errors import ConfigurationError, first_line, reason

if TYPE_CHECKING:
    from generators.registry import ModelRef

_FILES = ("*.safetensors", *(f"*{suffix}" for suffix in SETTINGS))


def snapshot(ref: ModelRef, *, online: bool) -> Path:
    """The folder of a model in the local cache, fetched first if ``online``.

    Raises:
        ConfigurationError: ``model.not-local``.
    """
    quiet_hub()
    unknown = None
    try:
        unknown = _unknown_host() if online else None
        return _found(ref, fetch=online and unknown is None)
    # The address, the proxy and the answers are strangers', and the library's HTTP client, which has changed
    # its name before, raises what is neither its nor Python's.
    except Exception as error:
        why = _why(error) if unknown is None else f": {unknown} is not known here, so there is no network"
        raise ConfigurationError(
            "model.not-local",
            f"the model could not be fetched{why}" if online else "the model is not on this machine",
            where=str(ref),
            hint=f"hf download {ref.name} --revision {ref.revision}{_others_here(ref)}",
        ) from error


def _found(ref: ModelRef, *, fetch: bool) -> Path:
    if fetch:
        huggingface_hub.constants.HF_HUB_OFFLINE = False
    folder = Path(
        huggingface_hub.snapshot_download(
            ref.name, revision=ref.revision, local_files_only=not fetch, allow_patterns=list(_FILES)
        )
    )
    if any(path.is_file() for path in folder.rglob("*")):
        return folder
    # The library keeps what the hub listed for good: of an empty answer, it would never ask again.
    (folder.parent.parent / "trees" / f"{ref.revision}.json").unlink(missing_ok=True)
    raise ValueError("the hub lists no file of it that could be loaded")


def _why(error: Exception) -> str:
    """What is said of an address or a proxy that cannot be used, or an answer that cannot be read.

    Nothing of a network that fails: the library then speaks of its own settings.
    """
    if isinstance(error, OSError):
        return ""
    own = type(error).__module__ != "builtins"  # classes of a package speak; some of Python's do not
    return f": {(own and first_line(error)) or reason(error)}"


def quiet_hub() -> None:
    """Lines of the library stay off stderr; bars of a download, which may take an hour, are shown."""
    huggingface_hub.utils.logging.set_verbosity_error()


def _unknown_host() -> str | None:
    """The hub's host if its name leads nowhere: the library would try six times, half a minute in all.

    A proxy finds hosts by itself.
    """
    host = urlsplit(str(huggingface_hub.constants.ENDPOINT)).hostname
    if getproxies() or host is None:
        return None
    try:
        socket.getaddrinfo(host, None)
    except OSError:
        return host
    return None


def _others_here(ref: ModelRef) -> str:
    """Whether another commit of the model is on this machine, which is the usual slip."""
    cache = Path(huggingface_hub.constants.HF_HUB_CACHE)
    snapshots = cache / f"models--{ref.name.replace('/', '--')}" / "snapshots"
    found = sorted(path.name for path in snapshots.glob("*") if path.name != ref.revision)
    return f"; here is {', '.join(found[:3])}" if found else ""
