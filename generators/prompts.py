"""What reaches the model of a prompt, and what is lost before: unknown words, and the end of long prompts.

Pipelines cut long prompts with a log line at most; then the prompt on record is not the prompt that was
used. Here both losses become warnings on every picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from generators.families import FAMILIES
from generators.family import TextEncoder
from generators.interface import GenerationWarning
from generators.parts_adapter import call_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from generators.vocabulary import Vocabulary
    from provenance.canonical import Json

_WANTS = ("prompt.no-subject", "prompt.no-movement")
"""Warnings about what a prompt leaves open; a negative one may."""
_SANE_LENGTH = 100_000
"""Tokenizers without a limit report one of about 10**30."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedPrompt:
    """The text for the model, and what was lost."""

    text: str
    warnings: tuple[GenerationWarning, ...] = ()


def prepare(
    prompt: str,
    pipeline: Any,
    vocabulary: Vocabulary | None,
    *,
    subject: bool = True,
    options: Mapping[str, Json] = MappingProxyType({}),
) -> PreparedPrompt:
    """Map ``prompt`` to the model's words if it has few, and see what its tokenizers would drop.

    Args:
        prompt: as asked for.
        pipeline: with its tokenizers.
        vocabulary: of a model of few words.
        subject: whether it ought to name something to draw; a negative prompt need not.
        options: of the request; some change how much is read.
    """
    if not prompt:
        return PreparedPrompt(text="")
    if vocabulary is not None:
        mapped = vocabulary.map(prompt)
        kept = tuple(w for w in mapped.warnings if subject or w.code not in _WANTS)
        return PreparedPrompt(text=mapped.prompt, warnings=kept)
    readers = _readers(pipeline, options)
    if not readers:
        return PreparedPrompt(text=prompt)
    return _read(prompt, readers)


def _read(prompt: str, readers: Sequence[_Reader]) -> PreparedPrompt:
    """Readers differ in how far they read: the text goes to all of them as far as one does."""
    texts = [_truncated(prompt, reader) for reader in readers]
    warnings = [
        _cut(dropped, reader.name if len(readers) > 1 else "")
        for (_, dropped), reader in zip(texts, readers, strict=True)
        if dropped
    ]
    text = max((text for text, _ in texts), key=len)
    if unknown := _unknown(text, readers):
        listed = ", ".join(unknown)
        warnings.append(
            GenerationWarning(
                code="prompt.unknown-words", message=f"words this model does not know: {listed}"
            )
        )
    return PreparedPrompt(text=text, warnings=tuple(warnings))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """A tokenizer, how many tokens of it are read, and what stands around the prompt."""

    name: str
    tokenizer: Any
    limit: int
    template: str = "{}"

    def length(self, text: str) -> int:
        return len(self.tokenizer(self.template.replace("{}", text), truncation=False).input_ids)


def _readers(pipeline: Any, options: Mapping[str, Json]) -> tuple[_Reader, ...]:
    family = FAMILIES.get(type(pipeline).__name__)
    encoders = family.encoders if family else _ANY
    found = [_reader(pipeline, encoder, options) for encoder in encoders]
    return tuple(reader for reader in found if reader is not None)


_ANY = tuple(TextEncoder(tokenizer=f"tokenizer{number}") for number in ("", "_2", "_3"))


def _reader(pipeline: Any, encoder: TextEncoder, options: Mapping[str, Json]) -> _Reader | None:
    tokenizer = getattr(pipeline, encoder.tokenizer, None)
    if tokenizer is None:
        return None
    limit = encoder.limit or tokenizer.model_max_length
    asked = options.get(encoder.argument or "")
    if isinstance(asked, int):
        limit = asked
    if encoder.template is None:
        return _Reader(name=encoder.tokenizer, tokenizer=tokenizer, limit=limit)
    wrapped = call_of(pipeline)[encoder.template].default
    return _Reader(
        name=encoder.tokenizer,
        tokenizer=tokenizer,
        limit=limit + int(wrapped.get("crop_start", 0)),
        template=wrapped["template"],
    )


def _cut(dropped: int, name: str) -> GenerationWarning:
    who, where = (f"the model's {name}", " there") if name else ("this model", "")
    return GenerationWarning(
        code="prompt.truncated",
        message=f"the prompt is too long for {who}: its last {dropped} tokens were not used{where}",
    )


def _truncated(prompt: str, reader: _Reader) -> tuple[str, int]:
    """The longest start of whole words that fits, and how many tokens did not."""
    length = reader.length(prompt)
    if reader.limit > _SANE_LENGTH or length <= reader.limit:
        return prompt, 0
    words = prompt.split()
    low, high = 0, len(words)
    while low < high:
        middle = (low + high + 1) // 2
        fits = reader.length(" ".join(words[:middle])) <= reader.limit
        low, high = (middle, high) if fits else (low, middle - 1)
    kept = " ".join(words[:low])
    return kept, length - reader.length(kept)


def _unknown(text: str, readers: Sequence[_Reader]) -> tuple[str, ...]:
    """Words that none of the readers has."""
    words = tuple(dict.fromkeys(text.split()))
    return tuple(word for word in words if all(_stranger(word, reader.tokenizer) for reader in readers))


def _stranger(word: str, tokenizer: Any) -> bool:
    mark = getattr(tokenizer, "unk_token_id", None)
    return mark is not None and mark in tokenizer(word, add_special_tokens=False).input_ids
