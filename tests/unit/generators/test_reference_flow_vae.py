"""Flow and autoencoder: invertible, densities that are densities, bits that mean what they say."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch

from generators.reference import data, likelihood, realnvp, vae
from generators.reference.outputs import TrainingTask


def disturbed(model: torch.nn.Module, size: float = 0.1) -> torch.nn.Module:
    """Away from the start, where every coupling is the identity."""
    rng = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(size * torch.randn(parameter.shape, generator=rng))
    return model.eval()


@pytest.mark.parametrize("shape", [(1, 4, 4), (3, 8, 8), (2, 5, 3), (1, 1, 2)])
def test_the_flow_is_invertible(shape: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    model = disturbed(realnvp.RealNVP(shape, width=8, smallest=4), 0.05)
    x = torch.randn(16, *shape, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        z, _ = model(x)
        assert z.shape == (16, math.prod(shape))
        assert (z - x.flatten(1)).abs().max() > 0.1, "it does something"
        assert (model.inverse(z) - x).abs().max() < 1e-5 * max(1.0, float(z.abs().max()))


def test_its_log_determinant_is_that_of_the_jacobian() -> None:
    torch.manual_seed(0)
    model = disturbed(realnvp.RealNVP((1, 4, 4), width=8, smallest=4)).double()
    x = torch.randn(3, 1, 4, 4, generator=torch.Generator().manual_seed(1)).double()
    _, said = model(x)
    for one, log in zip(x, said, strict=True):
        jacobian = torch.autograd.functional.jacobian(lambda v: model(v[None])[0][0], one).reshape(16, 16)
        assert torch.linalg.slogdet(jacobian).logabsdet.item() == pytest.approx(log.item(), abs=1e-8)


def test_the_logit_says_its_own_determinant_and_is_undone() -> None:
    cube = torch.rand(2, 1, 2, 2, generator=torch.Generator().manual_seed(0)).double()
    real, said = realnvp.to_real(cube)
    assert torch.allclose(realnvp.to_cube(real), cube, atol=1e-9)
    for one, log in zip(cube, said, strict=True):
        jacobian = torch.autograd.functional.jacobian(lambda v: realnvp.to_real(v[None])[0][0], one)
        assert torch.linalg.slogdet(jacobian.reshape(4, 4)).logabsdet.item() == pytest.approx(log.item())


def toy(count: int = 400) -> data.Pictures:
    """Pictures of 1 × 2 pixels: two clumps."""
    rng = torch.Generator().manual_seed(0)
    middle = torch.tensor([[70.0, 60.0], [170.0, 200.0]])[torch.randint(2, (count,), generator=rng)]
    values = (middle + 12 * torch.randn(count, 2, generator=rng)).clamp(0, 255)
    return data.Pictures(
        values=values.byte().reshape(-1, 1, 1, 2), depth=256, labels=torch.zeros(count).long(),
        classes=("all",), name="clumps", licence="CC0-1.0",
    )  # fmt: skip


def test_the_density_of_a_trained_flow_sums_to_one(tmp_path) -> None:
    pictures = toy()
    model = realnvp.train(pictures, TrainingTask(work=tmp_path, steps=120))
    at = torch.linspace(-12, 12, 161)
    grid = torch.cartesian_prod(at, at).reshape(-1, 1, 1, 2)
    with torch.no_grad():
        density = torch.cat([model.log_density(part).exp() for part in grid.split(60_000)])
    assert float(density.sum()) * 0.15**2 == pytest.approx(1, abs=0.02)
    held_out = pictures.values[pictures.held_out]
    with torch.no_grad():
        cube = likelihood.dequantised(held_out, 256, torch.Generator().manual_seed(1))
        found = likelihood.bits(realnvp.log_density(model, cube), 2, 256).mean()
    assert found < 7.3, "8 bits if uniform, 7.97 for a Gaussian a pixel, 6.1 the truth"


def test_bits_of_known_densities() -> None:
    flat = torch.zeros(3)  # the uniform density over the cube
    assert likelihood.bits(flat, 64, 17) == pytest.approx(math.log2(17))
    pictures = toy(60)
    same = dataclasses.replace(pictures, values=torch.zeros_like(pictures.values))
    # 48 pictures of the value 0, and one more for each of 256 values: 49 of 304.
    assert likelihood.histogram_bits(same) == pytest.approx(-math.log2(49 / 304), abs=1e-5)


def test_the_vae_bound_is_below_the_likelihood_of_one_latent_that_says_all() -> None:
    """Where the decoder ignores the latent, log p(x) is a logistic's; the bound is that less divergence."""
    torch.manual_seed(0)
    model = vae.VAE((1, 2, 2), width=8)
    with torch.no_grad():
        for parameter in model.decoder[0].parameters():
            parameter.zero_()
    x = torch.rand(5, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    mean, log_variance = model.encoder(2 * x - 1).chunk(2, dim=1)
    scale = math.exp(-2)
    apart = (x - model.decode(torch.zeros(5, vae.LATENT))) / (2 * scale)
    exact = (1 / (4 * scale * apart.cosh() ** 2)).log().flatten(1).sum(1)
    latents = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
    prior = torch.distributions.Normal(torch.zeros(()), torch.ones(()))
    divergence = torch.distributions.kl_divergence(latents, prior).sum(1)
    bound = model.bound(x, torch.randn(5, vae.LATENT))
    assert torch.allclose(bound, exact - divergence, atol=1e-4)
    assert (bound < exact).all()


def test_training_on_digits_beats_no_training_and_samples_repeat(tmp_path) -> None:
    pictures = data.digits()
    model = vae.train(pictures, TrainingTask(work=tmp_path, steps=80))
    before = vae.held_out_bits(vae.VAE((1, 8, 8)), pictures, 1).mean()
    assert vae.held_out_bits(model, pictures, 1).mean() < before - 0.5
    assert torch.equal(vae.sample(model, 4, 3), vae.sample(model, 4, 3))
    assert not torch.equal(vae.sample(model, 4, 3), vae.sample(model, 4, 4))
