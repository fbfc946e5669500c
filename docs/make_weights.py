"""Writes ``docs/reference/weights.md`` from the weight files in the repository and their cards.

python docs/make_weights.py
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generators.weights import PICKLES, digested
from provenance.errors import InputError

ROOT = Path(__file__).resolve().parents[1]
PAGE = Path("docs/reference/weights.md")
MEGABYTE = 10**6
MOST = 40 * MEGABYTE
"""Bytes of all weights together: a wheel that one still likes to download."""
TREES = ("guard", "audits", "generators", "provenance", "policies", "tests", "benchmarks", "docs", "examples")
ACCEPTED = (".safetensors", ".onnx")
KNOWN = (*ACCEPTED, *PICKLES, ".npz", ".npy", ".h5", ".joblib", ".gguf", ".tflite", ".pb", ".msgpack")
"""How files of weights are called."""
CARDS = ("card.json", "weights.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One trained part of mediaguard, whether its weights are there yet or not."""

    name: str
    folder: str
    budget: int
    """Megabytes that were planned for it."""
    module: str
    """``python -m …`` trains it."""
    told: str
    """Page with the whole command, from ``docs/reference``."""


PARTS = (
    Part(
        name="picture model",
        folder="generators/bundled/emoji",
        budget=15,
        module="generators.training.emoji",
        told="../../generators/bundled/emoji/MODEL_CARD.md#training",
    ),
    Part(
        name="planted shares",
        folder="generators/bundled/emoji-skewed",
        budget=2,
        module="generators.training.emoji_skew",
        told="emoji-models.md#planted-shares-bundledemoji-skewed",
    ),
    Part(
        name="second stage",
        folder="generators/bundled/super_resolution",
        budget=3,
        module="generators.training.super_resolution",
        told="emoji-models.md#two-stages",
    ),
    Part(
        name="GAN",
        folder="generators/bundled/gan",
        budget=8,
        module="generators.training.gan",
        told="gan.md#training-one",
    ),
    Part(
        name="motion",
        folder="generators/bundled/video",
        budget=8,
        module="generators.training.emoji_motion",
        told="motion.md#the-bundled-one",
    ),
    Part(
        name="oracle and heads",
        folder="generators/oracle",
        budget=4,
        module="generators.training.oracle",
        told="emoji-models.md#the-oracle",
    ),
)
HEAD = """# Weights in the repository

Every file of weights that ships, with its size, licence and the command that trains it. The page is made by
`python docs/make_weights.py` from the files and the cards beside them (`card.json` or `weights.json`). A
test keeps it in step, and fails where a file of weights stands in no part, is neither safetensors nor ONNX,
has no card with its digest and licences, or where all of them take more than 40 MB. MB are 1,000,000 bytes.

"""


def weight_files(root: Path) -> list[Path]:
    """Whatever is called like weights, below the folders of the repository."""
    found = (path for tree in TREES for path in (root / tree).rglob("*"))
    return sorted(path for path in found if path.suffix in KNOWN and path.is_file())


def card_of(path: Path, root: Path) -> dict[str, Any]:
    """The nearest card above a file that names it with its digest; {} if there is none."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    for folder in path.parents:
        if folder == root:
            break
        for name in CARDS:
            card = json.loads((folder / name).read_text("utf-8")) if (folder / name).is_file() else {}
            if card.get("weights", {}).get(path.relative_to(folder).as_posix()) == sha256:
                return dict(card)
    return {}


def faults(root: Path) -> list[str]:
    """What must not be, in sentences that name the file."""
    found, files = [], weight_files(root)
    for path in files:
        name, card = path.relative_to(root).as_posix(), card_of(path, root)
        if not any(path.is_relative_to(root / part.folder) for part in PARTS):
            found.append(f"{name} stands in no part of docs/make_weights.py")
        if not readable(path):
            found.append(f"{name} is neither safetensors nor ONNX")
        if not card.get("licence") or not card.get("data_licence"):
            found.append(f"{name} has no card that names its digest, its licence and that of its data")
    total = sum(path.stat().st_size for path in files)
    if total > MOST:
        found.append(f"all weights together have {total:,} bytes, more than {MOST:,}")
    return found


def readable(path: Path) -> bool:
    """Whether it is of a format that cannot run code, by its first bytes where these tell."""
    if path.suffix != ".safetensors":
        return path.suffix in ACCEPTED
    try:
        digested(path, path.parent)
    except InputError:
        return False
    return True


def page(root: Path = ROOT) -> str:
    """The whole page, in Markdown."""
    files = {part: [p for p in weight_files(root) if p.is_relative_to(root / part.folder)] for part in PARTS}
    sizes = {part: sum(path.stat().st_size for path in found) for part, found in files.items()}
    total, planned = sum(sizes.values()), sum(part.budget for part in PARTS)
    rows = [
        "| part | where | bytes | planned | licence | licences of the data | trained by |",
        "|---|---|---:|---:|---|---|---|",
        *(part_row(part, sizes[part], files[part], root) for part in PARTS),
        f"| **together** | | **{total:,}** | **{planned} MB** | | | |",
    ]
    left = f"{(MOST - total) / MEGABYTE:.1f} of {MOST // MEGABYTE} MB are left.\n\n"
    listed = ["| file | bytes | SHA-256 |", "|---|---:|---|"]
    listed += [file_row(path, root) for found in files.values() for path in found]
    return HEAD + "\n".join(rows) + "\n\n" + left + over(sizes, root) + "\n".join(listed) + "\n"


def part_row(part: Part, size: int, files: list[Path], root: Path) -> str:
    cards = [card_of(path, root) for path in files]
    licences, data = (
        ", ".join(dict.fromkeys(str(card.get(field, "unknown")) for card in cards))
        for field in ("licence", "data_licence")
    )
    how = f"`python -m {part.module}` ([how]({part.told}))"
    held = f"{size:,}" if files else "not in this version"
    return f"| {part.name} | `{part.folder}` | {held} | {part.budget} MB | {licences} | {data} | {how} |"


def over(sizes: dict[Part, int], root: Path) -> str:
    """Parts that take more than was planned for them, and why where that is known."""
    lines = ""
    for part, size in sizes.items():
        if size > part.budget * MEGABYTE:
            lines += f"The {part.name} takes {size / MEGABYTE:.1f} MB where {part.budget} were planned"
            config = root / part.folder / "vae" / "config.json"
            if config.is_file():
                channels = json.loads(config.read_text("utf-8"))["latent_channels"]
                lines += (
                    f": the plan was for an autoencoder with latents of 4 channels. Ours has {channels}, and "
                    "is larger, since the autoencoder was what limited the pictures"
                )
            lines += ". What counts is the limit on all parts together.\n\n"
    return lines


def file_row(path: Path, root: Path) -> str:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return f"| `{path.relative_to(root).as_posix()}` | {path.stat().st_size:,} | `{sha256[:16]}…` |"


if __name__ == "__main__":
    (ROOT / PAGE).write_text(page(), encoding="utf-8")
