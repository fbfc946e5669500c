"""What a picture was made from is named in its manifest, by the flow that makes pictures."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from generators.request import GenerationRequest
from guard.generate import approve, generate
from guard.ingredients import start_ingredients
from guard.starting import read_start
from provenance.codecs import decode, read_asset
from provenance.errors import InputError
from provenance.manifest.ingredient import Kind
from provenance.media import Frames


def start(frames: int = 1) -> Frames:
    pixels = np.random.default_rng(0).integers(0, 256, (frames, 64, 64, 3), dtype=np.uint8)
    return Frames(pixels=pixels)


def test_the_picture_a_request_starts_from_is_kept_sample_for_sample() -> None:
    (ingredient,) = start_ingredients(GenerationRequest(prompt="x", seeds=(1,), init=start()))
    assert (ingredient.kind, ingredient.title) == (Kind.PICTURE, "input")
    assert ingredient.asset is not None
    assert decode(ingredient.asset).shows(start())
    assert start_ingredients(GenerationRequest(prompt="x", seeds=(1,))) == ()
    assert start_ingredients(GenerationRequest(prompt="x", seeds=(1,), init=start(frames=2))) == ()


def test_it_is_an_ingredient_of_the_released_picture(tools, simulator, tmp_path) -> None:
    request = GenerationRequest(prompt="a lighthouse", seeds=(7,), model="simulated:1", init=start())
    (released,) = generate(approve(request, tools), simulator, tools, folder=tmp_path)
    titles = [ingredient.title for ingredient in released.signed.reading.ingredients]
    assert titles == ["Photograph simulator", "input"]


def test_a_file_is_an_ingredient_with_its_own_history(tools, simulator, signed, make_clip, tmp_path) -> None:
    (tmp_path / "clip.mp4").write_bytes(make_clip(frames=3, sound=None))
    for file, signed_before in ((signed[".png"], True), (tmp_path / "clip.mp4", False)):
        started = read_start(file, None)
        request = GenerationRequest(prompt="a ship", seeds=(7,), model="simulated:1", init=started.init)
        (ingredient,) = start_ingredients(request, started.file)
        assert ingredient.asset.sha256 == read_asset(file).sha256
        flow = generate(approve(request, tools), simulator, tools, folder=tmp_path, start=started.file)
        (_, init) = next(flow).signed.reading.ingredients
        assert init.title == "input"
        assert (init.label is not None) == signed_before


def test_files_to_start_from_are_read_under_limits(photograph, make_clip, tmp_path) -> None:
    """As pixels: opaque transparency is none, gray masks have one channel whatever their layout."""
    opaque = np.dstack([photograph, np.full(photograph.shape[:2], 255, np.uint8)])
    Image.fromarray(opaque).save(tmp_path / "opaque.png")
    Image.fromarray(photograph[..., 0]).convert("RGB").save(tmp_path / "mask.png")
    (tmp_path / "clip.mp4").write_bytes(make_clip(frames=5, sound=None))
    started = read_start(tmp_path / "opaque.png", tmp_path / "mask.png")
    assert (started.init.alpha, started.mask.is_gray) == (None, True)
    assert list(started.inputs) == ["init", "mask"]
    clip = read_start(tmp_path / "clip.mp4", None).init
    assert (clip.pixels.shape, round(clip.fps, 2)) == ((5, 144, 192, 3), 12.0)
    assert read_start(None, None).inputs == {}

    (tmp_path / "words.txt").write_text("no picture")
    bad = {
        "input.missing": (tmp_path / "nothing.png", None),
        "input.not-media": (tmp_path / "words.txt", None),
        "request.init": (tmp_path / "opaque.png", tmp_path / "opaque.png"),
    }
    for code, files in bad.items():
        with pytest.raises(InputError) as caught:
            read_start(*files)
        assert caught.value.code == code
        assert caught.value.where == str(files[1] or files[0])
