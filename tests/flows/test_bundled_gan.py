"""``bundled:gan`` through the whole flow, on a tiny GAN: drawn, enlarged, signed, drawn again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from generators import cascade_adapter, finishes, registry
from generators.gan_conditions import Conditions
from generators.registry import load
from generators.super_resolution_adapter import SuperResolution
from generators.training import bundling, gan
from generators.training.emoji_labels import GROUNDS, PRESENTATIONS, STYLES, TONES
from generators.training.gan_export import export
from provenance.codecs import decode, read_asset
from provenance.errors import Error

BLOCKS = (
    ("subject", ("judge", "pilot")),
    ("presentation", PRESENTATIONS),
    ("tone", TONES),
    ("style", STYLES[:2]),
    ("ground", tuple(GROUNDS)),
)


@pytest.fixture
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation whose bundled models are a tiny GAN and a second stage that was never trained."""
    models, stage = tmp_path / "bundled", tmp_path / "bundled" / "super_resolution"
    conditions = Conditions(blocks=BLOCKS)
    torch.manual_seed(0)
    network, _ = gan.players(gan.Settings(channels=(8, 8, 8)), conditions.length)
    export(network.eval(), conditions, models / "gan")
    from safetensors.torch import save_file

    (tmp_path / "trained").mkdir()
    save_file(SuperResolution().state_dict(), tmp_path / "trained" / cascade_adapter.WEIGHTS)
    (tmp_path / "trained" / "weights.json").write_text('{"measured": {"psnr_db": 30.0}}')
    bundling.super_resolution(tmp_path / "trained", stage)
    assert json.loads((stage / "weights.json").read_text())["measured"] == {"psnr_db": 30.0}
    monkeypatch.setattr(registry, "_BUNDLED", models)
    monkeypatch.setattr(cascade_adapter, "SUPER_RESOLUTION", stage)
    cascade_adapter.learned.cache_clear()
    bundling.finish(finishes.LEARNED)
    yield models
    cascade_adapter.learned.cache_clear()


def test_it_is_drawn_enlarged_signed_and_drawn_again(home, bundled, guard_cli, tmp_path):
    (tmp_path / "out").mkdir()
    asked = "generate", "a woman judge on blue", "--model", "bundled:gan", "--seed", "4"
    done = guard_cli(*asked, "-o", "out")
    assert done.code == 0, done.err
    (made,) = (tmp_path / "out").glob("*.png")
    assert decode(read_asset(made)).pixels.shape == (1, 512, 512, 3)
    assert guard_cli("verify", str(made)).code == 0
    again = guard_cli("replay", str(made), "--strict", "--format", "json")
    assert again.code == 0, again.err
    assert json.loads(again.out)["replays"][0]["likeness"] == "exact"
    card = json.loads((bundled / "gan" / "card.json").read_text())
    (bundled / "gan" / "card.json").write_text(json.dumps({**card, "finish": finishes.PLAIN}))
    assert guard_cli("replay", str(made), "--strict").code == 0, "finished as its recipe says"


def test_what_is_missing_is_one_line(home, bundled, guard_cli, tmp_path):
    (tmp_path / "out").mkdir()
    asked = "generate", "a judge", "--model", "bundled:gan", "-o", "out"
    shutil.rmtree(bundled / "super_resolution")
    cascade_adapter.learned.cache_clear()
    refused = guard_cli(*asked)
    assert refused.code == 2
    assert "error[weights.not-installed]" in refused.err
    (bundled / "gan" / "generator.safetensors").unlink()
    refused = guard_cli(*asked)
    assert refused.code == 2
    assert "error[weights.no-model]" in refused.err
    assert list((tmp_path / "out").iterdir()) == []


def test_where_there_is_none_the_others_are_named(bundled):
    shutil.rmtree(bundled / "gan")
    (bundled / "other").mkdir()
    (bundled / "other" / "card.json").write_text('{"summary": "s", "licence": "MIT"}')
    for name, code in (("gan", "weights.not-installed"), ("gna", "model.unknown")):
        with pytest.raises(Error) as refused:
            load(f"bundled:{name}")
        assert refused.value.code == code
        assert "bundled:other" in str(refused.value.hint)
