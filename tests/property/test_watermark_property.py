"""What holds for every payload, key, size and picture."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provenance.errors import InputError
from provenance.evidence import Outcome
from provenance.media import Frames
from provenance.watermark import ecc, polar
from provenance.watermark.decoding import read_lines, statistic_of
from provenance.watermark.interface import WatermarkKey, detect, embed
from provenance.watermark.layout import PILOTS, VERIFY, T, layout_of
from provenance.watermark.statistic import log10_p, needed
from provenance.watermark.tile import tile_of

payloads = st.binary(min_size=8, max_size=8)
either_size = payloads | st.binary(min_size=16, max_size=16)
keys = st.builds(
    WatermarkKey,
    key_id=st.just("k"),
    epoch=st.integers(0, 3),
    secret=st.binary(min_size=32, max_size=32),
)
few = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


def textured(seed: int, height: int, width: int, depth: int = 8, channels: int = 3) -> Frames:
    random = np.random.default_rng(seed)
    coarse = random.uniform(0.2, 0.8, (height // 24 + 2, width // 24 + 2, channels))
    smooth = coarse.repeat(24, axis=0).repeat(24, axis=1)[:height, :width]
    noisy = np.clip(smooth + random.normal(0, 0.02, (height, width, 1)), 0, 1)
    peak = 2**depth - 1
    return Frames(pixels=np.rint(noisy * peak).astype(np.uint8 if depth == 8 else np.uint16)[None])


@few
@given(
    payload=payloads,
    key=keys,
    seed=st.integers(0, 99),
    height=st.integers(256, 700),
    width=st.integers(256, 700),
)
def test_what_was_embedded_is_read(payload, key, seed, height, width) -> None:
    marked = embed(textured(seed, height, width), payload, key)
    found = detect(marked.frames, [key])
    assert found.outcome is Outcome.SUPPORTS
    assert found.detail.payload == payload
    assert marked.psnr >= 40
    assert marked.evidence.detail.payload == payload


@settings(few, max_examples=5)
@given(payload=st.binary(min_size=16, max_size=16), key=keys, seed=st.integers(0, 99), both=st.booleans())
def test_twice_as_long_ids_are_read_too(payload, key, seed, both) -> None:
    key = replace(key, payload_sizes=(8, 16) if both else (16,))
    marked = embed(textured(seed, 420, 500), payload, key)
    assert detect(marked.frames, [key]).detail.payload == payload
    assert marked.psnr >= 40


@given(payload=st.binary(max_size=40), key=keys)
@settings(max_examples=20, deadline=None)
def test_ids_of_other_lengths_are_refused(payload, key) -> None:
    if len(payload) in key.payload_sizes:
        return
    with pytest.raises(InputError) as refused:
        embed(textured(1, 300, 300), payload, key)
    assert refused.value.code == "watermark.payload-size"


@pytest.mark.parametrize("sizes", [(), (8, 8), (4,), (8, 16, 32)])
def test_a_key_is_for_known_sizes(sizes) -> None:
    with pytest.raises(ValueError, match="payload_sizes"):
        WatermarkKey(key_id="k", epoch=0, secret=bytes(32), payload_sizes=sizes)


@few
@given(payload=payloads, key=keys, other=keys, seed=st.integers(0, 99))
def test_another_key_reads_nothing(payload, key, other, seed) -> None:
    marked = embed(textured(seed, 320, 320), payload, key)
    if other != key:
        assert detect(marked.frames, [other]).outcome is Outcome.ABSENT


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("channels", [1, 3])
def test_strength_zero_changes_no_pixel(depth, channels) -> None:
    from provenance.watermark.applying import add_change

    frames = textured(1, 300, 280, depth, channels)
    still = add_change(frames, np.zeros((300, 280), np.float32))
    assert np.array_equal(still.pixels, frames.pixels)
    assert still.pixels.dtype == frames.pixels.dtype


@few
@given(payload=payloads, key=keys)
def test_embedding_is_deterministic_and_keeps_its_input(payload, key) -> None:
    frames = textured(7, 300, 300)
    before = frames.pixels.copy()
    first, second = (embed(frames, payload, key) for _ in range(2))
    assert np.array_equal(first.frames.pixels, second.frames.pixels)
    assert np.array_equal(frames.pixels, before)


@given(payload=either_size, seed=st.integers(0, 2**32 - 1), wrong=st.integers(0, 200))
@settings(max_examples=60, deadline=None)
def test_the_code_corrects_errors(payload, seed, wrong) -> None:
    """200 of 1,024 wrong bits is what 3 dB more than the code needs leaves of hard decisions."""
    soft = 1.0 - 2 * ecc.encode(payload)
    soft[np.random.default_rng(seed).permutation(ecc.CODED_BITS)[:wrong]] *= -1
    assert ecc.decode(soft, len(payload)) == (payload, True)


@given(payload=either_size, seed=st.integers(0, 2**32 - 1), gone=st.integers(0, 500))
@settings(max_examples=40, deadline=None)
def test_the_code_fills_in_what_is_missing(payload, seed, gone) -> None:
    soft = 1.0 - 2 * ecc.encode(payload)
    soft[np.random.default_rng(seed).permutation(ecc.CODED_BITS)[:gone]] = 0
    assert ecc.decode(soft, len(payload)) == (payload, True)


@given(soft_seed=st.integers(0, 2**32 - 1), size=st.sampled_from([8, 16]))
@settings(max_examples=60, deadline=None)
def test_noise_passes_no_crc(soft_seed, size) -> None:
    _, passed = ecc.decode(np.random.default_rng(soft_seed).normal(size=ecc.CODED_BITS), size)
    assert not passed


@given(payload=either_size, scale=st.floats(1e-6, 1e6), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_only_ratios_of_the_soft_values_matter(payload, scale, seed) -> None:
    noise = np.random.default_rng(seed).normal(0, 1.5, ecc.CODED_BITS)
    soft = 1.0 - 2 * ecc.encode(payload) + noise
    assert ecc.decode(soft * scale, len(payload)) == (payload, True)


@pytest.mark.parametrize("value", [0.0, 1.0, -1.0])
def test_soft_values_that_say_nothing_decode_to_nothing_or_to_the_zero_word(value) -> None:
    payload, passed = ecc.decode(np.full(ecc.CODED_BITS, value))
    assert len(payload) == 8
    assert not passed or payload == bytes(8)  # CRC-32 of eight zeros is not zero: see below
    assert not passed


def test_the_crc_is_the_lower_part_of_crc_32() -> None:
    assert ecc.crc28(b"123456789") == 0xCBF43926 & 0xFFFFFFF
    assert ecc.crc28(bytes(8)) != 0  # a picture without any line decodes to zeros, and is refused


def test_a_payload_read_at_the_other_size_is_refused() -> None:
    for written, asked in ((8, 16), (16, 8)):
        soft = 1.0 - 2 * ecc.encode(bytes(range(written)))
        assert not ecc.decode(soft, asked)[1]


@pytest.mark.parametrize("size", [0, 7, 9, 15, 17, 32])
def test_other_sizes_are_refused(size) -> None:
    with pytest.raises(ValueError, match="8 or 16"):
        ecc.encode(bytes(size))


@pytest.mark.parametrize(
    ("bits", "digest"),
    [(92, "4f68c4dcb08d2e7f"), (156, "31ab881682129e1f")],
)
def test_the_places_of_the_message_never_change(bits, digest) -> None:
    """They are part of what a mark is: readers of other versions and machines must find it."""
    places = polar.message_places(bits)
    assert len(set(places.tolist())) == bits
    assert hashlib.sha256(places.astype("<u2").tobytes()).hexdigest()[:16] == digest


def test_the_code_is_linear_and_far_from_zero() -> None:
    random = np.random.default_rng(11)
    first, second = random.integers(0, 2, (2, 92)).astype(np.uint8)
    assert np.array_equal(polar.encode(first) ^ polar.encode(second), polar.encode(first ^ second))
    units = np.eye(156, dtype=np.uint8)
    assert min(int(polar.encode(unit).sum()) for unit in units) >= 32


@given(key=keys)
@settings(max_examples=20, deadline=None)
def test_lines_have_one_role_each(key) -> None:
    layout = layout_of(key)
    roles = np.concatenate([layout.pilots, layout.verify, layout.data])
    assert sorted(roles) == list(range(len(layout.u)))
    assert (len(layout.pilots), len(layout.verify)) == (PILOTS, VERIFY)
    assert set(layout.coded_bit) == set(range(ecc.CODED_BITS))


@given(payload=payloads, key=keys, x=st.integers(0, T - 1), y=st.integers(0, T - 1))
@settings(max_examples=20, deadline=None)
def test_a_bare_tile_is_read_at_every_offset(payload, key, x, y) -> None:
    layout = layout_of(key)
    plane = np.roll(np.tile(tile_of(payload, layout), (3, 3)), (-y, -x), axis=(0, 1))
    lines = read_lines(plane, np.eye(2), layout)
    assert lines.offset == (x, y)
    assert statistic_of(lines, layout) > 10


@given(z=st.floats(0, 18), more=st.floats(0, 5), hypotheses=st.integers(1, 1000))
def test_the_bound_falls_with_the_statistic_and_rises_with_tries(z, more, hypotheses) -> None:
    assert log10_p(z + more, hypotheses) <= log10_p(z, hypotheses) <= 0
    assert log10_p(z, hypotheses) <= log10_p(z, hypotheses + 1)
    assert log10_p(needed(-2, hypotheses), hypotheses) <= -2 + 1e-9


def test_the_bound_holds_for_random_keys() -> None:
    """Whatever the picture's lines are, random phases exceed z no more often than the bound says."""
    from provenance.watermark.statistic import statistic

    random = np.random.default_rng(5)
    sizes = random.gamma(0.3, 1.0, 160)  # a few loud lines: far from Gaussian
    gain = random.uniform(0, 1, 160)
    phases = np.exp(2j * np.pi * random.uniform(size=(20_000, 160)))
    z = np.array([statistic(sizes * row, gain) for row in phases])
    for level in (1.0, 1.5, 2.0, 2.5, 3.0):
        assert (z >= level).mean() <= 10 ** log10_p(level, 1)
