"""Latent marks: marked noise is noise, it reads back from poor copies, and never where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from provenance.errors import InputError
from provenance.evidence import Outcome
from provenance.media import Frames
from provenance.watermark.interface import Geometry
from provenance.watermark.key import WatermarkKey
from provenance.watermark.latent import PAYLOAD_SIZES, LatentMark, decode, fresh, keystream, shade, signs
from provenance.watermark.latent_detection import detect_latent, judge, read_noise, soft_signs
from provenance.watermark.latent_geometry import placed
from provenance.watermark.latent_reading import Noise

KEY = WatermarkKey(key_id="test", epoch=1, secret=bytes(range(32)))
SHAPES = {"plain": (8, 16, 16), "packed": (256, 64), "video": (4, 5, 16, 16)}


def _noise(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def _mark(seed: int = 1, size: int = 8) -> LatentMark:
    random = np.random.default_rng(seed)
    return fresh(random.bytes, payload=random.bytes(size))


def _worn(noise: np.ndarray, kept: float, seed: int = 7) -> Noise:
    """Noise of which a share ``kept`` of the amplitude came through."""
    other = _noise(noise.shape, seed)
    return Noise(values=kept * noise + np.float32(np.sqrt(1 - kept**2)) * other, residual=0.0)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("size", PAYLOAD_SIZES)
def test_every_payload_reads_back_from_every_layout(shape, size):
    mark = _mark(size=size)
    marked = shade(_noise(shape), mark, KEY)
    assert marked.shape == shape
    assert marked.dtype == np.float32
    payload, passed = decode(soft_signs(marked), mark.nonce, KEY, size)
    assert passed
    assert payload == mark.payload


def test_packing_only_moves_the_numbers():
    """A mark set in the plain latent reads from the packed one put back, as FLUX packs 2 × 2 places."""
    mark = _mark()
    plain = shade(_noise((4, 32, 32)), mark, KEY)
    packed = plain.reshape(4, 16, 2, 16, 2).transpose(1, 3, 0, 2, 4).reshape(256, 16)
    back = packed.reshape(16, 16, 4, 2, 2).transpose(2, 0, 3, 1, 4).reshape(4, 32, 32)
    assert decode(soft_signs(back), mark.nonce, KEY, 8) == (mark.payload, True)


def test_marked_noise_is_standard_normal_and_independent_between_pictures():
    marked = np.stack([shade(_noise((8, 16, 16), seed), _mark(seed), KEY) for seed in range(40)])
    flat = marked.reshape(40, -1)
    assert stats.kstest(flat.ravel(), "norm").pvalue > 0.01
    between = np.corrcoef(flat)[np.triu_indices(40, 1)]
    # 780 pairs of 2,048 numbers: the correlations themselves are normal with standard deviation 1/√2048.
    assert stats.kstest(between * np.sqrt(2048), "norm").pvalue > 0.01
    assert np.abs(np.corrcoef(flat.T[:200])[np.triu_indices(200, 1)]).max() < 0.75


def test_one_payload_under_two_nonces_shares_nothing_under_one_nonce_everything():
    """Why every picture has a nonce of its own: a keystream used twice shows."""
    one, payload = _mark(1), _mark(1).payload
    other = LatentMark(nonce=_mark(2).nonce, payload=payload)
    same = float(np.mean(signs(one, KEY, 4096) == signs(other, KEY, 4096)))
    assert abs(same - 0.5) < 0.04
    assert np.array_equal(signs(one, KEY, 4096), signs(one, KEY, 4096))


def test_sizes_of_the_noise_stay():
    noise = _noise((8, 16, 16))
    np.testing.assert_array_equal(np.abs(shade(noise, _mark(), KEY)), np.abs(noise))


def test_other_keys_and_epochs_have_other_keystreams():
    nonce = bytes(16)
    streams = [
        keystream(nonce, KEY, 4096),
        keystream(nonce, WatermarkKey(key_id="test", epoch=2, secret=KEY.secret), 4096),
        keystream(nonce, WatermarkKey(key_id="test", epoch=1, secret=bytes(32)), 4096),
    ]
    agree = [np.mean(streams[i] == streams[j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    assert max(abs(share - 0.5) for share in agree) < 0.04


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from(PAYLOAD_SIZES[:2]))
def test_a_worn_copy_is_told_from_all_other_marks_on_record(seed, size):
    """Half of the amplitude is lost, a third of the signs wrong: as after a picture's way there and back."""
    marks = [_mark(seed + index, size) for index in range(30)]
    noise = _worn(shade(_noise((8, 16, 16), seed), marks[11], KEY), 0.5, seed + 1)
    reading = read_noise(noise, keys=[KEY], marks=marks)
    assert reading.nonce == marks[11].nonce
    assert reading.hypotheses == 30
    assert reading.log10_p < -20
    assert judge(reading).outcome is Outcome.SUPPORTS


def test_the_p_value_is_true_for_other_nonces_on_the_same_noise():
    """Decoy nonces are draws from the null: p ≤ a must happen for a share a of them."""
    noise = Noise(values=shade(_noise((8, 16, 16)), _mark(), KEY), residual=0.0)
    decoys = [_mark(seed) for seed in range(1000, 3000)]
    found = np.array([read_noise_only(noise, mark) for mark in decoys])
    for level in (0.1, 0.01):
        expected = level * len(decoys)
        assert abs(np.sum(found <= np.log10(level)) - expected) < 4 * np.sqrt(expected)
    assert found.min() > -6


def read_noise_only(noise: Noise, mark: LatentMark) -> float:
    from provenance.watermark.statistic import Null, log10_tail

    values = soft_signs(noise.values)
    return log10_tail(float(values @ signs(mark, KEY, values.size)), values, Null.SIGNS)


class Looker:
    """An inverter whose pictures are their own noise; remembers what it was shown."""

    size = (16, 8)

    def __init__(self) -> None:
        self.seen: list[Frames] = []

    def invert(self, frames: Frames) -> Noise:
        self.seen.append(frames)
        return Noise(values=frames.pixels[0].astype(np.float32) - 128, residual=1e-7)


def _picture(values: np.ndarray) -> Frames:
    return Frames(pixels=np.clip(values * 30 + 128, 0, 255).astype(np.uint8)[None])


def test_detection_from_pixels_and_what_it_says():
    mark = _mark()
    marked = shade(_noise((64, 64, 3)), mark, KEY)
    asked = {"inverter": Looker(), "keys": [KEY], "marks": [_mark(5), mark]}
    found = detect_latent(_picture(marked), **asked)
    assert found.outcome is Outcome.SUPPORTS
    assert found.detail.payload == mark.payload
    assert found.detail.payload_matches
    assert found.detail.nonce == mark.nonce
    assert detect_latent(_picture(_noise((64, 64, 3), 9)), **asked).outcome is Outcome.ABSENT


@pytest.mark.parametrize("left_out", ["keys", "marks"])
def test_without_a_key_or_a_record_nothing_is_concluded(left_out):
    asked = {"keys": [KEY], "marks": [_mark()], left_out: []}
    found = detect_latent(_picture(_noise((64, 64, 3))), inverter=Looker(), **asked)
    assert found.outcome is Outcome.NOT_CHECKED
    assert found.reason


def test_clips_are_not_looked_at():
    clip = Frames(pixels=np.zeros((2, 16, 16, 3), np.uint8))
    found = detect_latent(clip, inverter=Looker(), keys=[KEY], marks=[_mark()])
    assert found.outcome is Outcome.NOT_CHECKED


def test_a_latent_too_small_is_refused():
    with pytest.raises(InputError) as refused:
        shade(_noise((4, 8, 8)), _mark(), KEY)
    assert refused.value.code == "latent.capacity-exceeded"


@pytest.mark.parametrize("wrong", [{"nonce": b"short"}, {"payload": b"odd"}])
def test_marks_are_checked(wrong):
    with pytest.raises(ValueError, match="nonce"):
        LatentMark(**{"nonce": bytes(16), "payload": bytes(8)} | wrong)


@pytest.mark.parametrize("spread", [1.0, 1.6])
def test_a_cropped_copy_is_laid_back_where_it_was(photograph, spread):
    left, top, kept = 17, 9, 450
    copy = Frames(pixels=photograph[top : top + kept, left : left + kept].copy()[None])
    period = 128.0
    geometry = Geometry(
        matrix=((1 / spread, 0.0), (0.0, 1 / spread)),
        offset=(left / spread % period, top / spread % period),
        spreads=(1.0, 1.6),
    )
    laid = placed(copy, geometry, (512, 512))
    errors = [
        np.abs(found.pixels[0].astype(int) - photograph)[top : top + kept, left : left + kept].mean()
        for found in laid
    ]
    assert min(errors) < 1
    assert all((found.width, found.height) == (512, 512) for found in laid)


def test_the_copy_as_found_is_looked_at_too_and_every_placement_is_paid_for(photograph):
    geometry = Geometry(matrix=((1.0, 0.0), (0.0, 1.0)), offset=(0.0, 0.0))
    looker = Looker()
    looker.size = (512, 512)
    found = detect_latent(
        Frames(pixels=photograph[None].copy()),
        inverter=looker,
        keys=[KEY],
        marks=[_mark()],
        geometry=geometry,
    )
    assert len(looker.seen) > 1
    assert looker.seen[-1].width == 512
    assert found.detail.hypotheses == len(looker.seen)
