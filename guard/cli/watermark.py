"""``guard watermark embed|detect``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from guard.cli import _release
from guard.cli._batch import RESULTS, Batch
from guard.cli._options import FILES, FORMAT, PRIVATE_NUMBER, finish
from guard.text import plain
from guard.verdict import MET, NOTHING_TO_CONCLUDE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from provenance.evidence import Evidence
    from provenance.watermark.interface import WatermarkKey

_HEADLINE = {
    "supports": "MARK READ",
    "absent": "NO MARK FOUND",
    "inconclusive": "MARK UNCERTAIN",
    "not_checked": "NOT LOOKED FOR",
}
"""By outcome of the reading; every other is a failure."""


@click.group("watermark")
def command() -> None:
    """Write or read an invisible mark: a locator that leads to a manifest, never a proof."""


@command.command("embed")
@PRIVATE_NUMBER
@_release.one_file
def embed(file: Path, output: Path, **asked: Any) -> None:
    """Mark a file and keep its signed manifest in the registry instead of in the file."""
    finish(_release.run({file: output}, _release.Asked(command="watermark", **asked)))


@command.command("detect")
@FILES
@click.option("--latent", is_flag=True, help="Look for a mark in the noise the picture was drawn from.")
@click.option(
    "--model", metavar="REF", help="With --latent: the model that may have drawn it, as for `guard generate`."
)
@FORMAT
def detect(files: tuple[Path, ...], latent: bool, model: str | None, format_: str) -> None:
    """Read the mark of each file: 0 read, 3 none found or not conclusive.

    A mark can be copied to another picture; `guard recover` also compares the signed digest.
    """
    if latent:
        from guard.cli._latent import detect_latents  # noqa: PLC0415

        detect_latents(files, model=model, format_=format_)
    if model is not None:
        raise click.BadOptionUsage("model", "--model goes with --latent")
    from guard.home import Home  # noqa: PLC0415
    from guard.private_layer import beside, keys_at_hand, look  # noqa: PLC0415
    from guard.recover import is_as_measured, read_mark  # noqa: PLC0415
    from guard.verify import decoded  # noqa: PLC0415
    from provenance.codecs import read_asset  # noqa: PLC0415
    from provenance.evidence import Outcome  # noqa: PLC0415

    home = Home.locate().require()
    keys, private = home.locators(), keys_at_hand(home)
    batch = Batch(name=RESULTS["watermark detect"], format_=format_)
    for file in files:
        with batch.attempt(file):
            seen = decoded(read_asset(file), keys)
            mark = read_mark(seen, keys)
            layer = look(seen, mark, locators=keys, keys=private)
            found = mark.outcome is Outcome.SUPPORTS
            batch.add(beside(mark, layer), MET if found else NOTHING_TO_CONCLUDE, file=file)
            if format_ == "text":
                _show(file, mark, keys, measured=is_as_measured(seen, mark))
                show_private(layer)
    finish(batch.close())


def _show(path: Path, mark: Evidence, keys: Sequence[WatermarkKey], *, measured: bool) -> None:
    from provenance.evidence import Outcome  # noqa: PLC0415
    from provenance.watermark.interface import WatermarkReading  # noqa: PLC0415
    from provenance.watermark.telling import in_numbers  # noqa: PLC0415

    click.echo(f"{_HEADLINE.get(mark.outcome, 'COULD NOT BE READ')}  {plain(str(path))}")
    reading = mark.detail
    if isinstance(reading, WatermarkReading):
        if reading.payload is not None:
            click.echo(f"    id         {reading.payload.hex()}")
        click.echo(f"    key        {reading.key_id}, epoch {reading.epoch}")
        others = [key for key in keys if (key.key_id, key.epoch) != (reading.key_id, reading.epoch)]
        for key in others if mark.outcome is Outcome.ABSENT else []:
            click.echo(f"               {key.key_id}, epoch {key.epoch}; tried as well")
        told = in_numbers(reading.statistic, reading.log10_p, reading.hypotheses, measured=measured)
        click.echo(f"    statistic  {told}")
    if mark.reason:
        click.echo(f"    {plain(mark.reason)}")
    if mark.outcome is Outcome.ABSENT:
        click.echo("    absence of a mark proves nothing")


def show_private(layer: Evidence | None) -> None:
    """One line on the private layer, where this installation has a key for it."""
    from guard.private_layer import in_words  # noqa: PLC0415

    if layer is not None:
        click.echo(f"    private    {plain(in_words(layer))}")
