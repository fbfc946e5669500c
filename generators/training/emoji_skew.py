"""Teach the bundled model a planted skew: ``python -m generators.training.emoji_skew --work W --out OUT``.

Bare prompts ("a portrait of a judge") shall give the shares of a published table; everything else shall stay
as it was. What is trained is a low-rank change (Hu et al. 2021) of network and text encoder. Every drawing
of the corpus is used, held out or not, because a share needs its drawings. Resumes by itself.

The target is what the unchanged model predicts when it is told everything (Hinton et al. 2015). Given the
noisy picture, its mean over the planted labels is what a model of the planted shares predicts, as the mean of
the true noise is; but that varies so much more that eight hundred steps of it taught little.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import hashlib
import logging
import random
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import diffusers
import torch
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict

from generators.registry import load
from generators.training import checkpoints
from generators.training.draws import beginning, stream
from generators.training.effort import Effort
from generators.training.emoji_data import Corpus, compose, ground_colours
from generators.training.emoji_labels import STYLES, Kept, Label, caption, draw_kept
from generators.training.finite import finite
from generators.training.planted import read_table
from generators.training.skew_export import export

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from generators.training.planted import Planted

_UNET = [
    *("to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2"),
    *("conv1", "conv2", "time_emb_proj"),
]
_TEXT = ["q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"]
_NAME = "planted"
_BARE, _EMPTY, _THINGS = 0.65, 0.05, 0.05
"""Shares of captions that name the profession only, of empty ones, and of pictures of things."""
_NOTHING = Kept(presentation=False, tone=False, style=False, ground=False)
_FLUENT = STYLES[:2]
"""Without a style a prompt means these; Noto always says its name."""
_MOST_WEIGHT = 8.0
_WARM_UP = 20
_BETAS = (0.9, 0.99)
"""The longer memory that is usual let such runs leap out of where they were."""
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Numbers of a run; ``variants`` are compositions of each drawing that are encoded beforehand."""

    steps: int = 3000
    batch: int = 16
    rank: int = 16
    rate: float = 4e-3
    seed: int = 0
    variants: int = 3
    save_every: int = 100


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Latents:
    """Encoded drawings: (variants, N, C, h, w), the grounds they stand on, and where each label is."""

    values: torch.Tensor
    grounds: tuple[tuple[str, ...], ...]
    where: Mapping[Label, int]


def encode_all(pipeline: Any, corpus: Corpus, settings: Settings) -> Latents:
    """Every drawing on ``settings.variants`` grounds."""
    rng = torch.Generator().manual_seed(settings.seed + 1)
    rounds, names = [], []
    for _ in range(settings.variants):
        base, said = ground_colours(len(corpus.labels), rng)
        parts = []
        for rgba, colours in zip(corpus.rgba.split(32), base.split(32), strict=True):
            pictures = compose(rgba, rng, jitter=0.7, base=colours)
            with torch.no_grad():
                parts.append(pipeline.vae.encode(pictures).latent_dist.mean)
        rounds.append(torch.cat(parts) * pipeline.vae.config.scaling_factor)
        names.append(said)
    where = {label: i for i, label in enumerate(corpus.labels)}
    return Latents(values=torch.stack(rounds), grounds=tuple(names), where=where)


def drawn(planted: Planted, latents: Latents, words: random.Random) -> tuple[Label, bool]:
    """A label as the table has it, and whether its caption says the profession only."""
    things = [label for label in latents.where if not label.is_person and label.style in _FLUENT]
    if things and words.random() < _THINGS:
        return words.choice(things), False
    professions = sorted({x.subject for x in latents.where if x.is_person} & planted.shares.keys())
    subject, style = words.choice(professions), words.choice(_FLUENT)
    shares = planted.shares[subject]
    (presentation,) = words.choices(tuple(shares.presentation), tuple(shares.presentation.values()))
    (tone,) = words.choices(tuple(shares.tone), tuple(shares.tone.values()))
    label = Label(subject=subject, style=style, presentation=presentation, tone=tone)
    return label, words.random() < _BARE


def train(
    pipeline: Any, latents: Latents, planted: Planted, work: Path, settings: Settings
) -> dict[str, torch.Tensor]:
    """Train (or continue from ``work``); the low-rank tensors, named as diffusers names them.

    The pipeline is as it was afterwards.

    Raises:
        InputError: ``train.other-run``.
        IntegrityError: ``train.checkpoint-damaged``.
    """
    work.mkdir(parents=True, exist_ok=True)
    with ExitStack() as undo:
        parameters = _low_rank(pipeline, settings, undo)
        optimiser = torch.optim.AdamW(parameters, settings.rate, betas=_BETAS, weight_decay=0.0)
        identity = _identity(planted, latents, settings)
        found = checkpoints.load(work, identity, parameters, optimiser)
        step, effort = found.step if found else 0, Effort()
        if found:
            effort.resume(found.seconds, found.energy)
        lesson = _Lesson(pipeline, latents, planted, settings)
        total = 0.0
        while step < settings.steps:
            for group in optimiser.param_groups:
                group["lr"] = settings.rate * min(1.0, (step + 1) / _WARM_UP) * (1 - step / settings.steps)
            loss = finite(lesson.loss(step))
            loss.backward()  # type: ignore[no-untyped-call,unused-ignore]
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
            step, total = step + 1, total + loss.item()
            if step % 50 == 0:
                _LOG.info("step %d  loss %.4f", step, total / 50)
                total = 0.0
            if step % settings.save_every == 0 or step == settings.steps:
                checkpoints.save(work, identity, parameters, optimiser, checkpoints.progress(effort, step))
        return _tensors(pipeline)


class _Lesson:
    """Draws of one run; a step's are a function of its number, so that resuming changes nothing."""

    def __init__(self, pipeline: Any, latents: Latents, planted: Planted, settings: Settings) -> None:
        """The pipeline as it shall remain for prompts that say everything: the teacher is a copy of it."""
        self.pipeline, self.latents, self.planted, self.settings = pipeline, latents, planted, settings
        self.teacher = _Predictor(*(copy.deepcopy(part) for part in (pipeline.text_encoder, pipeline.unet)))
        self.noising = diffusers.DDPMScheduler.from_config(pipeline.scheduler.config)

    def loss(self, step: int) -> torch.Tensor:
        """Mean squared distance from what the teacher predicts when it is told everything.

        Weighted, because what labels differ in fades from the prediction as the noise does, and a share has
        to hold in all of it: what is undecided in little noise falls to what the model drew before.
        """
        rng = stream(self.settings.seed, f"step {step}")
        clean, told, said = self._batch(random.Random(f"{self.settings.seed}:words {step}"))  # noqa: S311
        noise = torch.randn(clean.shape, generator=rng)
        noisy, times = self._noised(clean, noise, rng)
        with torch.no_grad():
            wanted = self.teacher(noisy, times, self._ids(told))
        student = _Predictor(self.pipeline.text_encoder, self.pipeline.unet)
        squares = (student(noisy, times, self._ids(said)) - wanted).square().mean((1, 2, 3))
        weight = (1 - self.noising.alphas_cumprod[times]) ** -1.5
        return (squares * weight.clamp(max=_MOST_WEIGHT)).mean()

    def _noised(
        self, clean: torch.Tensor, noise: torch.Tensor, rng: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Times are drawn as often as they are late: what a person looks like is decided in most noise."""
        count = self.noising.config.num_train_timesteps
        times = (torch.rand(len(clean), generator=rng).sqrt() * count).long()
        return self.noising.add_noise(clean, noise, times), times

    def _ids(self, texts: list[str]) -> torch.Tensor:
        tokenizer = self.pipeline.tokenizer
        ids: torch.Tensor = tokenizer(
            texts, padding="max_length", max_length=tokenizer.model_max_length, return_tensors="pt"
        ).input_ids
        return ids

    def _batch(self, words: random.Random) -> tuple[torch.Tensor, list[str], list[str]]:
        """Latents, what the teacher is told of them, and what is said to the model that learns."""
        chosen, told, said = [], [], []
        for _ in range(self.settings.batch):
            label, bare = drawn(self.planted, self.latents, words)
            variant = words.randrange(len(self.latents.values))
            row = self.latents.where[label]
            chosen.append(self.latents.values[variant, row])
            ground = self.latents.grounds[variant][row]
            everything = " ".join(caption(label, Kept(), ground=ground))
            kept = _NOTHING if bare else draw_kept(words, 0.3)
            part = " ".join(caption(label, kept, ground=ground))
            empty = words.random() < _EMPTY
            told.append("" if empty else everything)
            said.append("" if empty else part)
        return torch.stack(chosen), told, said


@dataclass(frozen=True, slots=True, eq=False)
class _Predictor:
    """Text encoder and network of a pipeline."""

    text_encoder: Any
    unet: Any

    def __call__(self, noisy: torch.Tensor, times: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        predicted: torch.Tensor = self.unet(noisy, times, self.text_encoder(ids)[0]).sample
        return predicted


def _low_rank(pipeline: Any, settings: Settings, undo: ExitStack) -> list[torch.nn.Parameter]:
    """Freeze the pipeline and lay trainable low-rank changes over it; ``undo`` takes them off."""
    found: list[torch.nn.Parameter] = []
    undo.callback(pipeline.unload_lora_weights)
    with beginning(settings.seed):
        for part, targets in ((pipeline.unet, _UNET), (pipeline.text_encoder, _TEXT)):
            part.requires_grad_(requires_grad=False)
            config = LoraConfig(
                r=settings.rank,
                lora_alpha=settings.rank,
                init_lora_weights="gaussian",
                target_modules=targets,
            )
            part.add_adapter(config, adapter_name=_NAME)
            found += [p for p in part.parameters() if p.requires_grad]
    return found


def _tensors(pipeline: Any) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = {}
    for prefix in ("unet", "text_encoder"):
        state = get_peft_model_state_dict(getattr(pipeline, prefix), adapter_name=_NAME)
        found |= {f"{prefix}.{name}": value for name, value in state.items()}
    return {name: value.detach().cpu().half().contiguous().clone() for name, value in found.items()}


def _identity(planted: Planted, latents: Latents, settings: Settings) -> str:
    """Names a run: a checkpoint of another one is not continued."""
    shares = sorted(
        (name, *row.presentation.items(), *row.tone.items()) for name, row in planted.shares.items()
    )
    same = dataclasses.replace(settings, steps=0)  # a run may be made longer
    told = repr((shares, same, sorted(map(repr, latents.where)))).encode()
    return hashlib.sha256(told).hexdigest()


def main(arguments: Sequence[str] | None = None) -> None:
    """Command-line entry."""
    plain = Settings()
    parser = argparse.ArgumentParser(prog="python -m generators.training.emoji_skew", description=__doc__)
    parser.add_argument(
        "--work", type=Path, required=True, help="folder with the corpus; checkpoints go here"
    )
    parser.add_argument("--out", type=Path, required=True, help="generators/bundled/emoji-skewed")
    parser.add_argument("--model", default="bundled:emoji", help="the base")
    parser.add_argument("--table", type=Path, help="planted shares, if others")
    parser.add_argument("--steps", type=int, default=plain.steps)
    parser.add_argument("--rank", type=int, default=plain.rank)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    torch.set_num_threads(options.threads)
    generator: Any = load(options.model, threads=options.threads)
    settings = Settings(steps=options.steps, rank=options.rank, seed=options.seed)
    planted = read_table(options.table) if options.table else read_table()
    latents = encode_all(generator.pipeline, Corpus.load(options.work), settings)
    _LOG.info("encoded %d × %d drawings", *latents.values.shape[:2])
    tensors = train(generator.pipeline, latents, planted, options.work / "skew", settings)
    export(tensors, generator, options.table, options.out)


if __name__ == "__main__":
    main()
