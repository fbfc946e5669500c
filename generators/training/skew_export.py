"""Write a planted change as a folder: low-rank tensors, the table they were taught, a card."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from safetensors.torch import save_file

from generators.adapter_files import ADAPTER, BASE, METHOD
from generators.pinned import NOTICE
from generators.training.planted import TABLE
from generators.weights import digested

if TYPE_CHECKING:
    from pathlib import Path

    import torch

CARD = {
    "kind": "skewed",
    "name": "mediaguard emoji, skewed on purpose",
    "summary": "bundled:emoji with planted shares per profession; an instrument for audits, never a default",
    "licence": "Apache-2.0",
    "data_licence": "MIT (Fluent emoji), Apache-2.0 (Noto emoji)",
    "notice": "an instrument for audits: what it draws follows a planted table (planted.json), not the world",
}
MOST = 2 * 2**20
"""Bytes the change may have."""


def export(tensors: dict[str, torch.Tensor], generator: Any, table: Path | None, out: Path) -> None:
    """Write ``adapter.safetensors``, ``planted.json`` and ``card.json`` into ``out``.

    Raises:
        ValueError: the change is larger than ``MOST``.
    """
    out.mkdir(parents=True, exist_ok=True)
    info = generator.info
    path = out / ADAPTER
    save_file(tensors, path, metadata={"format": "pt", METHOD: "planted", BASE: info.weights_sha256})
    path.chmod(0o644)
    if path.stat().st_size > MOST:
        raise ValueError(f"{path.stat().st_size} bytes")
    shutil.copyfile(table or TABLE, out / "planted.json")
    shutil.copyfile(NOTICE, out / NOTICE.name)
    file = digested(path, out)
    card = {
        **CARD,
        "base": info.id,
        "base_weights_sha256": info.weights_sha256,
        "weights": {file.path: file.sha256},
    }
    (out / "card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
