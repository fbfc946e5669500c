"""Lists of attacks: pure, repeatable, graded."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from audits.robustness.attacks import chain
from audits.robustness.fidelity import psnr
from audits.robustness.scales import DENOISING, JPEG, SCALES, Family
from audits.robustness.sets import SETS, attack_set, core35, digest
from provenance.errors import InputError

EVERY = {
    attack.name: attack for name in SETS if name != "regeneration" for attack in attack_set(name, seed=3)
}
PICTURES = arrays.arrays(
    np.uint8, st.tuples(st.integers(24, 60), st.integers(24, 60), st.just(3)), fill=st.integers(0, 255)
)


@settings(max_examples=3, deadline=None)
@given(pixels=PICTURES)
@pytest.mark.parametrize("name", sorted(EVERY))
def test_attacks_repeat_and_leave_their_input_alone(name, pixels) -> None:
    before = pixels.copy()
    first, second = EVERY[name](pixels), EVERY[name](pixels)
    assert (pixels == before).all()
    assert first.dtype == np.uint8
    assert first.ndim == 3
    assert first.shape[-1] == 3
    assert np.array_equal(first, second)


@pytest.mark.parametrize("name", sorted(EVERY))
def test_attacks_take_read_only_pixels(name, photograph) -> None:
    pixels = photograph[100:164, 100:180].copy()
    pixels.flags.writeable = False
    assert EVERY[name](pixels).size


@settings(max_examples=5, deadline=None)
@given(pixels=PICTURES, seed=st.integers(0, 9))
@pytest.mark.parametrize("scale", [scale for scale in SCALES if scale is not JPEG], ids=lambda s: s.kind)
def test_severity_0_changes_nothing(scale, pixels, seed) -> None:
    mildest = scale.at(scale.mildest, seed=seed)
    assert mildest.severity == 0
    assert np.array_equal(mildest(pixels), pixels)


@pytest.mark.parametrize("scale", [*SCALES, DENOISING], ids=lambda scale: scale.kind)
def test_sweeps_grow_harder_up_to_1(scale, photograph) -> None:
    graded = scale.sweep()
    severities = [attack.severity for attack in graded]
    assert severities == sorted(set(severities))
    assert severities[0] > 0
    assert severities[-1] == 1
    assert {attack.kind for attack in graded} == {scale.kind}


@pytest.mark.parametrize(
    "scale", [s for s in SCALES if s.family is not Family.GEOMETRIC], ids=lambda s: s.kind
)
def test_harder_means_further_from_the_original(scale, photograph) -> None:
    pixels = photograph[:256, :256]
    errors = [np.mean((attack(pixels).astype(float) - pixels) ** 2) for attack in scale.sweep(5)]
    assert errors == sorted(errors)


def test_noise_and_erasing_follow_the_seed(photograph) -> None:
    for name in ("noise:12", "erasing:0.1"):
        one, same, other = (
            next(attack for attack in attack_set("sweeps", seed) if attack.name == name)(photograph)
            for seed in (1, 1, 2)
        )
        assert np.array_equal(one, same)
        assert not np.array_equal(one, other)


def test_core35_is_the_list_that_was_published() -> None:
    names = "\n".join(attack.name for attack in core35())
    assert len(core35()) == 35
    assert hashlib.sha256(names.encode()).hexdigest()[:16] == "839072f44285c65f"


def test_ci12_is_a_part_of_core35_with_every_family() -> None:
    small = attack_set("ci12")
    assert len(small) == 12
    assert {attack.name for attack in small} < {attack.name for attack in core35()}
    assert {attack.family for attack in small} == {attack.family for attack in core35()}


def test_sets_are_joined_with_each_name_once() -> None:
    joined = attack_set("ci12, core35,sweep-jpeg")
    names = [attack.name for attack in joined]
    assert len(names) == len(set(names)) == 35 + len(JPEG.levels)
    assert names[:12] == [attack.name for attack in attack_set("ci12")]


@pytest.mark.parametrize("wrong", ["core36", "", "core35,", "CORE35"])
def test_unknown_sets_list_the_known_ones(wrong) -> None:
    with pytest.raises(InputError) as raised:
        attack_set(wrong)
    assert raised.value.code == "bench.attacks"
    assert "core35" in str(raised.value.hint)


def test_the_digest_sees_names_and_what_attacks_do() -> None:
    assert digest(core35()) == digest(core35())
    assert digest(core35(1)) != digest(core35(2))
    assert digest(attack_set("ci12")) != digest(core35())


def test_attacks_compose(photograph) -> None:
    half, crop = EVERY["resize0.5"], EVERY["crop25%"]
    assert np.array_equal(chain(half, crop)(photograph), crop(half(photograph)))


def test_a_model_loads_only_when_it_draws() -> None:
    code = "import sys; from audits.robustness.sets import regeneration; regeneration(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "diffusers", "cv2"} & set(done.stdout.split())


@pytest.mark.slow
def test_regeneration_repeats_and_keeps_the_size(photograph) -> None:
    pixels = photograph[:150, :201].copy()
    _, regenerate = attack_set("regeneration")
    drawn = regenerate(pixels)
    assert drawn.shape == pixels.shape
    assert np.array_equal(drawn, regenerate(pixels))
    assert 15 < psnr(pixels, drawn) < 30
