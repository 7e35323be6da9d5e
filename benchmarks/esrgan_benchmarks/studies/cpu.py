"""What each part of the CPU engine gains, beside the other ways that were tried.

    python -m esrgan_benchmarks cpu [--size PX] [--runs N]

Layers of the default sizes (64 features, growth 32) on a size x size map, in float32, and in bfloat16 where
the processor computes it:

- dense block: the reference's concatenation; maps written into one buffer, of which convolutions read a part
  (`RRDBEngine`); concatenation before convolutions with packed weights and fused LeakyReLU; sums of packed
  convolutions over the single maps; 3D convolutions over planes (`PackedEngine`).
- enlargement: nearest x2, 3x3 convolution, LeakyReLU; the same as one transposed convolution.
- last convolution: 3x3 to 3 channels; the same for 2x2 pixels at once. Its map is as large as given.
"""

import argparse
import copy
from collections.abc import Callable
from itertools import product

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from esrgan_benchmarks.core.measure import Spread, interleave, ratio, stopwatch
from esrgan_benchmarks.core.record import Row, append, latest, measured_on, newest
from esrgan_torch.engines.base import channels_last
from esrgan_torch.engines.packed import (
    PackedConvolution,
    PackedDenseBlock,
    PackedEnlargement,
    PackedLastConvolution,
    fill_planes,
    is_available,
    plane_count,
    plane_width,
)
from esrgan_torch.engines.rrdb import dense_residual
from esrgan_torch.networks.rrdb import SLOPE, ResidualDenseBlock

Way = Callable[[], Tensor]
CHANNELS_LAST = torch.channels_last
# of values around 1: another way to compute, not another result
TOLERANCES = {torch.float32: 1e-4, torch.bfloat16: 3e-2}


def dense_block_ways(size: int, dtype: torch.dtype) -> dict[str, Way]:
    """Each gives what the block adds, before its weight."""
    exact = ResidualDenseBlock(64, 32).requires_grad_(False)
    block = channels_last(copy.deepcopy(exact).to(dtype))
    values = _map(64, size, dtype)
    buffer = _map(192, size, dtype)
    packed, sums = _concatenating(exact, dtype), _summing(exact, dtype)
    in_planes = PackedDenseBlock(exact, dtype)
    planes = torch.empty(plane_count(64, 32), size, size, plane_width(64, 32), dtype=dtype)

    def in_one_buffer() -> Tensor:
        buffer[:, :64] = values
        return dense_residual(block, buffer)

    def over_planes() -> Tensor:
        fill_planes(planes, 0, values)
        return in_planes(planes)

    return {
        "concatenation": lambda: block.residual(values),
        "one buffer": in_one_buffer,
        "concatenation, packed": lambda: packed(values),
        "sums, packed": lambda: sums(values),
        "planes, packed": over_planes,
    }


def enlargement_ways(size: int, dtype: torch.dtype) -> dict[str, Way]:
    """Each gives the map after an upsampling step of the tail."""
    exact, layer, values = *_layer(64, dtype), _map(64, size, dtype)
    packed = PackedEnlargement(*_tensors(exact), dtype)

    def plain() -> Tensor:
        return F.leaky_relu_(layer(F.interpolate(values, scale_factor=2.0, mode="nearest")), SLOPE)

    return {"nearest, convolution": plain, "transposed, packed": lambda: packed(values)}


def last_ways(size: int, dtype: torch.dtype) -> dict[str, Way]:
    """Each gives the picture."""
    exact, layer, values = *_layer(3, dtype), _map(64, size, dtype)
    packed = PackedConvolution(*_tensors(exact), dtype=dtype)
    wide = PackedLastConvolution(*_tensors(exact), dtype)
    return {
        "convolution": lambda: layer(values),
        "convolution, packed": lambda: packed(values),
        "2x2 pixels, packed": lambda: wide(values),
    }


LAYERS: dict[str, Callable[[int, torch.dtype], dict[str, Way]]] = {
    "dense block": dense_block_ways,
    "enlargement": enlargement_ways,
    "last convolution": last_ways,
}


def measure(layer: str, size: int, runs: int, dtype: torch.dtype = torch.float32) -> list[Row]:
    """Rows of one layer's ways in one precision; each must give what the first one gives.

    Raises:
        AssertionError: a way gives something else.
    """
    with torch.inference_mode():
        ways = LAYERS[layer](size, dtype)
        first = next(iter(ways))
        expected = ways[first]()
        for name, way in ways.items():
            error = (way() - expected).abs().max().item()
            if not error <= TOLERANCES[dtype]:
                raise AssertionError(f"{layer}, {name}: {error} from {first}")
        seconds = interleave({name: stopwatch(way) for name, way in ways.items()}, runs)
    return [
        {
            "layer": layer,
            "way": name,
            "size": size,
            "dtype": str(dtype).removeprefix("torch."),
            "seconds": Spread.of(seconds[name]).as_dict(),
            "of_first": ratio(seconds, name, first),
        }
        for name in ways
    ]


def table(rows: list[Row]) -> str:
    """The rows as a table, for the documentation."""
    rows = latest(newest(rows), "layer", "way", "size", "dtype")
    lines = [
        "| layer | precision | way | map | median | quartiles | time, first way = 1 |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        median, lower, upper = (row["seconds"][name] * 1e3 for name in ("median", "lower", "upper"))
        lines.append(
            f"| {row['layer']} | {row['dtype']} | {row['way']} | {row['size']}x{row['size']} "
            f"| {median:.1f} ms | {lower:.1f}-{upper:.1f} ms | {row['of_first']:.2f} |"
        )
    return "\n".join([*lines, "", measured_on(rows)])


def _concatenating(block: ResidualDenseBlock, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    *inner, last = (PackedConvolution(*_tensors(layer), dtype=dtype) for layer in _convolutions(block))

    def residual(values: Tensor) -> Tensor:
        maps = [values]
        for convolution in inner:
            maps.append(convolution(torch.cat(maps, dim=1), SLOPE))
        return last(torch.cat(maps, dim=1))

    return residual


def _summing(block: ResidualDenseBlock, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    """Every convolution as a sum over the maps it sees; oneDNN adds into a given tensor."""
    *inner, last = (_parts(layer, seen, dtype) for seen, layer in enumerate(_convolutions(block), start=1))
    geometry = [1, 1], [1, 1], [1, 1], 1  # padding, stride, dilation, groups

    def total(parts: list[PackedConvolution], maps: list[Tensor]) -> Tensor:
        result = parts[0](maps[0])
        for part, values in zip(parts[1:], maps[1:], strict=True):
            torch.ops.mkldnn._convolution_pointwise_.binary(
                result, values, part.weight, None, *geometry, "add", 1.0, None, [], ""
            )
        return result

    def residual(values: Tensor) -> Tensor:
        maps = [values]
        for parts in inner:
            maps.append(F.leaky_relu_(total(parts, maps), SLOPE))
        return total(last, maps)

    return residual


def _parts(layer: nn.Conv2d, seen: int, dtype: torch.dtype) -> list[PackedConvolution]:
    """A convolution for each map that is concatenated; the first has the bias."""
    weight, bias = _tensors(layer)
    widths = [64, 32, 32, 32, 32][:seen]
    return [
        PackedConvolution(part, None if number else bias, dtype=dtype)
        for number, part in enumerate(torch.split(weight, widths, dim=1))
    ]


def _convolutions(block: ResidualDenseBlock) -> tuple[nn.Conv2d, ...]:
    return block.conv1, block.conv2, block.conv3, block.conv4, block.conv5


def _layer(outputs: int, dtype: torch.dtype) -> tuple[nn.Conv2d, nn.Conv2d]:
    """In float32, from which weights are packed, and as PyTorch runs it."""
    exact = nn.Conv2d(64, outputs, 3, padding=1).requires_grad_(False)
    return exact, channels_last(copy.deepcopy(exact).to(dtype))


def _tensors(layer: nn.Conv2d) -> tuple[Tensor, Tensor]:
    assert layer.bias is not None
    return layer.weight, layer.bias


def _map(channels: int, size: int, dtype: torch.dtype) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    values = torch.rand(1, channels, size, size, generator=generator).to(dtype)
    return values.contiguous(memory_format=CHANNELS_LAST)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    torch.manual_seed(0)
    for layer, dtype in product(LAYERS, filter(is_available, TOLERANCES)):
        rows = measure(layer, options.size, options.runs, dtype)
        for row in rows:
            name = f"{layer:17} {row['dtype']:9} {row['way']:22}"
            print(f"{name} {row['seconds']['median'] * 1e3:8.2f} ms, {row['of_first']:.3f} of the first")
        print(append("cpu", rows))
