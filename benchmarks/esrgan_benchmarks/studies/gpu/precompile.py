"""Compile the Triton kernels of a run on a GPU beforehand, for a device that need not be here.

    TRITON_CACHE_DIR=folder python -m esrgan_benchmarks gpu.precompile
    TRITON_CACHE_DIR=folder python -m esrgan_benchmarks gpu.precompile --check    are they found there?

Triton finds a compiled kernel by a hash of its source, its constants and of Triton itself, compiled parts
included. So this has to run with the device's version of Python and of Triton; PyTorch may be another one.
What is in the folder already is not compiled again, so a stopped run can go on.
"""

import argparse
import importlib
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any, cast

import torch
import triton
from triton import knobs
from triton.backends.compiler import GPUTarget
from triton.runtime import driver
from triton.runtime.jit import JITFunction

from esrgan_benchmarks.studies.gpu.inputs import compact, seeded
from esrgan_benchmarks.studies.gpu.layers import kind_of, kinds_of, steps_of
from esrgan_benchmarks.studies.gpu.sweep import candidates, in_order, launch_step
from esrgan_torch.engines.cuda.compact import CompactKernels
from esrgan_torch.engines.cuda.flat import FlatShape
from esrgan_torch.engines.cuda.launch import run_step
from esrgan_torch.engines.cuda.steps import Step
from esrgan_torch.engines.cuda.tuning import Capability, table_for

CPU = torch.device("cpu")
SECONDS = 480.0  # for the sweep's candidates; two quiet cores take a quarter of it for all kernels
TOLD = 20  # kernels after which a line says how far it is
NO_TIME = "no time was left"


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
    """Returns 1 where a kernel of the tables did not compile, or is not found; candidates may be refused."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--capability", default="9.0", help="of the device")
    # Triton is for Linux alone, which knows what a process may use
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)), help="processes")
    parser.add_argument("--tables-only", action="store_true", help="leave the sweep's candidates out")
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, help="after which candidates are left out; tables never are"
    )
    parser.add_argument("--check", action="store_true", help="name those of the tables that the folder lacks")
    options = parser.parse_args(arguments)
    major, minor = str(options.capability).split(".")
    capability = int(major), int(minor)
    if options.check:
        absent = missing(capability, lambda: launch_needed(capability))
        print(f"{len(absent)} kernels of the table are missing{': ' * bool(absent)}{', '.join(absent)}")
        return int(bool(absent))
    end = time.monotonic() + options.seconds
    needed = jobs(capability, lambda: launch_needed(capability))
    extra = [] if options.tables_only else jobs(capability, lambda: launch_candidates(capability))
    extra = [job for job in extra if job not in needed]
    print(
        f"{len(needed)} kernels of the table, {len(extra)} candidates, Triton {triton.__version__}",
        flush=True,
    )
    ends = [None] * len(needed) + [end] * len(extra)
    refused: list[str | None] = []
    with ProcessPoolExecutor(options.workers, initializer=_begin, initargs=(capability,)) as pool:
        for reason in pool.map(_compile, [*needed, *extra], ends):
            refused.append(reason)
            if reason not in (None, NO_TIME):
                print("refused:", reason, flush=True)
            if len(refused) % TOLD == 0:
                print(f"{len(refused)} of {len(ends)}", flush=True)
    if left := refused.count(NO_TIME):
        print(f"{left} candidates were left out after {options.seconds:.0f} s: the sweep would compile them")
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


def missing(capability: Capability, launch: Callable[[], None]) -> list[str]:
    """Names of kernels that `launch` would have to compile for the device; nothing is launched."""
    absent: list[str] = []

    def note(*, src: Any, cache_hit: bool, **_: object) -> None:
        if not cache_hit:
            absent.append(str(src.name))

    set_active(AbsentDevice(capability))
    changed = cast(Any, JITFunction)
    listener, run = knobs.compilation.listener, changed.run

    def warm_up(self: Any, *given: Any, **more: Any) -> Any:
        return run(self, *given, **{**more, "warmup": True})

    knobs.compilation.listener = cast(Any, note)
    changed.run = warm_up
    try:
        launch()
    finally:
        knobs.compilation.listener, changed.run = listener, run
    return absent


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
    """What the sweep tries, in its order: what gains most comes first."""
    model = seeded(1)
    often = Counter(kind_of(step) for step in steps_of(model, FlatShape(1, 1, 1), torch.float16, CPU))
    ordered = in_order(steps(torch.float16), often)
    for large in (True, False):
        for step in ordered:
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


def _compile(job: Job, end: float | None = None) -> str | None:
    """Why it was refused, `NO_TIME` after the clock has passed `end`; None: it is in the cache."""
    if end is not None and time.monotonic() > end:
        return NO_TIME
    kernel = getattr(importlib.import_module(job.module), job.name)
    try:
        kernel.preload(job.specialization)
    except Exception as error:  # whatever the compiler raises
        return f"{job.name}: {type(error).__name__}: {str(error)[:200]}"
    return None


if __name__ == "__main__":
    sys.exit(main())
