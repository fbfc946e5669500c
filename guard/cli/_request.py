"""What ``guard generate`` asks of a model: its options, and the request that they make."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guard.cli._options import FiniteRange

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from generators.interface import GeneratorInfo
    from generators.request import AdapterRef, GenerationRequest
    from guard.home import Home
    from guard.starting import Start
    from provenance.canonical import Json

_MOST_OPTION = 65_536
"""Characters of one option's value; of a longer one a piece is left, which is no JSON."""
_FILE = click.Path(path_type=Path, readable=False)

SEED = click.option(
    "--seed",
    type=click.IntRange(0, 2**53 - 64),
    help="Seed of the first picture; the next take the following numbers. Drawn at random if absent.",
)
MODEL = click.option(
    "--model", metavar="REF", help="bundled:NAME, dir:PATH, hf:ORG/NAME@COMMIT (40 digits) or plugin:NAME."
)
INIT = click.option(
    "--init",
    type=_FILE,
    metavar="FILE",
    help="Picture or clip to start from, for models that edit, animate or enlarge.",
)
MASK = click.option(
    "--mask", type=_FILE, metavar="FILE", help="Gray picture or clip, white where --init may change."
)

_OPTIONS = (
    click.option(
        "-n",
        "count",
        type=click.IntRange(1, 64),
        default=1,
        show_default=True,
        help="Pictures or clips to make.",
    ),
    SEED,
    MODEL,
    click.option("--negative", "negative_prompt", default="", metavar="TEXT", help="What to keep away from."),
    click.option("--width", type=click.IntRange(8, 8192), help="Pixels; by default as the model draws."),
    click.option("--height", type=click.IntRange(8, 8192), help="Pixels; by default as the model draws."),
    click.option("--frames", "num_frames", type=click.IntRange(1, 4096), help="Frames of a clip."),
    click.option("--fps", type=FiniteRange(1, 240), help="Frames a second at which a clip plays."),
    click.option("--steps", "num_inference_steps", type=click.IntRange(1, 1000), help="Denoising steps."),
    click.option(
        "--guidance",
        "guidance_scale",
        type=FiniteRange(0, 100),
        help="Classifier-free guidance; 1 is none.",
    ),
    click.option(
        "--scheduler", metavar="NAME", help="Sampler: ddim, dpm++, euler, …; an unknown one lists them."
    ),
    INIT,
    MASK,
    click.option(
        "--option",
        "options",
        multiple=True,
        metavar="NAME=VALUE",
        help="An argument of the model's own call, its value as JSON: strength=0.5. Repeatable.",
    ),
    click.option(
        "--adapter",
        "adapters",
        multiple=True,
        metavar="DIR[:SCALE]",
        help="Lay a trained adapter over the model, at this strength (1). May be given several times.",
    ),
    click.option(
        "--fast",
        multiple=True,
        metavar="NAME",
        help="Draw with less work: few-steps, reuse, int8, pruned, sliced. May be given several times.",
    ),
)


def request_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options of a request, in the order of a request."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def worded(prompt: str, model: str | None) -> str:
    """The prompt; none is needed where a model is named, which may be one that reads no words.

    Raises:
        click.BadParameter: there are no words.
    """
    if prompt.strip():
        return prompt
    if model is None:
        raise click.BadParameter("it has no words; say what to draw", param_hint="PROMPT")
    return ""


def require_words(request: GenerationRequest, info: GeneratorInfo) -> None:
    """Words for a loaded model that reads them; a start picture or options can say it instead.

    Raises:
        InputError: ``request.no-words``.
    """
    from provenance.errors import InputError  # noqa: PLC0415

    said = request.prompt.strip() or request.init is not None or request.options
    if said or "text" not in info.capabilities:
        return
    what = "this model draws what words say, and the prompt has none"
    hint = f'guard generate "a portrait of a firefighter" --model {request.model} -o out/'
    raise InputError("request.no-words", what, where=request.model, hint=hint)


def request_of(
    home: Home,
    start: Start,
    *,
    count: int,
    seed: int | None,
    model: str | None,
    adapters: Sequence[str],
    options: Sequence[str],
    **fields: Any,
) -> GenerationRequest:
    """The request as asked for, what was left out from the settings of this installation.

    Raises:
        InputError: ``request.out-of-range``, ``request.option``.
    """
    import secrets  # noqa: PLC0415

    from generators.request import GenerationRequest, consecutive_seeds  # noqa: PLC0415

    first = secrets.randbelow(2**32) if seed is None else seed
    return GenerationRequest(
        model=model or home.config().model,
        seeds=consecutive_seeds(first, count),
        adapters=tuple(_adapter(word) for word in adapters),
        options=_named(options),
        init=start.init,
        mask=start.mask,
        **fields,
    )


def _named(words: Sequence[str]) -> dict[str, Json]:
    """``NAME=VALUE`` by name."""
    named: dict[str, Json] = {}
    for word in words:
        name, separator, value = word.partition("=")
        if not separator or not name.isidentifier():
            raise _bad("an option is NAME=VALUE", word)
        if name in named:
            raise _bad("an option is given twice", name)
        named[name] = _value(name, value)
    return named


def _value(name: str, text: str) -> Json:
    import json  # noqa: PLC0415

    try:
        value: Json = json.loads(text[:_MOST_OPTION], parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise _bad("the value of an option is JSON; text stands in quotes", name) from error
    return value


def _no_number(word: str) -> Json:
    raise ValueError(word)


def _bad(what: str, where: str) -> Exception:
    from provenance.errors import InputError  # noqa: PLC0415

    hint = "--option strength=0.5, or for text --option 'style=\"flat\"'"
    return InputError("request.option", what, where=where[:100], hint=hint)


def _adapter(word: str) -> AdapterRef:
    """``DIR`` or ``DIR:SCALE``; what follows the last colon is a scale if it reads as a number."""
    from generators.request import AdapterRef  # noqa: PLC0415

    ref, _, scale = word.rpartition(":")
    try:
        return AdapterRef(ref=ref, scale=float(scale)) if ref else AdapterRef(ref=word)
    except ValueError:
        return AdapterRef(ref=word)
