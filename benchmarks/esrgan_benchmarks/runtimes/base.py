"""What a runtime is, and how to add one to `esrgan bench`.

A `Runtime` is one way to run a network, such as ONNX Runtime, or PyTorch with `channels_last`. It is opened
in a process of its own (see `esrgan_benchmarks.bench.child`), so nothing heavy may be imported before `open`,
and a runtime must not import PyTorch unless it runs on it: its memory would be counted.

To add one:

1. Beside this file, `on_NAME.py` with a `Runtime` (`missing` and `open`) and the `Session` that it opens:
   a `HostSession` (`feed`, `compute`, `answer`) where a call returns when the work is done.
   `on_onnxruntime.py` is a short example.
2. An instance in `RUNTIMES`, in `__init__.py`, anywhere but first: the first is what all are compared with.
   The command, the report and the tests read that list.
3. A package that it needs: in the extra of pyproject.toml that fits, or a new one that `dev` names too, with
   its version in constraints.txt.
4. Only if it reads a copy of the network that no other reads (`needs`): how that copy is made, in
   `esrgan_benchmarks.core.artefacts`.

That is all: the tests go through `RUNTIMES`. A name in `QUICK` of tests/benchmarks/test_runtimes.py has it
run in each of them, for what opens within a second. The bridge's runners, which measure parity, are another
list.
"""

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from esrgan_benchmarks.core.measure import peak_memory
from esrgan_bridge.parity.probes import Batch

FLOORS = {"float32": 60.0, "float16": 40.0, "bfloat16": 40.0}
"""Least PSNR in dB of the 8-bit picture against float32 PyTorch. Sums in another order were measured above
80 dB, bfloat16 with official weights at 46 dB and more; a wrong border or a wrong channel lies under 40."""


@dataclass(frozen=True)
class Setting:
    """What a runtime is given.

    Args:
        network: published name, or a checkpoint's path.
        artefacts: folder with the copies that the runtimes in use read: `onnx/model.onnx`, `tf`, `tfjs`.
        threads: to compute with.
        device: "cpu" or "cuda".
        isa: the most instructions that it may use, of `esrgan_benchmarks.core.isa`; None: all that there are.
    """

    network: str
    artefacts: Path
    threads: int
    device: str = "cpu"
    isa: str | None = None


class Session(ABC):
    """A network that is loaded.

    Attributes:
        dtype: precision that it computes in: "float32", "float16" or "bfloat16".
        facts: versions and devices, for people.
        engine: which of several ways to compute it took for the last answer; None where there is one.
    """

    dtype: str = "float32"
    engine: str | None = None
    facts: dict[str, str]

    @abstractmethod
    def feed(self, batch: Batch) -> None:
        """Take the input, (N, H, W, C) float32 in [0, 1], into the runtime's own form and memory."""

    @abstractmethod
    def run(self) -> float:
        """Compute what was fed, once and to the end; the seconds that it took."""

    @abstractmethod
    def answer(self) -> Batch:
        """The last result, (N, H, W, C) float32."""

    def peak(self) -> int:
        """Largest resident memory so far, in bytes."""
        return peak_memory()

    def device_peak(self) -> int | None:
        """Largest memory of a GPU so far, in bytes; None on a CPU."""
        return None

    def close(self) -> None:  # noqa: B027  # most have nothing that the end of the process does not free
        """End processes."""


class HostSession(Session):
    """A session whose `compute` returns when the work is done: the host's clock will do."""

    def run(self) -> float:
        started = time.perf_counter()
        self.compute()
        return time.perf_counter() - started

    @abstractmethod
    def compute(self) -> None:
        """Compute what was fed and keep the result."""


class Runtime(ABC):
    """A way to run a network.

    Attributes:
        name: as in `--runtimes` and in the rows.
        needs: which copy of the network it reads: "" (the checkpoint), "onnx", "tf", "tf-onnx-tf" or "tfjs".
        devices: where it can run.
        compiles: in the first call, which may therefore take minutes.
        border: input pixels at the picture's edge that are not compared: a runtime that pads in another way.
        floor: least PSNR in dB; None: that of its precision.
        isas: levels of instructions that it can be held to, see `esrgan_benchmarks.core.isa`.
    """

    name: str
    needs: str = ""
    devices: tuple[str, ...] = ("cpu",)
    compiles: bool = False
    border: int = 0
    floor: float | None = None
    isas: tuple[str, ...] = ()

    @abstractmethod
    def missing(self) -> str | None:
        """None where it can be tried on this machine, else what is missing and the command that adds it."""

    def refuses(self, network: str) -> str | None:
        """None where it runs this network, else why not."""
        return None

    @abstractmethod
    def open(self, setting: Setting) -> Session:
        """Load the network; whatever is raised is reported, and the other runtimes go on."""
