"""Draws ``docs/gallery.md`` and its sheets with the models of this installation.

python docs/make_gallery.py [FOLDER]     FOLDER instead of docs, to try it

Seeds are 1, 2, 3, … in order and nothing is left out, so nobody picks. Sections are made of what is
installed. The pictures are for this documentation only: they do not go through ``guard``, and are neither
marked nor signed.
"""

from __future__ import annotations

import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import _gallery_others as others
import _gallery_pictures as pictures
from _gallery_layout import save

from generators.finishes import LEARNED, PLAIN, finish_named
from generators.oracle.reading import oracle
from generators.pinned import LISTED, ORACLE, SUPER_RESOLUTION
from generators.registry import bundled, load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from _gallery_drawn import Section

    from generators.finishes import Finish
    from generators.oracle.reading import PictureReader

IMAGES = Path("images") / "gallery"
MOST = 1_500_000
"""Bytes of all sheets together."""
HEAD = """# Gallery

What the models that ship with mediaguard draw. Nothing here was picked: seeds are 1, 2, 3, … in order, every
picture that was drawn is shown, and prompts follow the lists of what a model knows. Under each sheet stand
the model with the digest of its weights, the settings, the seeds, and a command that draws its first picture
again, at the size that is released.

The page and its sheets are made by `python docs/make_gallery.py`, from the models of the installation that
runs it. They are samples for this page, drawn by the generators alone, reduced and laid side by side. They
carry no mark and no signature, unlike everything that `guard generate` releases.
"""
NONE = "\nThere are no sheets yet for the weights of this version.\n"


def installed() -> dict[str, Callable[[], Any]]:
    """What loads each model that ships with this installation, by reference."""
    return {model.ref: partial(load, model.ref, threads=1) for model in bundled()}


def finishes() -> dict[str, Finish]:
    """The ways to enlarge whose weights are here."""
    names = (PLAIN, LEARNED) if (SUPER_RESOLUTION / LISTED).is_file() else (PLAIN,)
    return {name: finish_named(name) for name in names}


def sections(
    models: Mapping[str, Callable[[], Any]], ways: Mapping[str, Finish], reader: PictureReader | None
) -> Iterator[Section]:
    """Everything that can be drawn with these, in the order of the page."""
    emoji, shown = models["bundled:emoji"](), []
    for found in (pictures.people(emoji), pictures.things(emoji)):
        if found is not None:
            yield found[0]
            shown += found[1]
    for one in (pictures.chinese(emoji), pictures.styles(emoji), pictures.stages(emoji, ways)):
        if one is not None:
            yield one
    yield pictures.guidance(emoji)
    for ref, made in others.MODELS:
        if ref in models:
            yield from made(models[ref]())
    if reader is not None and (one := others.wrong(emoji, shown, reader)) is not None:
        yield one


def page(shown: Sequence[Section]) -> str:
    """The whole page, in Markdown; the sheets are in ``IMAGES``."""
    parts = [HEAD if shown else HEAD + NONE]
    for one in shown:
        image = f"![{one.title}]({(IMAGES / one.name).as_posix()}.webp)"
        parts.append(
            f"## {one.title}\n\n{one.text}\n\n{image}\n\n{one.made}\n\n```sh\n{one.command} -o out/\n```\n"
        )
    return "\n".join(parts)


def write(folder: Path, made: Iterable[Section]) -> None:
    """The page and its sheets; sheets that it no longer shows are taken away when all others are there.

    Raises:
        SystemExit: the sheets have more than ``MOST`` bytes together.
    """
    (folder / IMAGES).mkdir(parents=True, exist_ok=True)
    shown, began, size = [], time.monotonic(), 0
    for one in made:
        path = folder / IMAGES / f"{one.name}.webp"
        save(one.image, path)
        shown.append(one)
        size += path.stat().st_size
        sys.stderr.write(f"{one.name}: {time.monotonic() - began:.0f} s, {size:,} bytes so far\n")
    if size > MOST:
        raise SystemExit(f"the sheets have {size:,} bytes, more than {MOST:,}")
    (folder / "gallery.md").write_text(page(shown), encoding="utf-8")
    for old in {*(folder / IMAGES).glob("*.webp")} - {folder / IMAGES / f"{one.name}.webp" for one in shown}:
        old.unlink()


def main(folder: Path) -> None:
    """Draw with what is installed."""
    reader = oracle() if (ORACLE / LISTED).is_file() else None
    write(folder, sections(installed(), finishes(), reader))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
