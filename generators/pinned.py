"""Weights that several bundled models share, with the digests that were published beside them.

A folder holds safetensors files and ``weights.json``: {"licence", "data_licence", "weights": {file: sha256}}.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from generators.weights import digested
from provenance.errors import ConfigurationError, IntegrityError

if TYPE_CHECKING:
    from collections.abc import Mapping

LISTED = "weights.json"
SUPER_RESOLUTION = Path(__file__).with_name("bundled") / "super_resolution"
NOTICE = Path(__file__).with_name("bundled") / "emoji" / "NOTICE"
"""Of the drawings that all bundled weights were trained on; it travels with each."""
ORACLE = Path(__file__).with_name("oracle")
"""Folders of such weights; training.bundling fills them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """One file that is what was published.

    Attributes:
        path: where it is.
        sha256: of it, lower-case hex.
        facts: further entries of ``weights.json``.
    """

    path: Path
    sha256: str
    facts: Mapping[str, object]


def pinned_file(folder: Path, name: str) -> Pinned:
    """File ``name`` of ``folder``, compared with its published digest.

    Raises:
        ConfigurationError: ``weights.not-installed``: this installation lacks it.
        InputError: ``weights.not-safetensors``.
        IntegrityError: ``weights.changed``.
    """
    path = folder / name
    if not path.is_file() or not (folder / LISTED).is_file():
        raise ConfigurationError(
            "weights.not-installed",
            "this installation lacks the weights of a part that is asked for",
            where=f"{folder.name}/{name}",
            hint="ask without that part; where docs/reference/weights.md lists its weights for this version, "
            "pip install --force-reinstall mediaguard brings them back",
        )
    try:
        facts = dict(json.loads((folder / LISTED).read_text(encoding="utf-8")))
        published = facts["weights"][name]
    except (ValueError, KeyError, TypeError) as error:
        raise _changed(folder / LISTED) from error
    found = digested(path, folder).sha256
    if found != published:
        raise _changed(path)
    return Pinned(path=path, sha256=found, facts=MappingProxyType(facts))


def listed(folder: Path, **facts: object) -> None:
    """Write ``weights.json`` for the safetensors files in ``folder``, and lay the notice beside them."""
    shutil.copyfile(NOTICE, folder / NOTICE.name)
    (folder / NOTICE.name).chmod(0o644)
    files = sorted(folder.glob("*.safetensors"))
    weights = {path.name: digested(path, folder).sha256 for path in files}
    text = json.dumps({**facts, "weights": weights}, indent=2) + "\n"
    (folder / LISTED).write_text(text, encoding="utf-8")


def _changed(path: Path) -> IntegrityError:
    return IntegrityError(
        "weights.changed",
        "the bundled weights are not the published ones",
        where=f"{path.parent.name}/{path.name}",
        hint="pip install --force-reinstall mediaguard",
    )
