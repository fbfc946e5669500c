"""Tensors of a component that its network has no place for; diffusers and transformers leave them out unsaid.

They are weights of another network, or something hidden in a file. Names are compared first, which costs
nothing; only where some differ is the library asked, by loading the component again: it knows which names
it had in former versions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import diffusers
import transformers

from generators.tensor_files import METADATA, read_header
from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_HARMLESS = re.compile(
    r"(^|\.)(position_ids|inv_freq|masked_bias|num_batches_tracked|logit_scale)$"
    r"|^(text_projection|lm_head)\.weight$"
    r"|^(vision_model|visual_projection)\."
)
"""What older files hold beside a network's weights: numbers that follow from its shape, statistics that
nothing reads, and the other half of a CLIP or the head of a language model whose body alone is taken."""
_SHOWN = 100
"""Characters of a tensor's name."""


def check_surplus(pipeline: Any, folder: Path) -> None:
    """Hold the files of each component against its network.

    Args:
        pipeline: a ``diffusers.DiffusionPipeline``, loaded from ``folder``.
        folder: a component's files lie in the folder of its name.

    Raises:
        InputError: ``weights.damaged``, naming the first tensor that belongs nowhere.
    """
    for name, part in pipeline.components.items():
        if not isinstance(part, (diffusers.ModelMixin, transformers.PreTrainedModel)):
            continue
        surplus = _surplus(part, folder / name)
        if surplus:
            more = f" and {len(surplus) - 1} more" if len(surplus) > 1 else ""
            raise InputError(
                "weights.damaged",
                f"the network has no place for a tensor of the files: {surplus[0][:_SHOWN]}{more}",
                where=f"{folder.name}/{name}",
                hint="copy or download the whole model again",
            )


def _surplus(part: Any, folder: Path) -> list[str]:
    if not any(_strangers(part, read_header(file) or ()) for file in folder.glob("*.safetensors")):
        return []
    _, found = type(part).from_pretrained(
        folder, use_safetensors=True, local_files_only=True, output_loading_info=True
    )
    return sorted(name for name in found["unexpected_keys"] if not _HARMLESS.search(name))


def _strangers(part: Any, names: Iterable[str]) -> set[str]:
    """Names of tensors that the network does not have as they stand there."""
    return {name for name in names if not _HARMLESS.search(name)} - set(part.state_dict()) - {METADATA}
