"""``guard watermark embed|detect``."""

from __future__ import annotations

from pathlib import Path

import click

from guard.cli import _release
from guard.cli._options import FILE, FILES, FORCE, FORMAT, POLICY, each, finish
from guard.cli._output import stage_line, write_json
from guard.text import plain


@click.group("watermark")
def command() -> None:
    """Write or read an invisible mark: a locator that leads to a manifest, never a proof."""


@command.command("embed")
@FILE
@_release.SOURCE
@_release.MODEL_NAME
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, metavar="FILE"
)
@POLICY
@FORCE
def embed(
    file: Path, source: str, model_name: str | None, output: Path, policy: str | None, force: bool
) -> None:
    """Mark a file and keep its signed manifest in the registry instead of in the file."""
    code = _release.run(
        [file],
        command="watermark",
        source=source,
        model_name=model_name,
        output=output,
        into_folder=False,
        policy=policy,
        force=force,
    )
    finish(code)


@command.command("detect")
@FILES
@FORMAT
def detect(files: tuple[Path, ...], format_: str) -> None:
    """Read the mark of each file: 0 read, 3 none found or not conclusive.

    A mark can be copied to another picture; `guard recover` also compares the signed digest.
    """
    from guard.home import Home  # noqa: PLC0415
    from guard.recover import read_mark  # noqa: PLC0415
    from guard.serialise import SCHEMA_VERSION, to_json  # noqa: PLC0415
    from provenance.codecs import decode, read_asset  # noqa: PLC0415
    from provenance.evidence import Outcome  # noqa: PLC0415

    keys = (Home.locate().require().locator(),)
    documents: list[object] = []

    def one(path: Path) -> int:
        mark = read_mark(decode(read_asset(path)), keys)
        if format_ == "text":
            _show(path, mark)
        else:
            body = to_json(mark)
            assert isinstance(body, dict)
            document = {"schema_version": SCHEMA_VERSION, "file": str(path), **body}
            documents.append(document)
            if format_ == "jsonl":
                write_json(document, lines=True)
        return 0 if mark.outcome is Outcome.SUPPORTS else 3

    code = each(files, one)
    if format_ == "json":
        write_json({"schema_version": SCHEMA_VERSION, "exit_code": code, "readings": documents})  # type: ignore[dict-item]
    finish(code)


def _show(path: Path, mark: object) -> None:
    from provenance.evidence import Evidence  # noqa: PLC0415
    from provenance.watermark.interface import WatermarkReading  # noqa: PLC0415

    assert isinstance(mark, Evidence)
    click.echo(f"{mark.outcome.value.upper()}  {plain(str(path))}")
    reading = mark.detail
    if isinstance(reading, WatermarkReading):
        if reading.payload is not None:
            click.echo(f"    id         {reading.payload.hex()}")
        click.echo(f"    key        {reading.key_id}, epoch {reading.epoch}")
        click.echo(
            f"    statistic  z = {reading.statistic:.1f}, log10 p ≤ {reading.log10_p:.1f} "
            f"after {reading.hypotheses} hypotheses"
        )
    if mark.reason:
        click.echo(f"    {plain(mark.reason)}")
    if reading is None and not mark.reason:
        stage_line("note", "absence of a mark proves nothing")
