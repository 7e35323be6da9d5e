"""The compiled library by ctypes: the structures of `source/esrgan_native.h`, and an engine in Python."""

import ctypes
import mmap
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from ctypes import (
    POINTER,
    Array,
    Structure,
    c_char_p,
    c_double,
    c_float,
    c_int32,
    c_int64,
    c_uint32,
    c_void_p,
)
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from esrgan_torch.errors import EngineError

SOURCES = 5  # the most of an operation
ABI = 4  # of the structures below
LARGE_PAGE = 2 * 2**20
LARGEST_KEPT = 32 * 2**20
SLICE = 40  # ms between two looks at whether somebody pressed Ctrl-C


class CMap(Structure):
    _fields_ = (("kind", c_int32), ("channels", c_int32), ("scale", c_int32))


class COperation(Structure):
    _fields_ = (
        ("kind", c_int32),
        ("sources", c_int32),
        ("source", c_int32 * SOURCES),
        ("channels", c_int32 * SOURCES),
        ("begins", c_uint32),
        ("target", c_int32),
        ("residual", c_int32 * 2),
        ("factor", c_float * 2),
        ("waits", c_int32 * 2),
        ("outputs", c_int32),
        ("enlarge", c_int32),
        ("repeat", c_int32),
        ("activation", c_int32),
        ("weights", c_void_p),
        ("bias", c_void_p),
        ("slopes", c_void_p),
    )


class CPhase(Structure):
    _fields_ = (("first", c_int32), ("length", c_int32), ("repeats", c_int32))


class CProgram(Structure):
    _fields_ = (
        ("maps", c_int32),
        ("phases", c_int32),
        ("operations", c_int32),
        ("map", POINTER(CMap)),
        ("phase", POINTER(CPhase)),
        ("operation", POINTER(COperation)),
    )


def work_memory(size: int) -> Tensor:
    """(size,) bytes, aligned to the large pages that Linux gives where it is asked.

    Transforms write to 36 places far apart for each tile, so pages of 4 KiB mean 36 addresses to look up.

    Raises:
        RuntimeError: memory is short.
    """
    if not hasattr(mmap, "MADV_HUGEPAGE"):
        return torch.empty(size, dtype=torch.uint8, device="cpu")
    try:
        # private: shared memory, Python's default, gets no large pages
        block = mmap.mmap(-1, size + LARGE_PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except (OSError, OverflowError) as error:
        raise RuntimeError(f"out of memory: {size} bytes for the native engine ({error})") from error
    block.madvise(mmap.MADV_HUGEPAGE)
    whole = torch.frombuffer(block, dtype=torch.uint8)
    start = -whole.data_ptr() % LARGE_PAGE
    return whole[start : start + size]


class Library:
    """The functions of a compiled library, with their types.

    Raises:
        OSError: it cannot be loaded, or it is of another version.
    """

    def __init__(self, path: Path) -> None:
        self._functions = functions = ctypes.CDLL(str(path))
        functions.esrgan_abi.restype = c_int32
        if functions.esrgan_abi() != ABI:
            raise OSError(f"{path} has interface {functions.esrgan_abi()}, this is {ABI}")
        functions.esrgan_level_name.restype = c_char_p
        functions.esrgan_level_name.argtypes = [c_int32]
        functions.esrgan_level_lanes.restype = c_int32
        functions.esrgan_level_lanes.argtypes = [c_int32]
        functions.esrgan_open.restype = c_void_p
        functions.esrgan_open.argtypes = [POINTER(CProgram), c_int32, c_int32, c_int32]
        functions.esrgan_close.restype = None
        functions.esrgan_close.argtypes = [c_void_p]
        functions.esrgan_bytes.restype = c_int64
        functions.esrgan_bytes.argtypes = [c_void_p, c_int64, c_int64]
        functions.esrgan_plan.restype = c_int64
        functions.esrgan_plan.argtypes = [c_void_p, c_int64, c_int64]
        functions.esrgan_start.restype = None
        functions.esrgan_start.argtypes = [c_void_p, c_void_p, POINTER(c_void_p)]
        rows = POINTER(c_int64)
        functions.esrgan_bytes_rows.restype = c_int64
        functions.esrgan_bytes_rows.argtypes = [c_void_p, c_int64, c_int64, c_int64, rows]
        functions.esrgan_plan_rows.restype = c_int64
        functions.esrgan_plan_rows.argtypes = [c_void_p, c_int64, c_int64, c_int64]
        functions.esrgan_start_rows.restype = None
        functions.esrgan_start_rows.argtypes = [
            c_void_p,
            c_void_p,
            POINTER(c_void_p),
            c_int64,
            c_int64,
            rows,
            rows,
        ]
        functions.esrgan_wait.restype = c_int32
        functions.esrgan_wait.argtypes = [c_void_p, c_int32, POINTER(c_double)]
        functions.esrgan_stop.restype = None
        functions.esrgan_stop.argtypes = [c_void_p]
        functions.esrgan_shuffle.restype = None
        functions.esrgan_shuffle.argtypes = [c_void_p, c_int64, c_int64, c_void_p, *[c_int64] * 6]
        functions.esrgan_round.restype = c_int32
        functions.esrgan_round_shuffled.restype = c_int32
        shuffled = [c_void_p, c_int64, c_int64, c_void_p, *[c_int64] * 6, c_int32]
        functions.esrgan_round_shuffled.argtypes = shuffled
        functions.esrgan_round.argtypes = [c_void_p, c_int64, c_int64, c_void_p, *[c_int64] * 5, c_int32]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._functions, f"esrgan_{name}")

    def levels(self) -> dict[str, tuple[int, int]]:
        """Levels of instructions that this processor has, from the fastest: number and floats of a vector."""
        found: dict[str, tuple[int, int]] = {}
        number = 0
        while (name := self.level_name(number)) is not None:
            if lanes := self.level_lanes(number):
                found[name.decode()] = number, lanes
            number += 1
        return found


class Program:
    """A network as the library reads it, with all memory that it points to.

    Args:
        maps, phases, operations: see `source/esrgan_native.h`.
        kept: tensors whose addresses the operations have.
    """

    def __init__(
        self,
        maps: Sequence[CMap],
        phases: Sequence[CPhase],
        operations: Sequence[COperation],
        kept: Sequence[Tensor],
    ) -> None:
        self._maps = (CMap * len(maps))(*maps)
        self._phases = (CPhase * len(phases))(*phases)
        self._operations = (COperation * len(operations))(*operations)
        self._kept = list(kept)
        self.maps = len(maps)
        self.structure = CProgram(
            len(maps),
            len(phases),
            len(operations),
            self._maps,
            self._phases,
            self._operations,
        )


class Runner:
    """A program with threads of its own, which sleep while nothing is computed.

    Several Python threads may call it; it computes one picture after the other.

    Args:
        library, program: what runs.
        level: number of the level of instructions.
        threads: how many compute.
        tiles: the most that a thread computes at once; 0: what was measured to be fast.

    Raises:
        EngineError: memory or threads are short.
    """

    def __init__(self, library: Library, program: Program, level: int, threads: int, tiles: int = 0) -> None:
        self._library = library
        self._program = program  # the library reads its weights
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._kept = torch.empty(0, dtype=torch.uint8, device="cpu")
        self._engine: int | None = library.open(program.structure, level, threads, tiles)
        if self._engine is None:
            raise EngineError(f"the native engine could not start {threads} threads")

    def __del__(self) -> None:
        engine = getattr(self, "_engine", None)
        if engine is not None and self._process == os.getpid():  # else its threads are another process's
            self._library.close(engine)

    def bytes(self, height: int, width: int) -> int:
        """Work memory for a size in pixels of the maps of scale 1."""
        return checked(self._library.bytes(self._engine, height, width))

    def run(
        self, height: int, width: int, given: Mapping[int, Tensor], progress: Callable[[float], None]
    ) -> None:
        """Compute.

        Args:
            height, width: in pixels of the maps of scale 1.
            given: each given map's memory by its number, contiguous float32.
            progress: told the share that is done, from 0 to 1.

        Raises:
            RuntimeError: memory is short.
        """
        addresses = self._addresses(given)
        with self._lock:
            memory = self._memory(checked(self._library.plan(self._engine, height, width)))
            self._compute(lambda: self._library.start(self._engine, memory.data_ptr(), addresses), progress)
        progress(1.0)

    def _addresses(self, given: Mapping[int, Tensor]) -> Array[c_void_p]:
        addresses = (c_void_p * self._program.maps)()
        for number, tensor in given.items():
            addresses[number] = tensor.data_ptr()
        return addresses

    def _compute(self, start: Callable[[], None], progress: Callable[[float], None]) -> None:
        """Start the threads and wait for them."""
        share = c_double()
        try:
            start()
            while not self._library.wait(self._engine, SLICE, share):
                progress(share.value)
        except BaseException:
            # nothing may compute any more when the memory goes, however often somebody presses Ctrl-C
            self._end(share)
            raise

    def _memory(self, size: int) -> Tensor:
        """Work memory; small ones stay for the next picture, which else pays anew for their pages."""
        if len(self._kept) >= size:
            return self._kept
        memory = work_memory(size)
        if size <= LARGEST_KEPT:
            self._kept = memory
        return memory

    def _end(self, share: c_double) -> None:
        self._library.stop(self._engine)
        try:
            while not self._library.wait(self._engine, SLICE, share):
                pass
        except BaseException:
            self._end(share)
            raise


def checked(size: int) -> int:
    """What the library says that it needs, in bytes; RuntimeError where it has no memory to plan with."""
    if size < 0:
        raise RuntimeError("out of memory: the native engine cannot plan")
    return size
