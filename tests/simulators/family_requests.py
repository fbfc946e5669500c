"""Small requests that each family can honour, and the tiny models to send them to."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np

from generators.families import FAMILIES
from generators.request import GenerationRequest
from provenance.media import Frames


def noise(side: int = 32, *, frames: int = 1, channels: int = 3, seed: int = 0) -> Frames:
    shape = (frames, side, side, channels)
    return Frames(pixels=np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8))


def middle(side: int = 32, *, frames: int = 1) -> Frames:
    """A mask: the middle may change."""
    pixels = np.zeros((frames, side, side, 1), np.uint8)
    pixels[:, side // 4 : -side // 4, side // 4 : -side // 4] = 255
    return Frames(pixels=pixels)


def size_of(name: str) -> int:
    return max(32, FAMILIES[name].multiple)


@cache
def _init(name: str) -> dict:
    rule, side = FAMILIES[name].init, size_of(name)
    if rule is None:
        return {}
    frames = 5 if rule.clip else 1
    start = {"init": noise(side, frames=frames)}
    if rule.mask:
        start["mask"] = middle(side, frames=frames)
    return start


def small(name: str, **changes) -> GenerationRequest:
    """The smallest request that makes something of a tiny model of this class."""
    family = FAMILIES[name]
    words = {"prompt": "portrait of a judge", "label": "tench", "none": ""}
    base: dict = {
        "prompt": words[family.conditioning],
        "seeds": (7,),
        "num_inference_steps": 2,
        **_init(name),
    }
    if "Img2Img" in name or "Inpaint" in name:
        base["num_inference_steps"] = 3 if name in EDITS else 4
    if family.init is None and name not in FIXED:
        base |= {"width": size_of(name), "height": size_of(name)}
    if family.frames is not None:
        base["num_frames"] = {1: 2, 4: 5, 8: 9}[family.frames.step]
    options = dict(OPTIONS.get(name, {}))
    if "Kandinsky" in name:
        options["prior_num_inference_steps"] = 2
    return dataclasses.replace(GenerationRequest(**base), **{"options": options, **changes})


FIXED = ("DiTPipeline", "ConsistencyModelPipeline", "DDPMPipeline", "DDIMPipeline")
"""Their pictures have one size."""
EDITS = ("StableDiffusionImg2ImgPipeline", "StableDiffusionInpaintPipeline")
"""They draw so much of a picture anew that three steps are two and three."""
SHORT = {"max_sequence_length": 64}
"""UMT5 pads a text to its limit, and relates every place in it to every other."""
OPTIONS: dict[str, dict] = {
    **{name: SHORT for name in FAMILIES if name.startswith("Wan")},
    "PixArtAlphaPipeline": {"use_resolution_binning": False},
    "PixArtSigmaPipeline": {"use_resolution_binning": False},
}
