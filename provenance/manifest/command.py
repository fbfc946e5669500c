"""A signer behind a program: it gets the bytes to be signed and prints the signature.

So a key service is reached from the command line in whatever language its own tools speak. The program runs
without a shell, and what it prints is held against the certificate before it is used.
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from provenance.errors import ConfigurationError
from provenance.manifest.callback import CallbackSigner

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST = 2**16
"""Bytes of an answer; the longest signature here has 512."""
_SHOWN = 200
"""Characters of what a program says when it fails."""


class CommandSigner(CallbackSigner):
    """Signs by running a program: the bytes on standard input, the signature on standard output.

    The signature is raw bytes, ECDSA as DER or r ‖ s. The variable ``GUARD_ALGORITHM`` says which algorithm
    is wanted, such as ``es256``. A status other than 0 is a failure; what stands on standard error is shown.

    Args:
        chain: certificates as PEM, the signer's first.
        command: program and arguments.
        timeout_s: for one signature; then the program is ended.

    Raises:
        ConfigurationError: as ``CallbackSigner``; of ``sign``: ``signer.command-failed``.
    """

    __slots__ = ("command", "timeout_s")

    def __init__(self, *, chain: bytes, command: Sequence[str], timeout_s: float = 30.0) -> None:
        super().__init__(chain=chain, sign=lambda data: run(self.command, data, self.algorithm, timeout_s))
        self.command, self.timeout_s = tuple(command), timeout_s

    def __repr__(self) -> str:
        """The program without its arguments, which may hold a name that is nobody's business."""
        return f"CommandSigner({self.algorithm}, {self.command[0]!r})"


def run(command: Sequence[str], data: bytes, algorithm: str, timeout_s: float) -> bytes:
    """What ``command`` prints for ``data``.

    Raises:
        ConfigurationError: ``signer.command-failed``.
    """
    environment = {**os.environ, "GUARD_ALGORITHM": algorithm}
    try:
        with subprocess.Popen(
            [*command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
        ) as program:
            try:
                answer, told = program.communicate(data, timeout=timeout_s)
            except subprocess.TimeoutExpired as error:
                program.kill()
                raise _failed(command, f"it did not answer in {timeout_s:g} s") from error
    except OSError as error:
        raise _failed(command, f"it cannot be run: {error.strerror}") from error
    if program.returncode != 0:
        last = told.decode("utf-8", "replace").strip().rpartition("\n")[2][:_SHOWN]
        raise _failed(command, f"it ended with status {program.returncode}" + (f": {last}" if last else ""))
    if not 0 < len(answer) <= _MOST:
        raise _failed(command, f"it printed {len(answer)} bytes, which is no signature")
    return answer


def _failed(command: Sequence[str], why: str) -> ConfigurationError:
    return ConfigurationError(
        "signer.command-failed",
        f"the program that signs gave no signature: {why}",
        where=command[0],
        hint="see command under [signer] in config.toml; it gets the bytes on standard input",
    )
