"""Motion training in small: clips show what they are said to, training resumes and leaves the base alone."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open

from generators.motion_modules_adapter import animated, read_motion
from generators.movements import MOVEMENTS, PATHS, path_of
from generators.pinned import NOTICE
from generators.shared_noise import SharedNoise, mixed
from generators.training import emoji_motion
from generators.training.emoji_data import Corpus
from generators.training.emoji_diffusion import build_scheduler, build_text_encoder, build_unet
from generators.training.emoji_labels import PROFESSIONS, Label
from generators.training.emoji_motion_data import fill_bank, load_bank, poses, render, rows_for, take
from generators.training.loop import Budget
from generators.training.motion_export import write_modules
from generators.training.motion_model import Conditions, MotionDenoiser, denoised, drawn_conditions, loss


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """Coloured squares of 12 pixels with one dark corner, in the middle of 32."""
    rgba = torch.zeros(24, 4, 32, 32, dtype=torch.uint8)
    rgba[:, :3, 10:22, 10:22] = torch.randint(80, 255, (24, 3, 1, 1), dtype=torch.uint8)
    rgba[:, :3, 10:14, 10:14] = 0
    rgba[:, 3, 10:22, 10:22] = 255
    names = [PROFESSIONS[i % 12] for i in range(24)]
    labels = [Label(subject=name, style="flat", presentation="man", tone="medium") for name in names]
    return Corpus(rgba, tuple(labels))


@pytest.fixture
def base(tiny_folder: Path):
    return emoji_motion.read_base(f"dir:{tiny_folder}").pipeline


@pytest.fixture(scope="module")
def work(corpus: Corpus, tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("motion-work")
    corpus.save(folder)
    pipeline = emoji_motion.read_base(f"dir:{tiny_folder}").pipeline
    emoji_motion.prepare(corpus, pipeline, folder, clips=24, seed=0)
    return folder


def place(frames: torch.Tensor) -> np.ndarray:
    """(T, 2): where the figure is, x and y, told by what differs from the ground's middle value."""
    away = (frames - frames[:, :, :1, :1]).abs().mean(1)
    away = torch.where(away > 0.3, away, torch.zeros(()))
    y, x = torch.meshgrid(torch.arange(32.0), torch.arange(32.0), indexing="ij")
    total = away.sum((1, 2))
    return torch.stack([(away * x).sum((1, 2)) / total, (away * y).sum((1, 2)) / total], 1).numpy()


def clip(corpus: Corpus, path: str) -> torch.Tensor:
    rng = torch.Generator().manual_seed(3)
    return render(corpus.rgba[0], poses(path, 1, rng)[0], torch.tensor([0.5, 0.5, 0.5]), rng)


def test_paths_lead_where_their_first_word_says(corpus: Corpus) -> None:
    right, down = place(clip(corpus, "across")), place(clip(corpus, "along"))
    assert right[-1, 0] - right[0, 0] > 4 > 1 > abs(right[-1, 1] - right[0, 1])
    assert down[-1, 1] - down[0, 1] > 4 > 1 > abs(down[-1, 0] - down[0, 0])
    growing = poses("scale", 1, torch.Generator().manual_seed(0))[0, :, 0]
    assert growing[-1] > 1.3 * growing[0]
    assert (growing.diff() > 0).all()
    turned = clip(corpus, "turn")
    dark = [np.argwhere((f.mean(0) < -0.6).numpy()).mean(0) for f in (turned[0], turned[-1])]
    assert dark[1][1] > dark[0][1] + 1, "clockwise: the dark corner at the upper left goes to the right"


def test_backwards_and_held_frames_give_the_other_movements(work: Path) -> None:
    bank = load_bank(work / emoji_motion.BANK)
    assert sorted(set(bank.paths)) == sorted(PATHS)
    for movement in MOVEMENTS[1:]:
        path, backwards = path_of(movement)
        row = bank.of_path(path)[0]
        got = take(bank, row, movement, 16, torch.Generator().manual_seed(0))
        whole = bank.latents[row].float()
        assert torch.equal(got, whole.flip(0) if backwards else whole)
    held = take(bank, 0, "still", 8, torch.Generator().manual_seed(0))
    assert held.shape[0] == 8
    assert (held == held[:1]).all()
    rows = rows_for(bank, MOVEMENTS, torch.Generator().manual_seed(0))
    assert [bank.paths[r] for r in rows[1:]] == [path_of(m)[0] for m in MOVEMENTS[1:]]


def test_an_interrupted_bank_goes_on_to_the_same_clips(corpus: Corpus, base, work: Path, tmp_path) -> None:
    among = torch.arange(24)
    first = fill_bank(corpus, base.vae, tmp_path, 48, seed=0, among=among)
    (tmp_path / "0001.json").unlink()
    again = fill_bank(corpus, base.vae, tmp_path, 48, seed=0, among=among)
    assert torch.equal(first.latents, again.latents)
    assert first.drawings == again.drawings


def test_shared_noise_has_the_variance_and_the_covariance_it_says() -> None:
    noise = torch.randn(20_000, 8, generator=torch.Generator().manual_seed(0))
    for share in (0.0, 0.4, 0.9):
        got = mixed(noise, share, axis=1)
        table = torch.cov(got.T)
        off = table - torch.diag(table.diagonal())
        assert table.diagonal().sub(1).abs().max() < 0.04
        assert (off.sum() / 56 - share).abs() < 0.02
    assert torch.allclose(mixed(noise, 0.0, axis=1), noise, atol=1e-6)
    start, record = SharedNoise(0.5)(np.ones((4, 8, 2, 2), np.float32))
    assert start.dtype == np.float32
    assert record.parameters == {"share": 0.5}


def test_untrained_motion_draws_every_frame_as_the_picture_model_does(base) -> None:
    torch.manual_seed(0)
    noisy, times = torch.randn(2, 4, 3, 16, 16), torch.tensor([10, 900])
    tokens = emoji_motion.tokens_of(base.tokenizer, 10**6, [("a", "cook"), ()])
    context = base.text_encoder(tokens).last_hidden_state
    plain = [base.unet(noisy[:, :, t], times, context).sample for t in range(3)]
    model = MotionDenoiser(base, MOVEMENTS, rank=2).eval()
    assert torch.allclose(model(noisy, times, tokens), torch.stack(plain, 2), atol=1e-5)


def test_words_of_movement_leave_all_other_ids_as_they_were(base) -> None:
    before = base.tokenizer.get_vocab()
    model = MotionDenoiser(base, MOVEMENTS, rank=0)
    said = [("a", "portrait", "of", "a", "cook", "leftwards"), ("a", "cook")]
    ids = emoji_motion.tokens_of(base.tokenizer, model.first, said)
    assert model.first == len(before)
    assert ids.shape == (2, 16)
    assert ids[0, 6] == model.first + MOVEMENTS.index("leftwards")
    assert ids[1].tolist()[:4] == [0, before["a"], before["cook"], 1]
    with torch.no_grad():
        known, drift = model.text_encoder(ids[1:]).last_hidden_state.chunk(2, dim=-1)
        assert known.shape[1] == 16, "pipelines read off it how long a text may be"
        assert not drift.any()
        model.restore()
        assert torch.equal(known, model.text_encoder(ids[1:]).last_hidden_state)


def test_words_of_movement_shift_all_that_is_said_from_frame_to_frame(base, tmp_path: Path) -> None:
    """In training and, within half precision, in what is loaded of it; two words add up."""

    def heard(encoder: Any, unet: Any) -> torch.Tensor:
        """What of the text reaches the first attention to it: (clips, frames, length, width)."""
        seen: list[torch.Tensor] = []
        keys = [(name, m) for name, m in unet.named_modules() if name.endswith("attn2.to_k")]
        attention = next(m for name, m in keys if "motion_modules" not in name)
        handle = attention.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
        with torch.no_grad():
            denoised(unet, encoder, torch.zeros(3, 4, 5, 16, 16), torch.tensor([10, 10, 10]), ids)
        handle.remove()
        return seen[0].unflatten(0, (3, 5))

    model = MotionDenoiser(base, MOVEMENTS, rank=0)
    said = [("a", "cook"), ("a", "cook", "growing"), ("a", "cook", "growing", "leftwards")]
    ids = emoji_motion.tokens_of(base.tokenizer, model.first, said)
    before = heard(model.text_encoder, model.unet)
    torch.nn.init.normal_(model.offsets.weight)
    torch.nn.init.normal_(model.drifts.weight)
    trained = heard(model.text_encoder, model.unet)
    phase = torch.tensor([-1, -0.5, 0, 0.5, 1])[:, None, None]
    rows = [MOVEMENTS.index(word) for word in ("growing", "leftwards")]
    growing, leftwards = (model.offsets.weight[row] + phase * model.drifts.weight[row] for row in rows)
    assert torch.equal(trained[0], before[0])
    assert torch.allclose(trained[1], before[1] + growing, atol=1e-5)
    assert torch.allclose(trained[2], before[2] + growing + leftwards, atol=1e-5)
    write_modules(model, tmp_path)
    model.restore()
    loaded = animated(base, read_motion(tmp_path))
    assert torch.allclose(heard(loaded.text_encoder, loaded.unet), trained, atol=0.02)
    plain = loaded.text_encoder(ids, return_dict=False)
    assert torch.equal(plain[0], loaded.text_encoder(ids).last_hidden_state)


def test_given_frames_enter_clean_and_cost_nothing() -> None:
    seen = []

    def model(noisy: torch.Tensor, times: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        seen.append(noisy)
        return torch.zeros_like(noisy)

    clean = torch.randn(2, 4, 8, 4, 4, generator=torch.Generator().manual_seed(1))
    given = torch.zeros(2, 8, dtype=torch.bool)
    given[0, [0, 7]] = True
    conditions = Conditions(times=torch.tensor([999, 500]), share=torch.zeros(2), given=given)
    rng = torch.Generator().manual_seed(0)
    value = loss(model, build_scheduler(), clean, torch.zeros(2), conditions=conditions, rng=rng)
    assert torch.equal(seen[0][0][:, [0, 7]], clean[0][:, [0, 7]])
    assert not torch.equal(seen[0][0][:, 1], clean[0][:, 1])
    rng = torch.Generator().manual_seed(0)
    clean[0, :, 0] += 5  # of a frame that is given: nobody is asked for it
    assert torch.equal(
        value, loss(model, build_scheduler(), clean, torch.zeros(2), conditions=conditions, rng=rng)
    )
    drawn = drawn_conditions(400, 8, 1000, torch.Generator().manual_seed(0))
    assert not drawn.given.all(1).any()
    assert 0.1 < drawn.given.any(1).float().mean() < 0.4
    assert drawn.times.float().mean() > 600


def test_training_resumes_exactly_and_freezes_the_picture_model(corpus, base, work, tmp_path) -> None:
    bank = load_bank(work / emoji_motion.BANK)
    frozen = digest_of(base)
    emoji_motion.train(corpus, base, bank, tmp_path / "a", Budget(steps=1), seed=0, batch=1, rank=2).restore()
    model = emoji_motion.train(corpus, base, bank, tmp_path / "a", Budget(steps=2), seed=0, batch=1, rank=2)
    with safe_open(tmp_path / "a" / "motion" / "state.safetensors", "pt") as checkpoint:
        assert json.loads(checkpoint.metadata()["progress"])["step"] == 2
    assert any(
        p.abs().sum() > 0 for n, p in model.named_parameters() if "motion_modules" in n and "proj_out" in n
    )
    assert any(p.abs().sum() > 0 for n, p in model.named_parameters() if "lora_B" in n)
    model.restore()
    assert digest_of(base) == frozen


def digest_of(base) -> str:
    parts = [*base.unet.state_dict().items(), *base.text_encoder.state_dict().items()]
    found = hashlib.sha256()
    for name, value in parts:
        found.update(name.encode() + value.numpy().tobytes())
    return found.hexdigest()


def test_captions_say_the_movement_mostly_and_fit_the_longest_caption(corpus: Corpus, work: Path) -> None:
    bank = load_bank(work / emoji_motion.BANK)
    rng = random.Random(0)
    rows = [0] * 400
    said = emoji_motion.captions(corpus, bank, rows, ["growing"] * 400, rng)
    share = sum(bool(words) and words[-1] == "growing" for words in said) / 400
    assert 0.7 < share < 0.92
    assert max(map(len, said)) + 2 <= 16


def test_the_command_prepares_trains_and_exports(work: Path, tiny_folder: Path, tmp_path: Path) -> None:
    common = ["--work", str(work), "--base", f"dir:{tiny_folder}", "--rank", "2"]
    emoji_motion.main(["prepare", *common, "--clips", "24"])
    emoji_motion.main(["train", *common, "--steps", "1", "--batch", "2"])
    emoji_motion.main(["export", *common, "--out", str(tmp_path / "out")])
    card = json.loads((tmp_path / "out" / "card.json").read_text())
    assert card["kind"] == "motion"
    assert sorted(card["weights"]) == [
        "motion_adapter/diffusion_pytorch_model.safetensors",
        "movements.safetensors",
        "spatial.safetensors",
    ]
    about = (tmp_path / "out" / "MODEL_CARD.md").read_text()
    assert (tmp_path / "out" / "NOTICE").read_bytes() == NOTICE.read_bytes()
    assert "1 steps" in about
    for said in (
        "Fluent emoji",
        "Noto Emoji",
        "Apache-2.0",
        *MOVEMENTS,
        "Movement as asked for: not measured",
    ):
        assert said in about
    figures = {"n": 9, "subjects": 3, "movements_right": 5, "both": 2, "weights": card["weights"]}
    (tmp_path / "out" / "evaluation.json").write_text(json.dumps(figures))
    (tmp_path / "out" / "references.json").write_text(json.dumps({"n": 90, "right": 88}))
    emoji_motion.main(["export", *common, "--out", str(tmp_path / "out")])
    about = (tmp_path / "out" / "MODEL_CARD.md").read_text()
    assert "Movement as asked for: 5 of 9 clips (95 % interval 0.267 to 0.811)" in about
    assert "true clips of the corpus: 88 of 90 clips" in about
    (tmp_path / "out" / "evaluation.json").write_text(json.dumps({**figures, "weights": {}}))
    emoji_motion.main(["export", *common, "--out", str(tmp_path / "out")])
    assert "Movement as asked for: not measured" in (tmp_path / "out" / "MODEL_CARD.md").read_text()


def test_the_bundled_size_stays_in_its_budget(tmp_path: Path) -> None:
    """Widths of the bundled model, untrained: half precision fits eight megabytes."""
    parts = SimpleNamespace(unet=build_unet(), text_encoder=build_text_encoder())
    write_modules(MotionDenoiser(parts, MOVEMENTS, rank=8), tmp_path)
    sizes = {p.name: p.stat().st_size for p in tmp_path.rglob("*.safetensors")}
    assert 6e6 < sum(sizes.values()) < 8e6, sizes
