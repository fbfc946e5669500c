"""Words that a model learned: laid over a text encoder and its tokenizer, and taken off bit for bit.

Textual inversion (Gal et al. 2022) learns vectors for a new word and changes nothing else. The model's own
table of vectors is not resized or copied: a module in front of it answers for the new words only.
"""

from __future__ import annotations

import copy
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch.utils.hooks import RemovableHandle

    from generators.vocabulary import Mapped, Vocabulary


class WithWords(torch.nn.Module):  # type: ignore[misc]  # torch is untyped to mypy here
    """Answers for the ids ``first``, ``first`` + 1, … with ``vectors``, for all others with ``table``."""

    def __init__(self, table: Any, first: int, vectors: torch.Tensor) -> None:
        super().__init__()
        self.table, self.first, self.vectors = table, first, vectors

    @property
    def weight(self) -> Any:
        """The model's own vectors; transformers asks for their type."""
        return self.table.weight

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Vectors of ``ids``, shape (…, width)."""
        own = self.table(ids.clamp(max=self.table.weight.shape[0] - 1))
        learned = self.vectors[(ids - self.first).clamp(min=0, max=len(self.vectors) - 1)]
        return torch.where((ids >= self.first)[..., None], learned.to(own.dtype), own)


def leaned(encoder: Any, first: int, offsets: torch.Tensor) -> RemovableHandle:
    """Let the ids ``first``, ``first`` + 1, … move all that ``encoder`` says of a text.

    To each vector that comes out, the offsets of such words in the text are added. In attention over them the
    weights stay what they were, as all keys shift alike, and what is attended to shifts by the offset.

    Why not vectors that go in: an encoder that is not trained along may hardly tell new words apart. The
    bundled one maps vectors at a distance of 0.28 to states at 0.002, and words that it knows to states at 3.

    Args:
        encoder: of transformers; gives (N, length, width).
        first: smallest of the new ids.
        offsets: (words, width), by reference.

    Returns:
        What takes the words off again.
    """

    def said(_module: Any, inputs: tuple[Any, ...], named: dict[str, Any], output: Any) -> Any:
        return _with_states(output, output[0] + _sums(inputs, named, first, offsets)[:, None].to(output[0]))

    handle: RemovableHandle = encoder.register_forward_hook(said, with_kwargs=True)
    return handle


def drifting(encoder: Any, unet: Any, first: int, drifts: torch.Tensor) -> tuple[RemovableHandle, ...]:
    """Let the ids ``first``, ``first`` + 1, … mean something else in every frame of a clip.

    What the text says is shifted by the sum of their drifts times the frame's phase, -1 in the first frame
    and 1 in the last. The sum travels from the encoder to the network behind each state: these are twice as
    wide on their way, and as many as before, because pipelines read off them how long a text may be.

    Why: a direction is the product of a word and a time. Motion modules see times and spatial layers see
    words; in 500 steps of training neither learnt of the other.

    Args:
        encoder: of transformers; gives (N, length, width).
        unet: a ``UNetMotionModel``; takes (N · frames, length, width).
        first: smallest of the new ids.
        drifts: (words, width), by reference.

    Returns:
        What takes the words off again.
    """

    def said(_module: Any, inputs: tuple[Any, ...], named: dict[str, Any], output: Any) -> Any:
        drift = _sums(inputs, named, first, drifts)[:, None].to(output[0]).expand_as(output[0])
        return _with_states(output, torch.cat([output[0], drift], dim=-1))

    def heard(_module: Any, inputs: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        sample = named["sample"] if "sample" in named else inputs[0]
        given = named["encoder_hidden_states"] if "encoder_hidden_states" in named else inputs[2]
        frames = sample.shape[2]
        phase = torch.linspace(-1, 1, frames).to(given).repeat(len(given) // frames)
        states, drift = given.chunk(2, dim=-1)
        context = states + phase[:, None, None] * drift
        if "encoder_hidden_states" in named:
            return inputs, {**named, "encoder_hidden_states": context}
        return (*inputs[:2], context, *inputs[3:]), named

    return (
        encoder.register_forward_hook(said, with_kwargs=True),
        unet.register_forward_pre_hook(heard, with_kwargs=True),
    )


def _sums(inputs: tuple[Any, ...], named: dict[str, Any], first: int, vectors: torch.Tensor) -> torch.Tensor:
    """(N, width): of the vectors of the new words in each text that an encoder is called with."""
    ids = named["input_ids"] if "input_ids" in named else inputs[0]
    news = torch.arange(first, first + len(vectors), device=ids.device)
    found = (ids[:, :, None] == news).any(dim=1)
    return found.to(vectors) @ vectors


def _with_states(output: Any, states: torch.Tensor) -> Any:
    """What an encoder gave, with other states."""
    if isinstance(output, tuple):
        return (states, *output[1:])
    output.last_hidden_state = states
    return output


@contextmanager
def words_laid_over(pipeline: Any, words: Mapping[str, torch.Tensor]) -> Iterator[None]:
    """``words``, each with vectors (n, width), known to tokenizer and text encoder while this lasts."""
    if not words:
        yield
        return
    tokenizer, table = pipeline.tokenizer, pipeline.text_encoder.get_input_embeddings()
    changed = copy.deepcopy(tokenizer)
    first = max(len(changed), table.weight.shape[0])
    # Ids up to the end of the model's table belong to the model, used or not; no learned word is called so.
    changed.add_tokens([f"[unused {i}]" for i in range(first - len(changed))])
    changed.add_tokens([part for word, vectors in words.items() for part in parts(word, len(vectors))])
    vectors = torch.cat(list(words.values())).to(table.weight.device)
    pipeline.tokenizer = changed
    pipeline.text_encoder.set_input_embeddings(WithWords(table, first, vectors))
    try:
        yield
    finally:
        pipeline.tokenizer = tokenizer
        pipeline.text_encoder.set_input_embeddings(table)


def parts(word: str, count: int) -> tuple[str, ...]:
    """A word of several vectors is written as several tokens: ``<pet>``, ``<pet>_1`` and so on."""
    return (word, *(f"{word}_{i}" for i in range(1, count)))


@dataclass(frozen=True, slots=True, kw_only=True)
class TaughtVocabulary:
    """A small model's vocabulary, and the words it was taught besides.

    Attributes:
        own: maps everything else.
        taught: word → what is written for it.
    """

    own: Vocabulary
    taught: Mapping[str, str]

    def map(self, prompt: str) -> Mapped:
        """As ``Vocabulary.map``; taught words stand behind the model's own, in their order."""
        kept = [word for word in prompt.split() if word.strip(",.;:!?") in self.taught]
        rest = " ".join(word for word in prompt.split() if word not in kept)
        mapped = self.own.map(rest)
        if not kept:
            return mapped
        said = [self.taught[word.strip(",.;:!?")] for word in dict.fromkeys(kept)]
        warnings = tuple(w for w in mapped.warnings if w.code != "prompt.no-subject")
        text = " ".join([mapped.prompt or "a picture of a", *said])
        return replace(mapped, prompt=text, warnings=warnings)


def taught(own: Vocabulary | None, words: Mapping[str, torch.Tensor]) -> Any:
    """The vocabulary while ``words`` are laid over; None stays None."""
    if own is None or not words:
        return own
    said = {word: " ".join(parts(word, len(vectors))) for word, vectors in words.items()}
    return TaughtVocabulary(own=own, taught=said)
