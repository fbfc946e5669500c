"""Mark one picture with one method, attack it in every way, read; and look where there is no mark.

Everything random comes from the seed and the picture, so that a trial gives the same result wherever and
whenever it runs. Methods with a key get the same one for every picture; the payload is the picture's own
and the same for every method (shorter payloads are its first bits).
"""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from audits.robustness.fidelity import psnr, ssim
from audits.robustness.samples import pixels_of
from audits.robustness.scales import Family
from audits.robustness.sets import attack_set
from audits.robustness.trial import Null, Survival, Trial, shown
from provenance.errors import InputError
from provenance.watermark.key import SECRET_BYTES, WatermarkKey
from provenance.watermark.methods import MethodReading, method

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from audits.robustness.attacks import Picture
    from audits.robustness.samples import Sample
    from audits.robustness.scales import Attack
    from provenance.watermark.methods import Method

    Bits = NDArray[np.bool_]

NULL_ATTACKS = ("none", "jpeg50", "resize0.5", "crop25%")
"""What unmarked pictures go through before a method looks at them."""
DECOY_PAYLOADS = 100
"""Random payloads that the bits of an unmarked picture are held against, for methods without a score."""
_UNREADABLE = MethodReading(bits=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What one trial does; small enough to send to another process.

    Attributes:
        sample: the picture.
        method: a reference for ``provenance.watermark.methods.method``.
        payload_bits: asked of methods that let one choose; 0 for their own default.
        attacks: sets of attacks.
        seed: of payload, key, noise and decoys.
        decoys: times that a method with a key looks where there is no mark.
    """

    sample: Sample
    method: str
    payload_bits: int
    attacks: str
    seed: int
    decoys: int

    def words(self, purpose: str) -> bytes:
        """What bytes for ``purpose`` are derived from."""
        return f"mediaguard attack lab\0{self.seed}\0{self.sample.id}\0{purpose}".encode()


def run_trial(task: Task) -> Trial:
    """The whole trial.

    Raises:
        InputError: the picture cannot be read, or a set or method does not exist.
        ConfigurationError: the method needs what is not installed.
    """
    pixels = pixels_of(task.sample)
    marker = method_of(
        task.method, task.payload_bits, _secret(f"mediaguard attack lab\0{task.seed}".encode())
    )
    bits = payload(task, marker.payload_bits)
    _warm(task.method, task.payload_bits)
    start, marked, refused = time.process_time(), None, None
    try:
        marked = marker.embed(pixels, bits)
    except InputError as error:
        refused = error.code
    took = 1000 * (time.process_time() - start)
    return Trial(
        method=shown(task.method),
        identity=marker.identity,
        payload_bits=marker.payload_bits,
        picture=task.sample.id,
        name=task.sample.name,
        source=task.sample.source,
        width=pixels.shape[1],
        height=pixels.shape[0],
        refused=refused,
        psnr=None if marked is None else _finite(psnr(pixels, marked)),
        ssim=None if marked is None else ssim(pixels, marked),
        milliseconds=took,
        survivals=() if marked is None else tuple(_survivals(task, marker, marked, bits)),
        null=_null(task, pixels),
    )


def payload(task: Task, count: int) -> Bits:
    """The first ``count`` bits of the picture's payload."""
    return _bits(task.words("payload"), count)


@lru_cache(maxsize=4)
def method_of(reference: str, payload_bits: int, secret: bytes) -> Method:
    """The method under a key of its own; networks are loaded once a process."""
    key = WatermarkKey(key_id="attack-lab", epoch=0, secret=secret)
    return method(reference, key=key, payload_bits=payload_bits)


@lru_cache(maxsize=16)
def _warm(reference: str, payload_bits: int) -> None:
    """Mark and read once in this process: what loads at the first use is not what a picture costs."""
    marker = method_of(reference, payload_bits, bytes(SECRET_BYTES))
    noise = np.random.default_rng(1).integers(64, 192, (320, 320, 3), dtype=np.uint8)
    with suppress(InputError):
        marker.decode(marker.embed(noise, _bits(b"warm", marker.payload_bits)))


def _survivals(task: Task, marker: Method, marked: Picture, bits: Bits) -> Iterator[Survival]:
    seed = int.from_bytes(hashlib.sha256(task.words("attacks")).digest()[:4], "big")

    def remark(pixels: Picture) -> Picture:
        other = method_of(task.method, task.payload_bits, _secret(task.words("another key")))
        return other.embed(pixels, _bits(task.words("another payload"), len(bits)))

    for attack in attack_set(task.attacks, seed, remark=remark):
        attacked = attack(marked)
        start = time.process_time()
        reading = _read(marker, attacked)
        took = 1000 * (time.process_time() - start)
        near, like = _damage(attack, marked, attacked)
        yield _survival(attack.name, reading, bits, milliseconds=took, psnr=near, ssim=like)


def _survival(
    name: str,
    reading: MethodReading,
    bits: Bits,
    *,
    milliseconds: float,
    psnr: float | None,
    ssim: float | None,
) -> Survival:
    vouched = reading.bits is not None and reading.present is not False
    accuracy = 0.5 if reading.bits is None else float(np.mean(reading.bits == bits))
    exact = vouched and accuracy == 1
    return Survival(
        attack=name,
        exact=exact,
        wrong=None if reading.present is None else vouched and not exact,
        accuracy=accuracy,
        score=_score(reading, accuracy),
        present=reading.present,
        milliseconds=milliseconds,
        psnr=psnr,
        ssim=ssim,
    )


def _score(reading: MethodReading, accuracy: float) -> float:
    if reading.score is not None:
        return reading.score
    return 0.0 if reading.bits is None else accuracy


def _damage(attack: Attack, before: Picture, after: Picture) -> tuple[float | None, float | None]:
    if attack.family is Family.GEOMETRIC or before.shape != after.shape:
        return None, None
    return _finite(psnr(before, after)), ssim(before, after)


def _read(marker: Method, pixels: Picture) -> MethodReading:
    """What ``marker`` reads; a picture that it refuses to look at is one that it cannot read."""
    try:
        return marker.decode(np.ascontiguousarray(pixels))
    except InputError:
        return _UNREADABLE


def _null(task: Task, pixels: Picture) -> Null:
    """Look at the unmarked picture: under a new key each time, or once an attack where there is no key."""
    by_name = {attack.name: attack for attack in attack_set("core35", task.seed)}
    copies = [by_name[name](pixels) for name in NULL_ATTACKS[: task.decoys]]
    scores: list[float] = []
    marks: list[bool | None] = []
    for look in range(task.decoys):
        marker = method_of(task.method, task.payload_bits, _secret(task.words(f"decoy {look}")))
        reading = _read(marker, copies[look % len(copies)])
        if look == 0 and reading.score is None:
            return _keyless_null(task, marker, copies)
        marks.append(reading.present)
        scores.append(_score(reading, 0.0))
    known = [mark for mark in marks if mark is not None]
    return Null(scores=tuple(scores), looks=len(marks), marks=sum(known) if known else None)


def _keyless_null(task: Task, marker: Method, copies: Sequence[Picture]) -> Null:
    """Without a key a copy always reads the same: its bits are held against random payloads instead."""
    readings = [_read(marker, copy) for copy in copies]
    scores = [
        score
        for look, reading in enumerate(readings)
        for score in ([0.0] if reading.bits is None else _decoy_accuracies(task, look, reading.bits))
    ]
    known = [reading.present for reading in readings if reading.present is not None]
    return Null(scores=tuple(scores), looks=len(readings), marks=sum(known) if known else None)


def _decoy_accuracies(task: Task, look: int, bits: Bits) -> list[float]:
    decoys = _bits(task.words(f"decoy payloads {look}"), DECOY_PAYLOADS * len(bits))
    return [float(share) for share in (decoys.reshape(DECOY_PAYLOADS, -1) == bits).mean(axis=1)]


def _secret(words: bytes) -> bytes:
    return hashlib.shake_256(words + b"\0key").digest(SECRET_BYTES)


def _bits(words: bytes, count: int) -> Bits:
    drawn = np.frombuffer(hashlib.shake_256(words).digest(-(-count // 8)), np.uint8)
    return np.unpackbits(drawn)[:count].astype(np.bool_)


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
