"""One convolution of the library against float64: sizes, channels, borders, memory that nobody may read."""

import pytest
import torch
from torch.nn import functional as F

from esrgan_torch.engines.describing import PICTURE, RESULT, Kind
from esrgan_torch.engines.native.library import Runner
from esrgan_torch.engines.native.program import Builder
from tests.torch.engines.native.convolving import channels_last, convolved, layer_of
from tests.torch.engines.native.levels import levels, library, needs_native

pytestmark = needs_native


@pytest.mark.parametrize("level", levels())
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (3, 5), (4, 4), (5, 8), (13, 22)])
@pytest.mark.parametrize(("inputs", "outputs"), [(3, 64), (16, 16), (7, 5), (33, 47), (64, 3)])
def test_every_size_and_channels(level: str, size: tuple[int, int], inputs: int, outputs: int) -> None:
    layer = layer_of(inputs, outputs)
    batch = torch.rand(1, inputs, *size)
    ours = convolved(layer, batch, level)
    exact = layer.double()(batch.double())
    assert (ours - exact).abs().max() < 6e-6


@pytest.mark.parametrize("level", levels())
def test_what_follows_a_convolution(level: str) -> None:
    layer, slopes = layer_of(12, 12), torch.linspace(-0.5, 1.5, 12)
    batch = torch.randn(1, 12, 7, 10)
    ours = convolved(layer, batch, level, slopes, residual=0.2)
    exact = F.prelu(layer.double()(batch.double()), slopes.double()) * 0.2 + batch.double()
    assert (ours - exact).abs().max() < 6e-6


@pytest.mark.parametrize("level", levels())
@pytest.mark.parametrize("size", [(1, 1), (2, 9), (6, 5)])
def test_an_enlargement(level: str, size: tuple[int, int]) -> None:
    layer = layer_of(20, 18)
    batch = torch.rand(1, 20, *size)
    ours = convolved(layer, batch, level, torch.full((18,), 0.2), enlarge=True)
    enlarged = F.interpolate(batch.double(), scale_factor=2.0, mode="nearest")
    exact = F.leaky_relu(layer.double()(enlarged), 0.2)
    assert (ours - exact).abs().max() < 6e-6


@pytest.mark.parametrize("level", levels())
def test_nan_stays_nan(level: str) -> None:
    """What an engine is asked for by tests of finite values must not be hidden by an activation."""
    layer = layer_of(4, 4)
    batch = torch.rand(1, 4, 9, 9)
    layer.bias.data[2] = torch.nan
    number, lanes = library().levels()[level]
    builder = Builder(lanes)
    builder.map(4, Kind.GIVEN)
    builder.map(4, Kind.GIVEN)
    builder.convolution(layer, [PICTURE], RESULT, [], 0.2)
    builder.phase(1)
    result = torch.zeros(9, 9, 16)
    given = {PICTURE: channels_last(batch), RESULT: result}
    Runner(library(), builder.program(), number, 1).run(9, 9, given, lambda share: None)
    assert result[..., 2].isnan().all()
    assert not result[..., 0].isnan().any()


@pytest.mark.parametrize("level", levels())
def test_how_many_tiles_are_computed_together_changes_nothing(level: str) -> None:
    layer = layer_of(19, 40)
    batch = torch.rand(1, 19, 26, 31)
    results = [convolved(layer, batch, level, tiles=tiles, threads=threads) for tiles, threads in TILES]
    assert all(torch.equal(results[0], result) for result in results[1:])


TILES = [(0, 1), (1, 1), (5, 2), (13, 3), (48, 4)]
