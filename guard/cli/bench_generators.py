"""``guard bench generators``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guard.cli._bench import FORMAT_OR_MARKDOWN, RESULT, TRIALS, check_folder, tenths, write_documents
from guard.cli._options import FORCE, POLICY, FiniteRange, NewPath, finish
from guard.cli._output import warning, write_document
from guard.output_folders import output_folders
from guard.verdict import MET

if TYPE_CHECKING:
    from audits.quality.report import Report

_READ = click.Path(path_type=Path, readable=False)


@click.command("generators")
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@click.option(
    "--set",
    "sets",
    metavar="NAMES",
    help="Sets of prompts, comma-separated: held-out, trained, captions, things, skew. They are for the "
    "emoji models, and read by their oracle. By default held-out and trained, unless --prompts is given.",
)
@click.option(
    "--prompts", type=_READ, metavar="FILE", help="Prompts of your own, one a line; they stay here."
)
@click.option("-n", "pictures", type=click.IntRange(1, 1000), help="Pictures of each prompt.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True)
@click.option(
    "--guidance",
    type=FiniteRange(0, 100),
    multiple=True,
    metavar="SCALE",
    help="Draw every set at this scale; may be given several times. By default skew at 1 and 3, the others "
    "as the model does.",
)
@click.option("--steps", type=click.IntRange(1, 1000), help="Denoising steps; the model's own if absent.")
@click.option("--oracle", type=_READ, metavar="DIR", help="Folder of oracle.safetensors and confusion.json.")
@click.option(
    "--reference", type=_READ, metavar="DIR", help="Pictures to measure distances from; without, none are."
)
@click.option(
    "--features",
    default="pixels-8x8",
    show_default=True,
    metavar="NAME",
    help="What distances are over: pixels-8x8, oracle, or onnx:FILE@SHA256.",
)
@click.option("--small", is_flag=True, help="Fréchet distances with fewer pictures than dimensions, too.")
@click.option(
    "--planted",
    type=_READ,
    metavar="FILE",
    help="Planted shares to hold the set skew against; else the model's own planted.json, else equal shares.",
)
@click.option("--online", is_flag=True, help="Allow the network for hf: models.")
@click.option(
    "-o",
    "--output",
    "folder",
    type=NewPath(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder for result.json, result.md, plots, sheets of previews and finished trials; the same folder "
    "continues a run.",
)
@FORCE
@POLICY
@FORMAT_OR_MARKDOWN
def command(folder: Path | None, format_: str, *, force: bool, **asked: Any) -> None:
    """Draw from MODEL and say how good it is: as asked or not, how far from a reference, which shares.

    Prompts are reviewed and the packs asked as for `guard generate`; what they refuse is counted and not
    looked at. No picture is written, but for stamped previews of at most 128 pixels.
    """
    from guard.bench import BenchOrder, bench, sheets  # noqa: PLC0415 - numpy

    order = BenchOrder(**asked)
    with output_folders(*(() if folder is None else (folder,))):
        if folder is not None:
            check_folder(folder, force=force)
        checkpoint = None if folder is None else folder / TRIALS
        report, measured = bench(order, checkpoint=checkpoint, progress=tenths())
        for one in report.refused:
            warning(f"{one.name}: {one.what} [{one.code}]")
        if folder is not None:
            pictures = {name: asset.data for name, asset in sheets(measured).items()}
            write_documents(folder, {**_documents(report), **pictures})
    _print(report, format_)
    finish(MET)


def _documents(report: Report) -> dict[str, str]:
    from audits.quality import plots, tables  # noqa: PLC0415
    from audits.quality.report import as_text  # noqa: PLC0415

    return {RESULT: as_text(report), "result.md": tables.markdown(report), **plots.drawn(report)}


def _print(report: Report, format_: str) -> None:
    from audits.quality import tables  # noqa: PLC0415
    from audits.quality.report import as_json  # noqa: PLC0415

    if format_ == "json":
        write_document({"exit_code": MET, **as_json(report)}, "json")
        return
    click.echo(tables.text(report) if format_ == "text" else tables.markdown(report), nl=False)
