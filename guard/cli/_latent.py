"""``guard watermark detect --latent``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from guard.cli._batch import RESULTS, Batch
from guard.cli._options import finish
from guard.text import plain
from guard.verdict import MET, NOTHING_TO_CONCLUDE

if TYPE_CHECKING:
    from pathlib import Path

    from guard.records import Record
    from provenance.evidence import Evidence

_HEADLINE = {
    "supports": "LATENT MARK READ",
    "absent": "NO LATENT MARK FOUND",
    "inconclusive": "LATENT MARK UNCERTAIN",
    "not_checked": "NOT LOOKED FOR",
}


def detect_latents(files: tuple[Path, ...], *, model: str | None, format_: str) -> None:
    """Hold each file against the latent marks on record here: 0 one was read, 3 none or not conclusive."""
    from guard.home import Home  # noqa: PLC0415
    from guard.latent import inverter_for, look  # noqa: PLC0415
    from guard.recover import read_mark  # noqa: PLC0415
    from guard.verify import decoded  # noqa: PLC0415
    from provenance.codecs import read_asset  # noqa: PLC0415
    from provenance.evidence import Outcome  # noqa: PLC0415

    home = Home.locate().require()
    keys, records = home.locators(), home.records()
    batch = Batch(name=RESULTS["watermark detect"], format_=format_)
    inverter = inverter_for(model or home.config().model)
    for file in files:
        with batch.attempt(file):
            seen = decoded(read_asset(file), keys)
            mark, record = look(
                seen, inverter=inverter, keys=keys, records=records, pixel_mark=read_mark(seen, keys)
            )
            batch.add(mark, MET if mark.outcome is Outcome.SUPPORTS else NOTHING_TO_CONCLUDE, file=file)
            if format_ == "text":
                _show(file, mark, record)
    finish(batch.close())


def _show(file: Path, mark: Evidence, record: Record | None) -> None:
    from provenance.evidence import Outcome  # noqa: PLC0415
    from provenance.watermark.latent_reading import LatentReading  # noqa: PLC0415
    from provenance.watermark.telling import in_numbers  # noqa: PLC0415

    click.echo(f"{_HEADLINE.get(mark.outcome, 'COULD NOT BE READ')}  {plain(str(file))}")
    reading = mark.detail
    if record is not None:
        click.echo(f"    id         {record.content_id}, drawn {plain(record.created_at)}")
    if isinstance(reading, LatentReading):
        click.echo(f"    key        {reading.key_id}, epoch {reading.epoch}")
        told = in_numbers(reading.statistic, reading.log10_p, reading.hypotheses)
        click.echo(f"    statistic  {told}")
    if mark.outcome is Outcome.ABSENT:
        click.echo("    absence of a mark proves nothing")
    elif mark.reason:
        click.echo(f"    {plain(mark.reason)}")
