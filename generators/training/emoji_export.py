"""Write a trained emoji model as a diffusers ``StableDiffusionPipeline`` folder in half precision."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path
from typing import Any

import diffusers
import torch
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from generators.finishes import newest
from generators.training.emoji_diffusion import Denoiser, build_scheduler
from generators.training.emoji_labels import BEGIN, END, MAX_TOKENS, UNKNOWN, vocabulary
from generators.training.loop import Run
from generators.weights import examine

_WORDS = Path(__file__).with_name("emoji_words.json")
"""What users call what the model draws; a copy goes into the model's folder."""
CARD = {
    "name": "mediaguard emoji",
    "summary": "19 professions and 145 things in emoji style, 128 px enlarged to 512; small vocabulary, CPU",
    "licence": "Apache-2.0",
    "data_licence": "MIT (Fluent emoji), Apache-2.0 (Noto emoji)",
    "size": 512,
    "steps": 20,
    "guidance_scale": 2.0,
    "batch": 4,
}
"""What the loader needs to know beside the weights; MODEL_CARD.md is the text for people."""


def export(work: Path, out: Path) -> None:
    """Take the autoencoder and the latest diffusion checkpoint from ``work``; write ``out``."""
    run = Run(model := Denoiser(), matrix_rate=0.0, rate=0.0, average=0.0, seed=0)
    if not run.resume(work / "diffusion"):
        raise FileNotFoundError(work / "diffusion" / "state.safetensors")
    run.use_average()
    pipeline: Any = diffusers.StableDiffusionPipeline(
        vae=diffusers.AutoencoderKL.from_pretrained(work / "autoencoder" / "vae", use_safetensors=True),
        text_encoder=model.text_encoder,
        tokenizer=build_tokenizer(),
        unet=model.unet,
        scheduler=build_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.to(dtype=torch.float16)
    pipeline.save_pretrained(out, safe_serialization=True)
    tidy(out)
    shutil.copyfile(_WORDS, out / "words.json")
    digests = {file.path: file.sha256 for file in examine(out).files}
    (out / "card.json").write_text(
        json.dumps({**CARD, "finish": newest(), "weights": digests}, indent=2) + "\n", encoding="utf-8"
    )


def build_tokenizer(words: dict[str, int] | None = None, longest: int = MAX_TOKENS) -> Any:
    """Whole words, lower case; anything else is ``<unk>``."""
    table = vocabulary() if words is None else words
    tokenizer = Tokenizer(models.WordLevel(table, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[a-z0-9-]+"), behavior="removed", invert=True)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A {END}",
        special_tokens=[(BEGIN, table[BEGIN]), (END, table[END])],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=BEGIN,
        eos_token=END,
        pad_token=END,
        unk_token=UNKNOWN,
        model_max_length=longest,
    )


def tidy(folder: Path) -> None:
    """Readable by everyone (the library writes 0600), without local paths, for older libraries too."""
    for name in ("model_index.json", "tokenizer/tokenizer_config.json"):
        text = (folder / name).read_text(encoding="utf-8")
        # transformers 5 writes a class name of its own; this one is known to versions 4 and 5.
        (folder / name).write_text(
            text.replace("TokenizersBackend", "PreTrainedTokenizerFast"), encoding="utf-8"
        )
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP | stat.S_IROTH)
        if path.name == "config.json":
            config = json.loads(path.read_text(encoding="utf-8"))
            config.pop("_name_or_path", None)
            path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
