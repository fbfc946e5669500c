"""A tiny motion model, built from configuration with random weights."""

from __future__ import annotations

from pathlib import Path


def build_motion(folder: Path, tiny_folder: Path) -> Path:
    """Motion modules for the tiny model, with random weights and words as training would leave them."""
    import torch

    from generators.movements import MOVEMENTS
    from generators.registry import load
    from generators.training.motion_export import export
    from generators.training.motion_model import MotionDenoiser

    torch.manual_seed(5)
    base = load(f"dir:{tiny_folder}", threads=1)
    model = MotionDenoiser(base.pipeline, MOVEMENTS, rank=2)
    for name, parameter in model.named_parameters():
        if "proj_out" in name or "lora_B" in name or "offsets" in name or "drifts" in name:
            torch.nn.init.normal_(parameter, std=0.2)
    about = {"size": 64, "frames": 8, "steps": 2, "guidance_scale": 1.5, "licence": "Apache-2.0"}
    export(model, folder, base=f"dir:{tiny_folder}", base_sha256=base.info.weights_sha256, about=about)
    return folder
