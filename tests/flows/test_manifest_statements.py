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
