"""Pixels in and out, and a CompactNet between them."""

import pytest
import torch

from esrgan_torch.engines.cuda.compact import CompactKernels
from esrgan_torch.engines.cuda.flat import FlatShape, allocate
from esrgan_torch.engines.cuda.pixels import join, join_reference, split, split_reference
from esrgan_torch.engines.cuda.tuning import Launch, Table
from tests.torch.networks import small_compact

CPU = torch.device("cpu")
TABLE = Table(*[Launch("rows", 256, 64, 4, 2)] * 4, *[Launch("taps", 256, 64, 4, 2)] * 3)
SHAPES = [FlatShape(1, 9, 19), FlatShape(1, 1, 1), FlatShape(1, 1, 30), FlatShape(1, 23, 1)]

pytestmark = pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")


def picture(height: int, width: int, channels: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(height * width)
    return torch.randint(0, 256, (height, width, channels), dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_pixels_in(shape: FlatShape, dtype: torch.dtype) -> None:
    pixels = picture(shape.height, shape.width)
    got, expected = (allocate(shape, 16, dtype, CPU) for _ in range(2))
    got.values.fill_(torch.nan)
    split(pixels, got)
    split_reference(pixels, expected)
    assert torch.equal(got.values, expected.values)


@pytest.mark.parametrize("scale", [1, 2, 4])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_pixels_out(shape: FlatShape, scale: int) -> None:
    pixels = picture(shape.height, shape.width)
    source = allocate(shape, 3 * scale**2, torch.float32, CPU)
    source.values.fill_(torch.nan)  # what lies around is not read
    source.picture()[:] = torch.randn(source.picture().shape, generator=torch.Generator().manual_seed(0)) / 2
    size = shape.height * scale, shape.width * scale, 3
    got, expected = (torch.empty(size, dtype=torch.uint8) for _ in range(2))
    join(source, pixels, got)
    join_reference(source, pixels, expected)
    assert torch.equal(got, expected)
    assert {0, 255} < set(got.unique().tolist()) or got.numel() < 1000, "both ends are cut off"


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_a_network_from_bytes_to_bytes(dtype: torch.dtype) -> None:
    model = small_compact(features=16, convolutions=2, scale=4)
    torch.nn.init.uniform_(model.body[1].weight, -1.5, 1.5)
    kernels = CompactKernels(model, CPU, dtype, TABLE)
    exact = model.double()
    for height, width in ((5, 7), (3, 11)):  # another size after the first one
        pixels = picture(height, width)
        batch = pixels.permute(2, 0, 1)[None].double() / 255
        expected = exact.tail(exact.trunk(batch))[0].permute(1, 2, 0).clamp(0, 1) * 255
        distance = (kernels(pixels).double() - expected).abs()
        assert distance.max() <= (0.5 + 0.1 if dtype == torch.float16 else 3)
