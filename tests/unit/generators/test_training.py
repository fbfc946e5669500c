"""Training in small: it learns, resumes exactly, holds out what it says, exports what the loader takes."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from generators.training import emoji_autoencoder, emoji_data, emoji_diffusion, emoji_export
from generators.training.emoji_data import Corpus
from generators.training.emoji_labels import (
    GROUNDS,
    MAX_TOKENS,
    OBJECTS,
    PRESENTATIONS,
    PROFESSIONS,
    STYLES,
    TONES,
    Kept,
    Label,
    caption,
    draw_kept,
    encode,
    vocabulary,
)
from generators.training.loop import Budget, Run
from generators.training.muon import orthogonalised
from generators.weights import examine
from provenance.errors import InputError


def all_labels() -> list[Label]:
    people = [
        Label(subject=p, presentation=g, tone=t, style=s)
        for p in PROFESSIONS
        for g in PRESENTATIONS
        for t in TONES
        for s in STYLES
    ]
    return people + [Label(subject=thing, style=s) for thing in OBJECTS for s in STYLES]


def synthetic_corpus(count: int = 24) -> Corpus:
    """Coloured discs on transparent ground."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:128, :128]
    inside = (x - 64) ** 2 + (y - 64) ** 2 < 40**2
    rgba = np.zeros((count, 4, 128, 128), np.uint8)
    rgba[:, :3] = rng.integers(0, 255, (count, 3, 1, 1))
    rgba[:, 3] = inside * 255
    labels = [label for label in all_labels() if label.held_out][:4]
    labels += [label for label in all_labels() if not label.held_out][: count - 4]
    return Corpus(torch.from_numpy(rgba), tuple(labels))


def test_held_out_cells_are_held_out_in_every_style() -> None:
    people = [x for x in all_labels() if x.is_person]
    cells = {(x.subject, x.presentation, x.tone) for x in people if x.held_out}
    assert len(cells) == 38  # of 342
    assert sum(x.held_out for x in people) == 3 * len(cells)
    seen = {(x.subject, x.tone) for x in people if not x.held_out}
    assert {(p, t) for p, _, t in cells} <= seen, "each pair of a held-out triple is trained"


def test_a_thing_is_never_held_out_in_every_style() -> None:
    things = [x for x in all_labels() if not x.is_person]
    out = [x for x in things if x.held_out]
    assert 20 <= len(out) <= 60
    assert {x.subject for x in out} <= {x.subject for x in things if not x.held_out}


def test_captions_fit_and_noto_always_says_so() -> None:
    table = vocabulary()
    longest = [caption(x, ground=ground) for x in all_labels() for ground in GROUNDS]
    assert max(map(len, longest)) + 2 == 15 < MAX_TOKENS
    assert all(len(encode(words, table)) == MAX_TOKENS for words in longest)
    bare = Kept(presentation=False, tone=False, style=False)
    label = Label(subject="judge", presentation="man", tone="dark", style="noto")
    assert caption(label, bare) == ("a", "portrait", "of", "a", "judge", "noto", "style")


def test_attributes_are_dropped_as_often_as_said() -> None:
    rng = random.Random(0)
    kept = [draw_kept(rng, 0.3) for _ in range(4000)]
    assert abs(sum(k.tone for k in kept) / 4000 - 0.7) < 0.03


def test_grounds_are_coloured_and_textured_and_the_figure_stays() -> None:
    corpus = synthetic_corpus()
    pictures = emoji_data.compose(corpus.rgba[:4], torch.Generator().manual_seed(0), jitter=0)
    assert pictures.shape == (4, 3, 128, 128)
    assert pictures.min() >= -1.001
    assert pictures.max() <= 1.001
    figure = corpus.rgba[:4, :3, 64, 64].float() / 127.5 - 1
    assert torch.allclose(pictures[:, :, 64, 64], figure, atol=0.02)
    assert pictures[:, :, :20, :20].std(dim=(2, 3)).min() > 0


def test_muon_makes_updates_nearly_orthogonal() -> None:
    values = torch.linalg.svdvals(
        orthogonalised(torch.randn(24, 40, generator=torch.Generator().manual_seed(0)))
    )
    assert 0.5 < values.min() <= values.max() < 1.5


def test_a_resumed_run_continues_exactly(tmp_path: Path) -> None:
    def steps(run: Run, count: int) -> None:
        for _ in range(count):
            batch = torch.randn(4, 8, generator=run.rng)
            run.advance((run.model(batch) - batch).pow(2).mean(), 0.0)

    def fresh() -> Run:
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.Linear(16, 8))
        return Run(model, matrix_rate=0.01, rate=1e-3, average=0.9, seed=3)

    whole, first, second = fresh(), fresh(), fresh()
    steps(whole, 6)
    steps(first, 3)
    first.save(tmp_path)
    assert second.resume(tmp_path)
    steps(second, 3)
    for a, b in zip(whole.parameters + whole.average, second.parameters + second.average, strict=True):
        assert torch.equal(a, b)
    assert second.step == 6


def test_some_weights_learn_quicker() -> None:
    """Those of a prefix move as many times as far as the others, matrices and biases alike."""

    def moved(quicker: dict[str, float]) -> dict[str, float]:
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.Linear(16, 8))
        before = {name: value.detach().clone() for name, value in model.named_parameters()}
        run = Run(model, matrix_rate=1e-4, rate=1e-4, average=0.9, seed=3, quicker=quicker)
        run.advance((model(torch.ones(4, 8)) - 1).pow(2).mean(), 0.0)
        return {name: float((p.detach() - before[name]).norm()) for name, p in model.named_parameters()}

    plain, quick = moved({}), moved({"1.": 5.0})
    for name, length in plain.items():
        assert quick[name] == pytest.approx(length * (5.0 if name.startswith("1.") else 1.0), rel=1e-2)


def test_a_few_steps_end_to_end(tmp_path: Path) -> None:
    """Prepare, both trainings and the export, on discs; the result is a folder the loader accepts."""
    corpus = synthetic_corpus()
    corpus.save(tmp_path)
    again = Corpus.load(tmp_path)
    assert torch.equal(again.rgba, corpus.rgba)
    assert again.labels == corpus.labels
    report = emoji_autoencoder.train(again, tmp_path / "autoencoder", Budget(steps=2), seed=0, batch=1)
    assert report["steps"] == 2
    emoji_diffusion.train(again, tmp_path, Budget(steps=2), seed=0, batch=2)
    emoji_export.export(tmp_path, tmp_path / "out")
    weights = examine(tmp_path / "out")
    assert sum(file.size for file in weights.files) < 20 * 2**20
    assert weights.pipeline == "StableDiffusionPipeline"


def test_a_finished_model_is_gone_on_from(tmp_path: Path) -> None:
    """Weights are taken over, and of the words those that both know, whatever their numbers."""
    corpus, start = synthetic_corpus(), tmp_path / "start"
    emoji_autoencoder.train(corpus, tmp_path / "autoencoder", Budget(steps=1), seed=0, batch=1)
    emoji_diffusion.train(corpus, tmp_path, Budget(steps=1), seed=0, batch=2)
    emoji_export.export(tmp_path, start)
    tokens = start / "tokenizer" / "tokenizer.json"
    tokens.write_text(tokens.read_text().replace('"judge"', '"referee"'))
    torch.manual_seed(1)
    model = emoji_diffusion.Denoiser()
    before = model.text_encoder.get_input_embeddings().weight.clone()
    emoji_diffusion.adopt(model, start)
    after = model.text_encoder.get_input_embeddings().weight
    same = (before == after).all(1)
    assert same.nonzero().flatten().tolist() == [vocabulary()["judge"]]
    trained = load_file(start / "unet" / "diffusion_pytorch_model.safetensors")
    assert all(torch.equal(model.unet.state_dict()[name], value.float()) for name, value in trained.items())
    again = emoji_autoencoder.train(corpus, tmp_path / "more", Budget(steps=1), seed=5, start=start, batch=1)
    settled = emoji_autoencoder.AutoencoderKL.from_pretrained(start / "vae").float()
    assert again["psnr_db"] == pytest.approx(emoji_autoencoder.psnr(settled, corpus), abs=0.3)


@pytest.mark.slow
def test_the_autoencoder_learns(tmp_path: Path) -> None:
    corpus = synthetic_corpus()
    before = emoji_autoencoder.psnr(emoji_autoencoder.build(), corpus)
    report = emoji_autoencoder.train(corpus, tmp_path, Budget(steps=260), seed=0, batch=4)
    assert report["psnr_db"] > before + 3


def test_folding_the_scale_in_changes_no_decoded_pixel() -> None:
    corpus, model = synthetic_corpus(12), emoji_autoencoder.build().eval()
    picture = emoji_data.compose(corpus.rgba[:2], torch.Generator().manual_seed(0))
    with torch.no_grad():
        before = model.decode(model.encode(picture).latent_dist.mean).sample
        emoji_autoencoder.standardise(model, corpus, pictures=8)
        after = model.decode(model.encode(picture).latent_dist.mean).sample
    assert torch.allclose(before, after, atol=1e-4)


def test_a_missing_package_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        emoji_data.prepare(tmp_path, tmp_path)
    assert caught.value.code == "train.source-missing"
    assert "npm pack" in (caught.value.hint or "")
