"""``guard generate``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from guard.cli._batch import RESULTS, Batch
from guard.cli._options import (
    FORMAT,
    OUTPUT,
    POLICY,
    PRIVATE_NUMBER,
    TRAINING_MINING,
    finish,
)
from guard.cli._passphrase import PASSPHRASE_FROM, existing_passphrase
from guard.cli._release import VIDEO_CODEC
from guard.cli._report import Making, Report, tell_approved
from guard.cli._request import request_of, request_options, require_words, worded
from guard.output_folders import output_folders

if TYPE_CHECKING:
    from pathlib import Path

    from guard.home import Home
    from guard.tools import Tools


@click.command("generate")
@PASSPHRASE_FROM
@click.argument("prompt", default="")
@request_options
@click.option(
    "--include-prompt", is_flag=True, help="Put the prompt into the manifest, for everyone to read."
)
@click.option(
    "--latent-mark",
    is_flag=True,
    help="Also mark the noise each picture is drawn from; `guard watermark detect --latent` finds it.",
)
@click.option("--online", is_flag=True, help="Allow the network for hf: models.")
@PRIVATE_NUMBER
@TRAINING_MINING
@VIDEO_CODEC
@OUTPUT
@POLICY
@FORMAT
def command(prompt: str, folder: Path, policy: str | None, format_: str, **asked: Any) -> None:
    """Make pictures or clips from PROMPT and release them.

    Reviewed, marked, labelled, signed, logged, read back. Pictures leave as PNG, clips as MP4. File names
    come from the random id in the mark, never from the prompt. A model that reads no words needs none.
    """
    from guard.home import Home  # noqa: PLC0415
    from guard.tools import assemble  # noqa: PLC0415

    asked["prompt"] = worded(prompt, asked["model"])
    home = Home.locate().require()
    number = asked.pop("private_number")
    tools = assemble(home, policy=policy, passphrase=existing_passphrase, private_number=number)
    report = Report(batch=Batch(name=RESULTS["generate"], format_=format_))
    with report, report.batch.attempt(), output_folders(folder):
        _make(home, tools, report, folder=folder, **asked)
    finish(report.code)


def _make(
    home: Home,
    tools: Tools,
    report: Report,
    *,
    folder: Path,
    init: Path | None,
    mask: Path | None,
    online: bool,
    include_prompt: bool,
    **asked: Any,
) -> None:
    """Everything from the request to the last file, each in the report as soon as it is released."""
    from generators.energy import Meter  # noqa: PLC0415
    from guard.generate import approve, generate  # noqa: PLC0415
    from guard.starting import read_start  # noqa: PLC0415

    how = _released_with(home, tools, asked)
    start = read_start(init, mask)
    approved = approve(request_of(home, start, **asked), tools, publish_prompt=include_prompt)
    tell_approved(approved)
    from generators.registry import load  # noqa: PLC0415 - torch, only once the words may be used

    generator = load(approved.request.model, online=online)
    require_words(approved.request, generator.info)
    making = Making(
        count=len(approved.request.seeds),
        meter=Meter(rates=home.config().energy.rates()),
        kind="clip" if generator.info.kind == "video" else "picture",
        told=report.told,
    )
    how |= {"folder": folder, "made": making.made, "meter": making.meter, "start": start.file}
    try:
        for _ in generate(approved, generator, tools, finished=report.add, **how):
            pass  # it is in the report already
    finally:
        making.tell(kept=len(report.released))


def _released_with(home: Home, tools: Tools, asked: dict[str, Any]) -> dict[str, Any]:
    """Options that are about the release and not about the request, taken out of ``asked``."""
    from guard.latent import Shading  # noqa: PLC0415

    shaded = asked.pop("latent_mark")
    return {
        "latents": Shading(key=tools.marker.key, random=tools.random) if shaded else None,
        "training_mining": asked.pop("training_mining") or home.config().training_mining or None,
        "codec": asked.pop("video_codec"),
    }
