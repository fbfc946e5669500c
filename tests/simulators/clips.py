"""Small clips: a camera that pans over a photograph while a red square moves, with a tone."""

from __future__ import annotations

import io
import os
from fractions import Fraction


def clip_of(
    photograph,
    *,
    container="mp4",
    codec="libx264",
    times=None,
    frames=12,
    rate=12,
    sound="aac",
    metadata=(),
    step=2,
    **picture,
) -> bytes:
    """``times`` are those of the frames, in seconds; without ``codec`` there is sound alone."""
    import av

    os.environ["SVT_LOG"] = "1"
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        out.metadata.update(metadata)
        track = _track(out, codec, rate, **picture) if codec else None
        voice = out.add_stream(sound, rate=48000, layout="mono") if sound else None
        for number in range(frames if track else 0):
            frame = _frame(photograph, track, number, step)
            frame.time_base = track.codec_context.time_base
            frame.pts = round((times[number] if times else Fraction(number, rate)) / frame.time_base)
            out.mux(track.encode(frame))
        if track and frames:
            out.mux(track.encode(None))
        if voice:
            _speak(out, voice, 48000 * frames // rate)
    return file.getvalue()


def _track(
    out,
    codec,
    rate,
    *,
    size=(192, 144),
    pixels="yuv420p",
    matrix=None,
    colour=None,
    aspect=None,
    base=Fraction(1, 12800),
    options=None,
):
    """``colour`` holds matrix, range, primaries and transfer, as numbers of H.273."""
    track = out.add_stream(codec, rate=rate, options=options or {"crf": "20"})
    (track.width, track.height), track.pix_fmt = size, pixels
    context = track.codec_context
    context.time_base = track.time_base = base
    if colour:
        context.colorspace, context.color_range, context.color_primaries, context.color_trc = colour
    if aspect:
        context.sample_aspect_ratio = aspect
    track.set_display_matrix(matrix)
    return track


def _frame(photograph, track, number, step):
    import av
    import numpy as np

    context = track.codec_context
    left = step * number
    picture = photograph[20 : 20 + context.height, left : left + context.width].copy()
    at = 5 * number % (context.width - 24)
    picture[30:54, at : at + 24] = (200, 30, 40)
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24").reformat(
        format=context.pix_fmt,
        dst_colorspace={9: 9, 1: 1}.get(context.colorspace, 5),
        dst_color_range=context.color_range or 1,
    )


def _speak(out, voice, samples: int) -> None:
    import av
    import numpy as np

    for at in range(0, samples, 1024):
        wave = (8000 * np.sin(np.arange(at, at + 1024) * 0.05)).astype(np.int16)[None]
        piece = av.AudioFrame.from_ndarray(wave, "s16", "mono")
        piece.sample_rate, piece.pts = 48000, at
        out.mux(voice.encode(piece))
    out.mux(voice.encode(None))
