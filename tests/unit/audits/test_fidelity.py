"""PSNR and SSIM against an independent implementation."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from audits.robustness import attacks, filters
from audits.robustness.fidelity import psnr, ssim

CHANGES = {
    "jpeg": attacks.jpeg(30),
    "noise": attacks.noise(12, 1),
    "levels": attacks.levels(0.1, 0.7),
    "blur": filters.blur(2),
}


@pytest.mark.parametrize("name", CHANGES)
def test_they_agree_with_scikit_image(name, photograph) -> None:
    changed = CHANGES[name](photograph)
    reference = structural_similarity(
        photograph, changed, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    assert ssim(photograph, changed) == pytest.approx(reference, abs=1e-4)
    assert psnr(photograph, changed) == pytest.approx(peak_signal_noise_ratio(photograph, changed), abs=1e-9)


def test_the_same_picture_is_the_same(photograph) -> None:
    assert ssim(photograph, photograph) == pytest.approx(1, abs=1e-12)
    assert psnr(photograph, photograph) == float("inf")


def test_order_does_not_matter(photograph) -> None:
    changed = attacks.jpeg(20)(photograph)
    assert ssim(photograph, changed) == pytest.approx(ssim(changed, photograph), abs=1e-12)
    assert psnr(photograph, changed) == psnr(changed, photograph)


def test_a_negative_is_unlike(photograph) -> None:
    assert ssim(photograph, (255 - photograph).astype(np.uint8)) < 0.1
