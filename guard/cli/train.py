"""``guard train``."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guard.cli._options import FORCE, POLICY, FiniteRange, NewPath
from guard.cli._passphrase import existing_passphrase
from guard.cli._progress import Stepping
from guard.cli._report import amount
from guard.output_folders import output_folders
from guard.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from generators.interface import Generator
    from generators.training.record import TrainingRecord
    from guard.training import Finished, Lesson

_DATA = click.argument("data", metavar="DATA", type=click.Path(path_type=Path))
_OUTPUT = click.option(
    "-o",
    "--output",
    "folder",
    type=NewPath(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help="Folder of the result, its record and its checkpoint; an interrupted run in it goes on.",
)
_COMMON = (
    click.option("--model", metavar="REF", help="Model to train on; bundled:NAME, dir:PATH or hf:…@COMMIT."),
    click.option("--prompt", metavar="TEXT", help="The words of pictures that have no caption."),
    click.option("--steps", type=click.IntRange(1, 1_000_000), default=200, show_default=True),
    click.option("--seed", type=click.IntRange(0, 2**53 - 1), default=0, show_default=True),
    click.option(
        "--rate", type=FiniteRange(0, 1, min_open=True), help="Learning rate; by default the method's."
    ),
    click.option("--batch", type=click.IntRange(1, 256), default=1, show_default=True),
    click.option(
        "--save-every", type=click.IntRange(1), default=25, show_default=True, help="Steps to a checkpoint."
    ),
    click.option("--device", metavar="NAME", help="cpu, cuda, mps; by default where the model is loaded."),
    click.option("--threads", type=click.IntRange(1, 1024), help="Of torch; part of what repetition needs."),
    click.option("--online", is_flag=True, help="Allow the network for hf: models."),
    click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text"),
    POLICY,
    FORCE,
)
_RANK = click.option("--rank", type=click.IntRange(1, 512), default=8, show_default=True, help="Of LoRA.")
_TOKEN = (
    click.option("--token", required=True, metavar="'<WORD>'", help="The new word, in angle brackets."),
    click.option("--start-from", metavar="WORD", help="A known word that the new one begins as."),
)
_CLASS_PICTURES = click.option(
    "--class-pictures",
    type=click.IntRange(1, 1000),
    default=20,
    help="Pictures the model draws of the class.",
)
_PRIOR_WEIGHT = click.option("--prior-weight", type=FiniteRange(0, 100), default=1.0)
_CLASS = "What the subject is one of, as the model knows it; it is kept as it was."


@click.group("train")
def command() -> None:
    """Teach a model from your own pictures or clips, or make a new one; the result has a record.

    DATA is a folder of pictures, for motion of clips. data.json in it says licence and consent and gives
    captions.
    """


def _with(*options: Callable[..., Any]) -> Callable[..., Any]:
    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed((_DATA, _OUTPUT, *options, *_COMMON)):
            function = option(function)
        return function

    return add


@command.command("lora")
@_with(_RANK)
def lora(**asked: Any) -> None:
    """Teach a style or subject: low-rank changes of the attention layers."""
    _run("lora", **asked)


@command.command("dreambooth")
@_with(
    _RANK,
    click.option("--class-prompt", required=True, metavar="TEXT", help=_CLASS),
    _CLASS_PICTURES,
    _PRIOR_WEIGHT,
)
def dreambooth(**asked: Any) -> None:
    """Teach one subject from a few pictures, and keep its class as it was (prior preservation)."""
    _run("dreambooth", **asked)


@command.command("textual-inversion")
@_with(*_TOKEN)
def textual_inversion(**asked: Any) -> None:
    """Teach one new word; the model itself stays as it is."""
    _run("textual-inversion", **asked)


@command.command("custom-diffusion")
@_with(
    _RANK,
    *_TOKEN,
    click.option("--class-prompt", metavar="TEXT", help=_CLASS),
    _CLASS_PICTURES,
    _PRIOR_WEIGHT,
)
def custom_diffusion(class_prompt: str | None, class_pictures: int, **asked: Any) -> None:
    """Teach one new word, and the keys and values of cross-attention that read words."""
    count = 0 if class_prompt is None else class_pictures
    _run("custom-diffusion", class_prompt=class_prompt, class_pictures=count, **asked)


@command.command("motion")
@_with(
    _RANK,
    click.option(
        "--frames", type=click.IntRange(2, 16), default=8, show_default=True, help="Taken of every clip."
    ),
)
def motion(**asked: Any) -> None:
    """Teach a picture model to move, from a folder of clips; or one that moves already, how.

    A picture model gets motion modules, and the result is a model: --model dir:DIR. A model that moves gets
    low-rank changes of its motion modules, and the result is an adapter.
    """
    _run("motion", **asked)


_WHOLE = click.option(
    "--size", type=click.IntRange(8, 256), default=64, show_default=True, help="Pixels to a side."
)


@command.command("ldm")
@_with(_WHOLE)
def ldm(**asked: Any) -> None:
    """Train a small latent diffusion model of your own, from nothing: autoencoder, then U-Net."""
    _run("ldm", **asked)


@command.command("gan")
@_with(_WHOLE)
def gan(**asked: Any) -> None:
    """Train a GAN of your own, from nothing; where captions are few, each is a class."""
    _run("gan", **asked)


def _run(
    method: str,
    *,
    data: Path,
    folder: Path,
    model: str | None,
    prompt: str | None,
    policy: str | None,
    format_: str,
    online: bool,
    threads: int | None,
    force: bool,
    **settings: Any,
) -> None:
    from generators.energy import Meter  # noqa: PLC0415
    from generators.training.orders import METHODS, TrainingOrder  # noqa: PLC0415
    from guard.home import Home  # noqa: PLC0415
    from guard.tools import assemble  # noqa: PLC0415
    from guard.training import approve_lesson, run_lesson  # noqa: PLC0415
    from guard.training_data import keep_apart  # noqa: PLC0415

    keep_apart(data, folder)
    home = Home.locate().require()
    tools = assemble(home, policy=policy, passphrase=existing_passphrase)
    order = TrainingOrder(method=method, **settings)
    whole = METHODS[method].whole
    if whole and (model is not None or online):
        given = "--online" if model is None else "--model"
        raise click.UsageError(f"train {method} makes a model of its own; it takes no {given}")
    chosen = f"own:{method}" if whole else model or home.config().model
    lesson = approve_lesson(data, order, tools, model=chosen, prompt=prompt)
    _tell(lesson)
    with output_folders(folder), _going_on(folder):
        generator = _base(chosen, whole=whole, threads=threads, online=online)
        with Stepping(order.steps, f"train {method}") as stepping:
            how: dict[str, Any] = {"heard": stepping.at, "force": force}
            meter = Meter(rates=home.config().energy.rates())
            finished = run_lesson(lesson, generator, tools, folder=folder, meter=meter, **how)
    click.echo(_json(finished) if format_ == "json" else _text(finished))


def _base(chosen: str, *, whole: bool, threads: int | None, online: bool) -> Generator | None:
    """The model to train on; torch is imported here, only once the data may be used."""
    if whole:
        from generators.training.model_writer import use_threads  # noqa: PLC0415

        use_threads(threads)
        return None
    from generators.registry import load  # noqa: PLC0415

    return load(chosen, threads=threads, online=online)


def _tell(lesson: Lesson) -> None:
    click.echo(f"data: {len(lesson.pictures)} pictures; policy: allowed to train", err=True)
    for warning in lesson.warnings:
        click.echo(f"warning: {plain(warning.message)} ({warning.rule})", err=True)


@contextmanager
def _going_on(folder: Path) -> Iterator[None]:
    """Says at an interruption what the same command does next."""
    from generators.training.orders import CHECKPOINT, STATE  # noqa: PLC0415

    try:
        yield
    except KeyboardInterrupt as error:
        kept = any((folder / name).exists() for name in (CHECKPOINT, STATE))
        does = "goes on from the last checkpoint" if kept else "begins again: there is no checkpoint yet"
        raise click.exceptions.Abort(f"the same command {does}") from error


def _text(finished: Finished) -> str:
    record = finished.record
    done = "FINISHED before, nothing was changed:" if finished.unchanged else "TRAINED "
    resumed = finished.resumed_at and not finished.unchanged
    went_on = f", continued at step {finished.resumed_at}" if resumed else ""
    known = record.loss_before is not None and record.loss_after is not None
    loss = f"; loss {record.loss_before:.4f} → {record.loss_after:.4f}" if known else ""
    made, use = _made(finished)
    return "\n".join(
        [
            f"{done} {record.method}, {record.settings['steps']} steps{went_on}{loss}",
            plain(made),
            f"  record   sha256 {record.sha256}",
            *_energy(record),
            plain(f"  use it   guard generate … {use}"),
        ]
    )


def _energy(record: TrainingRecord) -> list[str]:
    """One line; none for records of before it was metered."""
    from generators.training.effort import from_json  # noqa: PLC0415 - with the command, not before

    return [] if record.energy is None else [f"  energy   {amount(from_json(record.energy))}"]


def _json(finished: Finished) -> str:
    record = json.loads(finished.record.to_bytes())
    body = {"schema_version": 1, "record_sha256": finished.record.sha256, "record": record}
    how = {"resumed_at": finished.resumed_at, "unchanged": finished.unchanged}
    return json.dumps(body | how, indent=1)


def _made(finished: Finished) -> tuple[str, str]:
    """The line that says where the result is, and how it is named to ``guard generate``."""
    folder = finished.folder
    if finished.record.base == "none":
        return f"  model    {folder / 'model'}", f"--model dir:{folder / 'model'}"
    if finished.modules:
        return f"  motion   {folder / 'motion_adapter'}", f"--model dir:{folder}"
    return f"  adapter  {folder / 'adapter.safetensors'}", f"--adapter {folder}"
