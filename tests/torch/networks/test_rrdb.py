"""RRDBNet: parameter counts of the published networks, sizes, and a second writing of the formula."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from esrgan_torch.errors import ConfigError
from esrgan_torch.networks.rrdb import RRDBNet, RRDBNetConfig, tail_halo


def parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ({}, 16_697_987),  # ESRGAN, realesrgan-x4plus
        ({"scale": 2, "unshuffle": 2}, 16_703_171),  # x2plus
        ({"scale": 1, "unshuffle": 4}, 16_723_907),
        ({"scale": 2}, 16_661_059),
        ({"blocks": 6}, 4_467_779),  # x4plus-anime
        ({"features": 32, "blocks": 12}, 5_021_155),
    ],
)
def test_parameter_counts_are_the_published_ones(sizes: dict[str, int], expected: int) -> None:
    with torch.device("meta"):
        assert parameters(RRDBNet(**sizes)) == expected


@pytest.mark.parametrize("scale", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("unshuffle", [1, 2, 4])
@pytest.mark.parametrize("size", [(1, 1), (1, 5), (2, 3), (7, 4)])
def test_every_size_gives_scale_times_that_size(scale: int, unshuffle: int, size: tuple[int, int]) -> None:
    model = RRDBNet(features=4, blocks=1, growth=2, scale=scale, unshuffle=unshuffle)
    batch = torch.rand(2, 3, *size)
    with torch.inference_mode():
        assert model(batch).shape == (2, 3, size[0] * scale, size[1] * scale)


def test_forward_is_the_formula_of_the_paper(rng: torch.Generator) -> None:
    model = RRDBNet(features=6, blocks=2, growth=4).double().eval()
    batch = torch.rand(1, 3, 6, 5, generator=rng, dtype=torch.float64)
    weights = model.state_dict()

    def conv(name: str, value: torch.Tensor) -> torch.Tensor:
        return F.conv2d(value, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=1)

    def lrelu(value: torch.Tensor) -> torch.Tensor:
        return torch.where(value > 0, value, 0.2 * value)

    first = conv("conv_first", batch)
    stream = first
    for block in range(2):
        start = stream
        for dense in (1, 2, 3):
            name = f"body.{block}.rdb{dense}"
            maps = [stream]
            for number in range(1, 5):
                maps.append(lrelu(conv(f"{name}.conv{number}", torch.cat(maps, 1))))
            stream = stream + 0.2 * conv(f"{name}.conv5", torch.cat(maps, 1))
        stream = start + 0.2 * stream
    features = first + conv("conv_body", stream)
    for name in ("conv_up1", "conv_up2"):
        features = lrelu(conv(name, features.repeat_interleave(2, 2).repeat_interleave(2, 3)))
    expected = conv("conv_last", lrelu(conv("conv_hr", features)))
    torch.testing.assert_close(model(batch), expected, rtol=0, atol=1e-12)


def test_trunk_and_tail_are_the_whole(rng: torch.Generator) -> None:
    model = RRDBNet(features=4, blocks=1, growth=2, scale=2, unshuffle=2)
    batch = torch.rand(1, 3, 8, 6, generator=rng)
    torch.testing.assert_close(model.tail(model.trunk(batch)), model(batch), rtol=0, atol=0)
    assert model.trunk(batch).shape == (1, 4, 4, 3)


@pytest.mark.parametrize(("upsamplings", "reach"), [(0, 2), (1, 1.5), (2, 1.25), (3, 1.125), (4, 1.0625)])
def test_tail_halo_covers_what_the_tail_sees(upsamplings: int, reach: float) -> None:
    """The halo is the reach rounded up, and a change beyond it does not arrive."""
    halo = tail_halo(upsamplings)
    assert halo - 1 < reach <= halo
    model = RRDBNet(features=3, blocks=1, growth=2, scale=2**upsamplings)
    features = torch.rand(1, 3, 9, 9)
    changed = features.clone()
    changed[..., 4, 4] += 1
    with torch.inference_mode():
        delta = (model.tail(changed) - model.tail(features)).abs().amax((0, 1))
    rows = delta.amax(1).nonzero().flatten()
    scale = 2**upsamplings
    assert rows.min() >= (4 - halo) * scale
    assert rows.max() < (5 + halo) * scale
    assert rows.min() < 4 * scale - 1


@pytest.mark.parametrize(
    "sizes", [{"scale": 3}, {"scale": 5}, {"features": 0}, {"unshuffle": 3}, {"blocks": -1}]
)
def test_impossible_sizes_are_refused(sizes: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=str(next(iter(sizes.values())))):
        RRDBNetConfig(**sizes)
