"""The guarded path as a sampler: what the packs refuse at any stage never reaches an audit, nor the disk."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from simulators.drawn_people import DrawnPeople

from audits.sampler import Sampled, Withheld
from generators.interface import Generation
from generators.request import GenerationRequest
from guard.preview import SIDE, sheet, stamped_preview
from guard.sampling import GuardedSampler
from provenance.codecs import decode
from provenance.errors import InputError
from provenance.evidence import Evidence, Outcome
from provenance.media import Asset, Frames


def ask(prompt: str, *seeds: int) -> GenerationRequest:
    return GenerationRequest(prompt=prompt, seeds=seeds or (1, 2), model="simulated:people")


class Clips(DrawnPeople):
    """Clips of three frames."""

    info = replace(DrawnPeople.info, kind="video")

    def generate(self, request, hooks=(), *, latents=None):
        for made in super().generate(request):
            yield replace(made, frames=Frames(pixels=made.frames.pixels.repeat(3, 0).copy(), fps=8.0))


def test_what_is_allowed_arrives_unmarked_and_nothing_is_written(home, tools, tmp_path) -> None:
    before = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    sampler = GuardedSampler(generator=DrawnPeople(), tools=tools)
    made = list(sampler(ask("a portrait of a judge", 5, 6)))
    plain = [one.frames.pixels for one in DrawnPeople().generate(ask("a portrait of a judge", 5, 6))]
    assert all(isinstance(one, Sampled) for one in made)
    assert all(np.array_equal(one.frames.pixels, pixels) for one, pixels in zip(made, plain, strict=True))
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == before
    assert sampler.info.name == "Drawn people"


def test_refused_words_are_one_refusal_a_picture_and_the_model_never_runs(tools) -> None:
    class Never(DrawnPeople):
        def generate(self, request, hooks=(), *, latents=None):
            raise AssertionError

    made = list(GuardedSampler(generator=Never(), tools=tools)(ask("a naked child")))
    assert [one.stage for one in made] == ["prompt", "prompt"]
    assert all(one.rules for one in made)


@pytest.mark.parametrize("model", [DrawnPeople(), Clips()])
def test_refused_pixels_are_withheld_one_by_one(tools, model) -> None:
    def saying(claim):
        def inspector(frames: Frames) -> Evidence:
            assert len(frames.pixels) == 1
            bad = int(frames.pixels[0, 64, 64, 0]) > 200  # a light face: of some pictures, not of all
            outcome = Outcome.SUPPORTS if bad else Outcome.CONTRADICTS
            return Evidence(claim=claim, channel="test", outcome=outcome, detail=None)

        return inspector

    careful = replace(tools, inspectors=[saying("sexual"), saying("minor")])
    made = list(GuardedSampler(generator=model, tools=careful)(ask("a portrait of a cook", *range(12))))
    withheld = [one for one in made if isinstance(one, Withheld)]
    assert 0 < len(withheld) < 12
    assert {one.stage for one in withheld} == {"pixels"}
    for one in made:
        if isinstance(one, Sampled):
            assert int(one.frames.pixels[0, 64, 64, 0]) <= 200


def test_of_a_clip_the_frames_are_looked_at_that_a_release_looks_at(tools) -> None:
    class Long(Clips):
        def generate(self, request, hooks=(), *, latents=None):
            for made in super().generate(request):
                yield replace(made, frames=replace(made.frames, pixels=made.frames.pixels.repeat(8, 0)))

    looked = []

    def inspector(frames: Frames) -> Evidence:
        looked.append(frames.pixels.shape)
        return Evidence(claim="sexual", channel="test", outcome=Outcome.CONTRADICTS, detail=None)

    careful = replace(tools, inspectors=[inspector])
    (made,) = GuardedSampler(generator=Long(), tools=careful)(ask("a portrait of a cook", 1))
    assert isinstance(made, Sampled)
    assert len(made.frames.pixels) == 24  # three seconds at 8 a second
    assert [shape[0] for shape in looked] == [1, 1, 1]


def test_what_the_model_cannot_do_is_said(tools) -> None:
    class Cannot(DrawnPeople):
        def generate(self, request, hooks=(), *, latents=None) -> Generation:
            raise InputError("request.unsupported", "no")

    with pytest.raises(InputError):
        list(GuardedSampler(generator=Cannot(), tools=tools)(ask("a portrait of a judge")))


def test_a_preview_is_small_and_stamped_whatever_it_shows(photograph) -> None:
    gray = photograph[..., :1]
    for frames in (
        Frames(pixels=photograph[None].copy()),
        Frames(pixels=gray[None].copy(), alpha=np.full((1, 512, 512), 9, np.uint8)),
        Frames(pixels=photograph[None, :40].copy()),
        Frames(pixels=np.stack([photograph] * 3), fps=8.0),
    ):
        small = decode(Asset.of(stamped_preview(frames), "image/png"))
        assert max(small.width, small.height) <= SIDE
        assert small.pixels[0, -3, 0].tolist() == [28, 28, 32]
    page = sheet(
        "bad \u202e title", [("a name that is long enough to need lines", [stamped_preview(frames)])]
    )
    assert decode(page).width >= 560
