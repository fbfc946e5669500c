"""``guard replay``."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guard.cli._batch import RESULTS, Batch
from guard.cli._options import FORMAT, JSON, POLICY, finish
from guard.cli._request import INIT, MASK
from guard.text import plain
from guard.verdict import MET, NOT_MET

if TYPE_CHECKING:
    from generators.interface import Generator
    from guard.replay import Replay

_SAID = {
    "exact": "drawn again pixel for pixel",
    "perceptual": "drawn again so that nobody sees a difference",
    "differs": "what was drawn is another picture, or cannot be shown to be the same",
}


@click.command("replay")
@click.argument("names", nargs=-1, required=True, metavar="RECIPE...")
@click.option("--strict", is_flag=True, help="Exit 0 only if every picture came out exactly.")
@click.option("--model", metavar="REF", help="Where the model is now, if it was moved.")
@INIT
@MASK
@click.option("--online", is_flag=True, help="Allow the network for hf: models.")
@POLICY
@FORMAT
@JSON
def command(
    names: tuple[str, ...],
    strict: bool,
    model: str | None,
    init: Path | None,
    mask: Path | None,
    online: bool,
    policy: str | None,
    format_: str,
    json_: bool,
) -> None:
    """Draw released pictures or clips again from their private records, and say how alike they are.

    RECIPE is a released file, the id in its mark, or the id of a private record of this installation. The
    packs are asked again first; what was refused is never drawn again. Nothing is written.
    """
    from guard.home import Home  # noqa: PLC0415
    from guard.repeatable import find  # noqa: PLC0415
    from guard.replay import deciding, replay  # noqa: PLC0415 - numpy
    from guard.starting import read_start  # noqa: PLC0415

    @cache
    def loaded(reference: str, threads: int) -> Generator:
        from generators.registry import load  # noqa: PLC0415

        return load(reference, threads=threads, online=online)

    batch = Batch(name=RESULTS["replay"], format_="json" if json_ and format_ == "text" else format_)
    tools = deciding(Home.locate().require(), policy=policy)
    inputs = read_start(init, mask).inputs
    for name in names:
        with batch.attempt():
            done = replay(find(name, tools.records), tools, load=loaded, model=model, inputs=inputs)
            met = done.likeness == "exact" or (done.likeness == "perceptual" and not strict)
            batch.add(done, MET if met else NOT_MET, file=Path(name) if Path(name).exists() else None)
            if batch.format_ == "text":
                _show(name, done)
    finish(batch.close())


def _show(name: str, done: Replay) -> None:
    click.echo(f"{done.likeness.upper()}  {plain(name)}")
    click.echo(f"  {_SAID[done.likeness]}")
    place = f"picture {done.batch_index + 1} of a batch of {done.batch_size}"
    click.echo(f"    model      {plain(done.model)}")
    click.echo(f"    seed       {done.seed}, {place}")
    click.echo(f"    compared   {_compared(done)}")
    for change in done.changes:
        click.echo(f"    changed    {plain(str(change))}")
    if not done.changes:
        click.echo(
            "    changed    nothing that is on record: files of the model, versions, threads, device, words"
        )
    for reason in done.reasons:
        click.echo(f"    note       {plain(reason)}")


def _compared(done: Replay) -> str:
    if done.distance is None:
        return "the digest of all pixels before the mark"
    far = done.distance
    psnr = "equal" if far.psnr is None else f"{far.psnr:.1f} dB"
    return f"the released file: {psnr}, largest difference {far.largest:.0f} of 255"
