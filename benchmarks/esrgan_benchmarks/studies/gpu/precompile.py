"""Compile the Triton kernels of a run on a GPU beforehand, for a device that is not here.

    TRITON_CACHE_DIR=folder python -m esrgan_benchmarks gpu.precompile

Triton finds a compiled kernel by a hash of its source, its constants and of Triton itself, compiled parts
included. So this has to run with the device's version of Python and of Triton; PyTorch may be another one.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any, cast

import torch
import triton
from triton import knobs
from triton.backends.compiler import GPUTarget
from triton.runtime import driver

from esrgan_benchmarks.studies.gpu.inputs import compact, seeded
from esrgan_benchmarks.studies.gpu.layers import kinds_of, steps_of
from esrgan_benchmarks.studies.gpu.sweep import candidates, launch_step
from esrgan_torch.engines.cuda.compact import CompactKernels
from esrgan_torch.engines.cuda.flat import FlatShape
from esrgan_torch.engines.cuda.launch import run_step
from esrgan_torch.engines.cuda.steps import ClearBorder, Step
from esrgan_torch.engines.cuda.tuning import Capability, table_for

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Job:
    """One kernel with its constants, as Triton writes them down."""

    module: str
    name: str
    specialization: str


class AbsentDevice:
    """What Triton asks a driver before it compiles; nothing can be launched on it."""

    def __init__(self, capability: Capability) -> None:
        self._target = GPUTarget("cuda", capability[0] * 10 + capability[1], 32)

    def get_current_device(self) -> int:
        return 0

    def get_current_stream(self, device: int) -> int:
        return device

    def get_current_target(self) -> GPUTarget:
        return self._target

    def get_active_torch_device(self) -> torch.device:
        return CPU


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 1 where a kernel of the tables did not compile; candidates of the sweep may be refused."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--capability", default="9.0", help="of the device")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--tables-only", action="store_true", help="leave the sweep's candidates out")
    options = parser.parse_args(arguments)
    major, minor = str(options.capability).split(".")
    capability = int(major), int(minor)
    needed = jobs(capability, lambda: launch_needed(capability))
    extra = [] if options.tables_only else jobs(capability, lambda: launch_candidates(capability))
    extra = [job for job in extra if job not in needed]
    print(
        f"{len(needed)} kernels of the table, {len(extra)} candidates, Triton {triton.__version__}",
        flush=True,
    )
    with ProcessPoolExecutor(options.workers, initializer=_begin, initargs=(capability,)) as pool:
        refused = list(pool.map(_compile, [*needed, *extra]))
    for reason in filter(None, refused):
        print("refused:", reason)
    return int(any(refused[: len(needed)]))


def jobs(capability: Capability, launch: Callable[[], None]) -> list[Job]:
    """What `launch` would compile for the device, each once, in order; nothing is compiled or launched."""
    found: dict[Job, None] = {}

    def note(*, fn: Any, compile: dict[str, Any], **_: object) -> bool:
        found[Job(fn.module, fn.name, str(compile["specialization_data"]))] = None
        return True  # Triton stops here

    set_active(AbsentDevice(capability))
    before, knobs.runtime.jit_cache_hook = knobs.runtime.jit_cache_hook, cast(Any, note)
    try:
        launch()
    finally:
        knobs.runtime.jit_cache_hook = before
    return list(found)


def launch_needed(capability: Capability) -> None:
    """All but the sweep."""
    launch_tables(capability)
    launch_video(capability)


def launch_tables(capability: Capability) -> None:
    """Every kernel of an official network, in both precisions, for small pictures and large ones."""
    for dtype in (torch.float16, torch.bfloat16):
        for step in steps(dtype):
            for table in table_for(capability).all_sizes():
                run_step(step, table)


def launch_video(capability: Capability) -> None:
    """Those of a CompactNet from bytes to bytes."""
    pixels = torch.zeros(3, 5, 3, dtype=torch.uint8)
    for table in table_for(capability).all_sizes():
        CompactKernels(compact(convolutions=1), CPU, torch.float16, table)(pixels)


def launch_candidates(capability: Capability) -> None:
    """What the sweep tries."""
    for step in steps(torch.float16):
        if not isinstance(step, ClearBorder):
            for large in (True, False):
                for launch in candidates(step, capability, large):
                    launch_step(step, launch)


def steps(dtype: torch.dtype) -> list[Step]:
    """One step of each kind; sizes of pictures are no constants, so any would do."""
    return list(kinds_of(steps_of(seeded(1), FlatShape(1, 5, 3), dtype, CPU)))


def set_active(device: AbsentDevice) -> None:
    """Make Triton compile for this device from now on, in this process."""
    cast("Callable[[Any], None]", driver.set_active)(device)


def _begin(capability: Capability) -> None:
    set_active(AbsentDevice(capability))
    knobs.compilation.store_binary_only = True


def _compile(job: Job) -> str | None:
    """Why it was refused; None: it is in the cache."""
    kernel = getattr(importlib.import_module(job.module), job.name)
    try:
        kernel.preload(job.specialization)
    except Exception as error:  # whatever the compiler raises
        return f"{job.name}: {type(error).__name__}: {str(error)[:200]}"
    return None


if __name__ == "__main__":
    sys.exit(main())
