"""Pictures of the content digest's benchmark, and its tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from _pictures import pictures
from PIL import Image

from audits.integrity.copies import AFTERWARDS
from audits.integrity.edits import EDITS, SHARES
from audits.integrity.roc import area, points
from audits.statistics import wilson

if TYPE_CHECKING:
    from audits.integrity.trial import Trial

BACKGROUNDS = Path("/usr/share/backgrounds/mate/nature")
"""Of Debian's mate-backgrounds."""
SIDE, CROP, CROPS = 512, 768, 6


def photographs() -> dict[str, np.ndarray]:
    """Held-out photographs by name, 512 pixels; what stands before "-" is the source."""
    found = {}
    for path in sorted(BACKGROUNDS.glob("*.jpg")):
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
        corners = [
            (y, x)
            for y in range(0, pixels.shape[0] - CROP + 1, CROP)
            for x in range(0, pixels.shape[1] - CROP + 1, CROP)
        ]
        step = max(len(corners) // CROPS, 1)
        for index, (y, x) in enumerate(corners[::step][:CROPS]):
            found[f"{path.stem}-{index}"] = _smaller(pixels[y : y + CROP, x : x + CROP])
    return found


def drawn(n: int) -> dict[str, np.ndarray]:
    """Pictures of the bundled model; each is its own source."""
    return {name.replace("-", " "): pixels for name, pixels in pictures(None, n)} if n else {}


def _smaller(pixels: np.ndarray) -> np.ndarray:
    factor = min(1.0, SIDE / min(pixels.shape[:2]))
    size = (round(pixels.shape[1] * factor), round(pixels.shape[0] * factor))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))


def summary(found: list[Trial], shown: dict[str, np.ndarray], alike: dict[str, int]) -> dict[str, Any]:
    """One group's part of the result."""
    laid = [trial for trial in found if not trial.blind]
    benign = [trial for trial in laid if trial.kind == "benign"]
    drawn_edits = [trial for trial in laid if trial.kind != "benign"]
    edited = [trial for trial in drawn_edits if trial.visible]
    large = [trial for trial in edited if trial.share >= 0.05]
    blind = [trial for trial in found if trial.blind]
    return {
        "pictures": len(shown),
        "sources": len({name.split("-")[0] for name in shown}),
        "benign": _benign(benign),
        "edits": _edits(edited),
        "edits_from_5_percent": _edits(large),
        "edits_from_5_percent_visible_or_not": _edits(
            [trial for trial in drawn_edits if trial.share >= 0.05 and trial.first]
        ),
        "by_copy_from_5_percent": {
            copy: _edits([trial for trial in large if trial.copy == copy]) for copy in AFTERWARDS
        },
        "by_kind_and_share": {
            kind: {
                f"{share:.0%}": _edits([t for t in edited if (t.kind, t.share) == (kind, share)])
                for share in SHARES
            }
            for kind in EDITS
        },
        "roc": points([t.score for t in benign], [t.score for t in large]),
        "auc": area([(t.source, t.score) for t in benign], [(t.source, t.score) for t in large]),
        "without_a_mark": {
            "benign": _benign([t for t in blind if t.kind == "benign"]),
            "edits": _edits([t for t in blind if t.kind != "benign"]),
            "other_pictures_taken_for_it": wilson(alike["matched"], alike["n"]).to_json(),
        },
    }


def _benign(trials: list[Trial]) -> dict[str, Any]:
    called = [trial for trial in trials if trial.score > 1]
    copies = sorted({f"{trial.copy}: {trial.source}" for trial in called})
    return {
        "same_picture": _rate(sum(trial.matched for trial in trials), len(trials)),
        "called_altered": _rate(len(called), len(trials)),
        "which": copies,
    }


def _edits(trials: list[Trial]) -> dict[str, Any]:
    found = [trial for trial in trials if trial.score > 1 or not trial.matched]
    located = [trial for trial in trials if trial.score > 1 and trial.located]
    stray = [trial.stray for trial in located]
    return {
        "found": _rate(len(found), len(trials)),
        "found_and_located": _rate(len(located), len(trials)),
        "no_longer_called_the_picture": sum(not trial.matched for trial in trials),
        "mean_share_of_regions_beside_the_edit": round(float(np.mean(stray)), 3) if stray else None,
        "sources": len({trial.source for trial in trials}),
    }


def _rate(successes: int, n: int) -> dict[str, Any] | None:
    return wilson(successes, n).to_json() if n else None
