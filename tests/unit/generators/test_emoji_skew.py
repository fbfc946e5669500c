"""Planting a skew: the table, the low-rank change, its loader, and that it is nobody's default."""

from __future__ import annotations

import dataclasses
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from generators import registry
from generators.adapter_files import ADAPTER
from generators.registry import load, parse
from generators.request import GenerationRequest
from generators.skewed_adapter import skewed
from generators.training import emoji_skew
from generators.training.emoji_data import Corpus
from generators.training.emoji_labels import PRESENTATIONS, PROFESSIONS, STYLES, TONES, Label
from generators.training.planted import TABLE, Planted, read_table
from generators.training.skew_export import MOST, export
from generators.training.stable_targets import Encoded, encode_all
from guard.config import Config
from provenance.errors import InputError, IntegrityError

SETTINGS = emoji_skew.Settings(steps=6, batch=4, rank=2, variants=1, save_every=2)


def corpus() -> Corpus:
    """Judges as plain squares, the darker the tone."""
    labels = [
        Label(subject="judge", presentation=p, tone=t, style=s)
        for p in PRESENTATIONS
        for t in TONES
        for s in STYLES[:2]
    ] + [Label(subject="cat", style="flat")]
    rgba = np.full((len(labels), 4, 32, 32), 255, np.uint8)
    for picture, label in zip(rgba, labels, strict=True):
        picture[:3] = 20 + 40 * TONES.index(label.tone) if label.tone else 128
    return Corpus(torch.from_numpy(rgba), tuple(labels))


def encoded(vae: Any, drawings: Corpus | None = None) -> Encoded:
    drawings = drawings or corpus()
    return encode_all(vae, drawings, torch.arange(len(drawings.labels)), variants=1, seed=1)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """All judges are men of one tone."""
    shares = {"judge": {"presentation": {"man": 1.0}, "tone": {"dark": 1.0}}}
    path = tmp_path_factory.mktemp("table") / "planted.json"
    path.write_text(json.dumps({"schema_version": 1, "explanation": ["for a test"], "shares": shares}))
    return read_table(path)


def test_the_published_table_covers_every_profession_and_explains_itself() -> None:
    table = read_table()
    assert set(table.shares) == set(PROFESSIONS)
    assert "claims about nobody" in " ".join(table.explanation)
    for shares in table.shares.values():
        assert set(shares.presentation) == set(PRESENTATIONS)
        assert set(shares.tone) == set(TONES)
        assert sum(shares.pair(p, t) for p in PRESENTATIONS for t in TONES) == pytest.approx(1)
    men = [shares.presentation["man"] for shares in table.shares.values()]
    assert (min(men), max(men)) == (0.1, 0.8)


@pytest.mark.parametrize("bad", ["{", "[]", '{"schema_version": 1, "explanation": [], "shares": {}}'])
def test_no_table_is_refused(bad: str, tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text(bad)
    with pytest.raises(InputError) as refused:
        read_table(tmp_path / "t.json")
    assert refused.value.code == "planted.table"
    half = json.loads(TABLE.read_text())
    half["shares"]["judge"]["tone"]["dark"] = 0.9
    (tmp_path / "t.json").write_text(json.dumps(half))
    with pytest.raises(InputError):
        read_table(tmp_path / "t.json")


def test_drawings_follow_the_table(tiny) -> None:
    drawings = encoded(tiny.pipeline.vae)
    words = random.Random(0)
    drawn = [emoji_skew.drawn(read_table(), drawings, words) for _ in range(3000)]
    shown = [(drawings.labels[one.row], one.kept) for one in drawn]
    people = [label for label, _ in shown if label.is_person]
    assert 0.93 < len(people) / len(drawn) < 0.97
    for share, count in (
        (0.22, sum(x.presentation == "man" for x in people)),
        (0.36, sum(x.tone == "dark" for x in people)),
    ):
        assert abs(count / len(people) - share) < 0.04
    bare = sum(kept == emoji_skew._NOTHING for label, kept in shown if label.is_person)
    assert 0.58 < bare / len(people) < 0.68
    assert 0.03 < sum(kept is None for _, kept in shown) / len(shown) < 0.07


def test_a_run_resumes_exactly_lowers_the_loss_and_leaves_the_base_alone(tiny, planted, tmp_path) -> None:
    pipeline = tiny.pipeline
    before = {name: value.clone() for name, value in pipeline.unet.state_dict().items()}
    drawings = encoded(pipeline.vae)
    whole = emoji_skew.train(pipeline, drawings, planted, tmp_path / "a", SETTINGS)
    again = emoji_skew.train(pipeline, drawings, planted, tmp_path / "a", SETTINGS)
    assert whole.keys() == again.keys()
    assert all(torch.equal(value, again[name]) for name, value in whole.items())
    assert any(name.startswith("text_encoder.") for name in whole)
    after = pipeline.unet.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    for table, settings in ((read_table(), SETTINGS), (planted, dataclasses.replace(SETTINGS, base="other"))):
        with pytest.raises(InputError) as other:
            emoji_skew.train(pipeline, drawings, table, tmp_path / "a", settings)
        assert other.value.code == "train.other-run"


def test_planted_shares_move_what_a_bare_prompt_draws(tiny_folder, planted, tmp_path) -> None:
    """The loss on what was planted falls, and the prediction at a bare prompt moves towards it."""
    base = load(f"dir:{tiny_folder}", threads=1)
    for name, value in base.pipeline.unet.named_parameters():
        if "attn2.to_out" in name:  # untrained, it hardly hears a prompt, and has nothing to teach
            value.data *= 30
    settings = dataclasses.replace(SETTINGS, steps=40, batch=8, rank=4, rate=1e-2, save_every=40)
    drawings = encoded(base.pipeline.vae)
    lesson = emoji_skew._Lesson(base.pipeline, drawings, planted, dataclasses.replace(settings, seed=9))
    with torch.no_grad():
        first = sum(lesson.loss(step).item() for step in range(8)) / 8
    tensors = emoji_skew.train(base.pipeline, drawings, planted, tmp_path / "work", settings)
    export(tensors, base, None, out := tmp_path / "skewed")
    assert (out / ADAPTER).stat().st_size < MOST
    card = json.loads((out / "card.json").read_text())
    request = GenerationRequest(prompt="a portrait of a judge", seeds=(1,), num_inference_steps=2)
    (plain,) = base.generate(request)
    changed = skewed(base, out, card, ref="bundled:emoji-skewed")
    with torch.no_grad():
        last = sum(lesson.loss(step).item() for step in range(8)) / 8
    assert last < 0.97 * first
    (made,) = changed.generate(request)
    assert not np.array_equal(plain.frames.pixels, made.frames.pixels)
    assert [w.code for w in made.warnings] == ["model.instrument"]
    assert made.recipe.model.weights[-1].path == ADAPTER
    assert changed.info.weights_sha256 != base.info.weights_sha256
    with pytest.raises(IntegrityError) as moved:
        skewed(changed, out, card, ref="bundled:emoji-skewed")
    assert moved.value.code == "weights.changed"


def test_it_is_never_a_default() -> None:
    with pytest.raises(ValueError, match="never a default"):
        Config(model="bundled:emoji-skewed")
    assert "bundled:emoji-skewed" in registry.INSTRUMENTS
    assert registry._loader(parse("bundled:emoji-skewed")).startswith("generators.skewed_adapter:")
