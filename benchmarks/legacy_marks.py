"""dwtDct and dwtDctSvd against the invisible-watermark package, in one run, in processor time.

``OMP_NUM_THREADS=1 python benchmarks/legacy_marks.py``. Goals: dwtDct 25 times faster to write, 40 to read;
dwtDctSvd 15 and 15. Times are the least of the repetitions, medians over the pictures; both sides work on the
same pixels with the same 64 bits, one thread each.
"""

from __future__ import annotations

import statistics
import time
from importlib.metadata import version

import cv2
import numpy as np
from _results import write

from provenance.watermark.legacy import RULES, decode, embed
from provenance.watermark.legacy_plane import spread

SIZES = ((512, 512), (1024, 1024), (1080, 1920))
REPEAT_OURS, REPEAT_THEIRS = 9, 2


def main() -> None:
    cv2.setNumThreads(1)
    bits = np.random.default_rng(17).integers(0, 2, 64).astype(bool)
    rows = {
        rule: {f"{width}x{height}": _size(rule, (height, width), bits) for height, width in SIZES}
        for rule in sorted(RULES)
    }
    write(
        "legacy_marks",
        reference=f"invisible-watermark {version('invisible-watermark')}",
        bits=64,
        methods=rows,
    )


def pictures() -> dict[str, np.ndarray]:
    """Photographs that nothing here was tuned on."""
    from skimage import data
    from sklearn.datasets import load_sample_image

    return {
        "coffee": data.coffee(),
        "motorcycle": np.asarray(data.stereo_motorcycle()[0]),
        "hubble": data.hubble_deep_field(),
        "retina": data.retina(),
        "china": load_sample_image("china.jpg"),
        "flower": load_sample_image("flower.jpg"),
    }


def _size(rule: str, shape: tuple[int, int], bits: np.ndarray) -> dict:
    rows = [_picture(rule, _fitted(pixels, shape), bits) for pixels in pictures().values()]
    both = {
        f"{what}_{side}_ms": round(statistics.median(row[f"{what}_{side}"] for row in rows), 2)
        for what in ("embed", "decode")
        for side in ("theirs", "ours")
    }
    return {
        "pictures": len(rows),
        **both,
        "times_faster_embed": round(both["embed_theirs_ms"] / both["embed_ours_ms"], 1),
        "times_faster_decode": round(both["decode_theirs_ms"] / both["decode_ours_ms"], 1),
        "psnr_theirs": round(statistics.mean(row["psnr_theirs"] for row in rows), 2),
        "psnr_ours": round(statistics.mean(row["psnr_ours"] for row in rows), 2),
        "right_blocks_theirs": round(statistics.mean(row["right_theirs"] for row in rows), 4),
        "right_blocks_ours": round(statistics.mean(row["right_ours"] for row in rows), 4),
        "wrong_bits_theirs_read_by_them": sum(row["wrong_theirs"] for row in rows),
        "wrong_bits_ours_read_by_them": sum(row["wrong_ours"] for row in rows),
        "bits_read_differently": sum(row["differently"] for row in rows),
    }


def _picture(rule: str, pixels: np.ndarray, bits: np.ndarray) -> dict[str, float]:
    from imwatermark import WatermarkDecoder, WatermarkEncoder

    encoder, decoder = WatermarkEncoder(), WatermarkDecoder("bits", len(bits))
    encoder.set_watermark("bits", bits.astype(int).tolist())
    reversed_order = pixels[..., ::-1].copy()  # BGR, made outside the clock

    def theirs(marked: np.ndarray) -> np.ndarray:
        return np.asarray(decoder.decode(marked, rule), bool)

    embed_theirs, made = _clock(lambda: encoder.encode(reversed_order, rule), REPEAT_THEIRS)
    embed_ours, marked = _clock(lambda: embed(pixels, bits, rule), REPEAT_OURS)
    decode_theirs, read = _clock(lambda: theirs(made), REPEAT_THEIRS)
    unreversed = made[..., ::-1].copy()
    decode_ours, ours = _clock(lambda: decode(unreversed, len(bits), rule), REPEAT_OURS)
    return {
        "embed_theirs": embed_theirs,
        "embed_ours": embed_ours,
        "decode_theirs": decode_theirs,
        "decode_ours": decode_ours,
        "psnr_theirs": _psnr(pixels, unreversed),
        "psnr_ours": _psnr(pixels, marked),
        "right_theirs": _right(rule, unreversed, bits),
        "right_ours": _right(rule, marked, bits),
        "wrong_theirs": int((read != bits).sum()),
        "wrong_ours": int((theirs(marked[..., ::-1].copy()) != bits).sum()),
        "differently": int((read != ours).sum())
        + int((theirs(reversed_order) != decode(pixels, len(bits), rule)).sum()),
    }


def _right(rule: str, pixels: np.ndarray, bits: np.ndarray) -> float:
    said = RULES[rule].decisions(pixels)
    return float((said == spread(bits, len(said)).astype(bool)).mean())


def _clock(work, repeat: int) -> tuple[float, np.ndarray]:  # noqa: ANN001 - any call
    """Least processor time in milliseconds, and what was made."""
    least, made = float("inf"), None
    for _ in range(repeat):
        start = time.process_time()
        made = work()
        least = min(least, 1000 * (time.process_time() - start))
    return least, made


def _fitted(pixels: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return cv2.resize(pixels, shape[::-1], interpolation=cv2.INTER_CUBIC)


def _psnr(one: np.ndarray, other: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2)))


if __name__ == "__main__":
    main()
