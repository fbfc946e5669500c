"""Real pipelines that make clips, built from configuration: wrapped in two lines, released, drawn again."""

from __future__ import annotations

import dataclasses
import warnings

import pytest
from simulators.family_requests import small
from simulators.tiny_pipelines import settled
from simulators.tiny_video_pipelines import CLIPS

import guard
from generators.replay import Likeness
from provenance.codecs import read_asset
from provenance.video.reader import ClipReader

FAST = ("AnimateDiffPipeline", "LTXPipeline")
ALL = [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in CLIPS]
FIELDS = ("width", "height", "num_frames", "num_inference_steps", "init", "mask", "options")


@pytest.mark.parametrize("name", ALL)
def test_a_pipeline_of_clips_is_wrapped_in_two_lines(home, tmp_path, name) -> None:
    import torch

    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        clips = guard.wrap(settled(CLIPS[name](name)), licence="MIT")
    request = small(name)
    asked = {field: getattr(request, field) for field in FIELDS}
    start = {field: asked.pop(field) for field in ("init", "mask")}
    (one,) = clips.generate(request.prompt, output=tmp_path / "out", seed=7, **asked, **start)
    recipe = one.signed.marked.checked.draft.origin.recipe
    asset = read_asset(one.path)
    with ClipReader(asset.content, asset.mime) as reader:
        assert len(list(reader.frames())) == recipe.frames > 1
        assert float(reader.clip.rate) == pytest.approx(recipe.fps)
    assert guard.verify_file(one.path).state is guard.State.DEVELOPMENT
    assert clips.replay(one.path, **start).likeness is Likeness.EXACT
    assert dataclasses.asdict(clips.info)["kind"] == "video"
