"""Facts: what the rules may ask about. Types only; nothing here looks at media.

Each fact says how it is known. ``unknown`` (nobody looked, or nothing could be concluded) and
``error`` (looking broke) are never equal to anything, so a rule that needs them is not satisfied.
Groups and fields are the vocabulary of the policy language; ``guard.policy.schema`` reads it off
these annotations, so a field added here is at once checked, traced and documented.

Texts in facts are short tokens (see ``TOKEN``): a prompt does not fit into a fact, and so not into
a decision, a log or a report (house promise 2).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Generic, TypeAlias, TypeVar

T = TypeVar("T")
Scalar: TypeAlias = "bool | int | float | str | tuple[str, ...]"

TOKEN = re.compile(r"[^\s\x00-\x20\x7f-\x9f]{0,200}")
"""One word without white space or control characters."""
SPDX = re.compile(r"[A-Za-z0-9 .+:()-]{0,200}")
"""An SPDX licence expression, the one kind of text with spaces."""
MAX_LIST = 64
"""Longest list in a fact; with the budget of the language it bounds every quantifier."""


class Status(StrEnum):
    """How a fact is known."""

    OK = "ok"
    UNKNOWN = "unknown"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact(Generic[T]):
    """One answer and how it came about.

    Attributes:
        value: the answer; None unless ``status`` is OK.
        status: OK, UNKNOWN (abstained, not looked) or ERROR (looking failed).
        producer: dotted name of the code or detector that answered.
        version: version or weights digest of the producer.
        reason: why there is no answer, in plain words without content; None when OK.
    """

    value: T | None = None
    status: Status = Status.OK
    producer: str = ""
    version: str = ""
    reason: str | None = None

    def __post_init__(self) -> None:
        if (self.value is None) is (self.status is Status.OK):
            raise ValueError("a fact has a value exactly when its status is ok")
        if isinstance(self.value, float) and not math.isfinite(self.value):
            raise ValueError("a number in a fact is finite; report the bound instead")


def known(value: T, *, producer: str = "", version: str = "") -> Fact[T]:
    """A fact with an answer."""
    return Fact(value=value, producer=producer, version=version)


def unknown(reason: str, *, producer: str = "", version: str = "") -> Fact[T]:
    """Nobody looked, or looking did not decide."""
    return Fact(status=Status.UNKNOWN, reason=reason, producer=producer, version=version)


def failed(reason: str, *, producer: str = "", version: str = "") -> Fact[T]:
    """Looking broke."""
    return Fact(status=Status.ERROR, reason=reason, producer=producer, version=version)


NOT_SUPPLIED: Fact[bool] = unknown("not supplied")


def _absent() -> Fact[T]:
    return NOT_SUPPLIED  # type: ignore[return-value]  # a fact without a value fits every type


def _fact(*, optional: bool = False, text: re.Pattern[str] = TOKEN, note: str = "") -> Fact[T]:
    """Field of a group. ``optional``: the language allows ``has(…)`` on it."""
    metadata = {"optional": optional, "text": text, "note": note}
    declared: Fact[T] = field(default_factory=_absent, metadata=metadata)
    return declared


class Command(StrEnum):
    """Which flow asks."""

    GENERATE = "generate"
    RELEASE = "release"
    SIGN = "sign"
    WATERMARK = "watermark"
    VERIFY = "verify"


class Kind(StrEnum):
    """What kind of media."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"


class Synthetic(StrEnum):
    """How much of the media a model made."""

    NONE = "none"
    PARTIAL = "partial"
    FULL = "full"


class Level(StrEnum):
    """How far a risk is indicated by whatever looked. Nobody looked: the fact is unknown."""

    ABSENT = "absent"
    POSSIBLE = "possible"
    PRESENT = "present"


class Capacity(StrEnum):
    """Whether the picture can carry the watermark at the quality floor."""

    OK = "ok"
    EXCEEDED = "exceeded"
    NOT_CHECKED = "not_checked"


class C2paState(StrEnum):
    """What reading the manifest gave: the verdict states that concern a manifest."""

    TRUSTED = "trusted"
    DEVELOPMENT = "development"
    UNKNOWN_SIGNER = "unknown_signer"
    EXPIRED = "expired"
    HISTORY_PROBLEM = "history_problem"
    TAMPERED = "tampered"
    MALFORMED = "malformed"
    REMOTE_ONLY = "remote_only"
    NO_CREDENTIALS = "no_credentials"


class _Group:
    """Refuses values that do not fit the annotations: a wrong type is a bug, found where it arises."""

    __slots__ = ()

    def __post_init__(self) -> None:
        from guard.policy.schema import check_value  # noqa: PLC0415 - schema reads these classes

        for entry in fields(self):  # type: ignore[arg-type]  # every subclass is a dataclass
            value = getattr(self, entry.name)
            if isinstance(value, Fact) and value.status is Status.OK:
                check_value(type(self), entry.name, value.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(_Group):
    """What was asked for."""

    command: Fact[Command] = _fact(note="which flow asks")
    purpose: Fact[str] = _fact(optional=True, note="declared use, e.g. news, research")
    include_prompt: Fact[bool] = _fact(note="the plain prompt goes into the manifest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt(_Group):
    """What the prompt review found; never the words."""

    reviewed: Fact[bool] = _fact(note="the words went through guard.prompt.review")
    flags: Fact[tuple[str, ...]] = _fact(note="rule:class of each flag")
    edits: Fact[int] = _fact(note="number of recorded edits")
    language: Fact[str] = _fact(optional=True, note="BCP 47 tag")


@dataclass(frozen=True, slots=True, kw_only=True)
class Model(_Group):
    """What makes or made the media."""

    id: Fact[str] = _fact(note="model reference; no paths of this machine")
    licence: Fact[str] = _fact(optional=True, text=SPDX, note="SPDX expression of the weights")
    data_licence: Fact[str] = _fact(optional=True, text=SPDX, note="SPDX expression of the training data")
    weights_digest: Fact[str] = _fact(optional=True, note="sha256 over the weights")


@dataclass(frozen=True, slots=True, kw_only=True)
class Media(_Group):
    """The media, read from the bytes at hand."""

    kind: Fact[Kind] = _fact(note="by content, never by file name")
    synthetic: Fact[Synthetic] = _fact(note="how much a model made, as declared by the flow")
    width: Fact[int] = _fact(note="pixels")
    height: Fact[int] = _fact(note="pixels")
    mime: Fact[str] = _fact(note="media type")
    upscaled: Fact[bool] = _fact(note="the pixels were enlarged before marking")


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk(_Group):
    """Gravest level over the channels that looked (words, pixels), and which channels looked."""

    sexual: Fact[Level] = _fact(note="nudity or sexual content")
    minor: Fact[Level] = _fact(note="a person who may be under 18; the lower bound counts")
    identifiable_person: Fact[Level] = _fact(note="a real, recognisable person")
    prompt_checked: Fact[bool] = _fact(note="the words were reviewed for these risks")
    pixels_checked: Fact[bool] = _fact(note="an inspector looked at the pixels for these risks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watermark(_Group):
    """The mark, as decoded from the final bytes."""

    detected: Fact[bool] = _fact(note="decoded with a passing CRC")
    psnr: Fact[float] = _fact(note="dB against the unmarked pixels, after rounding")
    log10_p: Fact[float] = _fact(optional=True, note="log10 of the p-value of the statistic")
    id_matches: Fact[bool] = _fact(note="the decoded id is this content's id")
    capacity: Fact[Capacity] = _fact(note="can the picture carry it at the floor")


@dataclass(frozen=True, slots=True, kw_only=True)
class C2pa(_Group):
    """The manifest, as read back from the final bytes."""

    state: Fact[C2paState] = _fact(note="what reading it gave")
    digital_source_type: Fact[str] = _fact(note="IPTC code, last part of the URI")
    read_back: Fact[bool] = _fact(note="read from the final bytes, not taken from the signer")
    soft_binding_matches: Fact[bool] = _fact(note="names the mark that is in the pixels")


@dataclass(frozen=True, slots=True, kw_only=True)
class Xmp(_Group):
    """The XMP packet, as read back from the final bytes."""

    digital_source_type: Fact[str] = _fact(note="IPTC code, last part of the URI")


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Everything the file carries about itself."""

    watermark: Watermark = field(default_factory=Watermark)
    c2pa: C2pa = field(default_factory=C2pa)
    xmp: Xmp = field(default_factory=Xmp)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject(_Group):
    """The bytes these facts were read from."""

    sha256: Fact[str] = _fact(note="lower-case hex")
    content_id: Fact[str] = _fact(note="random id in the mark")


@dataclass(frozen=True, slots=True, kw_only=True)
class Log(_Group):
    """The transparency log."""

    recorded: Fact[bool] = _fact(note="the manifest leaf of these bytes is in the log")


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment(_Group):
    """This installation."""

    dev_identity: Fact[bool] = _fact(note="signs with the installation's own development identity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All facts of one decision; what is not supplied is unknown."""

    request: Request = field(default_factory=Request)
    prompt: Prompt = field(default_factory=Prompt)
    model: Model = field(default_factory=Model)
    media: Media = field(default_factory=Media)
    risk: Risk = field(default_factory=Risk)
    marks: Marks = field(default_factory=Marks)
    subject: Subject = field(default_factory=Subject)
    log: Log = field(default_factory=Log)
    environment: Environment = field(default_factory=Environment)
