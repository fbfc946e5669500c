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
    output_folders,
)
from guard.cli._passphrase import PASSPHRASE_FROM, existing_passphrase
from guard.cli._report import Making, Report, tell_approved

if TYPE_CHECKING:
    from pathlib import Path

    from generators.request import AdapterRef, GenerationRequest
    from guard.home import Home


def _worded(_ctx: click.Context, _argument: click.Parameter, prompt: str) -> str:
    if not prompt.strip():
        raise click.BadParameter("it has no words; say what to draw")
    return prompt


@click.command("generate")
@PASSPHRASE_FROM
@click.argument("prompt", callback=_worded)
@click.option(
    "-n", "count", type=click.IntRange(1, 64), default=1, show_default=True, help="Pictures to make."
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**63 - 65),
    help="Seed of the first picture; the next take the following numbers. Drawn at random if absent.",
)
@click.option(
    "--model", metavar="REF", help="bundled:NAME, dir:PATH, hf:ORG/NAME@COMMIT (40 digits) or plugin:NAME."
)
@click.option("--negative", "negative_prompt", default="", metavar="TEXT", help="What to keep away from.")
@click.option("--steps", type=click.IntRange(1, 1000), help="Denoising steps.")
@click.option("--guidance", type=click.FloatRange(0, 100), help="Classifier-free guidance; 1 is none.")
@click.option(
    "--include-prompt", is_flag=True, help="Put the prompt into the manifest, for everyone to read."
)
@click.option(
    "--latent-mark",
    is_flag=True,
    help="Also mark the noise each picture is drawn from; `guard watermark detect --latent` finds it.",
)
@click.option(
    "--adapter",
    "adapters",
    multiple=True,
    metavar="DIR[:SCALE]",
    help="Lay a trained adapter over the model, at this strength (1). May be given several times.",
)
@click.option("--online", is_flag=True, help="Allow the network for hf: models.")
@PRIVATE_NUMBER
@TRAINING_MINING
@OUTPUT
@POLICY
@FORMAT
def command(folder: Path, policy: str | None, format_: str, online: bool, **asked: Any) -> None:
    """Make pictures from PROMPT and release them: reviewed, marked, labelled, signed, logged, read back.

    File names come from the random id in the mark, never from the prompt.
    """
    from generators.energy import Meter  # noqa: PLC0415
    from guard.generate import approve, generate  # noqa: PLC0415
    from guard.home import Home  # noqa: PLC0415
    from guard.latent import Shading  # noqa: PLC0415
    from guard.tools import assemble  # noqa: PLC0415

    home = Home.locate().require()
    number = asked.pop("private_number")
    tools = assemble(home, policy=policy, passphrase=existing_passphrase, private_number=number)
    report = Report(batch=Batch(name=RESULTS["generate"], format_=format_))
    with report, report.batch.attempt(), output_folders(folder):
        mining = asked.pop("training_mining") or home.config().training_mining or None
        publish, shaded = asked.pop("include_prompt"), asked.pop("latent_mark")
        request = _request(home, **asked)
        approved = approve(request, tools, publish_prompt=publish)
        tell_approved(approved)
        from generators.registry import load  # noqa: PLC0415 - torch, only once the words may be used

        generator = load(request.model, online=online)
        making = Making(count=len(request.seeds), meter=Meter(rates=home.config().energy.rates()))
        try:
            latents = Shading(key=tools.marker.key, random=tools.random) if shaded else None
            for released in generate(
                approved,
                generator,
                tools,
                folder=folder,
                made=making.made,
                latents=latents,
                training_mining=mining,
                meter=making.meter,
            ):
                report.add(released)
        finally:
            making.tell(kept=len(report.released))
    finish(report.code)


def _request(
    home: Home,
    *,
    prompt: str,
    negative_prompt: str,
    count: int,
    seed: int | None,
    model: str | None,
    steps: int | None,
    guidance: float | None,
    adapters: tuple[str, ...],
) -> GenerationRequest:
    """The request as asked for, what was left out from the settings of this installation."""
    import secrets  # noqa: PLC0415

    from generators.request import GenerationRequest  # noqa: PLC0415

    first = secrets.randbelow(2**32) if seed is None else seed
    return GenerationRequest(
        prompt=prompt,
        negative_prompt=negative_prompt,
        model=model or home.config().model,
        seeds=tuple(range(first, first + count)),
        num_inference_steps=steps,
        guidance_scale=guidance,
        adapters=tuple(_adapter(word) for word in adapters),
    )


def _adapter(word: str) -> AdapterRef:
    """``DIR`` or ``DIR:SCALE``; what follows the last colon is a scale if it reads as a number."""
    from generators.request import AdapterRef  # noqa: PLC0415

    ref, _, scale = word.rpartition(":")
    try:
        return AdapterRef(ref=ref, scale=float(scale)) if ref else AdapterRef(ref=word)
    except ValueError:
        return AdapterRef(ref=word)
