"""Put trained weights in their place: ``python -m generators.training.bundling PART FROM``.

super-resolution  FROM/super_resolution.safetensors → generators/bundled/super_resolution
oracle            FROM/oracle.safetensors, confusion.json → generators/oracle
finish            FROM is a name in ``generators.finishes``; the cards of the bundled models take it over

Each is read as users will read it, before it is put there; digests are written beside the files.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from generators import cascade_adapter, finishes
from generators.oracle import reading, reading_adapter
from generators.pinned import LISTED, NOTICE, ORACLE, SUPER_RESOLUTION, listed
from generators.registry import bundled

if TYPE_CHECKING:
    from collections.abc import Sequence

_FLUENT, _BOTH = "MIT (Fluent emoji)", "MIT (Fluent emoji), Apache-2.0 (Noto emoji)"


def super_resolution(source: Path, target: Path = SUPER_RESOLUTION) -> None:
    """The step that enlarges."""
    cascade_adapter.read(source / cascade_adapter.WEIGHTS, "")
    made = source / LISTED
    measured = json.loads(made.read_text(encoding="utf-8")).get("measured", {}) if made.is_file() else {}
    _copied(source / cascade_adapter.WEIGHTS, target)
    _copied(NOTICE, target)
    listed(target, licence="Apache-2.0", data_licence=_FLUENT, measured=measured)


def oracle(source: Path, target: Path = ORACLE) -> None:
    """The classifier and the table of how often it is right."""
    reading_adapter.read(source / reading.WEIGHTS, "")
    table = reading.confusion(source)
    _copied(source / reading.WEIGHTS, target)
    _copied(source / reading.CONFUSION, target)
    measured = {question: list(table.right(question)) for question in table.counts}
    listed(target, licence="Apache-2.0", data_licence=_BOTH, right_of=measured)


def finish(name: str) -> None:
    """Every bundled model that is enlarged is from now on enlarged in this way.

    Raises:
        InputError: ``request.finish``.
        ConfigurationError: ``weights.not-installed``.
    """
    finishes.finish_named(name)
    for model in bundled():
        path = model.folder / "card.json"
        card = json.loads(path.read_text(encoding="utf-8"))
        if "size" in card:
            path.write_text(json.dumps({**card, "finish": name}, indent=2) + "\n", encoding="utf-8")


def _copied(path: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, folder / path.name)
    (folder / path.name).chmod(0o644)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command-line entry."""
    parser = argparse.ArgumentParser(prog="python -m generators.training.bundling", description=__doc__)
    parser.add_argument("part", choices=("super-resolution", "oracle", "finish"))
    parser.add_argument("source", metavar="FROM")
    options = parser.parse_args(arguments)
    if options.part == "finish":
        finish(options.source)
    else:
        {"super-resolution": super_resolution, "oracle": oracle}[options.part](Path(options.source))


if __name__ == "__main__":
    main()
