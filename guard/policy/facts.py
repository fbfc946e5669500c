"""Facts: what the rules may ask about. Types only; nothing here looks at media.

Each fact says how it is known. ``unknown`` (nobody looked, or nothing could be concluded) and
``error`` (looking broke) are never equal to anything, so a rule that needs them is not satisfied.
Groups and fields are the vocabulary of the policy language: ``schema()`` reads it off these
annotations, so a field added here is at once checked, traced and documented.

Texts in facts are short tokens (``fact.TOKEN``): a prompt does not fit into a fact, and so not into
a decision, a log or a report (house promise 2).
"""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields, is_dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_args, get_type_hints

from guard.policy.fact import (
    NOT_SUPPLIED,
    SPDX,
    TOKEN,
    C2paState,
    Capacity,
    Colour,
    Command,
    Consent,
    EarlierMark,
    Fact,
    Kind,
    Level,
    Status,
    Synthetic,
    failed,
    known,
    unknown,
)
from guard.policy.types import Type, type_of
from provenance.manifest.reading import SigningTime  # noqa: TC001 - schema() reads annotations

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping

__all__ = [
    "C2pa", "C2paState", "Capacity", "Colour", "Command", "Consent", "EarlierMark", "Environment", "Fact",
    "Facts",
    "Kind", "Level", "Log", "Marks", "Media", "Model", "Prompt", "Request", "Risk", "Status", "Subject",
    "Synthetic", "Training",
    "Watermark", "Xmp", "failed", "known", "schema", "unknown",
]  # fmt: skip

T = TypeVar("T")


def _absent() -> Fact[T]:
    return NOT_SUPPLIED  # type: ignore[return-value]  # a fact without a value fits every type


def _fact(*, optional: bool = False, text: re.Pattern[str] = TOKEN, note: str = "") -> Any:
    """Field of a group. ``optional``: the language allows ``has(…)`` on it."""
    return field(default_factory=_absent, metadata={"optional": optional, "text": text, "note": note})


class _Group:
    """Refuses values that do not fit the annotations: a wrong type is a bug, found where it arises."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for name, wanted in _types(cast("Any", type(self))):
            fact = getattr(self, name)
            if fact.status is Status.OK:
                wanted.require(fact.value)


# ruff: noqa: RUF009 - ``_fact`` is ``dataclasses.field`` with our metadata, not a shared default value


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

    id: Fact[str] = _fact(note="reference; of a folder by its weights, unknown until it is loaded")
    licence: Fact[str] = _fact(optional=True, text=SPDX, note="SPDX expression of the weights")
    data_licence: Fact[str] = _fact(optional=True, text=SPDX, note="SPDX expression of the training data")
    weights_digest: Fact[str] = _fact(optional=True, note="sha256 over the weights")


@dataclass(frozen=True, slots=True, kw_only=True)
class Media(_Group):
    """The media, read from the bytes at hand."""

    kind: Fact[Kind] = _fact(note="by content, never by file name")
    synthetic: Fact[Synthetic] = _fact(note="how much a model made, as declared by the flow")
    model_made: Fact[bool] = _fact(note="declared: a trained model made it or a part of it")
    width: Fact[int] = _fact(note="pixels")
    height: Fact[int] = _fact(note="pixels")
    mime: Fact[str] = _fact(note="media type")
    origin_checked: Fact[bool] = _fact(note="known to be no picture that was released here as generated")
    earlier_mark: Fact[EarlierMark] = _fact(note="our own mark, as read from the file that came in")
    generator_traces: Fact[bool] = _fact(note="the file that came in holds text as image generators write it")
    metadata_readable: Fact[bool] = _fact(note="XMP and text of the file that came in can be read")
    colour: Fact[Colour] = _fact(note="what became of the colours of the file that came in")
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

    required: Fact[bool] = _fact(note="an obligation of the plan asks for it, whatever the picture")
    detected: Fact[bool] = _fact(note="decoded with a passing CRC")
    psnr: Fact[float] = _fact(note="dB against the unmarked pixels, after rounding, before compression")
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
    digest_tells: Fact[bool] = _fact(note="its content digest recognises the final pixels")
    beside: Fact[bool] = _fact(note="lies in a file of its own beside the media")
    time: Fact[SigningTime] = _fact(note="how the time of signing is known")


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
class Training(_Group):
    """The pictures that a model is to be trained on."""

    licensed: Fact[bool] = _fact(note="every file has a licence, or its folder has one")
    consent: Fact[Consent] = _fact(note="declared; the weakest of all files")


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
    training: Training = field(default_factory=Training)


def schema() -> Mapping[str, Type]:
    """Dotted path of every fact, with its type. The order is the order of declaration."""
    return dict(_paths(Facts, ""))


@cache
def _types(group: type[Any]) -> tuple[tuple[str, Type], ...]:
    """The facts of one group."""
    hints = get_type_hints(group)
    return tuple((entry.name, _type(group, entry, hints[entry.name])) for entry in fields(group))


def _type(group: type, entry: Field[Any], hint: Any) -> Type:
    (answer,) = get_args(hint)
    name = f"{group.__name__.lower()}.{entry.name}"
    meta = entry.metadata
    return type_of(answer, path=name, optional=meta["optional"], text=meta["text"], note=meta["note"])


@cache
def _paths(group: type, prefix: str) -> tuple[tuple[str, Type], ...]:
    found: list[tuple[str, Type]] = []
    for name, hint in get_type_hints(group).items():
        if is_dataclass(hint) and isinstance(hint, type) and not issubclass(hint, Fact):
            found += _paths(hint, f"{prefix}{name}.")
    if issubclass(group, _Group):
        found += [
            (prefix + name, replace(wanted, path=prefix + name))
            for name, wanted in _types(cast("Any", group))
        ]
    return tuple(found)
