"""Write what was trained of motion: modules in diffusers' layout, spatial changes, words, a card."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from diffusers import MotionAdapter
from safetensors.torch import save_file

from generators.finishes import newest
from generators.motion_files import CARD, KIND, MODULES, PHRASES, SPATIAL, WORDS, examine_motion
from generators.training.motion_card import write_card

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generators.training.checkpoints import Progress
    from generators.training.motion_model import MotionDenoiser

PHRASES_SOURCE = Path(__file__).with_name("motion_words.json")
"""What users call the movements; a copy goes into the model's folder."""
_ABOUT: Mapping[str, Any] = {
    "name": "mediaguard moving emoji",
    "summary": "emoji that move, grow or turn: clips of 8 to 16 frames, 128 px enlarged to 512, CPU",
    "licence": "Apache-2.0",
    "data_licence": "MIT (Fluent emoji), Apache-2.0 (Noto emoji)",
    "size": 512,
    "frames": 8,
    "most_frames": 16,
    "fps": 8.0,
    "steps": 20,
    "guidance_scale": 2.0,
    "shared_noise": 0.0,
}


def export(
    model: MotionDenoiser,
    out: Path,
    *,
    base: str,
    base_sha256: str,
    about: Mapping[str, Any] = _ABOUT,
    reached: Progress | None = None,
) -> None:
    """Write the folder in half precision, with its cards for programs and for people, and the notice.

    Args:
        model: trained, with its averaged weights in place.
        out: folder to write.
        base: reference of the picture model.
        base_sha256: digest of its weights.
        about: further entries of the card.
        reached: how far the training got, for the card; None: nobody says.
    """
    out.mkdir(parents=True, exist_ok=True)
    write_modules(model, out)
    shutil.copyfile(PHRASES_SOURCE, out / PHRASES)
    digests = {file.path: file.sha256 for file in examine_motion(out).files}
    known = {"kind": KIND, "base": base, "base_sha256": base_sha256, "weights": digests}
    card = {**about, "finish": newest(), **known}
    (out / CARD).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    ranks = [len(value) for name, value in model.spatial().items() if "lora_A" in name]
    write_card(out, card, _parts(model), rank=max(ranks, default=0), reached=reached)
    for path in out.rglob("*"):
        if path.is_file():  # the library writes 0600
            path.chmod(stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP | stat.S_IROTH)


def _parts(model: MotionDenoiser) -> dict[str, tuple[str, int]]:
    """File or folder → what it is, and of how many numbers."""
    modules, spatial = model.modules_state(), model.spatial()
    parts = {MODULES: ("motion modules (AnimateDiff)", sum(v.numel() for v in modules.values()))}
    if spatial:
        what = "low-rank changes of the picture network's layers"
        parts[SPATIAL] = (what, sum(v.numel() for v in spatial.values()))
    if words := model.vectors():
        parts[WORDS] = ("vectors of the words of movement", sum(v.numel() for v in words.values()))
    return parts


def write_modules(model: MotionDenoiser, out: Path, *, dtype: torch.dtype = torch.float16) -> None:
    """The tensors and the configuration that names their shapes."""
    config = model.unet.config
    modules = MotionAdapter(
        block_out_channels=tuple(config.block_out_channels),
        motion_layers_per_block=config.layers_per_block,
        motion_num_attention_heads=config.motion_num_attention_heads,
        motion_norm_num_groups=config.norm_num_groups,
        motion_max_seq_length=config.motion_max_seq_length,
        use_motion_mid_block=config.use_motion_mid_block,
    )
    modules.load_state_dict(model.modules_state())
    modules.to(dtype).save_pretrained(out / MODULES, safe_serialization=True)
    if spatial := model.spatial():
        save_file({name: value.to(dtype).contiguous() for name, value in spatial.items()}, out / SPATIAL)
    if words := model.vectors():
        vectors = {word: value.to(dtype).contiguous() for word, value in words.items()}
        save_file(vectors, out / WORDS, metadata={"order": " ".join(model.words)})
