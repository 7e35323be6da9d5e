"""Networks by the native library: float32 on CPUs."""

import math
import os
import threading
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor
from torch.nn import functional as F

from esrgan_torch.engines.base import Engine, WholeNumbers
from esrgan_torch.engines.describing import PICTURE, RESULT
from esrgan_torch.engines.devices import threads
from esrgan_torch.engines.host import for_rows
from esrgan_torch.engines.native import build
from esrgan_torch.engines.native.library import LARGE_PAGE, Library, Program, Runner, work_memory
from esrgan_torch.engines.native.program_compact import compact_program
from esrgan_torch.engines.native.program_rrdb import (
    Known,
    rrdb_rows_program,
    rrdb_tail_program,
    rrdb_trunk_program,
)
from esrgan_torch.engines.native.program_span import span_program
from esrgan_torch.engines.native.rows import NativeRowTrunk, TrunkSizes
from esrgan_torch.engines.native.winograd import padded
from esrgan_torch.errors import EngineError
from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.compact import CompactNet
from esrgan_torch.networks.rrdb import RRDBNet
from esrgan_torch.networks.span import SPAN
from esrgan_torch.watch import Progress

FAST_LEVELS = ("avx512", "avx2")  # where it was measured to be faster than the other engines: docs/cpu.md


def is_usable() -> bool:
    """Whether the library runs here; it is compiled now if it must be."""
    return build.library() is not None


def fastest_level() -> str | None:
    """The level of instructions that would be used; None where the library does not run."""
    library = build.library()
    return None if library is None else next(iter(library.levels()))


def is_faster(dtype: torch.dtype) -> bool:
    """Whether it is the fastest engine for the CPU here; the library is compiled now if it must be."""
    return dtype == torch.float32 and fastest_level() in FAST_LEVELS


class Runners:
    """A program with as many threads as PyTorch would take now, made anew when that changes.

    Args:
        make: the program, for vectors of so many floats.
        level: of instructions; None: the fastest here.

    Raises:
        EngineError: the library, or the level, is not here.
    """

    def __init__(self, make: Callable[[int], Program], level: str | None = None) -> None:
        library = build.library()
        if library is None:
            raise EngineError(f"the native engine does not run here: {build.reason()}")
        levels = library.levels()
        if level is not None and level not in levels:
            raise EngineError(f"this processor has no {level}; it has {', '.join(levels)}")
        self.library: Library = library
        self.level, self.lanes = levels[level or next(iter(levels))]
        self.program = make(self.lanes)
        self._lock = threading.Lock()
        self._made: tuple[tuple[int, int], Runner] | None = None

    def runner(self) -> Runner:
        """The one for now; a forked process has none of its parent's threads."""
        wanted = threads(), os.getpid()
        with self._lock:
            if self._made is None or self._made[0] != wanted:
                self._made = wanted, Runner(self.library, self.program, self.level, wanted[0])
            return self._made[1]


BESIDE = 4 << 20  # bytes of stacks and of pages begun: up to 1.9 MB were measured with two threads
Network = TypeVar("Network", bound=Generator)


class NativeShuffleEngine(Engine):
    """A network whose tail is the pixel shuffle; what goes between trunk and tail is channels last.

    Args:
        model, device, dtype: as for every engine.
        program: makes the trunk's program, for vectors of so many floats.
        level: of instructions; None: the fastest here.
    """

    def __init__(
        self,
        model: Network,
        device: torch.device,
        dtype: torch.dtype,
        program: Callable[[Network, int], Program],
        level: str | None = None,
    ) -> None:
        super().__init__(model, device, dtype)
        self._large = model.out_channels * model.scale**2
        self._run = run = Runners(lambda lanes: program(model, lanes), level)
        sizes = TrunkSizes(model.in_channels, 1, self._large)
        self._row_trunk = NativeRowTrunk(run.library, lambda: run.program, run.level, sizes)

    def by_rows(self) -> NativeRowTrunk:
        return self._row_trunk

    def _trunk(self, batch: Tensor, progress: Progress) -> Tensor:
        return _features(self._run.runner(), batch, self._large, 1, progress)

    def _tail(self, features: Tensor) -> Tensor:
        values = _channels_last(features)
        height, width = features.shape[-2:]
        scale, channels = self.scale, self._large // self.scale**2
        result = memory(1, channels, height * scale, width * scale)
        row, pixel = values.stride(0), values.stride(1)
        sizes = channels, scale, height, width

        def shuffle(rows: slice) -> None:
            addresses = values.data_ptr(), row, pixel, result.data_ptr()
            self._run.library.shuffle(*addresses, *sizes, rows.start, rows.stop)

        for_rows(shuffle, height, result.numel())
        return result

    def tail_pixels(self, features: Tensor, pixels: WholeNumbers) -> bool:
        """In one pass: the planes of the larger picture never exist."""
        values = _channels_last(features)
        height, width = features.shape[-2:]
        channels = self._large // self.scale**2
        finite: list[int] = []

        def put(rows: slice) -> None:
            source = values.data_ptr(), values.stride(0), values.stride(1)
            target = pixels.ctypes.data, pixels.strides[0]
            sizes = channels, self.scale, width, rows.start, rows.stop, pixels.itemsize
            finite.append(self._run.library.round_shuffled(*source, *target, *sizes))

        for_rows(put, height, pixels.size)
        return all(finite)

    def trunk_bytes(self, height: int, width: int) -> int:
        return self._run.runner().bytes(height, width) + BESIDE + 4 * padded(self._large) * height * width

    def tail_bytes(self, height: int, width: int) -> int:
        return 2 * 4 * padded(self._large) * height * width


class NativeCompactEngine(NativeShuffleEngine):
    """CompactNet."""

    def __init__(
        self, model: CompactNet, device: torch.device, dtype: torch.dtype, level: str | None = None
    ) -> None:
        super().__init__(model, device, dtype, compact_program, level)


class NativeSPANEngine(NativeShuffleEngine):
    """SPAN."""

    def __init__(
        self, model: SPAN, device: torch.device, dtype: torch.dtype, level: str | None = None
    ) -> None:
        super().__init__(model, device, dtype, span_program, level)


class NativeRRDBEngine(Engine):
    """RRDBNet; its features are channels last."""

    def __init__(
        self, model: RRDBNet, device: torch.device, dtype: torch.dtype, level: str | None = None
    ) -> None:
        super().__init__(model, device, dtype)
        self._features = model.config.features
        self._outputs = model.out_channels
        known: Known = {}
        self._trunk_run = Runners(lambda lanes: rrdb_trunk_program(model, lanes, known), level)
        self._tail_run = Runners(lambda lanes: rrdb_tail_program(model, lanes), level)
        run, sizes = self._trunk_run, TrunkSizes(model.in_channels, model.unshuffle, self._features)
        self._row_trunk = NativeRowTrunk(
            run.library, lambda: rrdb_rows_program(model, run.lanes, known), run.level, sizes
        )

    def by_rows(self) -> NativeRowTrunk:
        return self._row_trunk

    def _trunk(self, batch: Tensor, progress: Progress) -> Tensor:
        return _features(self._trunk_run.runner(), batch, self._features, self.unshuffle, progress)

    def _tail(self, features: Tensor) -> Tensor:
        height, width = features.shape[-2:]
        enlarged = self.scale * self.unshuffle
        given = _channels_last(features, padded(self._features))
        result = memory(1, self._outputs, height * enlarged, width * enlarged)
        self._tail_run.runner().run(height, width, {PICTURE: given, RESULT: result}, _ignore)
        return result

    def trunk_bytes(self, height: int, width: int) -> int:
        height, width = height // self.unshuffle, width // self.unshuffle
        return (
            self._trunk_run.runner().bytes(height, width)
            + BESIDE
            + 4 * padded(self._features) * height * width
        )

    def tail_bytes(self, height: int, width: int) -> int:
        pixels = height * width
        large = 4 * self._outputs * pixels * (self.scale * self.unshuffle) ** 2
        return self._tail_run.runner().bytes(height, width) + 4 * padded(self._features) * pixels + large


def memory(*shape: int) -> Tensor:
    """Uninitialised, for the library: float32 and on the CPU, whatever the program's defaults are."""
    size = 4 * math.prod(shape)
    if size < 2 * LARGE_PAGE:
        return torch.empty(shape, dtype=torch.float32, device="cpu")
    return work_memory(size).view(torch.float32).view(shape)


def _features(runner: Runner, batch: Tensor, channels: int, fold: int, progress: Progress) -> Tensor:
    """(1, C, H, W) through a trunk: (1, channels, H / fold, W / fold) in channels-last memory."""
    height, width = batch.shape[-2] // fold, batch.shape[-1] // fold
    result = memory(height, width, padded(channels))
    runner.run(height, width, {PICTURE: batch.float().contiguous(), RESULT: result}, progress)
    return result[:, :, :channels].permute(2, 0, 1).unsqueeze(0)


def _channels_last(features: Tensor, channels: int = 0) -> Tensor:
    """(1, C, h, w) -> (h, w, C), as it is where a pixel's channels are contiguous.

    With as many channels as are given: contiguous, and with zeros for those that it lacks.
    """
    values = features[0].permute(1, 2, 0)
    if not channels:
        return values if values.stride(2) == 1 else values.contiguous()
    missing = channels - values.shape[2]
    return F.pad(values, (0, missing)) if missing else values.contiguous()


def _ignore(_: float) -> None:
    """A tail's progress is told when it is done."""
