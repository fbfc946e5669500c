"""Clips made from photographs, and what codecs and people do to clips. Only benchmarks use it."""

from __future__ import annotations

import io
import warnings
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

FPS = 24
FROM_PACKAGES = ("coffee", "china", "motorcycle_left", "flower", "retina", "hubble_deep_field")
CODECS = {
    "x264 CRF 18": ("libx264", "mp4", {"crf": "18"}),
    "x264 CRF 23": ("libx264", "mp4", {"crf": "23"}),
    "x264 CRF 28": ("libx264", "mp4", {"crf": "28"}),
    "x264 CRF 35": ("libx264", "mp4", {"crf": "35"}),
    "x264 CRF 40": ("libx264", "mp4", {"crf": "40"}),
    "x264 CRF 45": ("libx264", "mp4", {"crf": "45"}),
    "x265 CRF 28": ("libx265", "mp4", {"crf": "28", "x265-params": "log-level=none:pools=1"}),
    "VP9 CRF 33": ("libvpx-vp9", "webm", {"crf": "33", "b": "0", "deadline": "good", "cpu-used": "4"}),
    "AV1 CRF 35": ("libsvtav1", "mp4", {"crf": "35", "preset": "8", "svtav1-params": "lp=1"}),
}


def photographs(folder: Path | None) -> dict[str, NDArray[np.uint8]]:
    """Those of installed packages, and those of a folder."""
    import skimage.data
    import sklearn.datasets

    warnings.simplefilter("ignore")
    found = {}
    data = Path(skimage.data.__file__).parent
    for name in FROM_PACKAGES:
        if name in {"china", "flower"}:
            found[name] = sklearn.datasets.load_sample_image(f"{name}.jpg")
        else:
            found[name] = _opened(next(data.glob(f"{name}.*")))
    for path in sorted(folder.glob("*.jpg")) if folder else ():
        found[path.stem] = _opened(path)
    return found


def _opened(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def still(
    picture: NDArray[np.uint8],
    size: tuple[int, int],
    count: int,
    random: np.random.Generator,
    moving: NDArray[np.uint8],
) -> Iterator[NDArray[np.uint8]]:
    """A camera that does not move, a block of another picture that does, and sensor noise."""
    width, height = size
    ground = _filling(picture, width, height)[:height, :width].astype(np.float32)
    side = height // 3
    block = cv2.resize(moving, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)
    start, top = random.uniform(0, width - side), int(random.uniform(0, height - side))
    speed = random.choice([-1, 1]) * random.uniform(60, 160) / FPS
    for index in range(count):
        # There and back again between the borders.
        left = round(abs((start + speed * index) % (2 * (width - side)) - (width - side)))
        frame = ground.copy()
        frame[top : top + side, left : left + side] = block
        yield _noisy(frame, random)


def panning(
    picture: NDArray[np.uint8],
    size: tuple[int, int],
    count: int,
    random: np.random.Generator,
    moving: NDArray[np.uint8] | None = None,  # noqa: ARG001 - as ``still``
) -> Iterator[NDArray[np.uint8]]:
    """A camera that pans and zooms all the time, a few pixels in each frame, and sensor noise."""
    width, height = size
    ground = _filling(picture, round(width / 0.75), round(height / 0.75))
    phases, turns = random.uniform(0, 2 * np.pi, 3), random.uniform(1.2, 2.0, 3)
    for index in range(count):
        swing = 0.5 + 0.5 * np.sin(phases + turns * index / FPS)
        zoom = 0.75 + 0.25 * swing[2]
        x = (ground.shape[1] - width * zoom) * swing[0]
        y = (ground.shape[0] - height * zoom) * swing[1]
        matrix = np.array([[zoom, 0, x], [0, zoom, y]])
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        yield _noisy(cv2.warpAffine(ground, matrix, size, flags=flags).astype(np.float32), random)


KINDS = {"static camera, moving object": still, "continuous pan and zoom": panning}


def _filling(picture: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    scale = max(width / picture.shape[1], height / picture.shape[0])
    wanted = (int(np.ceil(picture.shape[1] * scale)), int(np.ceil(picture.shape[0] * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, wanted, interpolation=way))


def _noisy(frame: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.uint8]:
    noise = random.standard_normal((*frame.shape[:2], 1), np.float32) * 1.5
    return np.rint(np.clip(frame + noise, 0, 255)).astype(np.uint8)


Timed = list[tuple["NDArray[np.uint8]", float]]


def coded(frames: Timed, codec: str) -> Timed:
    """Encoded and decoded again."""
    name, container, options = CODECS[codec]
    target = io.BytesIO()
    height, width = frames[0][0].shape[:2]
    with av.open(target, "w", format=container) as output:
        stream = output.add_stream(name, rate=FPS)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = options
        stream.codec_context.thread_count = 1
        stream.codec_context.time_base = Fraction(1, 1200)
        for rgb, seconds in frames:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
            frame.pts, frame.time_base = round(seconds * 1200), Fraction(1, 1200)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    target.seek(0)
    with av.open(target) as source:
        source.streams.video[0].codec_context.thread_count = 1
        decoded = [(frame.to_ndarray(format="rgb24"), float(frame.time)) for frame in source.decode(video=0)]
    first = decoded[0][1]
    return [(rgb, seconds - first) for rgb, seconds in decoded]


def each(frames: Timed, change) -> Timed:  # noqa: ANN001 - any function of a frame
    return [(np.ascontiguousarray(change(rgb)), seconds) for rgb, seconds in frames]


def scaled(frames: Timed, factor: float) -> Timed:
    height, width = frames[0][0].shape[:2]
    size = (round(width * factor / 2) * 2, round(height * factor / 2) * 2)
    return each(frames, lambda rgb: cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))


def cropped(frames: Timed, share: float) -> Timed:
    """Off the middle, ``share`` of the area cut away."""
    height, width = frames[0][0].shape[:2]
    kept = np.sqrt(1 - share)
    down, across = round(height * kept / 2) * 2, round(width * kept / 2) * 2
    top, left = round((height - down) * 0.6), round((width - across) * 0.35)
    return each(frames, lambda rgb: rgb[top : top + down, left : left + across])


def dropped(frames: Timed) -> Timed:
    """Every third frame gone, the others moved together: the clip runs faster."""
    kept = [rgb for index, (rgb, _) in enumerate(frames) if index % 3 != 2]
    return [(rgb, index / FPS) for index, rgb in enumerate(kept)]


def thinned(frames: Timed) -> Timed:
    """Every third frame gone, the others at their times."""
    return [frame for index, frame in enumerate(frames) if index % 3 != 2]


def retimed(frames: Timed, fps: float) -> Timed:
    """The same seconds at another frame rate."""
    count = int(len(frames) / FPS * fps)
    return [
        (frames[min(len(frames) - 1, int(index / fps * FPS + 0.5))][0], index / fps) for index in range(count)
    ]


def between(frames: Timed, first: int, last: int) -> Timed:
    """Frames first..last - 1, from time 0 on."""
    return [(rgb, seconds - frames[first][1]) for rgb, seconds in frames[first:last]]
