"""Classifier guidance: the right gradient, the right term, and it raises what it is to raise."""

from __future__ import annotations

import math

import pytest
import torch

from audits.statistics import wilson
from generators.reference import ddpm, guidance
from generators.reference.data import Pictures, digits
from generators.reference.judge import Judge
from generators.reference.outputs import TrainingTask
from generators.reference.unet import Denoiser


@pytest.fixture(scope="module")
def two_digits() -> Pictures:
    whole = digits()
    kept = whole.labels < 2
    return Pictures(
        values=whole.values[kept], depth=17, labels=whole.labels[kept], classes=("0", "1"),
        name="zeros and ones", licence=whole.licence,
    )  # fmt: skip


def test_the_gradient_is_that_of_finite_differences() -> None:
    torch.manual_seed(0)
    classifier = guidance.NoisyClassifier(1, 3, width=8).double().eval()
    x = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(0)).double()
    steps, labels = torch.tensor([3, 40]), torch.tensor([2, 0])
    found = guidance.gradient(classifier, x, steps, labels)
    assert not x.requires_grad
    for row, y, column in ((0, 2, 5), (1, 7, 0)):
        ahead, behind = x.clone(), x.clone()
        ahead[row, 0, y, column] += 1e-5
        behind[row, 0, y, column] -= 1e-5
        with torch.no_grad():
            change = classifier(ahead, steps) - classifier(behind, steps)
        expected = change[row, labels[row]] / 2e-5
        assert found[row, 0, y, column].item() == pytest.approx(expected.item(), rel=1e-4, abs=1e-8)


def test_the_push_enters_the_mean_times_variance_and_scale(two_digits) -> None:
    """Eq. 10 of Dhariwal and Nichol, by a push that is the same everywhere."""
    torch.manual_seed(0)
    schedule, model = ddpm.Schedule.cosine(2), Denoiser(1, 8, 2, width=8).eval()
    # The network starts at zero, so x_0 and hence all else follows from x_1 and the pushes alone.
    labels, shape = torch.zeros(4).long(), (1, 8, 8)
    plain = ddpm.sample(model, schedule, labels, shape=shape, seed=1)
    pushed = ddpm.sample(
        model, schedule, labels, shape=shape, seed=1, push=lambda x, _: x * 0 + 0.3, scale=2.0
    )
    _, variance = schedule.posterior(torch.zeros(1), 1, torch.zeros(1))
    gain = 1 / math.sqrt(float(schedule.kept[0]))  # the last step divides by this
    free = (plain.abs() < 0.9) & (pushed.abs() < 0.9)
    assert free.any()
    assert torch.allclose((pushed - plain)[free], torch.tensor(2.0 * variance * 0.3 * gain), atol=1e-4)


def test_the_posterior_is_that_of_the_forward_process() -> None:
    """With the true noise, x_0 and x_t give the textbook's mean and variance."""
    schedule = ddpm.Schedule.cosine(50)
    x0, noise = torch.full((1, 1, 1, 1), 0.4), torch.full((1, 1, 1, 1), -0.7)
    for step in (49, 20, 1):
        xt = schedule.noised(x0, torch.tensor([step]), noise)
        mean, variance = schedule.posterior(xt, step, noise)
        kept, before = float(schedule.kept[step]), float(schedule.kept[step - 1])
        beta = 1 - kept / before
        # The product of N(sqrt(before) x0, 1 - before) and N(xt / sqrt(1 - beta), beta / (1 - beta)).
        one, two = 1 / (1 - before), (1 - beta) / beta
        expected = (math.sqrt(before) * 0.4 * one + xt / math.sqrt(1 - beta) * two) / (one + two)
        assert variance == pytest.approx(1 / (one + two), rel=1e-4)
        assert mean.item() == pytest.approx(expected.item(), rel=1e-4, abs=1e-5)
    assert schedule.posterior(x0, 0, noise)[1] == 0


@pytest.mark.parametrize(
    ("batch", "noise_steps", "steps"), [(16, 10, 80), pytest.param(64, 20, 100, marks=pytest.mark.slow)]
)
def test_guidance_raises_the_probability_of_the_class(
    batch: int, noise_steps: int, steps: int, two_digits, tmp_path, monkeypatch
) -> None:
    for module in (ddpm, guidance):
        monkeypatch.setattr(module, "_BATCH", batch)
    schedule, wanted = ddpm.Schedule.cosine(noise_steps), torch.tensor([0, 1]).repeat(12)
    guide = guidance.train(two_digits, schedule, TrainingTask(work=tmp_path, steps=150))
    model = ddpm.train(two_digits, schedule, TrainingTask(work=tmp_path, steps=steps))
    unsaid = torch.full_like(wanted, 2)
    judge, right = Judge(two_digits), []
    for scale in (0.0, 8.0):
        drawn = ddpm.sample(
            model, schedule, unsaid, shape=(1, 8, 8), seed=2, scale=scale,
            push=lambda x, steps: guidance.gradient(guide, x, steps, wanted),
        )  # fmt: skip
        right.append(int(judge.share(drawn, wanted).split()[0]))
    assert right[1] >= right[0] + 5, right
    assert right[1] >= 20


def test_the_same_seed_gives_the_same_pictures() -> None:
    torch.manual_seed(0)
    model, labels = Denoiser(3, 16, 2, width=8).eval(), torch.tensor([0, 1])
    draw = {"shape": (3, 16, 16), "schedule": ddpm.Schedule.cosine(3), "labels": labels}
    assert torch.equal(ddpm.sample(model, seed=4, **draw), ddpm.sample(model, seed=4, **draw))
    assert not torch.equal(ddpm.sample(model, seed=4, **draw), ddpm.sample(model, seed=5, **draw))


def test_the_judge_knows_held_out_digits() -> None:
    judge = Judge(digits())
    right, _, count, interval = judge.real.split()[:4]
    assert int(right) / int(count) > 0.97
    known = wilson(int(right), int(count))
    assert interval == f"({100 * known.low:.0f}-{100 * known.high:.0f}"
