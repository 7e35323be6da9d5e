"""A model of all addresses in conv.cu, in numpy: copies, operands of the tensor cores, results, stores.

It takes the weights and arguments that `HaloBlocks` would launch with through the index arithmetic of the
kernel and compares with conv2d. What it cannot show: that the device takes the operands' start addresses, and
that the barriers order what happens at the same time.
"""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

import esrgan_torch.engines.cuda.halo as halo
from esrgan_torch.engines.cuda.flat import FlatShape, allocate
from esrgan_torch.engines.cuda.halo.blocks import (
    FEATURES,
    GROWTH,
    SHARED_BYTES,
    Arguments,
    arguments,
    kind_of,
)
from esrgan_torch.engines.cuda.halo.planes import TILE_HEIGHT, TILE_WIDTH, Planes, pack
from esrgan_torch.engines.cuda.network import PackedNetwork, Slots, TrunkBuffers
from esrgan_torch.engines.cuda.steps import Conv, Weights
from tests.torch.networks import small_rrdb

SOURCE = Path(halo.__file__).parent / "conv.cu"
ROW = TILE_WIDTH + 2
PLANE_BYTES = (TILE_HEIGHT + 2) * ROW * 16
TAP_BYTES = 2 * 64 * 16
SLOPE = SCALE = np.float32(0.2)
STEPS = {"pair1": 4, "rest": 2, "pair2": 8, "inner": 12, "outer": 12}


def operand(memory: np.ndarray, start: int, inputs_apart: int, rows_apart: int, rows: int) -> np.ndarray:
    """(rows, 16 inputs) as the tensor cores read an unswizzled operand; `memory` is of 2-byte values."""
    row, inner = np.arange(rows)[:, None], np.arange(16)[None]
    blocks = row // 8 * rows_apart + inner // 8 * inputs_apart
    return memory[(start + blocks + row % 8 * 16 + inner % 8 * 2) // 2]


def tile_in_shared(buffer: np.ndarray, weights: np.ndarray, a: Arguments, tile: int, step: int) -> np.ndarray:
    """What `copy_tiles` brings into a stage; what it leaves is NaN."""
    top, left = tile // a.tiles_across * TILE_HEIGHT, tile % a.tiles_across * TILE_WIDTH
    memory = np.full(PLANE_BYTES + weights[step].size, np.nan, np.float32)
    plane = a.first + 2 * step if step < 4 else a.rest + 2 * (step - 4)
    for half in range(2):
        for row in range(TILE_HEIGHT + 2):
            place = (half * PLANE_BYTES + row * ROW * 16) // 2
            pixel = 1 + (top + row) * a.pitch + left - 1  # the buffer begins a pixel before flat pixel 0
            memory[place : place + ROW * 8] = buffer[plane + half, pixel : pixel + ROW].ravel()
    memory[PLANE_BYTES:] = weights[step].ravel()
    return memory


def through_shared(sums: np.ndarray) -> np.ndarray:
    """(64 outputs, 128 pixels) in registers -> [8 planes][128 pixels][8], by `stmatrix` with `.trans`."""
    result = np.full(8 * TILE_WIDTH * 8, np.nan, np.float32)
    for warp in range(4):
        for block in range(0, 16, 2):
            for matrix in range(4):
                # thread `lane` holds outputs lane // 4 (+ 8), pixels 2 * (lane % 4) and the next
                outputs = warp * 16 + 8 * (matrix % 2) + np.arange(8)
                pixels = (block + matrix // 2) * 8 + np.arange(8)
                for lane in range(8):
                    address = ((2 * warp + matrix % 2) * TILE_WIDTH + (block + matrix // 2) * 8 + lane) * 16
                    result[address // 2 : address // 2 + 8] = sums[outputs, pixels[lane]]
    return result.reshape(8, TILE_WIDTH, 8)


def run_kernel(kind: str, buffer: np.ndarray, packed: Weights, a: Arguments) -> None:
    """conv.cu's `convolve`, one tile after the other."""
    weights = packed.matrix.float().numpy()
    bias = packed.bias.numpy()[:, None]
    before = buffer.copy()  # tiles run at the same time: none may see what another one wrote
    taps = 12 if kind == "rest" else 9
    assert weights[0].size * 2 == taps * TAP_BYTES
    for tile in range(a.tiles):
        # of "rest", each product has the outputs of two rows
        sums = np.zeros((TILE_HEIGHT, 64, TILE_WIDTH), np.float32)[:: 2 if kind == "rest" else 1]
        for step in range(STEPS[kind]):
            memory = tile_in_shared(before, weights, a, tile, step)
            for tap in range(taps):
                left = operand(memory, 2 * PLANE_BYTES + tap * TAP_BYTES, 1024, 128, 64)
                for number in range(len(sums)):
                    row = number * TILE_HEIGHT // len(sums)
                    pixel = (row + tap // 3) * ROW + tap % 3
                    sums[number] += left @ operand(memory, pixel * 16, PLANE_BYTES, 128, TILE_WIDTH).T
        top, x = tile // a.tiles_across * TILE_HEIGHT, tile % a.tiles_across * TILE_WIDTH
        for number in range(len(sums)):
            values = sums[number] + bias
            if kind.startswith("pair"):
                values[:32] = np.maximum(values[:32], values[:32] * SLOPE)
            staged = through_shared(values)
            count = min(TILE_WIDTH, a.width - x)
            for plane in range(8):
                y = top + (2 * number + plane // 4 if kind == "rest" else number)
                if y < a.height:
                    pixel = 1 + (y + 1) * a.pitch + x
                    store(kind, buffer, a, plane, slice(pixel, pixel + count), staged[plane, :count])


def store(kind: str, buffer: np.ndarray, a: Arguments, plane: int, pixels: slice, values: np.ndarray) -> None:
    """`read_added` and the end of `store_pixel` for one plane."""
    if kind == "rest":
        plane %= 4
        values = values + buffer[a.target + plane, pixels]
        values = np.maximum(values, values * SLOPE)
    if kind in ("inner", "outer"):
        values = values * SCALE + (buffer[a.near + plane, pixels] + buffer[a.near_low + plane, pixels])
    if kind == "outer":
        values = values * SCALE + (buffer[a.far + plane, pixels] + buffer[a.far_low + plane, pixels])
    buffer[a.target + plane, pixels] = values
    if kind in ("inner", "outer"):
        buffer[a.target_low + plane, pixels] = 0  # float32 loses nothing


@pytest.mark.parametrize("shape", [FlatShape(1, 5, 131), FlatShape(1, 1, 1)], ids=str)
def test_an_rrdb_by_the_kernels_addresses(shape: FlatShape) -> None:
    torch.manual_seed(0)
    model = small_rrdb(features=FEATURES, growth=GROWTH, blocks=1)
    slots, cpu = Slots(FEATURES, GROWTH), torch.device("cpu")
    planes = Planes(shape, slots.channels, torch.float32, cpu)
    network = PackedNetwork(model, cpu, torch.float32)
    dense = allocate(shape, slots.channels, torch.float32, cpu)
    stream = torch.rand(1, shape.height, shape.width, FEATURES)
    dense.picture(0, FEATURES)[:] = stream
    planes.picture(0, FEATURES)[:] = stream[0].unflatten(2, (-1, 8))
    around = np.ones(planes.values.shape[:2], bool)
    inside = torch.from_numpy(around)[:, 1 : 1 + (shape.height + 2) * shape.pitch]
    inside.view(-1, shape.height + 2, shape.pitch)[:, 1:-1, : shape.width] = False

    buffer = planes.values.numpy()
    for place, block in enumerate(network.blocks[0]):
        for number, weights in enumerate(block):
            kind = kind_of(place, number)
            packed = pack(weights)
            run_kernel(kind, buffer, packed, arguments(planes, slots, place, number, packed))

    assert not buffer[around].any(), "something was written around the picture"
    picture = allocate(shape, network.first_inputs, torch.float32, cpu)
    for step in network.block_steps(TrunkBuffers(picture, dense)):
        assert isinstance(step, Conv)
        step.reference()
    got = planes.picture(0, FEATURES).flatten(2)
    torch.testing.assert_close(got, dense.picture(0, FEATURES)[0], rtol=1e-4, atol=1e-5)


def test_host_and_source_agree() -> None:
    text = SOURCE.read_text(encoding="utf-8")
    found = re.search(r"TILE_WIDTH = (\d+), TILE_HEIGHT = (\d+), STAGES = (\d+)", text)
    assert found
    width, height, stages = map(int, found.groups())
    assert (width, height) == (TILE_WIDTH, TILE_HEIGHT)
    stage = -(-(2 * PLANE_BYTES + 12 * TAP_BYTES) // 128) * 128
    assert stages * stage + 4 * 64 * TILE_WIDTH * 2 + 16 * stages == SHARED_BYTES
    fields = re.search(r"struct Arguments \{(.*?)\};", text, re.S)
    assert fields
    names = re.findall(r"(\w+)[,;]", fields.group(1))
    assert names == [field[0] for field in Arguments._fields_]
