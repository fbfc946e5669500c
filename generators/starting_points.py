"""Pictures, clips and masks that a request starts from: what is accepted, and how they are named.

A recipe holds digests of them, never the pixels. Whoever has the picture can compare.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from provenance.errors import InputError

if TYPE_CHECKING:
    from generators.family import InitRule
    from generators.request import GenerationRequest
    from provenance.media import Frames


def pixels_digest(frames: Frames) -> str:
    """SHA-256 over shape, depth and samples, lower-case hex; whatever file they came from.

    The text "(T, H, W, C) uint8", a line feed, then the samples in that order, 16 bits big end first; after
    them the same of the transparency, (T, H, W), where there is any.
    """
    body = hashlib.sha256()
    for plane in (frames.pixels, frames.alpha):
        if plane is not None:
            body.update(f"{tuple(plane.shape)} {plane.dtype.name}\n".encode())
            order = plane.dtype.newbyteorder(">")
            for frame in plane:  # one at a time: clips are long
                body.update(frame.astype(order, copy=False).tobytes())
    return body.hexdigest()


def check_init(request: GenerationRequest, rule: InitRule | None) -> None:
    """Hold ``init`` and ``mask`` against what the family takes.

    Raises:
        InputError: ``request.init``; one is missing, or of a kind, size or length that does not fit.
    """
    init, mask = request.init, request.mask
    if mask is not None and init is None:
        raise _wrong("a mask says what may change of init, and there is no init")
    if rule is None:
        return
    if init is None:
        if rule.required:
            raise _wrong(f"this model starts from a {'clip' if rule.clip else 'picture'}, and init has none")
        return
    _check_pixels(init, "init")
    count = len(init.pixels)
    if count > 1 and not rule.clip:
        raise _wrong("this model starts from one picture, and init is a clip")
    if count == 1 and rule.clip and rule.single is None:
        raise _wrong("this model starts from a clip, and init is one picture")
    if mask is None and rule.mask_required:
        raise _wrong("this model repaints a part, and no mask says which")
    if mask is not None:
        _check_mask(mask, init, rule)


def _check_mask(mask: Frames, init: Frames, rule: InitRule) -> None:
    _check_pixels(mask, "mask")
    if not mask.is_gray:
        raise _wrong("a mask has one channel, white where init may change")
    if (mask.width, mask.height) != (init.width, init.height):
        what = f"mask and init differ in size: {mask.width}×{mask.height}, {init.width}×{init.height}"
        raise _wrong(what)
    if len(mask.pixels) not in (1, len(init.pixels)):
        raise _wrong(f"the mask has {len(mask.pixels)} frames, init has {len(init.pixels)}")
    if rule.clip and len(init.pixels) == 1:
        raise _wrong("a single picture is a reference for this model, and takes no mask")


def _check_pixels(frames: Frames, name: str) -> None:
    if frames.alpha is not None:
        raise _wrong(f"{name} has transparency, which no model takes; flatten it first")
    if frames.depth != 8:
        raise _wrong(f"{name} has 16 bits a channel, and models take 8; reduce it first")


def init_arguments(request: GenerationRequest, rule: InitRule, count: int) -> dict[str, Any]:
    """Arguments of the call for ``init`` and ``mask``, for ``count`` pictures at once."""
    if request.init is None:
        return {}
    pictures = _images(request.init, "RGB")
    if rule.clip and len(pictures) == 1 and rule.single is not None:
        return {rule.single: pictures}
    arguments: dict[str, Any] = {rule.argument: pictures if rule.clip else _each(pictures[0], count)}
    if request.mask is not None and rule.mask is not None:
        masks = _images(request.mask, "L")
        spread = masks * (len(pictures) // len(masks)) if rule.clip else _each(masks[0], count)
        arguments[rule.mask] = spread
    return arguments


def _each(picture: Any, count: int) -> Any:
    return picture if count == 1 else [picture] * count


def _images(frames: Frames, mode: str) -> list[Any]:
    from PIL import Image  # noqa: PLC0415 - only where there is something to start from

    plain = [frame[..., 0] if frames.is_gray else frame for frame in frames.pixels]
    return [Image.fromarray(frame).convert(mode) for frame in plain]


def _wrong(what: str) -> InputError:
    return InputError("request.init", what)
