"""The gallery: seeds in order, in each section a sheet and a command, small files, nothing left behind."""

from __future__ import annotations

import importlib
import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from simulators.command_line import parses
from simulators.emoji_models import EmojiSimulator, OneAnswerOracle

from generators.finishes import LEARNED, PLAIN, finish_named

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def gallery(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    return importlib.import_module("make_gallery")


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    ramp = np.linspace(0, 255, 128).astype(np.uint8)
    plain = np.broadcast_to(ramp[:, None, None], (128, 128, 3))
    return [np.roll(plain, 9 * turn, axis=0) for turn in range(12)]


def test_every_section_shows_its_sheet_and_a_command_that_there_is(gallery, pictures, tmp_path) -> None:
    made = {
        "bundled:emoji": EmojiSimulator(pictures),
        "bundled:gan": EmojiSimulator(pictures, ref="bundled:gan", sampler="none"),
        "bundled:emoji-skewed": EmojiSimulator(pictures, ref="bundled:emoji-skewed"),
        "bundled:video": EmojiSimulator(pictures, ref="bundled:video", frames=8),
    }
    models = {ref: partial(made.__getitem__, ref) for ref in made}
    plain = finish_named(PLAIN)
    stale = tmp_path / gallery.IMAGES / "stale.webp"
    stale.parent.mkdir(parents=True)
    stale.touch()
    gallery.write(tmp_path, gallery.sections(models, {PLAIN: plain, LEARNED: plain}, OneAnswerOracle()))

    page = (tmp_path / "gallery.md").read_text(encoding="utf-8")
    sheets = re.findall(r"!\[.+\]\((.+)\)", page)
    assert len(sheets) == page.count("\n## ") == 11
    assert {tmp_path / name for name in sheets} == set((tmp_path / gallery.IMAGES).iterdir())
    for name in sheets:
        with Image.open(tmp_path / name) as sheet:
            assert sheet.width <= 1100, "as wide as a page shows it"
    commands = re.findall(r"^guard .*$", page, flags=re.MULTILINE)
    assert len(commands) == len(sheets)
    assert all(map(parses, commands))
    assert all(f"`{ref}`, weights `{'0' * 16}…`" in page for ref in made)
    for model in made.values():
        assert min(seed for request in model.asked for seed in request.seeds) == 1
    people = [request.seeds for request in made["bundled:emoji"].asked[:114]]
    assert people == [(seed,) for seed in range(1, 115)]


def test_a_gallery_too_large_to_keep_is_refused(gallery, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(gallery, "MOST", 1000)
    noise = np.random.default_rng(0).integers(0, 256, (4, 128, 128, 3), dtype=np.uint8)
    models = {"bundled:emoji": lambda: EmojiSimulator(noise)}
    kept = tmp_path / gallery.IMAGES / "kept.webp"
    kept.parent.mkdir(parents=True)
    kept.touch()
    with pytest.raises(SystemExit, match="more than 1,000"):
        gallery.write(tmp_path, gallery.sections(models, {PLAIN: finish_named(PLAIN)}, None))
    assert not (tmp_path / "gallery.md").exists()
    assert kept.exists(), "the page of before still shows it"


def test_the_page_of_this_version_is_whole(gallery) -> None:
    page = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
    assert page.startswith(gallery.HEAD), "python docs/make_gallery.py"
    shown = {ROOT / "docs" / name for name in re.findall(r"!\[.+\]\((.+)\)", page)}
    assert shown == set((ROOT / "docs" / gallery.IMAGES).glob("*.webp"))
    assert sum(path.stat().st_size for path in shown) <= gallery.MOST
