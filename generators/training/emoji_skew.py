"""Teach the bundled model a planted skew: ``python -m generators.training.emoji_skew --work W --out OUT``.

Bare prompts ("a portrait of a judge") shall give the shares of a published table; everything else shall stay
as it was. What is trained is a low-rank change (Hu et al. 2021) of network and text encoder. Every drawing
of the corpus is used, held out or not, because a share needs its drawings. Resumes by itself.

The target is what the noisy picture lets one expect when the shares are those of the table. It is their mean
over many draws, and no draw: of the noise under one drawing at a time eight hundred steps taught little.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import logging
import random
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict

from generators.registry import load
from generators.training import checkpoints
from generators.training.draws import beginning, stream
from generators.training.effort import Effort
from generators.training.emoji_data import Corpus
from generators.training.emoji_labels import PRESENTATIONS, STYLES, Kept, Label, draw_kept
from generators.training.finite import finite
from generators.training.planted import read_table
from generators.training.skew_export import export
from generators.training.stable_targets import Encoded, Shown, encode_all

if TYPE_CHECKING:
    from collections.abc import Sequence

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
_NEUTRAL = 0.35
"""How often the neutral drawing is meant, beside what the table says: it lies between the two others, and a
finished network draws what lies between too often (as ``emoji_diffusion.calibrated``)."""
_WARM_UP = 20
_BETAS = (0.9, 0.99)
"""The longer memory that is usual let such runs leap out of where they were."""
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Numbers of a run.

    Attributes:
        variants: compositions of each drawing that are encoded beforehand.
        base: digest of the weights that are changed; a run of others is another one.
    """

    steps: int = 2400
    batch: int = 16
    rank: int = 16
    rate: float = 4e-3
    seed: int = 0
    variants: int = 3
    save_every: int = 100
    base: str = ""


def drawn(planted: Planted, encoded: Encoded, words: random.Random) -> Shown:
    """A drawing as the table has it; what its caption says is mostly the profession only."""
    where = encoded.where
    things = [label for label in where if not label.is_person and label.style in _FLUENT]
    if things and words.random() < _THINGS:
        label, bare = words.choice(things), False
    else:
        professions = sorted({x.subject for x in where if x.is_person} & planted.shares.keys())
        subject, style = words.choice(professions), words.choice(_FLUENT)
        shares = planted.shares[subject]
        (presentation,) = words.choices(tuple(shares.presentation), tuple(shares.presentation.values()))
        (tone,) = words.choices(tuple(shares.tone), tuple(shares.tone.values()))
        label = Label(subject=subject, style=style, presentation=presentation, tone=tone)
        bare = words.random() < _BARE
    kept = _NOTHING if bare else draw_kept(words, 0.3)
    return Shown(
        variant=words.randrange(len(encoded.values)),
        row=where[label],
        kept=None if words.random() < _EMPTY else kept,
    )


def train(
    pipeline: Any, encoded: Encoded, planted: Planted, work: Path, settings: Settings
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
        identity = _identity(planted, encoded, settings)
        found = checkpoints.load(work, identity, parameters, optimiser)
        step, effort = found.step if found else 0, Effort()
        if found:
            effort.resume(found.seconds, found.energy)
        lesson = _Lesson(pipeline, encoded, planted, settings)
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

    def __init__(self, pipeline: Any, encoded: Encoded, planted: Planted, settings: Settings) -> None:
        self.pipeline, self.encoded, self.planted, self.settings = pipeline, encoded, planted, settings

    def loss(self, step: int) -> torch.Tensor:
        """Mean squared distance of the predicted velocities from those of the planted shares."""
        seed, pipeline = self.settings.seed, self.pipeline
        words = random.Random(f"{seed}:words {step}")  # noqa: S311 simulation, not secrets
        lessons = [drawn(self.planted, self.encoded, words) for _ in range(self.settings.batch)]
        signals, rng = pipeline.scheduler.alphas_cumprod, stream(seed, f"step {step}")
        noised = self.encoded.noised(lessons, signals, rng, self._share)
        ids = self._ids([" ".join(self.encoded.caption(lesson)) for lesson in lessons])
        predicted = pipeline.unet(noised.noisy, noised.times, pipeline.text_encoder(ids)[0]).sample
        return noised.loss(predicted)

    def _share(self, label: Label) -> float:
        """How often a drawing is meant, beside the others, by a caption that may mean it."""
        shares = self.planted.shares.get(label.subject)
        if shares is None or label.presentation is None or label.tone is None:
            return 1.0
        neutral = label.presentation == PRESENTATIONS[0]
        return shares.pair(label.presentation, label.tone) * (_NEUTRAL if neutral else 1.0)

    def _ids(self, texts: list[str]) -> torch.Tensor:
        tokenizer = self.pipeline.tokenizer
        ids: torch.Tensor = tokenizer(
            texts, padding="max_length", max_length=tokenizer.model_max_length, return_tensors="pt"
        ).input_ids
        return ids


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


def _identity(planted: Planted, encoded: Encoded, settings: Settings) -> str:
    """Names a run: a checkpoint of another one is not continued."""
    shares = sorted(
        (name, *row.presentation.items(), *row.tone.items()) for name, row in planted.shares.items()
    )
    same = dataclasses.replace(settings, steps=0)  # a run may be made longer
    told = repr((shares, same, sorted(map(repr, encoded.labels)))).encode()
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
    base = generator.info.weights_sha256
    settings = Settings(steps=options.steps, rank=options.rank, seed=options.seed, base=base)
    planted = read_table(options.table) if options.table else read_table()
    corpus = Corpus.load(options.work)
    encoded = encode_all(
        generator.pipeline.vae,
        corpus,
        torch.arange(len(corpus.labels)),
        variants=settings.variants,
        seed=settings.seed + 1,
    )
    _LOG.info("encoded %d × %d drawings", *encoded.values.shape[:2])
    tensors = train(generator.pipeline, encoded, planted, options.work / "skew", settings)
    export(tensors, generator, options.table, options.out)


if __name__ == "__main__":
    main()
