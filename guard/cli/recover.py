"""``guard recover``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from guard.cli._options import FILE, FORMAT, finish
from guard.cli._output import write_json
from guard.text import plain

if TYPE_CHECKING:
    from pathlib import Path

    from guard.recover import Candidate, Recovery
    from provenance.media import Asset


@click.command("recover")
@FILE
@FORMAT
def command(file: Path, format_: str) -> None:
    """Find the credential of a stripped or changed copy, and say what changed.

    0 a credential for a matching picture was found and its signer is known here, 1 the mark was made
    for another picture, 3 neither. A found credential never covers these bytes.
    """
    from guard.clock import utc_now  # noqa: PLC0415
    from guard.home import Home  # noqa: PLC0415
    from guard.recover import recover  # noqa: PLC0415
    from guard.verdict import State  # noqa: PLC0415
    from provenance.codecs import decode, read_asset  # noqa: PLC0415
    from provenance.errors import missing_extra  # noqa: PLC0415
    from provenance.evidence import Outcome  # noqa: PLC0415

    home = Home.locate().require()
    asset = read_asset(file)
    found = recover(
        decode(asset), keys=(home.locator(),), registry=home.registry(), trust=home.trust(), at=utc_now()
    )
    if found.mark.outcome is Outcome.NOT_CHECKED and "mediaguard[" in (found.mark.reason or ""):
        raise missing_extra("watermark", "reading marks")
    if format_ == "text":
        print_recovery(file, asset, found)
    else:
        from guard.serialise import SCHEMA_VERSION, to_json  # noqa: PLC0415

        body = to_json(found)
        assert isinstance(body, dict)
        write_json({"schema_version": SCHEMA_VERSION, "file": str(file), **body}, lines=format_ == "jsonl")
    met = found.state is State.RECOVERED and found.vouched
    finish(0 if met else 1 if found.state is State.LOCATOR_MISMATCH else 3)


def print_recovery(file: Path, asset: Asset, found: Recovery) -> None:
    """What was found, in the order a person asks: is there something, whose, and what changed."""
    click.echo(f"{found.state.value.upper()}  {plain(str(file))}")
    click.echo(f"  {plain(found.reason)}")
    for candidate in found.candidates:
        _print_candidate(candidate, asset)


def _print_candidate(candidate: Candidate, asset: Asset) -> None:
    from guard.changes import describe_changes, heat_map  # noqa: PLC0415
    from provenance.digest import DigestReading  # noqa: PLC0415

    manifest = candidate.manifest
    click.echo(f"    id         {candidate.entry.content_id.hex()}")
    click.echo(f"    signer     {plain(str(manifest.signer or 'unreadable'))}")
    if manifest.model_name:
        click.echo(f"    made by    {plain(manifest.model_name)}")
    reading = candidate.digest.detail
    if isinstance(reading, DigestReading):
        click.echo(f"    picture    {plain(describe_changes(reading, asset))}")
        if reading.matches and reading.altered_fraction > 0:
            click.echo("    altered where marked, in the frame of the original (· cut away):")
            for row in heat_map(reading):
                click.echo(f"      {row}")
    elif candidate.digest.reason:
        click.echo(f"    picture    {plain(candidate.digest.reason)}")
