"""What people read of a bundled motion model: MODEL_CARD.md, with figures where there are any, and NOTICE."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from generators.movements import MOVEMENTS
from generators.pinned import NOTICE
from generators.proportion import wilson

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from generators.training.checkpoints import Progress

EVALUATION, REFERENCES = "evaluation.json", "references.json"
"""What ``generators.training.motion_evaluation`` measured, beside the weights."""
_UNKNOWN = "not measured"
_TEXT = """# {name}

{summary}. It moves what a picture model draws; that model is not in this folder.

## What it draws
The people and things of its picture model, in nine movements: {movements}.
A prompt that says no movement moves somehow, with a warning. Clips have {frames} frames where nothing is said
and {most_frames} at most, {fps:g} a second, {size} pixels to a side: a figure in front of a plain ground,
no scenes and no sound.

## Parts
| part | what |
|---|---|
| picture model | `{base}`, weights sha256 `{base_sha256}`; frozen in training |
{parts}
| `card.json` | defaults, and the digests of the weights |

Half precision safetensors, {bytes:,} bytes together.

## Data
| set | package | licence |
|---|---|---|
| Fluent emoji (Microsoft) | npm `fluentui-emoji` 1.3.0 | MIT |
| Noto Emoji (Google) | npm `emoji-datasource-google` 16.0.0 | Apache-2.0 |

Drawings that the picture model was trained on, moved along computed paths over coloured grounds; no clip was
filmed. The pictures themselves are not part of mediaguard.

## Training
```
python -m generators.training.emoji_motion prepare --work W --base {base}
python -m generators.training.emoji_motion train --work W --base {base} --rank {rank} --steps {trained}
python -m generators.training.emoji_motion export --work W --base {base} --rank {rank} --out OUT
```
{took}

## Measured
- Movement as asked for: {movement}.
- Subject recognisable: {subject}.
- Both: {both}.
- The motion oracle on true clips of the corpus: {oracle}.

```
M="python -m generators.training.motion_evaluation"
$M model --work W --model dir:OUT --oracle ORACLE --out OUT/{evaluation}
$M references --work W --out OUT/{references}
```
`export` again takes the figures over, if they are of these weights.

## Limits
- One figure, one movement, along a straight line, in size or by a turn: nobody walks, nothing bends.
- What a prompt leaves open may change along a clip: a face, a tone. What enlarges knows nothing of time.
- Detail is that of the picture model, 128 pixels.
- Emoji are no footage: nothing measured on these clips carries over to detectors or audits of films.

## Licence
The weights are released under {licence} with the notices in `NOTICE`, which travel with them. Data:
{data_licence}.
"""


def write_card(
    out: Path,
    card: Mapping[str, Any],
    parts: Mapping[str, tuple[str, int]],
    *,
    rank: int,
    reached: Progress | None,
) -> None:
    """Write ``MODEL_CARD.md`` and ``NOTICE``.

    Args:
        out: folder of the model, weights included.
        card: what ``card.json`` says.
        parts: file or folder → what it is, and of how many numbers.
        rank: of the low-rank changes; 0: there are none.
        reached: how far the training got; None: nobody says.
    """
    rows = [f"| `{name}` | {what}, {numbers:,} numbers |" for name, (what, numbers) in parts.items()]
    usual = {"name": out.name, "summary": "Clips", "data_licence": "unknown", "fps": 8.0, "most_frames": 16}
    text = _TEXT.format(
        **{**usual, **card},
        **_figures(out, card["weights"]),
        movements=", ".join(MOVEMENTS),
        parts="\n".join(rows),
        bytes=sum(path.stat().st_size for path in out.rglob("*.safetensors")),
        evaluation=EVALUATION,
        references=REFERENCES,
        rank=rank,
        trained="STEPS" if reached is None else reached.step,
        took=_took(reached),
    )
    (out / "MODEL_CARD.md").write_text(text, encoding="utf-8")
    shutil.copyfile(NOTICE, out / NOTICE.name)


def _took(reached: Progress | None) -> str:
    if reached is None:
        return "How long that took is not on record."
    spent = reached.energy
    energy = "" if spent is None else f", {spent['joules']:,} J ({spent['method']})"
    return f"{reached.step:,} steps, {reached.seconds:,.0f} s of wall clock over all sessions{energy}."


def _figures(out: Path, weights: Mapping[str, str]) -> dict[str, str]:
    """The lines of what was measured; figures of other weights are none."""
    found, oracle = _read(out / EVALUATION), _read(out / REFERENCES)
    if found.get("weights") != dict(weights):
        found = {}
    return {
        "movement": _share(found, "movements_right"),
        "subject": _share(found, "subjects"),
        "both": _share(found, "both"),
        "oracle": _share(oracle, "right"),
    }


def _share(figures: Mapping[str, Any], of: str) -> str:
    if not figures.get("n"):
        return _UNKNOWN
    share = wilson(figures[of], figures["n"])
    return f"{share.successes} of {share.n} clips (95 % interval {share.low:.3f} to {share.high:.3f})"


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    figures: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return figures
