"""What a release says in its manifest, read from the released file."""

from __future__ import annotations

import pytest
from PIL import Image

from guard.intake import Statement, release_asset
from guard.plan import ask
from guard.policy.rule import Stage
from provenance.codecs import read_asset
from provenance.log.checkpoint import open_checkpoint
from provenance.manifest.read import read_manifest
from provenance.manifest.reading import DigitalSourceType

GENERATED = Statement(source_type=DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA, model_name="Elsewhere 1")


@pytest.fixture
def released(tools, photograph, tmp_path):
    """Releases the photograph under a name."""
    Image.fromarray(photograph[:300, :300]).save(tmp_path / "photo.png")
    plan = ask(Stage.PLAN, GENERATED.origin(), tools, command="release").obligations

    def make(name: str):
        output, asset = tmp_path / name, read_asset(tmp_path / "photo.png")
        return release_asset(asset, GENERATED, tools, plan=plan, output=output, command="release")

    return make


def test_each_file_carries_the_head_of_the_log_before_it(released, tools, home):
    before = tools.log.note().decode()
    first = read_manifest(read_asset(released("a.png").path), home.trust())
    between = tools.log.checkpoint()
    second = read_manifest(read_asset(released("b.png").path), home.trust())
    assert first.log_checkpoint == before
    assert open_checkpoint(second.log_checkpoint.encode(), tools.log.verifier) == between
    assert between.size > open_checkpoint(before.encode(), tools.log.verifier).size


def test_the_model_of_a_generated_picture_is_named_by_its_weights(tools, home, tmp_path):
    pytest.importorskip("diffusers")
    from generators.registry import load
    from generators.request import GenerationRequest
    from guard.generate import approve, generate

    generator = load("bundled:emoji")
    approved = approve(GenerationRequest(prompt="a cook", seeds=(1,), num_inference_steps=2), tools)
    (made,) = generate(approved, generator, tools, folder=tmp_path, training_mining="notAllowed")
    reading = read_manifest(read_asset(made.path), home.trust())
    (model,) = reading.ingredients
    assert model.relationship == "inputTo"
    assert model.sha256 == reading.weights_sha256 == generator.info.weights_sha256
    assert reading.model_identifier == "bundled:emoji"
    assert set(reading.training_mining.values()) == {"notAllowed"}


def test_what_went_in_and_what_may_be_done_with_it_is_said_on_the_command_line(
    home, guard_cli, signed, photograph, tmp_path
):
    Image.fromarray(photograph[:300, :300]).save(tmp_path / "photo.png")
    (tmp_path / "style.safetensors").write_bytes(b"weights")
    (tmp_path / "record.json").write_bytes(b"{}")
    config = home.config_path
    config.write_text(config.read_text() + 'training_mining = "constrained"\n')
    said = ("--source", "generated", "--ingredient", signed[".png"])
    more = ("--ingredient", "adapter:style.safetensors", "--ingredient", "training:record.json")
    ran = guard_cli("sign", "photo.png", *said, *more, "-o", "new.png")
    assert ran.code == 0, ran.err
    reading = read_manifest(read_asset(tmp_path / "new.png"), home.trust())
    assert [(one.title, bool(one.label), bool(one.sha256)) for one in reading.ingredients] == [
        ("style.safetensors", False, True),
        ("record.json", False, True),
        ("input", True, False),
    ]
    assert set(reading.training_mining.values()) == {"constrained"}
    assert len(reading.training_records) == 1
    for missing in ("model:absent.safetensors", "absent.png"):
        refused = guard_cli("sign", "photo.png", *said[:2], "--ingredient", missing, "-o", "no.png")
        assert refused.code == 2
        assert not (tmp_path / "no.png").exists()


def test_a_wrong_choice_in_the_settings_is_an_error(home, guard_cli):
    home.config_path.write_text('training_mining = "perhaps"\n')
    ran = guard_cli("generate", "a cook", "-o", "out")
    assert ran.code == 2
    assert "config.invalid" in ran.err
