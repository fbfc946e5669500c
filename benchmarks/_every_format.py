"""A small file of every kind that is signed, made here: pictures, clips, sound, a drawing and a document."""

from __future__ import annotations

import io
import struct
import wave
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from provenance.media import Asset

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

SIDE = 64
_RATE = 8000


def every_format(seed: int = 0) -> dict[str, Asset]:
    """Media type to a file of that type; other pixels and sounds for every ``seed``."""
    return {mime: Asset.of(make(seed), mime) for mime, make in _MAKERS.items()}


def one_of(mime: str, seed: int = 0) -> Asset:
    """One file of a kind."""
    return Asset.of(_MAKERS[mime](seed), mime)


def pixels(seed: int, side: int = SIDE) -> NDArray[np.uint8]:
    """A gradient with noise, (side, side, 3)."""
    rows, columns = np.mgrid[0:side, 0:side]
    smooth = np.stack([rows * 200 // side, columns * 200 // side, (rows + columns) % 200], axis=-1)
    noise = np.random.default_rng(seed).integers(0, 56, smooth.shape)
    return (smooth + noise).astype(np.uint8)


def _picture(form: str) -> Callable[[int], bytes]:
    def make(seed: int) -> bytes:
        out = io.BytesIO()
        Image.fromarray(pixels(seed)).save(out, form)
        return out.getvalue()

    return make


def _clip(form: str, codec: str, **options: str) -> Callable[[int], bytes]:
    def make(seed: int) -> bytes:
        import av

        out = io.BytesIO()
        with av.open(out, "w", format=form) as target:
            track = target.add_stream(codec, rate=12, options=options)
            track.width = track.height = SIDE
            track.pix_fmt = "yuv420p"
            for number in range(6):
                frame = np.roll(pixels(seed), 3 * number, axis=1)
                target.mux(track.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), "rgb24")))
            target.mux(track.encode(None))
        return out.getvalue()

    return make


def _samples(seed: int) -> NDArray[np.int16]:
    times = np.arange(_RATE // 2) / _RATE
    noise = np.random.default_rng(seed).normal(0, 400, times.size)
    tone: NDArray[np.int16] = (8000 * np.sin(2 * np.pi * (300 + 20 * seed) * times) + noise).astype(np.int16)
    return tone


def _wave(seed: int) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(_RATE)
        sound.writeframes(_samples(seed).tobytes())
    return out.getvalue()


def _sound(form: str, codec: str) -> Callable[[int], bytes]:
    def make(seed: int) -> bytes:
        import av

        out = io.BytesIO()
        with av.open(out, "w", format=form) as target:
            track = target.add_stream(codec, rate=_RATE, layout="mono")
            kind = "s16" if codec == "flac" else "s16p" if codec == "libmp3lame" else "fltp"
            heard = _samples(seed)
            shaped = heard.astype(np.float32) / 32768 if kind == "fltp" else heard
            frame = av.AudioFrame.from_ndarray(shaped[None], format=kind, layout="mono")
            frame.sample_rate = _RATE
            target.mux(track.encode(frame))
            target.mux(track.encode(None))
        return out.getvalue()

    return make


def _heic(seed: int) -> bytes:
    """One HEVC picture in a HEIF file of the fewest boxes (ISO/IEC 23008-12 §6, Annex B)."""
    import av

    out = io.BytesIO()
    quiet = {"x265-params": "log-level=none:keyint=1"}
    with av.open(out, "w", format="mp4") as target:
        track = target.add_stream("libx265", rate=1, options=quiet)
        track.width = track.height = SIDE
        track.pix_fmt = "yuv420p"
        frame = av.VideoFrame.from_ndarray(pixels(seed), "rgb24")
        target.mux(track.encode(frame))
        target.mux(track.encode(None))
    out.seek(0)
    with av.open(out) as source:
        stream = source.streams.video[0]
        setup = bytes(stream.codec_context.extradata or b"")
        coded = bytes(next(source.demux(stream)))
    return _heif(setup, coded)


def _heif(setup: bytes, coded: bytes) -> bytes:
    start = _box(b"ftyp", b"heic\0\0\0\0mif1heic")
    properties = _box(b"hvcC", setup) + _box(b"ispe", struct.pack(">III", 0, SIDE, SIDE))
    items = _box(
        b"iprp", _box(b"ipco", properties) + _box(b"ipma", struct.pack(">IIHBBB", 0, 1, 1, 2, 0x81, 2))
    )
    kind = _box(b"infe", struct.pack(">IHH4s", 0x02000000, 1, 0, b"hvc1") + b"\0")
    handler = _box(b"hdlr", struct.pack(">II4s", 0, 0, b"pict") + bytes(13))
    primary = _box(b"pitm", struct.pack(">IH", 0, 1))
    listed = _box(b"iinf", struct.pack(">IH", 0, 1) + kind)

    def meta(offset: int) -> bytes:
        where = struct.pack(">IBBHHHHII", 0, 0x44, 0, 1, 1, 0, 1, offset, len(coded))
        return _box(b"meta", bytes(4) + handler + primary + _box(b"iloc", where) + listed + items)

    begin = len(start) + len(meta(0)) + 8
    return start + meta(begin) + _box(b"mdat", coded)


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def _svg(seed: int) -> bytes:
    dots = "".join(
        f'<circle cx="{x}" cy="{y}" r="4" fill="#{red:02x}4060"/>'
        for x, y, red in np.random.default_rng(seed).integers(0, 200, (24, 3))
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" width="200" height="200">{dots}</svg>\n'
    ).encode()


def _pdf(seed: int) -> bytes:
    """A page with one line of text (ISO 32000-1 §7.5)."""
    text = f"BT /F1 18 Tf 20 100 Td (Page of seed {seed}) Tj ET".encode()
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 4 0 R /Resources 6 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Font << /F1 5 0 R >> >>",
    )
    out, places = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    tail = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(out))
    return out + head + table + tail


_MAKERS: dict[str, Callable[[int], bytes]] = {
    "image/png": _picture("PNG"),
    "image/jpeg": _picture("JPEG"),
    "image/webp": _picture("WEBP"),
    "image/tiff": _picture("TIFF"),
    "image/gif": _picture("GIF"),
    "image/avif": _picture("AVIF"),
    "image/heic": _heic,
    "image/svg+xml": _svg,
    "video/mp4": _clip("mp4", "libx264", preset="veryfast"),
    "video/quicktime": _clip("mov", "libx264", preset="veryfast"),
    "video/webm": _clip("webm", "libvpx-vp9", deadline="realtime", **{"cpu-used": "8"}),
    "audio/mp4": _sound("ipod", "aac"),
    "audio/wav": _wave,
    "audio/mpeg": _sound("mp3", "libmp3lame"),
    "audio/flac": _sound("flac", "flac"),
    "application/pdf": _pdf,
}
