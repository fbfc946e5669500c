"""Motion modules laid into a picture model: AnimateDiff's layout, with words for movements.

Guo et al. 2023: temporal attention after every block of a frozen picture network. Beside it stand, as in
that paper, low-rank changes of the spatial layers (its domain adapter), because a picture model draws every
figure upright in the middle; and vectors of the words that say how something moves. The picture model's own
words keep their ids: new ones stand behind them.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import diffusers
import torch
from diffusers import MotionAdapter, UNetMotionModel
from peft import LoraConfig
from peft.utils import set_peft_model_state_dict

from generators.learned_words_adapter import drifting, leaned
from generators.motion_files import MODULES, SPATIAL, WEIGHTS, WORDS
from generators.tensor_files import metadata_of, read_header
from generators.tensors_adapter import read_tensors
from provenance.errors import InputError, reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

MOST_FRAMES = 16
_SPATIAL = "spatial"
_SPATIAL_LAYERS = r"^(?!.*motion_modules).*\.(conv|conv1|conv2|conv_shortcut|to_q|to_k|to_v|to_out\.0)$"
"""Every convolution and attention of the picture network, none of the motion modules."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Motion:
    """What makes a picture model move.

    Attributes:
        modules: the motion modules.
        spatial: low-rank changes of the spatial layers by name, or nothing.
        words: word → (3, width): the vector that goes into the text encoder, what is added to all that comes
            out (``leaned``), and what is added from frame to frame (``drifting``); in the order of their ids.
    """

    modules: Any
    spatial: Mapping[str, torch.Tensor]
    words: Mapping[str, torch.Tensor]


def new_modules(unet: Any, *, frames: int = MOST_FRAMES) -> Any:
    """Untrained motion modules that fit a picture network: their outputs are zero, so nothing moves yet."""
    config = unet.config
    modules = MotionAdapter(
        block_out_channels=tuple(config.block_out_channels),
        motion_layers_per_block=config.layers_per_block,
        motion_num_attention_heads=_heads(config),
        motion_norm_num_groups=config.norm_num_groups,
        motion_max_seq_length=frames,
        use_motion_mid_block=True,
    )
    for name, parameter in modules.named_parameters():
        if ".proj_out." in name:
            torch.nn.init.zeros_(parameter)
    return modules


def _heads(config: Any) -> int:
    """As many as the picture network has, whose widths they divide."""
    heads = config.num_attention_heads or config.attention_head_dim
    return int(heads if isinstance(heads, int) else heads[0])


def moving_unet(unet: Any, modules: Any, *, rank: int) -> Any:
    """The picture network with motion modules and, low-rank changes of nothing yet."""
    moving = UNetMotionModel.from_unet2d(unet, modules)
    if rank:
        config = LoraConfig(
            r=rank, lora_alpha=rank, init_lora_weights="gaussian", target_modules=_SPATIAL_LAYERS
        )
        moving.add_adapter(config, adapter_name=_SPATIAL)
    return moving


def animated(pipeline: Any, motion: Motion) -> Any:
    """An ``AnimateDiffPipeline`` of a picture model's parts and ``motion``; the picture model stays as it is.

    Raises:
        InputError: ``motion.does-not-fit``: made for a model of another shape.
    """
    try:
        moving = moving_unet(pipeline.unet, motion.modules, rank=_rank(motion.spatial))
        if motion.spatial:
            _fill_spatial(moving, motion.spatial)
            moving.fuse_lora()
            moving.unload_lora()
        tokenizer, encoder = extended(pipeline.tokenizer, pipeline.text_encoder, moving, motion.words)
    except (RuntimeError, ValueError, KeyError, AttributeError, TypeError) as error:
        what = f"the motion modules do not fit this picture model: {reason(error)}"
        raise InputError("motion.does-not-fit", what) from error
    made = diffusers.AnimateDiffPipeline(
        vae=pipeline.vae,
        text_encoder=encoder,
        tokenizer=tokenizer,
        unet=moving.eval(),
        motion_adapter=motion.modules,
        scheduler=copy.deepcopy(pipeline.scheduler),
    )
    made.set_progress_bar_config(disable=True)
    return made


def _fill_spatial(moving: Any, spatial: Mapping[str, torch.Tensor]) -> None:
    """The library leaves out in silence what there is no layer for."""
    told = set_peft_model_state_dict(moving, dict(spatial), adapter_name=_SPATIAL)
    if told.unexpected_keys:
        raise ValueError(f"it has no layer for {min(told.unexpected_keys)}")


def _rank(spatial: Mapping[str, torch.Tensor]) -> int:
    return next((len(value) for name, value in spatial.items() if "lora_A" in name), 0)


def extended(tokenizer: Any, encoder: Any, moving: Any, words: Mapping[str, torch.Tensor]) -> tuple[Any, Any]:
    """Copies of both that know ``words``, as ``moving`` does then; other ids mean what they meant."""
    if not words:
        return tokenizer, encoder
    first = encoder.get_input_embeddings().weight.shape[0]
    changed = with_words(tokenizer, tuple(words), first)
    wider = copy.deepcopy(encoder)
    table = wider.get_input_embeddings().weight
    rows, offsets, drifts = torch.stack(list(words.values()), dim=1).to(table.device, table.dtype)
    larger = torch.nn.Embedding(first + len(rows), table.shape[1], device=table.device, dtype=table.dtype)
    larger.weight.data = torch.cat([table.data, rows])
    wider.set_input_embeddings(larger)
    wider.config.vocab_size = len(larger.weight)
    leaned(wider, first, offsets)
    drifting(wider, moving, first, drifts)
    return changed, wider


def with_words(tokenizer: Any, words: Sequence[str], first: int) -> Any:
    """A copy of ``tokenizer`` with ``words`` as the ids ``first``, ``first`` + 1, ….

    Raises:
        ValueError: it has one of the words already, or more words than the encoder has vectors.
    """
    changed = copy.deepcopy(tokenizer)
    if known := set(words) & set(changed.get_vocab()):
        raise ValueError(f"it knows the word {min(known)} already")
    changed.add_tokens([f"<unused {i}>" for i in range(first - len(changed))])
    changed.add_tokens(list(words))
    if changed.convert_tokens_to_ids(words[0]) != first:
        raise ValueError("its tokenizer has more words than its text encoder has vectors")
    return changed


def read_motion(folder: Path) -> Motion:
    """The motion model of a folder, in single precision.

    Raises:
        InputError: ``weights.not-safetensors``, ``weights.missing-component``.
    """
    modules = _modules(_config(folder / MODULES / "config.json"), folder / MODULES)
    try:
        # Built of nothing, so that a configuration costs what the weights beside it cost, and no more.
        modules.load_state_dict(_tensors(folder / WEIGHTS), assign=True)
    except RuntimeError as error:
        raise _unusable(folder / MODULES, "its weights are of other shapes than its configuration") from error
    spatial = _tensors(folder / SPATIAL) if (folder / SPATIAL).is_file() else {}
    words = _tensors(folder / WORDS) if (folder / WORDS).is_file() else {}
    order = _order(folder / WORDS, words) if words else ()
    return Motion(modules=modules.eval(), spatial=spatial, words={word: words[word] for word in order})


def _modules(config: dict[str, Any], folder: Path) -> Any:
    try:
        with torch.device("meta"):
            return MotionAdapter.from_config(config)
    except (RuntimeError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError) as error:
        raise _unusable(folder, "no motion modules can be made of its configuration") from error


def _config(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise _unusable(path, "the configuration of the motion modules cannot be read") from error


def _tensors(path: Path) -> dict[str, torch.Tensor]:
    return read_tensors(path, refusal=_unusable(path, "there are no such weights, or they are damaged"))


def _order(path: Path, words: Mapping[str, torch.Tensor]) -> tuple[str, ...]:
    """The words in the order of their ids, which the file's metadata says."""
    said = metadata_of(read_header(path)).get("order", " ".join(sorted(words)))
    order = tuple(str(said).split())
    if sorted(order) != sorted(words):
        raise _unusable(path, "the list of its words is not that of its vectors")
    return order


def _unusable(path: Path, what: str) -> InputError:
    return InputError("weights.missing-component", what, where=f"{path.parent.name}/{path.name}")
