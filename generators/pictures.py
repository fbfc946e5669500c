"""What functions call a picture or a clip, as ``Frames``: Pillow images, arrays, lists of these."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image

from generators.refusals import not_finite
from provenance.errors import InputError
from provenance.media import Frames


def pictures_from(value: Any) -> tuple[Frames, ...]:
    """One picture or several.

    Args:
        value: a Pillow image; an array (H, W), (H, W, 1, 3 or 4) or (N, H, W, C), uint8, uint16 or float in
            0..1; a list or tuple of these; or an object with one of these as ``images``.

    Raises:
        InputError: ``wrap.no-picture``.
        IntegrityError: ``generate.not-finite``.
    """
    if not isinstance(value, Image.Image | np.ndarray):
        value = getattr(value, "images", value)
    if isinstance(value, np.ndarray) and value.ndim == 4:
        value = list(value)
    several = value if isinstance(value, list | tuple) else [value]
    if not several:
        raise _no_picture("an empty list")
    return tuple(_picture(one) for one in several)


def clip_from(value: Any, fps: float) -> Frames:
    """One clip.

    Args:
        value: ``Frames``; a list of frames, each as ``pictures_from`` takes a picture; an array (T, H, W) or
            (T, H, W, C); a batch of one of these; or an object with one of them as ``frames``.
        fps: frames per second, where ``value`` does not say.

    Raises:
        InputError: ``wrap.no-picture``.
        IntegrityError: ``generate.not-finite``.
    """
    if not isinstance(value, Frames | np.ndarray) and hasattr(value, "frames"):
        value = value.frames
    if isinstance(value, Frames):
        return value if value.fps else replace(value, fps=fps)
    value = _alone(value)
    if isinstance(value, np.ndarray) and value.ndim == 3:
        value = value[..., None]
    parts = pictures_from(value)
    if any(one.alpha is not None for one in parts):
        raise _no_clip("frames with transparency, which no clip keeps")
    if len({(one.pixels.shape, one.pixels.dtype) for one in parts}) > 1:
        raise _no_clip("frames of different sizes or kinds")
    return Frames(pixels=np.concatenate([one.pixels for one in parts]), fps=fps)


def start_from(value: Any) -> Frames:
    """A picture, or of several frames a clip, that a model is to start from; as ``pictures_from`` takes them.

    Raises:
        InputError: ``wrap.no-picture``.
    """
    parts = pictures_from(value)
    return parts[0] if len(parts) == 1 else replace(clip_from(value, 1.0), fps=None)


def _alone(value: Any) -> Any:
    """A batch of one clip is that clip."""
    if isinstance(value, np.ndarray):
        return value[0] if value.ndim == 5 and len(value) == 1 else value
    batch = isinstance(value, list | tuple) and len(value) == 1
    several = batch and (isinstance(value[0], list | tuple) or getattr(value[0], "ndim", 0) == 4)
    return value[0] if several else value


def _no_clip(what: str) -> InputError:
    return InputError(
        "wrap.no-picture",
        f"the function returned no clip: {what}",
        hint="return an array (T, H, W, 3) of uint8 or of floats in 0..1, or a list of frames of one size",
    )


def _picture(value: Any) -> Frames:
    if isinstance(value, Image.Image):
        return _from_array(_samples_of(value))
    if isinstance(value, np.ndarray):
        return _from_array(value)
    raise _no_picture(type(value).__name__)


def _samples_of(image: Image.Image) -> np.ndarray[Any, Any]:
    """Its samples; modes that Pillow would cut off at 255 are read as arrays are."""
    try:
        if image.mode in ("L", "RGB", "RGBA", "I;16", "F", "I"):
            return np.asarray(image)
        return np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))
    except (OSError, ValueError, SyntaxError) as error:  # read from its file only now
        raise _no_picture("a Pillow image whose file is damaged or gone") from error


def _from_array(array: np.ndarray[Any, Any]) -> Frames:
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[-1] not in (1, 3, 4) or 0 in array.shape:
        raise _no_picture(f"an array of shape {array.shape}")
    samples = _samples(array)[None].copy()  # the caller may go on writing into its own
    alpha = samples[..., 3].copy() if samples.shape[-1] == 4 else None
    return Frames(pixels=samples[..., :3].copy() if alpha is not None else samples, alpha=alpha)


def _samples(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if array.dtype.name in ("uint8", "uint16"):
        return array
    if array.dtype.kind != "f":
        raise _no_picture(f"an array of {array.dtype}")
    if not np.isfinite(array).all():
        raise not_finite(hint="look at what the function returns")
    if array.min() < 0 or array.max() > 1:
        raise _no_picture(f"numbers from {array.min():g} to {array.max():g}, where 0 to 1 are a picture's")
    whole: np.ndarray[Any, Any] = np.rint(array * 255).astype(np.uint8)
    return whole


def _no_picture(what: str) -> InputError:
    return InputError(
        "wrap.no-picture",
        f"the function returned no picture: {what}",
        hint="return a Pillow image, an array (H, W, 3) of uint8 or of floats in 0..1, or a list of these",
    )
