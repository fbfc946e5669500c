"""The table of families as a page of the documentation: ``python -m generators.families_page > PAGE``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from generators.families import FAMILIES

if TYPE_CHECKING:
    from generators.family import Family

PAGE = "docs/reference/model-families.md"
_HEAD = """# Families of models

Which models `dir:PATH` and `hf:ORG/NAME@COMMIT` run, by the pipeline class in their `model_index.json`.
A `card.json` or `words.json` beside it is not read: sizes and words are those of the pipeline.
The page is made from the table in `generators/families.py`; a test keeps the two in step, and holds
every line against a real, tiny model of the class.

- **Size**: width and height are multiples of the number; a loaded model can ask for more. What starts from
  a picture is as large as it, unless said otherwise.
- **Frames**: clips have so many, with k = 0, 1, 2, …; the numbers behind are those made by default and the
  frames per second they play at. The loaded model's own compression in time replaces the number before k.
- **Prompt**: the tokens that each of its readers takes; more is cut off, and a warning says so. "own" is the
  tokenizer's limit (77 in CLIP). A class is named by its name or its number. Where there is none, the prompt
  is "".
- **Guidance**: the argument that `guidance_scale` becomes. Negative prompts count where the guidance exceeds
  1, or the option in brackets does.
- **Starts from**: `init` and `mask` of the request; required unless in brackets.
- **Hooks**: tensors that step hooks see. A hook elsewhere is an error, as is noise to start from.
- **Latents**: axes of the noise that can be handed in (latent marks).
- **Schedulers**: names for `scheduler`; others are errors, since they ruin pictures.
- **Fast**: profiles for `fast` (`guard generate --fast`, see the guide); others are errors. int8 runs on
  processors only.

Further options are the arguments of the pipeline's call, by name, and `vae_slicing` and `vae_tiling` where
the autoencoder has them. All of them are in the recipe.

A text-to-image class that is not listed runs on what its call says: sizes in multiples of 8, the schedulers
of its kind, hooks that see the latents. Any other class is `model.unknown-family`.
"""


def page() -> str:
    """The whole page, in Markdown."""
    kinds = {"image": "Pictures", "video": "Clips"}
    parts = [_HEAD]
    for kind, title in kinds.items():
        listed = [family for family in FAMILIES.values() if family.kind == kind]
        rows = [_row(_HEADINGS), _row(["---"] * len(_HEADINGS)), *(_row(_cells(f)) for f in listed)]
        parts.append(f"## {title}\n\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


_HEADINGS = [
    "Pipeline class",
    "Family",
    "Size",
    "Frames",
    "Prompt",
    "Guidance",
    "Starts from",
    "Hooks",
    "Latents",
    "Schedulers",
    "Fast",
]


def _cells(family: Family) -> list[str]:
    hooks = ", ".join(family.hooks)
    return [
        f"`{family.pipeline}`",
        family.name,
        _size(family),
        _frames(family),
        _prompt(family),
        _guidance(family),
        _starts_from(family),
        hooks,
        family.layout if family.latents else "",
        ", ".join(family.schedulers),
        ", ".join(family.fast),
    ]


def _size(family: Family) -> str:
    if not family.sized:
        return "its own"
    as_init = family.init is not None and family.init.same_size
    return str(family.multiple) + (", as init" if as_init else "")


def _frames(family: Family) -> str:
    rule, init = family.frames, family.init
    if rule is None:
        return ""
    if init is not None and init.clip and init.required:
        return f"{rule}; as init"
    default = "the model's" if rule.default is None else rule.default
    return f"{rule}; {default} at {family.fps:g} a second"


def _prompt(family: Family) -> str:
    if family.conditioning != "prompt":
        return {"label": "a class", "none": "none"}[family.conditioning]
    return " + ".join("own" if encoder.limit is None else str(encoder.limit) for encoder in family.encoders)


def _guidance(family: Family) -> str:
    if family.guidance is None:
        return ""
    if family.negative is None:
        return f"{family.guidance}, no negative prompts"
    return family.guidance + ("" if family.negative == "guidance" else f" ({family.negative})")


def _starts_from(family: Family) -> str:
    rule = family.init
    if rule is None:
        return ""
    what = "clip" if rule.clip else "picture"
    what += " or one picture as reference" if rule.single else ""
    what += "" if rule.mask is None else (", mask" if rule.mask_required else ", mask if wanted")
    what += "" if rule.same_size else ", enlarged"
    return what if rule.required else f"({what})"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    sys.stdout.write(page())
