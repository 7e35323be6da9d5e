"""Schedule, moving average, initial weights and sharpened targets."""

import copy
import math

import pytest
import torch
from torch.nn import functional as F

from esrgan_torch import CompactNet, RRDBNet
from esrgan_torch.networks.span import SPAN, SPANConfig
from esrgan_torch.networks.span_training import SPANTraining
from esrgan_torch.train.ema import MovingAverage
from esrgan_torch.train.initial import scale_initial_weights, start_as_enlargement, start_as_identity
from esrgan_torch.train.options import NetworkOptions, OptimiserOptions
from esrgan_torch.train.schedule import learning_rate
from esrgan_torch.train.sharpen import sharpen


def test_steps_of_the_paper() -> None:
    options = OptimiserOptions(rate=1e-4, milestones=(50, 100, 200, 300))
    rates = [learning_rate(step, 400, options) for step in (0, 49, 50, 199, 200, 399)]
    assert rates == pytest.approx([1e-4, 1e-4, 5e-5, 2.5e-5, 1.25e-5, 6.25e-6])


def test_cosine_with_restarts() -> None:
    options = OptimiserOptions(rate=2e-4, schedule="cosine", period=100, floor=1e-7)
    rates = [learning_rate(step, 400, options) for step in (0, 50, 99, 100)]
    last = 1e-7 + (2e-4 - 1e-7) * (1 + math.cos(math.pi * 0.99)) / 2
    assert rates == pytest.approx([2e-4, (2e-4 + 1e-7) / 2, last, 2e-4])
    whole = OptimiserOptions(rate=2e-4, schedule="cosine", floor=1e-7)
    assert learning_rate(400, 800, whole) == pytest.approx((2e-4 + 1e-7) / 2)


def test_warm_up() -> None:
    options = OptimiserOptions(rate=1.0, warm_up=4)
    assert [learning_rate(step, 9, options) for step in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]


def test_the_moving_average() -> None:
    network = CompactNet(4, 1)
    average = MovingAverage(network, 0.9)
    start = copy.deepcopy(network.state_dict())
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(1)
    average.update(network)
    for name, value in average.network.state_dict().items():
        assert torch.allclose(value, start[name] + 1 - 2 / 11)
    average.updates = 10**6
    average.network.load_state_dict(start)
    average.update(network)
    for name, value in average.network.state_dict().items():
        assert torch.allclose(value, start[name] + 0.1)


def test_after_200_steps_the_average_is_near_the_weights() -> None:
    """With 0.999 from the first step on, 82 % of it would still be the start."""
    network = CompactNet(4, 1)
    average = MovingAverage(network, 0.999)
    start, weight = network.body[0].get_parameter("weight").detach().clone(), network.body[0]
    for step in range(200):
        with torch.no_grad():
            weight.get_parameter("weight").copy_(start + min(step / 100, 1))
        average.update(network)
    assert (average.network.body[0].get_parameter("weight") - start).min() > 0.999


def test_scaled_initial_weights() -> None:
    torch.manual_seed(0)
    network = RRDBNet(64, 1, 32)
    scale_initial_weights(network)
    for convolution in (network.rrdbs()[0].rdb1.conv5, network.conv_hr):
        fan_in = convolution.in_channels * 9
        assert convolution.weight.std().item() == pytest.approx(0.1 * math.sqrt(2 / fan_in), rel=0.02)
        assert convolution.bias is not None
        assert not convolution.bias.any()


def test_a_compact_network_starts_as_its_nearest_neighbour_skip(rng: torch.Generator) -> None:
    network = CompactNet(8, 3)
    start_as_identity(network)
    batch = torch.rand(1, 3, 5, 6, generator=rng)
    assert torch.equal(network(batch), F.interpolate(batch, scale_factor=4.0, mode="nearest"))
    centre = network.body[2].get_parameter("weight")[:, :, 1, 1]
    assert torch.diagonal(centre).mean().item() == pytest.approx(1, abs=0.2)
    # and learns from the first step on
    network(batch).square().mean().backward()
    assert network.body[-1].get_parameter("weight").grad.abs().max() > 0


@pytest.mark.parametrize("normalised", [True, False])
@pytest.mark.parametrize("kind", [SPAN, SPANTraining])
def test_a_span_starts_as_bilinear_enlargement(
    kind: type[SPAN] | type[SPANTraining], normalised: bool, rng: torch.Generator
) -> None:
    torch.manual_seed(0)
    network = kind(24, 4, normalised=normalised)
    start_as_enlargement(network)
    batch = torch.rand(1, 3, 12, 12, generator=rng)
    expected = F.interpolate(batch, scale_factor=4.0, mode="bilinear")
    inner = slice(4, -4)  # the border is padded with black, or with gray
    torch.testing.assert_close(
        network(batch)[..., inner, inner], expected[..., inner, inner], rtol=0, atol=1e-5
    )
    features = network.conv_1(batch if not normalised else 255 * (batch - 0.45))
    for block in network.blocks():
        features, _ = block(features)
        assert 0.5 < features.std() < 8  # neither faded nor grown
    # and learns from the first step on
    network(batch).square().mean().backward()
    assert (network.upsampler[0].get_parameter("weight").grad != 0).all()


def test_a_span_is_trained_in_branches_or_without() -> None:
    for branches, form in ((True, SPANTraining), (False, SPAN)):
        options = NetworkOptions(kind="SPAN", init="enlargement", features=4, scale=2, branches=branches)
        network = options.build()
        assert type(network) is form
        assert network.config == SPANConfig(4, 2, normalised=False)


def test_sharpening_against_its_definition(rng: torch.Generator) -> None:
    batch = torch.rand(1, 2, 60, 64, generator=rng)
    offsets = torch.arange(-25.0, 26)
    window = torch.exp(-(offsets**2) / (2 * 8.0**2))
    kernel = (window[:, None] * window[None]) / window.sum() ** 2

    def blur(image: torch.Tensor) -> torch.Tensor:
        padded = F.pad(image, (25, 25, 25, 25), mode="reflect")
        return F.conv2d(padded, kernel.expand(2, 1, 51, 51), groups=2)

    residual = batch - blur(batch)
    mask = blur((residual.abs() * 255 > 10).float())
    expected = mask * (batch + 0.5 * residual).clamp(0, 1) + (1 - mask) * batch
    assert torch.allclose(sharpen(batch), expected, atol=1e-5)


def test_flat_pictures_stay_as_they_are() -> None:
    batch = torch.full((1, 3, 40, 40), 0.4)
    assert torch.allclose(sharpen(batch), batch)
