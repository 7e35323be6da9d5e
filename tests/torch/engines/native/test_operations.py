"""What SPAN needs, against float64: SiLU, the gate, 1x1 convolutions, pictures that are normalised."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from esrgan_torch.engines.describing import PICTURE, RESULT, Activation, Kind
from esrgan_torch.engines.native.library import Runner
from esrgan_torch.engines.native.program import Builder
from tests.torch.engines.native.convolving import Guarded, convolved, layer_of
from tests.torch.engines.native.levels import levels, library, needs_native

pytestmark = [needs_native, pytest.mark.parametrize("level", levels())]
SIZES = [(1, 1), (1, 9), (9, 1), (3, 5), (5, 8), (13, 22)]


def identity(channels: int) -> nn.Conv2d:
    """1x1, which copies: then an activation is all that is computed."""
    layer = nn.Conv2d(channels, channels, 1).requires_grad_(requires_grad=False)
    layer.weight.copy_(torch.eye(channels)[:, :, None, None])
    assert layer.bias is not None
    layer.bias.zero_()
    return layer


def gated(y: Tensor, x: Tensor) -> Tensor:
    return (y + x) * (torch.sigmoid(y) - 0.5)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("side", [3, 1])
@pytest.mark.parametrize("channels", [1, 7, 48])
def test_activations_after_a_convolution(level: str, size: tuple[int, int], side: int, channels: int) -> None:
    layer = layer_of(channels, channels, side)
    batch = torch.randn(1, channels, *size)
    silu = convolved(layer, batch, level, Activation.SILU, residual=0.7)
    gate = convolved(layer, batch, level, Activation.GATE, residual=1.0)
    prelu = convolved(layer, batch, level, 0.1, residual=0.7)
    sums = layer.double()(batch.double())
    assert (silu - F.silu(sums) * 0.7 - batch).abs().max() < 1.2e-5
    assert (gate - gated(sums, batch.double())).abs().max() < 1.2e-5
    assert (prelu - F.leaky_relu(sums, 0.1) * 0.7 - batch).abs().max() < 1.2e-5


def test_an_enlargement_with_silu(level: str) -> None:
    layer, batch = layer_of(20, 18), torch.rand(1, 20, 6, 5)
    ours = convolved(layer, batch, level, Activation.SILU, enlarge=True)
    exact = F.silu(layer.double()(F.interpolate(batch.double(), scale_factor=2.0, mode="nearest")))
    assert (ours - exact).abs().max() < 6e-6


def test_the_exponential_is_exact_to_rounding(level: str) -> None:
    """Of values whose sigmoid is no denormal; beyond them it is near zero, as it must be."""
    values = torch.cat((torch.linspace(-86.9, 100, 4001), torch.linspace(-1e-3, 1e-3, 999)))
    batch = _as_batch(values)
    silu = convolved(identity(16), batch, level, Activation.SILU)
    exact = F.silu(batch.double())
    assert ((silu - exact).abs() <= 2.5e-7 * exact.abs()).all()
    gate = convolved(identity(16), batch, level, Activation.GATE, residual=1.0)
    assert (gate - gated(batch.double(), batch.double())).abs().max() <= 2e-7 * 100


def test_values_of_any_size(level: str) -> None:
    batch = torch.tensor([-1e20, -1000.0, -87.5, 0.0, 87.5, 1000.0, 3e38]).view(1, 1, 1, 7)
    silu = convolved(identity(1), batch, level, Activation.SILU)
    assert (silu - F.silu(batch.double()))[batch < 88].abs().max() < 1e-16
    assert torch.equal(silu[batch > 80], batch[batch > 80].double())


def _as_batch(values: Tensor) -> Tensor:
    missing = -len(values) % 64
    return F.pad(values, (0, missing)).view(1, 16, 4, -1)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("widths", [(3,), (16, 16), (48, 48, 48, 48), (5, 20, 7)])
@pytest.mark.parametrize("outputs", [3, 16, 48])
def test_1x1_over_several_maps(
    level: str, size: tuple[int, int], widths: tuple[int, ...], outputs: int
) -> None:
    layer = layer_of(sum(widths), outputs, 1)
    batches = [torch.randn(1, width, *size) for width in widths]
    ours = convolved(layer, batches, level, 0.2)
    exact = F.leaky_relu(layer.double()(torch.cat(batches, 1).double()), 0.2)
    assert (ours - exact).abs().max() < 4e-6


def test_1x1_in_groups_of_any_size(level: str) -> None:
    layer, batches = layer_of(30, 20, 1), [torch.randn(1, 15, 22, 31) for _ in range(2)]
    tiles_and_threads = [(0, 1), (1, 1), (5, 2), (13, 3)]
    results = [
        convolved(layer, batches, level, tiles=tiles, threads=threads) for tiles, threads in tiles_and_threads
    ]
    assert all(torch.equal(results[0], result) for result in results[1:])


@pytest.mark.parametrize(("fold", "repeat"), [(1, 1), (2, 1), (1, 4)])
def test_a_normalised_picture(level: str, fold: int, repeat: int) -> None:
    """It is normalised before a convolution pads it with zeros: bit for bit as PyTorch does it."""
    height, width, channels = 5, 7, 3 * fold**2 * repeat
    picture, offset, factor = (
        torch.rand(1, 3, height * fold, width * fold),
        torch.rand(3) - 1,
        torch.rand(3) * 255,
    )
    number, lanes = library().levels()[level]
    builder = Builder(lanes)
    builder.map(3, Kind.GIVEN)
    builder.map(channels, Kind.GIVEN)
    builder.load(PICTURE, RESULT, channels, fold, repeat, normalised=(offset, factor))
    builder.phase(1)
    source, target = (
        Guarded(picture),
        Guarded(torch.full((height, width, 48), torch.nan)[..., : -(-channels // 16) * 16]),
    )
    given = {PICTURE: source.values, RESULT: target.values}
    Runner(library(), builder.program(), number, 1).run(height, width, given, lambda share: None)
    expected = F.pixel_unshuffle((picture + offset[:, None, None]) * factor[:, None, None], fold)
    expected = expected.repeat_interleave(repeat, dim=1)
    assert torch.equal(target.values[..., :channels].permute(2, 0, 1)[None], expected)
    assert not target.values[..., channels:].any()
    assert source.is_unchanged()
    assert target.is_alone()
