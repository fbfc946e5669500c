"""What reaches the model of a prompt, and what is lost before: unknown words, and the end of long prompts.

Pipelines cut long prompts with a log line at most; then the prompt on record is not the prompt that was
used. Here both losses become warnings on every picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from generators.interface import GenerationWarning

if TYPE_CHECKING:
    from generators.vocabulary import Vocabulary

_SANE_LENGTH = 100_000
"""Tokenizers without a limit report one of about 10**30."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedPrompt:
    """The text for the model, and what was lost."""

    text: str
    warnings: tuple[GenerationWarning, ...] = ()


def prepare(
    prompt: str, pipeline: Any, vocabulary: Vocabulary | None, *, subject: bool = True
) -> PreparedPrompt:
    """Map ``prompt`` to the model's words if it has few, and see what its tokenizer would drop.

    ``subject``: whether it ought to name something to draw; a negative prompt need not.
    """
    if not prompt:
        return PreparedPrompt(text="")
    if vocabulary is not None:
        mapped = vocabulary.map(prompt)
        kept = tuple(w for w in mapped.warnings if subject or w.code != "prompt.no-subject")
        return PreparedPrompt(text=mapped.prompt, warnings=kept)
    tokenizer = getattr(pipeline, "tokenizer", None)
    if tokenizer is None:
        return PreparedPrompt(text=prompt)
    text, dropped = _truncated(prompt, tokenizer)
    warnings = []
    if dropped:
        warnings.append(
            GenerationWarning(
                code="prompt.truncated",
                message=f"the prompt is too long for this model: its last {dropped} tokens were not used",
            )
        )
    if unknown := _unknown(text, tokenizer):
        listed = ", ".join(unknown)
        warnings.append(
            GenerationWarning(
                code="prompt.unknown-words", message=f"words this model does not know: {listed}"
            )
        )
    return PreparedPrompt(text=text, warnings=tuple(warnings))


def _truncated(prompt: str, tokenizer: Any) -> tuple[str, int]:
    """The longest start of whole words that fits, and how many tokens did not."""
    limit = tokenizer.model_max_length
    ids = tokenizer(prompt, truncation=False).input_ids
    if limit > _SANE_LENGTH or len(ids) <= limit:
        return prompt, 0
    words = prompt.split()
    low, high = 0, len(words)
    while low < high:
        middle = (low + high + 1) // 2
        fits = len(tokenizer(" ".join(words[:middle]), truncation=False).input_ids) <= limit
        low, high = (middle, high) if fits else (low, middle - 1)
    kept = " ".join(words[:low])
    return kept, len(ids) - len(tokenizer(kept, truncation=False).input_ids)


def _unknown(text: str, tokenizer: Any) -> tuple[str, ...]:
    mark = getattr(tokenizer, "unk_token_id", None)
    if mark is None:
        return ()
    words = dict.fromkeys(text.split())
    return tuple(w for w in words if mark in tokenizer(w, add_special_tokens=False).input_ids)
