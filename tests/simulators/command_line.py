"""``guard ARGUMENTS…`` as a process of its own, and the same line run by this one, which saves its start.

A start costs up to a second: the interpreter, numpy, the C2PA library, cold caches. What a caller can
tell of a run is the same either way, down to the three descriptors, which libraries below Python and
child processes write to as well; ``tests/cli/test_in_process.py`` holds both beside each other. A test
that is about the process itself (signals, pipes, terminals, the locale, imports) starts one.
"""

from __future__ import annotations

import gc
import logging
import os
import shlex
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

_SECONDS = 120
"""No command of the tests takes a tenth of it; one that hangs should not take the whole run with it."""


@dataclass(frozen=True)
class Ran:
    """What one run of ``guard`` did."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


def in_a_process(folder: Path, *arguments: object, stdin: str | None = None) -> Ran:
    """Run ``guard ARGUMENTS…`` in ``folder`` with the environment of the test; ``stdin`` may be empty."""
    done = subprocess.run(
        [sys.executable, "-m", "guard", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=folder,
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        timeout=_SECONDS,
        check=False,
    )
    return _without_traceback(Ran(code=done.returncode, out=done.stdout, err=done.stderr))


def in_this_process(folder: Path, *arguments: object, stdin: str | None = None) -> Ran:
    """The same without a new process."""
    with ExitStack() as stack:
        files = [stack.enter_context(tempfile.TemporaryFile("w+")) for _ in range(3)]
        files[0].write(stdin or "")
        with _as_if_started(folder, ["guard", *map(str, arguments)]), _standard_streams(files):
            code = _main()
        texts = [_everything_in(file) for file in files[1:]]
    return _without_traceback(Ran(code=code, out=texts[0], err=texts[1]))


def _without_traceback(ran: Ran) -> Ran:
    assert "Traceback" not in ran.err, ran.err
    return ran


def _main() -> int:
    """The exit code that the interpreter would make of how the program ends."""
    from guard.__main__ import main

    try:
        main()
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
        return 1 if isinstance(end.code, str) else end.code or 0
    except Exception:  # noqa: BLE001 - as the interpreter does with what nobody caught
        traceback.print_exc()
        return 1
    return 0


@contextmanager
def _as_if_started(folder: Path, words: list[str]) -> Iterator[None]:
    """In ``folder``, with ``words`` as the command line.

    The environment stays as the run leaves it: modules set what they need once, when they are imported.
    """
    kept = Path.cwd(), sys.argv, gc.get_threshold(), logging.root.handlers
    os.chdir(folder)
    sys.argv = words
    logging.root.handlers = []  # without those of pytest: warnings of libraries go to stderr
    try:
        yield
    finally:
        os.chdir(kept[0])
        sys.argv = kept[1]
        gc.set_threshold(*kept[2])
        logging.root.handlers = kept[3]


@contextmanager
def _standard_streams(files: list[TextIO]) -> Iterator[None]:
    """Descriptors 0 to 2 lead to ``files``, and so do ``sys.stdin``, ``sys.stdout`` and ``sys.stderr``."""
    kept = sys.stdin, sys.stdout, sys.stderr
    for stream in kept[1:]:
        stream.flush()
    files[0].seek(0)
    descriptors = [os.dup(number) for number in range(3)]
    for number, file in enumerate(files):
        os.dup2(file.fileno(), number)
    sys.stdin, sys.stdout, sys.stderr = _opened()
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        sys.stdin, sys.stdout, sys.stderr = kept
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
            os.close(descriptor)


def _opened() -> list[TextIO]:
    """The three streams as the interpreter opens them, with the encodings that it started with."""
    real = sys.__stdin__, sys.__stdout__, sys.__stderr__
    by_block, by_line = -1, 1
    return [
        os.fdopen(number, mode, buffering, encoding=of.encoding, errors=of.errors, closefd=False)
        for number, (mode, buffering, of) in enumerate(
            zip("rww", (by_block, by_block, by_line), real, strict=True)
        )
    ]


def _everything_in(file: TextIO) -> str:
    file.seek(0)
    return file.read()


def parses(line: str) -> bool:
    """``line``, as a document shows it, against the real options and without running it."""
    from guard.cli.main import cli

    context = cli.make_context("guard", ["--debug"])
    name, command, rest = cli.resolve_command(context, shlex.split(line, comments=True)[1:])
    while hasattr(command, "resolve_command"):
        inner = command.make_context(name, [], parent=context, resilient_parsing=True)
        name, command, rest = command.resolve_command(inner, rest)
    return command.make_context(name, rest, parent=context).command is command
