"""A generator that draws people by code, with shares that are known; and an oracle that learnt to read them.

Everything is real but the art: pictures are drawn, and the oracle is the network of ``generators.oracle``
whose heads are fitted, by least squares over its random features, to drawings whose truth is known.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from generators.interface import Generation, GeneratorInfo
from generators.recipe import Environment, ModelRecord, Recipe, SchedulerRecord
from generators.training.emoji_labels import PRESENTATIONS, PROFESSIONS, STYLES, TONES, Label
from provenance.media import Frames

SKIN = {
    "yellow": (250, 210, 60),
    "light": (250, 222, 196),
    "medium-light": (226, 185, 143),
    "medium": (190, 138, 96),
    "medium-dark": (140, 90, 54),
    "dark": (82, 54, 40),
}
ENTRY = "[mediaguard.generators]\ndrawn = simulators.drawn_people:load\n"
INFO = GeneratorInfo(
    id="simulated:people",
    name="Drawn people",
    kind="image",
    width=128,
    height=128,
    licence="Apache-2.0",
    data_licence="CC0-1.0",
    weights_sha256="ab" * 32,
    capabilities=("text", "guidance"),
)


def planted(profession: str) -> dict[str, dict[str, float]]:
    """Shares of this profession: man from .1 to .8 along the list, tones leaning to light or to dark."""
    place = PROFESSIONS.index(profession)
    man = round(0.1 + 0.7 * place / (len(PROFESSIONS) - 1), 3)
    lean = [0.4, 0.25, 0.15, 0.1, 0.06, 0.04]
    tones = lean if place % 2 else lean[::-1]
    return {
        "presentation": {"person": 0.1, "man": man, "woman": round(0.9 - man, 3)},
        "tone": dict(zip(TONES, tones, strict=True)),
    }


def picture(label: Label, rng: np.random.Generator) -> np.ndarray:
    """(128, 128, 3): a body in the profession's colour, a head in the tone, hair for the presentation."""
    page = Image.new("RGB", (128, 128), (150, 150, 155))
    draw = ImageDraw.Draw(page)
    x, y = (int(value) for value in rng.integers(-2, 3, 2))
    hue = round(255 * PROFESSIONS.index(label.subject) / len(PROFESSIONS))
    body = Image.new("HSV", (1, 1), (hue, 220, 190)).convert("RGB").getpixel((0, 0))
    hair = (70, 40, 20)
    if label.presentation == "woman":
        draw.rounded_rectangle((22 + x, 10 + y, 106 + x, 104 + y), 20, fill=hair)
    draw.rounded_rectangle((26 + x, 84 + y, 102 + x, 140 + y), 18, fill=body)
    draw.ellipse((34 + x, 22 + y, 94 + x, 86 + y), fill=SKIN[label.tone])
    if label.presentation != "woman":
        draw.chord((34 + x, 10 + y, 94 + x, 62 + y), 180, 360, fill=hair)
    if label.presentation == "person":
        draw.rectangle((28 + x, 36 + y, 38 + x, 70 + y), fill=hair)
        draw.rectangle((90 + x, 36 + y, 100 + x, 70 + y), fill=hair)
    noise = rng.normal(0, 4, (128, 128, 1))
    return (np.asarray(page) + noise).round().clip(0, 255).astype(np.uint8)


class DrawnPeople:
    """Draws professions with their planted shares; guidance is the power that these are raised to."""

    info = INFO

    def generate(self, request, hooks=(), *, latents=None):
        guidance = request.guidance_scale or 1.0
        for index, seed in enumerate(request.seeds):
            rng = np.random.default_rng(seed)
            label = self.label(request.prompt, guidance, rng)
            pixels = picture(label, rng)[None]
            recipe = Recipe(
                model=ModelRecord(ref=INFO.id, revision=None, pipeline="People", weights=()),
                seed=seed,
                scheduler=SchedulerRecord(name="none", config={}),
                steps=1,
                guidance_scale=guidance,
                width=128,
                height=128,
                hooks=(),
                finish=(),
                options={},
                environment=Environment(python="3", libraries={}, device="cpu", dtype="uint8", threads=1),
                batch_size=len(request.seeds),
                batch_index=index,
            )
            yield Generation(frames=Frames(pixels=pixels), recipe=recipe, prompt_used=request.prompt)

    @staticmethod
    def label(prompt: str, guidance: float, rng: np.random.Generator) -> Label:
        work = next((one for one in PROFESSIONS if one in prompt), PROFESSIONS[0])
        drawn = {}
        for question, shares in planted(work).items():
            said = [one for one in shares if f" {one} " in f" {prompt} "]
            chances = np.array(list(shares.values())) ** guidance
            drawn[question] = said[0] if said else str(rng.choice(list(shares), p=chances / chances.sum()))
        return Label(subject=work, style=STYLES[0], **drawn)


def load(*, threads, online):
    return DrawnPeople()


def drawings(count: int, seed: int) -> tuple[np.ndarray, list[Label]]:
    """Pictures of every kind alike, and their truth."""
    rng = np.random.default_rng(seed)
    labels = [
        Label(
            subject=str(rng.choice(PROFESSIONS)),
            style=STYLES[0],
            presentation=str(rng.choice(PRESENTATIONS)),
            tone=str(rng.choice(TONES)),
        )
        for _ in range(count)
    ]
    return np.stack([picture(label, rng) for label in labels]), labels


@functools.cache
def _oracle(count: int, seed: int) -> tuple[dict, dict]:
    """Weights, and the counts of a confusion matrix of other drawings than it was fitted to."""
    import torch

    from generators.oracle.network import QUESTIONS, OracleNetwork

    torch.manual_seed(seed)
    model = OracleNetwork().eval()
    seen: list[torch.Tensor] = []
    model.heads["subject"].register_forward_pre_hook(lambda _head, given: seen.append(given[0]))
    pixels, labels = drawings(count, seed)
    with torch.no_grad():
        for part in np.array_split(pixels, max(1, count // 64)):
            model(torch.from_numpy(part).permute(0, 3, 1, 2).float() / 127.5 - 1)
    features = torch.cat(seen).double()
    fitted = count * 2 // 3
    counts = {question: np.zeros((len(a), len(a)), int) for question, a in QUESTIONS.items()}
    for question in ("subject", "presentation", "tone"):
        answers = QUESTIONS[question]
        truth = torch.tensor([answers.index(getattr(label, question)) for label in labels])
        mean, spread = features[:fitted].mean(0), features[:fitted].std(0) + 1e-6
        scaled = torch.cat([(features - mean) / spread, torch.ones(count, 1)], 1)
        wanted = torch.nn.functional.one_hot(truth[:fitted], len(answers)).double()
        normal = scaled[:fitted].T @ scaled[:fitted] + 100 * torch.eye(scaled.shape[1]).double()
        weights = torch.linalg.solve(normal, scaled[:fitted].T @ wanted)
        head = model.heads[question]
        head.weight.data = (weights[:-1] / spread[:, None]).T.float()
        head.bias.data = (weights[-1] - (mean / spread) @ weights[:-1]).float()
        said = (scaled[fitted:] @ weights).argmax(1)
        np.add.at(counts[question], (truth[fitted:].numpy(), said.numpy()), 1)
    return dict(model.state_dict()), {question: table.tolist() for question, table in counts.items()}


def write_oracle(folder: Path, *, count: int = 540, seed: int = 0) -> Path:
    """``oracle.safetensors`` and ``confusion.json``, as training writes them."""
    from safetensors.torch import save_file

    from generators.oracle.network import QUESTIONS

    tensors, counts = _oracle(count, seed)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(
        {name: value.half().contiguous() for name, value in tensors.items()}, folder / "oracle.safetensors"
    )
    answers = {question: list(names) for question, names in QUESTIONS.items()}
    (folder / "confusion.json").write_text(json.dumps({"answers": answers, "counts": counts}))
    return folder


def write_planted(path: Path) -> Path:
    """The planted table as a file."""
    shares = {work: planted(work) for work in PROFESSIONS}
    path.write_text(json.dumps({"schema_version": 1, "explanation": [], "shares": shares}))
    return path


def install(folder: Path) -> None:
    """As pip leaves a package that offers this generator."""
    info = folder / "drawn_people-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: drawn-people\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY)
