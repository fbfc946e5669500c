"""``guard``: commands load when they are called, errors become one line and an exit code."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from guard import __version__
from guard.cli._batch import Batch
from guard.cli._output import bug
from guard.verdict import COULD_NOT
from provenance.errors import Error, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("guard.cli.init", "Make keys, log and registry for this installation."),
    "doctor": ("guard.cli.doctor", "Say what works here, what is missing and how to add it."),
    "explain": ("guard.cli.explain", "Explain an error code or a policy rule."),
    "generate": ("guard.cli.generate", "Make pictures or clips; release them marked, signed and logged."),
    "replay": ("guard.cli.replay", "Draw a released picture again and say how alike it is."),
    "train": ("guard.cli.train", "Teach a model from your own pictures or clips, or make a new one."),
    "release": ("guard.cli.release", "Release media made elsewhere."),
    "sign": ("guard.cli.sign", "Sign a file without marking it."),
    "watermark": ("guard.cli.watermark", "Write or read an invisible mark."),
    "verify": ("guard.cli.verify", "Say what can be known of a file's origin."),
    "inspect": ("guard.cli.inspect", "Show every signal in a file, without judging it."),
    "recover": ("guard.cli.recover", "Find the credential of a stripped copy and what changed."),
    "keys": ("guard.cli.keys", "Make, certify, list, renew, revoke and hand out keys."),
    "signer": ("guard.cli.signer", "Keep the keys in a process of their own; ask it how it does."),
    "trust": ("guard.cli.trust", "Choose whose signatures count."),
    "registry": ("guard.cli.registry", "Publish what marks lead to; look marks up in what others published."),
    "log": ("guard.cli.log", "Check, prove, publish and witness the transparency log."),
    "records": ("guard.cli.records", "Erase the private record of a release."),
    "bench": ("guard.cli.bench", "Measure marks under attack on your own pictures, and what models draw."),
}
"""Name → (module, help line). The help line stands here so that ``guard --help`` loads no command."""


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is called, not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """In the order a newcomer meets them, not the alphabet's."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command, from its own module."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(COMMANDS[cmd_name][0]).command
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """As click does, and wrong usage always says of which command."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Help lines from the table, so that nothing is imported to print them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])
        del ctx


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="guard", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """Guard what image generators release, and check where a picture came from.

    Exit codes: 0 met, 1 not met, 2 could not be done, 3 nothing to conclude, 70 a bug in guard,
    130 interrupted.
    """
    click.get_current_context().obj["debug"] = debug


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; never lets a traceback out without --debug."""
    try:
        return _run(arguments)
    except SystemExit as end:
        if not end.code:  # after shell completion
            return 0
    except BrokenPipeError:
        pass
    # The reader went away (`guard … | head`). click, where it sees that first, ends the program with 1, which
    # would read as "not met" here. Point stdout at nothing so that the last flush stays quiet.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return COULD_NOT


def _run(arguments: Sequence[str]) -> int:
    def failed(error: Error) -> int:
        if error.code == "signer.elsewhere":
            error.hint = f"as the signer's user, with its GUARD_HOME: {_repeated(arguments)}"
        return (asked["batch"] or Batch.asked_for(arguments)).fail(error)

    asked: dict[str, Any] = {"debug": False, "batch": None}
    try:
        code = cli.main(args=list(arguments), prog_name="guard", standalone_mode=False, obj=asked)
    except click.exceptions.Abort as end:
        return (asked["batch"] or Batch(name=None, format_="text")).interrupt(str(end))
    except click.exceptions.NoArgsIsHelpError as error:
        # Help is what a person wants here. Nothing was done, so that a script does not take it for success.
        click.echo(error.format_message())
        return COULD_NOT
    except click.ClickException as error:
        return failed(_usage(error))
    except Error as error:
        if asked["debug"]:
            raise
        return failed(error)
    except BrokenPipeError:
        raise
    except Exception as error:  # here a bug of the whole command becomes exit 70
        if asked["debug"]:
            raise
        return failed(bug(error))
    return code if isinstance(code, int) else 0


def _repeated(arguments: Sequence[str]) -> str:
    """The command as it was typed; an address may hold a password, and messages end up in logs."""
    import shlex  # noqa: PLC0415 - after an error only

    return shlex.join(["guard", *("URL" if "://" in word else word for word in arguments)])


def _usage(error: click.ClickException) -> Error:
    what = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    words = ["guard"] if context is None else [context.command_path]
    if context is not None and isinstance(context.command, LazyGroup) and context.invoked_subcommand:
        words.append(context.invoked_subcommand)
    return InputError("usage", what[:1].lower() + what[1:], hint=f"{' '.join(words)} --help")
