"""Fixed messages that published generators write into every picture, with dwtDct and without a key.

Who finds one knows that the picture, or a part of it, went through such a program, or that somebody wrote or
copied the message there: it is public, so it proves nothing. Who finds none knows nothing at all: the mark is
lost by almost any recompression, resize or crop, and most programs do not write one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from typing import TYPE_CHECKING

from provenance.errors import missing_extra
from provenance.evidence import Evidence, Outcome

if TYPE_CHECKING:
    from provenance.errors import Error
    from provenance.media import Frames


class Route(StrEnum):
    """How the pixels came to the encoder; which quantiser cell a value falls into depends on it."""

    EIGHT_BIT = "8-bit"
    """Rounded RGB: U lies around 128."""
    FLOAT = "float"
    """Before rounding, from the network: OpenCV's U of floating point pixels lies around 0.5."""
    SWAPPED = "float, red and blue exchanged"
    """As diffusers did before it turned RGB into the BGR that the encoder expects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """One published message.

    Attributes:
        software: what writes it.
        message: its bits, as ``"0"`` and ``"1"``.
        routes: by which its programs hand their pixels over.
    """

    software: str
    message: str
    routes: tuple[Route, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierReading:
    """The carrier that the picture agrees with best.

    Attributes:
        software: what writes it.
        bits: in its message.
        matching: how many of them a plain majority vote returns; of a picture without any mark about half.
        correlation: between the message and each bit's share of blocks that say 1, in -1..1.
        statistic: the correlation, transformed (Fisher) so that it would be standard normal for bits that are
            fair coins. Those of real pictures are not; see ``benchmarks/carriers.py`` for what they do.
        route: by which it was read.
        looks: carriers and routes tried.
    """

    software: str
    bits: int
    matching: int
    correlation: float
    statistic: float
    route: Route
    looks: int


def _text(text: str) -> str:
    return "".join(f"{byte:08b}" for byte in text.encode())


CARRIERS = (
    # github.com/CompVis/stable-diffusion, scripts/txt2img.py and img2img.py: wm = "StableDiffusionV1"
    Carrier(software="Stable Diffusion 1", message=_text("StableDiffusionV1"), routes=(Route.EIGHT_BIT,)),
    # github.com/runwayml/stable-diffusion, scripts/inpaint_st.py: wm = "StableDiffusionV1-Inpainting"
    Carrier(
        software="Stable Diffusion 1 inpainting",
        message=_text("StableDiffusionV1-Inpainting"),
        routes=(Route.EIGHT_BIT,),
    ),
    # github.com/Stability-AI/stablediffusion, scripts/txt2img.py: wm = "SDV2"
    Carrier(software="Stable Diffusion 2", message=_text("SDV2"), routes=(Route.EIGHT_BIT,)),
    # github.com/Stability-AI/generative-models, scripts/demo/detect.py, and
    # github.com/huggingface/diffusers, pipelines/stable_diffusion_xl/watermark.py: 0xB3EC907BB19E
    Carrier(
        software="Stable Diffusion XL or Stable Video Diffusion",
        message=f"{0xB3EC907BB19E:b}",
        routes=(Route.FLOAT, Route.SWAPPED, Route.EIGHT_BIT),
    ),
    # github.com/black-forest-labs/flux, src/flux/util.py. Python's bin() drops the two leading zeros of the
    # 48 bits written there, so that 46 are embedded.
    Carrier(software="FLUX", message=f"{0x2AFE879CF52E:b}", routes=(Route.FLOAT, Route.EIGHT_BIT)),
    # github.com/invoke-ai/InvokeAI, app/invocations/image.py: text default="InvokeAI"
    Carrier(software="InvokeAI", message=_text("InvokeAI"), routes=(Route.EIGHT_BIT,)),
)

FOUND = 6.5
"""Statistic from which a carrier counts as found; see ``benchmarks/results/carriers.json`` for its null."""
UNMARKED_CROPS = 560
"""Looked at there, and no carrier found: what chance has been measured to be less than one in."""
TRACE = 5.5
"""Statistic from which it is at least mentioned."""
CLAIM = "carries a message that published generators write into every picture"
_LEAST_PIXELS = 256 * 256
"""The encoder refuses smaller pictures."""
_LOST = "lost by almost any recompression, resize or crop, so its absence says nothing"


def look(frames: Frames) -> Evidence:
    """Look for the carriers.

    SUPPORTS: one was found; it can be copied and proves nothing. INCONCLUSIVE: a trace of one. ABSENT: none,
    which says nothing either. NOT_CHECKED: a clip, or too small.

    Raises:
        ConfigurationError: ``extra.missing`` without OpenCV.
    """
    why = _cannot_look(frames)
    if why:
        return _evidence(Outcome.NOT_CHECKED, why)
    if frames.is_gray:
        return _evidence(Outcome.ABSENT, "a gray picture has no colour to carry one")
    if find_spec("cv2") is None:
        raise missing_extra("watermark", "looking for generators' own marks")
    from provenance.watermark.carriers_reading import best  # noqa: PLC0415 - numpy, OpenCV

    return _judge(best(frames))


def not_looked(why: Error) -> Evidence:
    """Nobody could look; the error says what helps."""
    return _evidence(Outcome.NOT_CHECKED, f"{why.what} ({why.hint or why.code})")


def _cannot_look(frames: Frames) -> str | None:
    if len(frames.pixels) > 1:
        return "carriers are read from single pictures; this has several frames"
    blocks = (frames.width // 8) * (frames.height // 8)
    if frames.width * frames.height < _LEAST_PIXELS or blocks < max(len(each.message) for each in CARRIERS):
        return f"{frames.width}x{frames.height} is too small to hold one (256 x 256 pixels)"
    return None


def _judge(reading: CarrierReading) -> Evidence:
    if reading.statistic >= FOUND:
        chance = f"by chance < 1/{UNMARKED_CROPS} measured"
        why = f"carrier of {reading.software} found ({chance}); this can be copied and proves nothing"
        return _evidence(Outcome.SUPPORTS, why, reading)
    if reading.statistic >= TRACE:
        return _evidence(
            Outcome.INCONCLUSIVE, f"perhaps what is left of a carrier of {reading.software}", reading
        )
    return _evidence(Outcome.ABSENT, f"no carrier of {len(CARRIERS)} known; {_LOST}", reading)


def _evidence(outcome: Outcome, reason: str, reading: CarrierReading | None = None) -> Evidence:
    return Evidence(claim=CLAIM, channel="carrier", outcome=outcome, reason=reason, detail=reading)
