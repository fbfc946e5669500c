"""What each method changes of a Stable-Diffusion-like pipeline: low-rank additions, a word, or both."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict

from generators.learned_words_adapter import words_laid_over
from generators.training.draws import beginning
from generators.training.orders import METHODS
from provenance.canonical import digest
from provenance.errors import InputError

if TYPE_CHECKING:
    from contextlib import ExitStack

    from generators.training.orders import TrainingOrder
    from provenance.canonical import Json

_ATTENTION = ["to_q", "to_k", "to_v", "to_out.0"]
_READING = ["attn2.to_k", "attn2.to_v"]
"""Keys and values of cross-attention: what Custom Diffusion (Kumari et al. 2023) changes."""
_NAME = "trained"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tunable:
    """The trainable parts of a pipeline.

    Attributes:
        pipeline: with the parts laid over it.
        parameters: in an order that does not change.
        word: the new word's vector, (1, width), or None.
    """

    pipeline: Any
    parameters: tuple[torch.nn.Parameter, ...]
    word: torch.nn.Parameter | None

    def tensors(self, order: TrainingOrder) -> dict[str, torch.Tensor]:
        """What is trained, named as diffusers names it."""
        found: dict[str, torch.Tensor] = {}
        if order.method != "textual-inversion":
            state = get_peft_model_state_dict(self.pipeline.unet, adapter_name=_NAME)
            found = {f"unet.{name}": value for name, value in state.items()}
        if self.word is not None:
            found[str(order.token)] = self.word
        return {name: value.detach().cpu().contiguous().clone() for name, value in found.items()}


def prepare(pipeline: Any, order: TrainingOrder, undo: ExitStack) -> Tunable:
    """Freeze the pipeline and lay the method's trainable parts over it; ``undo`` takes them off again."""
    for part in (pipeline.unet, pipeline.text_encoder, pipeline.vae):
        part.requires_grad_(requires_grad=False)
        part.eval()
    with beginning(order.seed):
        word = _word(pipeline, order) if METHODS[order.method].word else None
        low_rank = _low_rank(pipeline.unet, order, undo) if order.method != "textual-inversion" else []
    if word is not None:
        undo.enter_context(words_laid_over(pipeline, {str(order.token): word}))
        # Laid over by reference, so that what the optimiser changes is what the encoder reads.
        pipeline.text_encoder.get_input_embeddings().vectors = word
    found = [*low_rank, *([] if word is None else [word])]
    return Tunable(pipeline=pipeline, parameters=tuple(found), word=word)


def _low_rank(unet: Any, order: TrainingOrder, undo: ExitStack) -> list[torch.nn.Parameter]:
    targets = _READING if order.method == "custom-diffusion" else _ATTENTION
    config = LoraConfig(
        r=order.rank, lora_alpha=order.rank, init_lora_weights="gaussian", target_modules=targets
    )
    unet.add_adapter(config, adapter_name=_NAME)
    undo.callback(unet.delete_adapters, _NAME)
    found = [p for p in unet.parameters() if p.requires_grad]
    for parameter in found:
        parameter.data = parameter.data.float()
    return found


def _word(pipeline: Any, order: TrainingOrder) -> torch.nn.Parameter:
    """Begins as a known word, or as the mean of all, as wide as they are."""
    table = pipeline.text_encoder.get_input_embeddings().weight
    if order.token in pipeline.tokenizer.get_vocab():
        raise InputError("train.bad-order", "the model has this word already", where=str(order.token))
    if order.start_from is None:
        return torch.nn.Parameter(table.detach().float().mean(0, keepdim=True).clone())
    ids = pipeline.tokenizer(order.start_from, add_special_tokens=False).input_ids
    if len(ids) != 1 or ids[0] == pipeline.tokenizer.unk_token_id:
        raise InputError("train.bad-order", "--start-from takes one word that the model knows")
    return torch.nn.Parameter(table[ids].detach().float().clone())


def weights_digest(tensors: dict[str, torch.Tensor]) -> str:
    """One digest over names, types, shapes and bytes."""
    listed: list[Json] = []
    for name, value in sorted(tensors.items()):
        data = value.contiguous().view(torch.uint8).numpy().tobytes()
        shape: list[Json] = list(value.shape)
        listed.append([name, str(value.dtype), shape, hashlib.sha256(data).hexdigest()])
    return digest(listed)
