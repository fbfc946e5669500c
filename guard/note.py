"""A verification note: what was examined, with what, how, and what came of it, on one page for a file.

The page carries all it needs to be checked again by somebody else: digests of the exhibits, versions of the
tools, dates and digests of the trust lists, the steps, the limits, and the command that repeats it. It
holds no script, fetches nothing, shows no picture, and names neither the user nor the machine.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from guard import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from guard.verdict import Verdict
    from provenance.errors import Error
    from provenance.manifest.trust import TrustLists


def _paragraphs(text: str) -> tuple[str, ...]:
    return tuple(" ".join(part.split()) for part in text.strip().split("\n\n"))


STEPS = _paragraphs("""
The bytes of the file were read once, whole, and their SHA-256 taken; the type was found in the content,
never in the name.

The container was walked by a reader of our own to find the manifest, so that a damaged one cannot pass
for none at all.

Boxes, claim, assertions and certificates were parsed strictly by our own reader; the C2PA library
checked every hash and signature without fetching anything; both had to speak of the same manifest.

The path from the signer's certificate to the trust lists below was followed, at the time of judging or
at a time that a listed time-stamp authority proves.

Every ingredient was looked at: what was written down when it was taken in, what is found now, who
signed it.

Labels beside the manifest (XMP) were read and held against it; so was an invisible mark, where the
answers say that one was looked for.

The gravest finding decided the one word of the verdict.
""")
"""What was done with every exhibit (``guard.verify``, ``provenance.manifest.read``)."""

LIMITS = _paragraphs("""
A verdict is about these bytes and the name that signed them. It does not say that what is shown is
true, nor that the signer is honest.

A file without credentials is not therefore fake, and no conclusion follows from their absence.

No connection was opened: no authority was asked whether a certificate was revoked, and no manifest kept
elsewhere was fetched. Only revocations recorded in this installation count.

A time is proven only where the note names the authority that proves it; any other time is the signer's
word.

A mark or fingerprint can lead to a manifest. It proves neither issuer nor integrity, and can be copied.

Who is on a trust list was decided by whoever made the list and by whoever chose it for this note.

Bytes named as not covered could be changed without this note noticing.
""")
"""What follows from none of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """One file of a note.

    Attributes:
        name: of the file, without the folders it lies in, which may name a person. Where two exhibits have
            one name it has as much of its path as not all exhibits share (``told_apart``).
        size: in bytes; None where it could not be read.
        mime: as found in the content.
        verdict: None where there is an error instead.
        error: why there is no verdict.
        beside: whether its manifest was read from a file of its own, which is needed to repeat the verdict.
    """

    name: str
    size: int | None = None
    mime: str | None = None
    verdict: Verdict | None = None
    error: Error | None = None
    beside: bool = False


def told_apart(paths: Sequence[Path]) -> tuple[str, ...]:
    """A name for each file, by which it is found from one folder; the bare one where that is enough."""
    bare = tuple(path.name for path in paths)
    if len(set(bare)) == len(set(paths)):
        return bare
    whole = [Path(os.path.abspath(path)) for path in paths]  # noqa: PTH100 - links stay as they are named
    shared = len(os.path.commonprefix([path.parent.parts for path in whole]))  # noqa: RUF071 - tuples
    return tuple(Path(*path.parts[shared:]).as_posix() for path in whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What the verdicts of a note rest on, beside the bytes.

    Attributes:
        made: when the note was made, UTC.
        at: the time that certificates were judged for, UTC.
        trust: the lists.
        options: of the command, as they have to be repeated.
    """

    made: datetime
    at: datetime
    trust: TrustLists
    options: tuple[str, ...] = ()


def tools() -> tuple[tuple[str, str], ...]:
    """(tool, version) of everything that took part in a verdict."""
    from provenance.manifest.c2pa_adapter import library_version  # noqa: PLC0415 - loads the native library

    packages = [(name, _version(name)) for name in ("c2pa-python", "cryptography")]
    system = f"{platform.system()} {platform.machine()}"
    return (
        ("mediaguard", __version__),
        ("C2PA library (c2pa-rs)", library_version()),
        *packages,
        ("Python", f"{platform.python_version()} on {system}"),
    )


def repeat(exhibits: Sequence[Exhibit], circumstances: Circumstances) -> tuple[str, ...]:
    """The commands that give the same verdicts again."""
    import shlex  # noqa: PLC0415

    names = [one.name for one in exhibits]
    listed = " ".join(map(shlex.quote, names[:5])) + (" …" if len(names) > 5 else "")
    moment = circumstances.at.strftime("%Y-%m-%dT%H:%M:%SZ")
    options = "".join(f" {shlex.quote(option)}" for option in circumstances.options)
    return (f"sha256sum {listed}", f"guard verify {listed} --validation-time {moment}{options}")


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "unknown"
