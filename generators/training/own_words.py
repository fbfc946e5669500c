"""The words of captions, and the tokenizer of a model of one's own: it reads prompts by the same rule.

Words are those of ``generators.words_adapter`` in lower case. Characters that Unicode holds for the
same (NFKC) are the same here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer, models, normalizers, processors
from transformers import PreTrainedTokenizerFast

from generators.training.emoji_labels import BEGIN, END, UNKNOWN
from generators.words_adapter import SPLIT, split
from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST = 30
"""Words of a caption that count."""
_NORMALISED = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])


def words_of(text: str) -> list[str]:
    """In order, as they are looked up."""
    return split(_NORMALISED.normalize_str(text))


def vocabulary(captions: Sequence[str]) -> dict[str, int]:
    """Word → id, of every word that occurs.

    Raises:
        InputError: ``train.no-caption``: one has no word, and would be learned as if nothing had been said.
    """
    said = [words_of(caption) for caption in captions]
    if not all(said):
        what = "a caption has neither letters nor digits"
        raise InputError("train.no-caption", what, hint="--prompt TEXT, or a caption in data.json")
    found = sorted({word for words in said for word in words})
    return {word: i for i, word in enumerate([BEGIN, END, UNKNOWN, *found])}


def ids_of(caption: str, table: dict[str, int]) -> list[int]:
    """``LONGEST`` + 2 ids, as the tokenizer gives them."""
    said = [table[word] for word in words_of(caption)[:LONGEST]]
    ids = [table[BEGIN], *said, table[END]]
    return ids + [table[END]] * (LONGEST + 2 - len(ids))


def build_tokenizer(table: dict[str, int]) -> Any:
    """Whole words of ``table``; any other is ``<unk>``."""
    tokenizer = Tokenizer(models.WordLevel(table, unk_token=UNKNOWN))
    tokenizer.normalizer = _NORMALISED
    tokenizer.pre_tokenizer = SPLIT
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A {END}", special_tokens=[(word, table[word]) for word in (BEGIN, END)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=BEGIN,
        eos_token=END,
        pad_token=END,
        unk_token=UNKNOWN,
        model_max_length=LONGEST + 2,
    )
