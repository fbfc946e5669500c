"""What ``release``, ``sign`` and ``watermark embed`` have in common: files in, released files out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guard.cli._batch import RESULTS, Batch
from guard.cli._options import FILE, FORCE, FORMAT, POLICY, TRAINING_MINING, NewPath
from guard.cli._output import stage_line
from guard.cli._passphrase import PASSPHRASE_FROM, existing_passphrase
from guard.cli._report import Report, packs_of
from guard.output_folders import output_folders
from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from guard.home import Home
    from guard.intake import Statement
    from guard.tools import Tools
    from provenance.media import Asset

SOURCE = click.option(
    "--source",
    required=True,
    metavar="TYPE",
    help="How the pixels came to be: generated, partly-generated, digital-capture, digital-creation, "
    "human-edits, algorithmic, screen-capture, or an IPTC digital source type.",
)
MODEL_NAME = click.option("--model-name", metavar="NAME", help="The model that made them, for the manifest.")
INGREDIENT = click.option(
    "--ingredient",
    "ingredients",
    multiple=True,
    metavar="[KIND:]FILE",
    help="What went into the file, named in its manifest: an init picture or reference, or with KIND "
    "component, model, adapter (LoRA) or training (its record). May be given several times.",
)
OUTPUT_FILE = click.option(
    "-o",
    "--output",
    type=NewPath(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="The new file, in the format of the old one.",
)

VIDEO_CODEC = click.option(
    "--video-codec",
    type=click.Choice(["av1", "vp9", "h264"]),
    help="Compress the frames of clips with this; by default AV1 in MP4 and VP9 in WebM. The encoder for "
    "h264 is x264, which is GPL.",
)

_SPELLINGS = {
    ".m4v": ".mp4",
    ".qt": ".mov",
    ".jpeg": ".jpg",
    ".jpe": ".jpg",
    ".jfif": ".jpg",
    ".tif": ".tiff",
}
"""Other endings for the same formats."""


def statements(command: Callable[..., None]) -> Callable[..., None]:
    """The options of every command that releases: what is said of the files, and how it is done."""
    said = (TRAINING_MINING, INGREDIENT, MODEL_NAME, SOURCE)
    for option in (FORMAT, FORCE, PASSPHRASE_FROM, VIDEO_CODEC, POLICY, *said):
        command = option(command)
    return command


def one_file(command: Callable[..., None]) -> Callable[..., None]:
    """Arguments and options of a command that releases one file under a name."""
    return FILE(OUTPUT_FILE(statements(command)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked of a batch; the options of the same names, as they were given.

    Attributes:
        command: the one that asks, for the policy and the record.
        by_id: the targets are folders, and the names are made from the ids in the marks.
        untouched: files stay as they came, with their manifests beside them.
    """

    command: str
    source: str
    model_name: str | None
    policy: str | None
    force: bool
    format_: str
    video_codec: str | None = None
    by_id: bool = False
    private_number: int | None = None
    training_mining: str | None = None
    ingredients: Sequence[str] = ()
    untouched: bool = False

    def statement(self, home: Home) -> Statement:
        """What is said of every file of the batch."""
        from guard.ingredients import ingredients_of  # noqa: PLC0415
        from guard.intake import Statement, source_type  # noqa: PLC0415

        return Statement(
            source_type=source_type(self.source),
            model_name=self.model_name,
            ingredients=ingredients_of(self.ingredients),
            training_mining=self.training_mining or home.config().training_mining or None,
        )

    def tools(self, home: Home) -> Tools:
        """What the batch is released with."""
        from guard.tools import assemble  # noqa: PLC0415

        number = self.private_number
        return assemble(home, policy=self.policy, passphrase=existing_passphrase, private_number=number)


def run(targets: Mapping[Path, Path], asked: Asked) -> int:
    """Release every file under its new name, or with ``by_id`` into a folder; the gravest exit code."""
    from guard.home import Home  # noqa: PLC0415
    from guard.inspect import kind_of  # noqa: PLC0415
    from guard.intake import release_asset, take_in  # noqa: PLC0415
    from guard.plan import ask  # noqa: PLC0415
    from guard.policy.fact import Kind  # noqa: PLC0415
    from guard.policy.rule import Stage  # noqa: PLC0415

    home, command = Home.locate(), asked.command
    statement, tools = asked.statement(home), asked.tools(home)
    decided = cache(partial(ask, Stage.PLAN, statement.origin(), tools, command=command))
    stage_line("policy", f"{packs_of(decided(kind=Kind.IMAGE))}: allowed to start")
    how: dict[str, Any] = {"command": command, "force": asked.force, "codec": asked.video_codec}
    how["untouched"] = asked.untouched

    def one(path: Path, target: Path, report: Report) -> None:
        asset, sidecar = take_in(path, private_number=asked.private_number)
        refuse_format(asset, None if asked.by_id else target, command=command)
        plan = decided(kind=kind_of(asset.mime)).obligations
        told = partial(report.add, file=path)
        what: dict[str, Any] = {"output": target, "sidecar": sidecar, "plan": plan, "finished": told}
        release_asset(asset, statement, tools, **what, **how)

    return _each(targets, one, format_=asked.format_, by_id=asked.by_id)


def _each(
    targets: Mapping[Path, Path], one: Callable[[Path, Path, Report], None], *, format_: str, by_id: bool
) -> int:
    folders = {target if by_id else target.parent for target in targets.values()}
    report = Report(batch=Batch(name=RESULTS["release"], format_=format_), many=len(targets) > 1)
    with output_folders(*folders):
        if not by_id:
            refuse_overwriting(targets)
        with report:
            for path, target in targets.items():
                with report.batch.attempt(path):
                    one(path, target, report)
    return report.code


def refuse_format(asset: Asset, target: Path | None, *, command: str) -> None:
    """Before any work: the format can go this way, and the new name, if any, does not claim another one.

    Raises:
        InputError: ``output.format``, ``input.animated`` or ``output.misnamed``.
    """
    from guard.kept import refuse_unwritten  # noqa: PLC0415 - not for --help
    from provenance.sniff import EXTENSIONS, extension_for, format_name  # noqa: PLC0415 - not for --help

    refuse_unwritten(asset, command=command)
    content, ending = format_name(asset.mime), extension_for(asset.mime)
    if target is None:
        return
    suffix = target.suffix.lower()
    suffix = _SPELLINGS.get(suffix, suffix)
    if suffix != ending and suffix in EXTENSIONS.values():
        raise InputError(
            "output.misnamed",
            f"the content is {content}, and the name ends in {target.suffix}",
            where=str(target),
            hint=f"the format of the input is kept: let the name end in {ending}",
        )


def refuse_overwriting(targets: Mapping[Path, Path]) -> None:
    """Before any work: no output may be an input, of this batch either, and no two the same file.

    Raises:
        InputError: ``output.is-input`` or ``output.twice``; ``--force`` changes nothing about that.
    """
    inputs = [path for path in targets if path.exists()]
    for path, target in targets.items():
        if target.exists() and any(target.samefile(original) for original in inputs):
            raise InputError(
                "output.is-input",
                "the output would replace an original",
                where=str(path),
                hint="give the output another name or folder; guard never signs in place",
            )
        if sum(target == other for other in targets.values()) > 1:
            raise InputError(
                "output.twice",
                "two files would get the same name",
                where=str(target),
                hint="release them into different folders",
            )
