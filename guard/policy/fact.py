"""``Fact``: one answer, how it is known and who gave it; and the words answers may use."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")

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


class Gap(Enum):
    """What an expression reads where a fact has no value. Never equal to anything, never true."""

    UNKNOWN = "unknown"
    ERROR = "error"


UNKNOWN: Final = Gap.UNKNOWN
ERROR: Final = Gap.ERROR


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact(Generic[T]):
    """One answer and how it came about.

    Attributes:
        value: the answer; None unless ``status`` is OK.
        status: OK, UNKNOWN (abstained, not looked) or ERROR (looking failed).
        producer: dotted name of the code or detector that answered.
        version: version or weights digest of the producer.
        reason: why there is no answer, in plain words without content; None when OK.
        operand: what an expression reads: the value (of an enum, its word) or a Gap.
        stamp: all of it as one text; seals are made over it.
    """

    value: T | None = None
    status: Status = Status.OK
    producer: str = ""
    version: str = ""
    reason: str | None = None
    operand: Any = field(init=False, repr=False, compare=False)
    stamp: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if (self.value is None) is (self.status is Status.OK):
            raise ValueError("a fact has a value exactly when its status is ok")
        if isinstance(self.value, float) and not math.isfinite(self.value):
            raise ValueError("a number in a fact is finite; report the bound instead")
        # Made once here rather than in each of the decisions that read the fact.
        object.__setattr__(self, "operand", self._operand())
        said = (self.status.value, self.operand, self.producer, self.version, self.reason)
        object.__setattr__(self, "stamp", repr(said))

    def _operand(self) -> Any:
        if self.status is Status.OK:
            return self.value.value if isinstance(self.value, StrEnum) else self.value
        return UNKNOWN if self.status is Status.UNKNOWN else ERROR


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


class Command(StrEnum):
    """Which flow asks."""

    GENERATE = "generate"
    RELEASE = "release"
    SIGN = "sign"
    WATERMARK = "watermark"
    VERIFY = "verify"
    TRAIN = "train"


class Consent(StrEnum):
    """Of whoever made or is shown in the pictures that are learned from; the weakest of a folder counts."""

    GIVEN = "given"
    NOT_NEEDED = "not-needed"
    UNKNOWN = "unknown"


class Kind(StrEnum):
    """What kind of media."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    DOCUMENT = "document"


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


class EarlierMark(StrEnum):
    """What was read of our own mark in a file before it was released (again)."""

    NONE = "none"
    """No mark, or that of the same picture, released here as no work of a model."""
    GENERATED = "generated"
    """The mark of a picture released here as generated; this picture does not match its digest."""
    OTHER = "other"
    """The mark of a picture released here as no work of a model; this picture does not match its digest."""
    UNCLEAR = "unclear"
    """A mark that leads to no manifest here, or to one that does not say what it is of."""
    NOT_CHECKED = "not_checked"


class Colour(StrEnum):
    """What became of the colours of a file when it was decoded."""

    KEPT = "kept"
    CONVERTED = "converted"
    """Inks (CMYK) were converted to sRGB by the file's own profile."""
    GUESSED = "guessed"
    """Inks were converted without a usable profile."""


class C2paState(StrEnum):
    """What reading the manifest gave: the verdict states that concern a manifest."""

    TRUSTED = "trusted"
    DEVELOPMENT = "development"
    UNKNOWN_SIGNER = "unknown_signer"
    REVOKED = "revoked"
    EXPIRED = "expired"
    HISTORY_PROBLEM = "history_problem"
    TAMPERED = "tampered"
    MALFORMED = "malformed"
    REMOTE_ONLY = "remote_only"
    NO_CREDENTIALS = "no_credentials"
