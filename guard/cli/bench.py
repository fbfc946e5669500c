"""``guard bench watermark``; ``guard bench generators`` joins it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guard.cli._bench import FORMAT_OR_MARKDOWN, RESULT, TRIALS, check_folder, tenths, write_documents
from guard.cli._options import FORCE, NewPath, finish
from guard.cli._output import stage_line, warning, write_document
from guard.cli.bench_generators import command as generators
from guard.output_folders import output_folders
from guard.verdict import MET, NOT_MET

if TYPE_CHECKING:
    from audits.robustness.report import Report


@click.group("bench")
def command() -> None:
    """Measure marks under attack on your own pictures, and what models draw."""


command.add_command(generators)


@command.command("watermark")
@click.option(
    "--images",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="Folder of pictures: PNG, JPEG, WebP, TIFF.",
)
@click.option("--methods", default="tile", show_default=True, help="Marking methods, comma-separated.")
@click.option("--attacks", default="core35", show_default=True, help="Sets of attacks, comma-separated.")
@click.option(
    "--crop",
    type=click.IntRange(256, 8192),
    metavar="PIXELS",
    help="Cut larger pictures into pieces of this side that do not overlap.",
)
@click.option("--most", type=click.IntRange(min=1), metavar="N", help="Stop at so many pictures.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True)
@click.option(
    "--decoys",
    type=click.IntRange(0, 10_000),
    default=8,
    show_default=True,
    help="Looks at each unmarked picture under keys it was never marked with.",
)
@click.option(
    "--payload-bits",
    type=click.IntRange(0, 4096),
    default=0,
    help="For methods that let one choose; 0 is their own default.",
)
@click.option("--jobs", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes.")
@click.option(
    "--baseline",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Earlier result.json; exit 1 if anything is worse by more than chance.",
)
@click.option(
    "-o",
    "--output",
    "folder",
    type=NewPath(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder for result.json, result.md, plots and finished trials; the same folder continues a run.",
)
@FORCE
@FORMAT_OR_MARKDOWN
def watermark(
    folder: Path | None, baseline: Path | None, format_: str, *, force: bool, images: Path, **asked: Any
) -> None:
    """Mark pictures, attack them in many ways, and say what is left of the marks.

    Nothing of the pictures leaves this machine, and none is written. Files that cannot be used are named
    and left out.
    """
    from audits.robustness import regress  # noqa: PLC0415 - numpy

    before = None if baseline is None else regress.read_baseline(baseline)
    with output_folders(*(() if folder is None else (folder,))):
        if folder is not None:
            check_folder(folder, force=force)
        report = _measure(images, None if folder is None else folder / TRIALS, **asked)
        if folder is not None:
            _write(report, folder)
    worse = () if before is None else regress.regressions(report, before)
    code = NOT_MET if worse else MET
    _print(report, format_, code, [str(one) for one in worse])
    finish(code)


def _measure(
    images: Path,
    checkpoint: Path | None,
    *,
    methods: str,
    attacks: str,
    crop: int | None,
    most: int | None,
    jobs: int,
    **numbers: int,
) -> Report:
    from audits.robustness.lab import Setup, measure  # noqa: PLC0415 - numpy
    from audits.robustness.samples import files_in, find_samples  # noqa: PLC0415
    from audits.robustness.summary import summarise  # noqa: PLC0415

    samples, refused = find_samples(files_in(images), piece=crop, most=most)
    for one in refused:
        warning(f"{one.name}: {one.what} [{one.code}]")
    names = tuple(dict.fromkeys(name.strip() for name in methods.split(",")))
    setup = Setup(methods=names, attacks=attacks, **numbers)
    measured = measure(samples, setup, refused=refused, jobs=jobs, checkpoint=checkpoint, progress=tenths())
    for one in measured.refused[len(refused) :]:
        warning(f"{one.name}: {one.what} [{one.code}]")
    return summarise(measured, command=setup.command(crop=crop, most=most))


def _write(report: Report, folder: Path) -> None:
    from audits.robustness import plots, tables  # noqa: PLC0415
    from audits.robustness.report import as_text  # noqa: PLC0415

    shown = plots.drawn(report)
    write_documents(folder, {RESULT: as_text(report), "result.md": tables.markdown(report), **shown})


def _print(report: Report, format_: str, code: int, worse: list[str]) -> None:
    from audits.robustness import tables  # noqa: PLC0415
    from audits.robustness.report import as_json  # noqa: PLC0415

    if format_ == "json":
        write_document({"exit_code": code, **as_json(report), "worse": worse}, "json")
        return
    click.echo(tables.text(report) if format_ == "text" else tables.markdown(report), nl=False)
    for line in worse:
        stage_line("worse", line)
