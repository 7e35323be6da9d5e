"""The dense blocks of a network through the halo kernel, in place of their steps in `network`."""

import ctypes
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from esrgan_torch.engines.cuda.flat import Flat, FlatShape
from esrgan_torch.engines.cuda.halo.driver import Function, Module
from esrgan_torch.engines.cuda.halo.planes import LANES, Planes, pack
from esrgan_torch.engines.cuda.network import Slots
from esrgan_torch.engines.cuda.steps import Place, Weights
from esrgan_torch.errors import ConfigError

FEATURES, GROWTH = 64, 32
THREADS = 3 * 128
SHARED_BYTES = 3 * 49536 + 4 * 64 * 128 * 2 + 3 * 16  # as in conv.cu
CUBIN = Path(__file__).parent / "conv.sm_90a.cubin"
KINDS = ("pair1", "rest", "pair2", "rest", "inner")  # of a dense block; "outer" in place of the last one


class Arguments(ctypes.Structure):
    """As in conv.cu; planes are numbers within the buffer."""

    _fields_ = (
        ("buffer", ctypes.c_void_p),
        ("weights", ctypes.c_void_p),
        ("bias", ctypes.c_void_p),
        *[
            (name, ctypes.c_int)
            for name in (
                "plane_pixels", "height", "width", "pitch", "tiles_across", "tiles",
                "first", "rest", "target", "target_low", "near", "near_low", "far", "far_low",
            )
        ],
    )  # fmt: skip


class HaloBlocks:
    """All dense blocks of a network with 64 features and growth 32.

    Args:
        blocks: the packed weights of `network.PackedNetwork`: RRDBs, dense blocks, convolutions.
        dtype: float16 or bfloat16.
        device: of compute capability 9.0.

    Raises:
        ConfigError: the cubin was not built.
        DriverError: the device cannot run it.
    """

    def __init__(self, blocks: list[list[list[Weights]]], dtype: torch.dtype, device: torch.device) -> None:
        self._blocks = [[[pack(each) for each in block] for block in rrdb] for rrdb in blocks]
        self._dtype = dtype
        self._device = device
        self._slots = Slots(FEATURES, GROWTH)
        self._planes: Planes | None = None
        self._processors = multiprocessors(device)
        functions = load(device.index or 0)
        suffix = str(dtype).removeprefix("torch.")
        self._functions = {kind: functions[f"{kind}_{suffix}"] for kind in (*KINDS, "outer")}

    def load(self, blocks: list[list[list[Weights]]]) -> None:
        """Take other weights, in the memory of the present ones."""
        for old_rrdb, rrdb in zip(self._blocks, blocks, strict=True):
            for old_block, block in zip(old_rrdb, rrdb, strict=True):
                for old, new in zip(old_block, map(pack, block), strict=True):
                    old.matrix.copy_(new.matrix)
                    old.bias.copy_(new.bias)

    def reserve(self, shape: FlatShape) -> bool:
        """Have planes for pictures of this shape; whether that changed addresses."""
        if self._planes is not None and self._planes.shape == shape:
            return False
        self._planes = None  # first, so that both need not fit
        with torch.inference_mode(False):  # they may be written outside of that mode too
            self._planes = Planes(shape, self._slots.channels, self._dtype, self._device)
        return True

    @property
    def planes(self) -> Planes:
        """What `reserve` has made."""
        assert self._planes is not None, "reserve comes first"
        return self._planes

    def launch(self, rrdb: int, place: int, number: int) -> None:
        """Launch convolution `number` (0 to 4) of dense block `place` (0 to 2) on the current stream."""
        stream = torch.cuda.current_stream(self._device).cuda_stream
        weights = self._blocks[rrdb][place][number]
        argument = arguments(self.planes, self._slots, place, number, weights)
        grid = min(self.planes.tiles, self._processors)
        self._functions[kind_of(place, number)].launch(grid, THREADS, stream, argument)

    def run(self, dense: Flat) -> None:
        """From the stream in slot 0 to the stream in slot 0, on the current stream; `reserve` comes first."""
        planes = self.planes
        start = self._slots.stream(0)
        assert start.low is not None
        channels = (start.at, start.low)
        for at in channels:
            planes.picture(at, FEATURES).copy_(_in_planes(dense.picture(at, FEATURES)[0]))
        for rrdb, blocks in enumerate(self._blocks):
            for place, block in enumerate(blocks):
                for number in range(len(block)):
                    self.launch(rrdb, place, number)
        for at in channels:
            _in_planes(dense.picture(at, FEATURES)[0]).copy_(planes.picture(at, FEATURES))


def kind_of(place: int, number: int) -> str:
    """The kernel of convolution `number` of dense block `place`."""
    return "outer" if (place, number) == (2, 4) else KINDS[number]


def arguments(planes: Planes, slots: Slots, place: int, number: int, weights: Weights) -> Arguments:
    """What convolution `number` (0 to 4, as `KINDS`) of dense block `place` (0 to 2) is told."""
    stream, start, after = slots.stream(place), slots.stream(0), slots.stream((place + 1) % 3)
    grown = slots.grown
    first, rest = (stream.at, grown)
    target = after if number == 4 else Place(grown + number * slots.growth, grown)
    if number in (1, 3):
        first = grown + (number - 1) * slots.growth
    shape = planes.shape
    return Arguments(
        planes.address,
        weights.matrix.data_ptr(),
        weights.bias.data_ptr(),
        planes.plane_pixels,
        shape.height,
        shape.width,
        shape.pitch,
        planes.tiles_across,
        planes.tiles,
        *[
            channel // LANES
            for channel in (
                first,
                rest,
                target.at,
                target.low or 0,
                stream.at,
                stream.low or 0,
                start.at,
                start.low or 0,
            )
        ],
    )


def multiprocessors(device: torch.device) -> int:
    """Of a CUDA device."""
    properties = cast("Callable[[torch.device], Any]", torch.cuda.get_device_properties)(device)
    return properties.multi_processor_count


@cache
def load(device: int) -> dict[str, Function]:
    """The kernels by their names, loaded once a device. Errors as `HaloBlocks`."""
    if not CUBIN.exists():
        raise ConfigError(f"{CUBIN.name} was not built: run `make cubin`, which needs nvcc")
    with torch.cuda.device(device):
        torch.cuda.current_stream().synchronize()  # makes PyTorch's context current
        module = Module(CUBIN.read_bytes())
    names = [f"{kind}_{suffix}" for kind in {*KINDS, "outer"} for suffix in ("float16", "bfloat16")]
    return {name: module.function(name, SHARED_BYTES) for name in names}


def _in_planes(picture: Tensor) -> Tensor:
    """(H, W, C) -> (H, W, C / 8, 8), a view."""
    return picture.view(*picture.shape[:2], -1, LANES)
