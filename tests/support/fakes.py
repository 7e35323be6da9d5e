"""Runtimes whose time, answer, memory and end are known: what the harness says of them can be checked."""

import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil

from esrgan_benchmarks.core.load import Load, Watch
from esrgan_benchmarks.runtimes.base import HostSession, Runtime, Session, Setting
from esrgan_bridge.parity.probes import Batch

SCALE = 4
SPIN = "import time\nwhile True: time.perf_counter()"
# leaves a process behind that belongs to nobody here
ORPHAN = f"""
import subprocess, sys
nowhere = subprocess.DEVNULL
print(subprocess.Popen([sys.executable, "-c", {SPIN!r}], stdout=nowhere, stderr=nowhere).pid)
"""


class Fake(Runtime):
    """Answers with every pixel repeated.

    Args:
        name: of the runtime.
        sleep: seconds that a run takes.
        shift: is added to every value of the answer: a wrong picture.
        dies_at: the run in which the process dies; 0: while the network is loaded.
        leak: bytes that every run keeps.
        needs, lacks, dtype: as a runtime says them; `lacks` is the answer of `missing`.
    """

    def __init__(
        self,
        name: str,
        *,
        sleep: float = 0.0,
        shift: float = 0.0,
        dies_at: int | None = None,
        leak: int = 0,
        lacks: str | None = None,
        dtype: str = "float32",
    ) -> None:
        self.name = name
        self.sleep = sleep
        self.shift = shift
        self.dies_at = dies_at
        self.leak = leak
        self.lacks = lacks
        self.dtype = dtype

    def missing(self) -> str | None:
        return self.lacks

    def open(self, setting: Setting) -> Session:
        if self.dies_at == 0:
            os.write(2, b"the last words\n")
            os._exit(7)
        return FakeSession(self)


class FakeSession(HostSession):
    def __init__(self, runtime: Fake) -> None:
        self.dtype = runtime.dtype
        self.facts = {"fake": "1.0"}
        self._runtime = runtime
        self._runs = 0
        self._kept: list[bytearray] = []
        self._batch: Batch = np.zeros((1, 1, 1, 3), np.float32)

    def feed(self, batch: Batch) -> None:
        self._batch = batch

    def compute(self) -> None:
        self._runs += 1
        if self._runs == self._runtime.dies_at:
            os.kill(os.getpid(), 9)
        if self._runtime.leak:
            self._kept.append(bytearray(b"x") * self._runtime.leak)
        time.sleep(self._runtime.sleep)

    def answer(self) -> Batch:
        return self._batch.repeat(SCALE, axis=1).repeat(SCALE, axis=2) + np.float32(self._runtime.shift)


class Alone(Watch):
    """What tests take while the machine is busy with other tests.

    Args:
        taken: cores that others use, told whatever they do.
    """

    def __init__(self, taken: float = 0.01) -> None:
        super().__init__(1, least=0.0)
        self.limit = 0.1
        self.taken = taken

    def load(self) -> Load:
        super().load()
        return Load(self.taken)


@contextmanager
def somebody_else() -> Generator[None]:
    """A process outside our tree that holds a core."""
    told = subprocess.run([sys.executable, "-c", ORPHAN], capture_output=True, text=True, check=True)
    process = psutil.Process(int(told.stdout))
    try:
        yield
    finally:
        process.kill()


class Careless(Runtime):
    """Leaves a file where it was told to, so that a test sees that it ran; then waits for ever."""

    name = "careless"

    def __init__(self, file: Path) -> None:
        self.file = file

    def missing(self) -> str | None:
        return None

    def open(self, setting: Setting) -> Session:
        self.file.touch()
        time.sleep(1000)
        raise AssertionError
