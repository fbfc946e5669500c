"""``python -m generators.reference NAME --data digits|FOLDER|PICTURE --out OUT [--steps N]`` (resumes)."""

from __future__ import annotations

import argparse
import logging
import shlex
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generators.reference import MODELS
from generators.reference_files import LARGEST, checked
from provenance.errors import Error, InputError, missing_extra

if TYPE_CHECKING:
    from generators.reference.data import Picture, Pictures
    from generators.reference_files import Settings


def main(arguments: list[str] | None = None) -> int:
    """Command-line entry; returns the exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    try:
        make(options)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; the same command goes on from the last checkpoint\n")
        return 2
    except Error as error:
        lines = [f"error[{error.code}]: {error.what}"]
        lines += [f"  --> {error.where}"] if error.where else []
        lines += [f"help: {error.hint}"] if error.hint else []
        sys.stderr.write("\n".join(lines) + "\n")
        return error.exit_code
    return 0


def make(options: argparse.Namespace) -> None:
    """Train (or continue), measure, write everything to ``options.out``, and say how to draw from it."""
    try:
        import torch  # noqa: PLC0415  # an extra

        from generators.reference import fitting, outputs  # noqa: PLC0415  # they load torch
    except ImportError as error:
        raise missing_extra("generate", "training") from error
    torch.set_num_threads(options.threads)
    module = import_module(MODELS[options.name])
    steps = module.STEPS if options.steps is None else options.steps
    data, work = _data(options, module), options.out / "checkpoint"
    task = outputs.TrainingTask(work=work, steps=steps, seed=options.seed)
    settings = _settings(options, module.settings(data, task), data)
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError("reference.out", "the folder cannot be made", where=str(options.out)) from error
    fitting.settle(work, {"model": options.name, "data": data.sha256, "seed": options.seed})
    made = module.make(data, task)
    outputs.write(made, settings, data, task, options.out)
    for what, value in made.figures.items():
        logging.info("%s: %s", what, value)
    sys.stdout.write(_next(settings, options.out) + "\n")


def _settings(options: argparse.Namespace, said: Settings, data: Picture | Pictures) -> Settings:
    """With the licences; refused before anything is trained if nobody could draw from it afterwards."""
    said = replace(said, licence=options.weights_licence or said.licence, data_licence=data.licence)
    try:
        return checked(said.to_json())
    except InputError as error:
        what = f"a model of these data could not be loaded: {error.what}"
        raise InputError("reference.data", what, where=error.where) from error


def _next(settings: Settings, out: Path) -> str:
    """The command that draws from what was left."""
    prompt = settings.classes[0] if len(settings.classes) > 1 else ""
    options = ("--model", f"dir:{out}", "-n", "4", "-o", "pictures")
    # A class may be called "-x".
    words = (*options, "--", prompt) if prompt.startswith("-") else (prompt, *options)
    return shlex.join(("guard", "generate", *words))


def _data(options: argparse.Namespace, module: Any) -> Picture | Pictures:
    from generators.reference import data  # noqa: PLC0415  # it loads torch

    path, size = Path(options.data), options.size or module.SIZE
    if size > (most := LARGEST[options.name]):
        what = f"{options.name} draws pictures of at most {most} pixels a side, not {size}"
        raise InputError("reference.data", what, hint=f"--size {most}")
    if options.data == "digits":
        found: Picture | Pictures = data.digits()
    elif path.is_dir():
        found = data.folder(path, size=size, licence=options.licence)
    else:
        found = data.picture(path, size=size, licence=options.licence)
    if type(found).__name__ != module.NEEDS:
        kind = "one picture" if module.NEEDS == "Picture" else "digits or a folder of pictures"
        raise InputError("reference.data", f"{options.name} learns from {kind}", where=options.data)
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m generators.reference", description=__doc__)
    parser.add_argument("name", choices=sorted(MODELS))
    parser.add_argument("--data", required=True, help="digits, a folder of pictures, or one picture")
    parser.add_argument("--licence", help="licence of your data, an SPDX id; rules can ask for it")
    parser.add_argument("--weights-licence", help="licence that you give the weights, an SPDX id")
    parser.add_argument("--out", type=Path, required=True, help="folder for weights, configuration and card")
    parser.add_argument("--steps", type=_count, help="over all sessions; for gpnn, rounds at each size")
    parser.add_argument("--size", type=_count, help="pixels to which pictures are brought")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=_count, default=1)
    return parser


def _count(text: str) -> int:
    if not 1 <= (value := int(text)) <= 10**7:
        raise ValueError
    return value


if __name__ == "__main__":
    sys.exit(main())
