"""The 3D U-Net learns, resumes, samples, and its card says how far it got; clips of models are judged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from simulators.tiny_motion import build_motion

from generators.oracle.network import OracleNetwork
from generators.registry import load
from generators.training import emoji_motion, motion_evaluation, video_diffusion
from generators.training.emoji_data import Corpus
from generators.training.emoji_labels import PROFESSIONS, Label


@pytest.fixture(scope="module")
def work(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Squares, encoded by the tiny model."""
    folder = tmp_path_factory.mktemp("video-work")
    rgba = torch.zeros(8, 4, 32, 32, dtype=torch.uint8)
    rgba[:, 0, 8:24, 10:22] = 255
    rgba[:, 2, 8:14, 10:16] = 255
    rgba[:, 3, 8:24, 10:22] = 255
    labels = [Label(subject=name, style="flat", presentation="man", tone="light") for name in PROFESSIONS[:8]]
    corpus = Corpus(rgba, tuple(labels))
    corpus.save(folder)
    base = emoji_motion.read_base(f"dir:{tiny_folder}").pipeline
    emoji_motion.prepare(corpus, base, folder, clips=24, seed=0)
    return folder


def test_one_command_trains_continues_samples_and_writes_a_card(
    work, tiny_folder, tmp_path, monkeypatch
) -> None:
    small = video_diffusion.VideoDenoiser
    monkeypatch.setattr(video_diffusion, "VideoDenoiser", lambda base: small(base, widths=(8, 16)))
    common = ["--work", str(work), "--base", f"dir:{tiny_folder}", "--out", str(tmp_path)]
    video_diffusion.main([*common, "--steps", "1", "--clips", "0"])
    video_diffusion.main([*common, "--steps", "2", "--clips", "1"])
    figures = json.loads((tmp_path / "progress.json").read_text())
    assert figures["steps"] == 2
    assert figures["clips"] == sum(figures["read_as"].values()) == 1
    card = (tmp_path / "MODEL_CARD.md").read_text()
    assert "2, in" in card
    assert "not shipped" in card
    assert (tmp_path / "unet" / "diffusion_pytorch_model.safetensors").exists()


def test_references_and_models_are_measured(work: Path, tiny_folder: Path, tmp_path: Path) -> None:
    corpus = Corpus.load(work)

    class Exact(torch.nn.Module):
        class config:
            scaling_factor = 1.0

        dtype = torch.float32

        def encode(self, frames):
            return type("Encoded", (), {"latent_dist": type("Latents", (), {"mean": frames})})

        def decode(self, latents):
            return type("Decoded", (), {"sample": latents})

    found = motion_evaluation.on_references(corpus, Exact(), each=1, seed=0)
    assert (found["n"], found["right"]) == (9, 9)
    save_file(OracleNetwork(widths=(24, 48, 96, 160, 192)).state_dict(), tmp_path / "oracle.safetensors")
    folder = build_motion(tmp_path / "video", tiny_folder)
    out = tmp_path / "figures.json"
    asked = [
        "--work",
        str(work),
        "--model",
        f"dir:{folder}",
        "--oracle",
        str(tmp_path / "oracle.safetensors"),
    ]
    motion_evaluation.main(["model", *asked, "--count", "2", "--out", str(out)])
    figures = json.loads(out.read_text())
    assert figures["n"] == 2
    assert sum(map(sum, figures["counts"])) == 2
    assert figures["movements_right"] == sum(figures["counts"][i][i] for i in range(9))
    assert figures["weights"] == json.loads((folder / "card.json").read_text())["weights"]
    assert load(f"dir:{folder}").info.kind == "video"
