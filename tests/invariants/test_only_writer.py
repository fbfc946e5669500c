"""Promise 1, by reading the code: only ``guard.writer`` puts media on the disk.

Calls that write pictures in other libraries are looked for by name in every module; each place that
encodes (into memory) is listed here with its reason.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("guard", "audits", "generators", "provenance")
WRITERS = {
    "save",
    "imwrite",
    "save_image",
    "imsave",
    "write_video",
    "export_to_video",
    "export_to_gif",
    "mimwrite",
    "mux",
    "mux_one",
}
ALLOWED = {
    "provenance/codecs_encode.py": "encodes into memory; returns an Asset",
    "provenance/codecs_deep.py": "encodes into memory; returns an Asset",
    "generators/reference/fitting.py": "saves checkpoints: tensors, no media",
    "provenance/video/writer.py": "writes a clip to where it is told: a spool, see below",
    "audits/robustness/attacks.py": "recompresses in memory, as an attack",
    "provenance/watermark/embedding.py": "simulates JPEG in memory",
}
TRAINING = "generators/training/"
"""Training writes contact sheets of its own models for the developer who runs it; nothing is released."""


def media_writes(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in WRITERS:
                found.append(f"{path.relative_to(ROOT)}:{node.lineno} {name}")
    return found


def sources() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def test_no_module_writes_media_but_the_writer() -> None:
    found = [hit for path in sources() for hit in media_writes(path)]
    stray = [hit for hit in found if not hit.startswith((*ALLOWED, TRAINING))]
    assert stray == []


@pytest.mark.parametrize("name", sorted(ALLOWED))
def test_allowed_encoders_write_into_memory_only(name: str) -> None:
    path = ROOT / name
    if not path.exists():
        pytest.fail(f"{name} is gone: take it off the list")
    text = path.read_text(encoding="utf-8")
    assert "imwrite" not in text
    assert ".open(" not in text.replace("Image.open(", "").replace("av.open(", "")


def test_clips_are_written_into_spools() -> None:
    """Denied pixels never touch the disk, so whoever calls the clip writer hands it a spool."""
    calls = ("rewrite(", "remux(", "write_drawn(", "ClipWriter(")
    writers = [ROOT / "provenance" / "video" / name for name in ("drawn.py", "writer.py")]
    named = [
        p for p in sources() if p not in writers and any(c in p.read_text(encoding="utf-8") for c in calls)
    ]
    clip_callers = [p for p in named if "provenance.video." in p.read_text(encoding="utf-8")]
    assert clip_callers == [ROOT / "provenance" / "video" / "marking.py"]
    text = clip_callers[0].read_text(encoding="utf-8")
    assert text.count("Spool(spool)") == text.count("with made.writer() as out:") == text.count(", out,") == 3


def test_the_writer_asks_for_a_sealed_decision_before_every_write() -> None:
    tree = ast.parse((ROOT / "guard" / "writer.py").read_text(encoding="utf-8"))
    for function in (node for node in tree.body if isinstance(node, ast.FunctionDef)):
        calls = [
            node.func.id
            for node in ast.walk(function)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        ]
        writes = [name for name in calls if name in {"write_temporary", "replace_atomically"}]
        if writes:
            assert "authorise" in calls, function.name
            assert calls.index("authorise") < calls.index(writes[0])
