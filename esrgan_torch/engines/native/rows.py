"""A picture through a trunk by rows, in the native library."""

import os
from collections.abc import Callable, Iterator
from ctypes import POINTER, byref, c_int64, cast
from dataclasses import dataclass

import torch
from torch import Tensor

from esrgan_torch.engines.describing import PICTURE, RESULT
from esrgan_torch.engines.devices import threads
from esrgan_torch.engines.native.library import Library, Program, Runner, checked, work_memory
from esrgan_torch.engines.native.winograd import padded
from esrgan_torch.engines.rows import Rows, RowTrunk

BAND = 32  # rows of maps that are given and taken at once: threads then wait for one another seldom


@dataclass(frozen=True)
class TrunkSizes:
    """Of what goes in and comes out.

    Args:
        channels: of the picture.
        fold: its pixels to one of the maps', along each axis.
        features: channels of the result.
    """

    channels: int
    fold: int
    features: int


class NativeRowTrunk(RowTrunk):
    """A trunk whose program is one phase of rings.

    Args:
        library: carries it out.
        make: the program; called at the first need, for its weights are laid out anew.
        level: number of the level of instructions.
        sizes: of what goes in and comes out.
    """

    def __init__(self, library: Library, make: Callable[[], Program], level: int, sizes: TrunkSizes) -> None:
        self._library = library
        self._make = make
        self._level = level
        self._sizes = sizes
        self.features = sizes.features
        self._program: Program | None = None
        self._planner: tuple[tuple[int, int], RowsRunner] | None = None

    def rows(self, height: int, width: int) -> Rows:
        return NativeRows(self._runner(), self._sizes, height // self._sizes.fold, width // self._sizes.fold)

    def rows_bytes(self, height: int, width: int) -> int:
        wanted = threads(), os.getpid()
        if self._planner is None or self._planner[0] != wanted:
            self._planner = wanted, self._runner()
        fold = self._sizes.fold
        return self._planner[1].all_bytes(self._sizes, height // fold, width // fold)

    def _runner(self) -> "RowsRunner":
        """One of its own for every picture: its threads know how far that is."""
        if self._program is None:
            self._program = self._make()
        return RowsRunner(self._library, self._program, self._level, threads())


class RowsRunner(Runner):
    """A program of one phase, with threads of its own."""

    def needs(self, height: int, width: int) -> tuple[int, int, int]:
        """Of a picture in pixels of the maps: bytes of work memory, rows of the picture, of the result."""
        rows = (c_int64 * self._program.maps)()
        pointer = cast(rows, POINTER(c_int64))
        size = checked(self._library.bytes_rows(self._engine, height, width, BAND, pointer))
        return size, rows[PICTURE], rows[RESULT]

    def all_bytes(self, sizes: TrunkSizes, height: int, width: int) -> int:
        """Memory of all that `NativeRows` holds."""
        work, picture, result = self.needs(height, width)
        pixel = sizes.channels * sizes.fold**2
        return work + 4 * width * (picture * pixel + result * padded(sizes.features))

    def plan_rows(self, height: int, width: int) -> Tensor:
        """Begin a picture; its work memory."""
        return work_memory(checked(self._library.plan_rows(self._engine, height, width, BAND)))

    def go_on(
        self, memory: Tensor, picture: Tensor, result: Tensor, given: int, room: int
    ) -> tuple[int, int]:
        """Compute what rows below `given` and room below `room` allow.

        Returns below which row the result is done, and from which on the picture is still needed.
        """
        addresses = self._addresses({PICTURE: picture, RESULT: result})
        done, kept = c_int64(), c_int64()

        def start() -> None:
            at = memory.data_ptr()
            self._library.start_rows(self._engine, at, addresses, given, room, byref(done), byref(kept))

        self._compute(start, _ignore)
        return done.value, kept.value


class NativeRows(Rows):
    """A picture on its way; sizes are those of the maps.

    Args:
        runner: of this picture alone.
        sizes: of what goes in and comes out.
        height, width: in pixels of the maps.
    """

    def __init__(self, runner: RowsRunner, sizes: TrunkSizes, height: int, width: int) -> None:
        self._runner, self._sizes, self._height = runner, sizes, height
        _, picture_rows, result_rows = runner.needs(height, width)
        self._memory = runner.plan_rows(height, width)
        fold = sizes.fold
        picture = sizes.channels, picture_rows * fold, width * fold
        self._picture = torch.empty(picture, dtype=torch.float32, device="cpu")
        result = result_rows, width, padded(sizes.features)
        self._result = torch.empty(result, dtype=torch.float32, device="cpu")
        self._given = self._taken = self._kept = 0

    def push(self, batch: Tensor) -> Iterator[Tensor]:
        fold, ring = self._sizes.fold, self._picture.shape[1] // self._sizes.fold
        at, rows = 0, batch.shape[2] // fold
        while at < rows:
            room = self._kept + ring - self._given
            assert room > 0, "the picture's ring is too small"
            count = min(room, rows - at, ring - self._given % ring)
            to, start = self._given % ring * fold, at * fold
            self._picture[:, to : to + count * fold] = batch[0, :, start : start + count * fold]
            self._given += count
            at += count
            # a band at a time, so that threads seldom wait for one another
            if self._given - self._kept == ring or self._given == self._height:
                yield from self._go_on()

    def _go_on(self) -> Iterator[Tensor]:
        ring = self._result.shape[0]
        while True:
            state = self._taken, self._kept
            room = self._taken + ring
            done, self._kept = self._runner.go_on(
                self._memory, self._picture, self._result, self._given, room
            )
            while self._taken < done:
                row = self._taken % ring
                count = min(done - self._taken, ring - row)
                self._taken += count
                part = self._result[row : row + count, :, : self._sizes.features]
                yield part.permute(2, 0, 1).unsqueeze(0)
            waits_for_rows = (
                self._given < self._height
                and self._given - self._kept < self._picture.shape[1] // self._sizes.fold
            )
            if self._taken == self._height or waits_for_rows:
                return
            assert (self._taken, self._kept) != state, "the result's ring is too small"


def _ignore(_: float) -> None:
    """How far it is, is known by the rows."""
