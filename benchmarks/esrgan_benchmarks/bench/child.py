"""A runtime in a process of its own, so that its memory, its start and its crashes are its own.

The two sides talk over a pipe: a request is the name of a method of `_Worker` and what it takes, an answer is
("done", result) or ("failed", words). A child computes only while it is asked to, so that several can wait
while one runs.
"""

import multiprocessing
import os
import signal
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from esrgan_benchmarks.core.errors import RuntimeFailedError, TooSlowError
from esrgan_benchmarks.core.isa import hold
from esrgan_benchmarks.core.measure import last_words, print_into
from esrgan_benchmarks.runtimes.base import Runtime, Session, Setting
from esrgan_bridge.parity.probes import Batch
from esrgan_torch.engines.strict import keep_float32
from esrgan_torch.errors import EsrganError

OPEN_SECONDS = 300.0  # a browser or a compiler may take minutes to start
RUN_SECONDS = 600.0
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class Opened:
    """What is known once a runtime has loaded the network.

    Args:
        seconds: from nothing imported to the network loaded.
        dtype, facts: see `Session`.
    """

    seconds: float
    dtype: str
    facts: dict[str, str]


class Child:
    """A process with one runtime in it; a context manager, which ends it.

    Args:
        runtime: must be importable by its module's name.
        setting: what it is given.

    Every method raises RuntimeFailedError where the runtime fails, dies or takes too long.
    """

    def __init__(self, runtime: Runtime, setting: Setting) -> None:
        self.runtime = runtime
        self._log = tempfile.NamedTemporaryFile(prefix="esrgan-bench-", suffix=".log")  # noqa: SIM115  # until close
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, runtime, setting, self._log.name), daemon=True
        )
        # Ctrl-C reaches every process of the terminal; this one is ended by `close`
        with _without_interrupts():
            self._process.start()
        theirs.close()

    def open(self) -> Opened:
        """Import the runtime and load the network."""
        return self._ask(OPEN_SECONDS, "open")

    def feed(self, batch: Batch) -> None:
        """Hand over the input, (N, H, W, C) float32 in [0, 1]; not part of any time."""
        self._ask(OPEN_SECONDS, "feed", batch)

    def run(self, seconds: float = RUN_SECONDS) -> float:
        """Compute once, within so many seconds; those that it took, by the child's clock or the device's."""
        return self._ask(seconds, "run")

    def answer(self) -> Batch:
        """The last result, (N, H, W, C) float32."""
        return self._ask(RUN_SECONDS, "answer")

    def engine(self) -> str | None:
        """See `Session`."""
        return self._ask(RUN_SECONDS, "engine")

    def peaks(self) -> tuple[int, int | None]:
        """Largest resident memory and largest memory of a GPU so far, in bytes."""
        return self._ask(RUN_SECONDS, "peaks")

    def close(self) -> None:
        """Let the runtime end what it has started, and end the process."""
        if self._process.is_alive():
            try:
                self._pipe.send(("close", ()))
                self._pipe.poll(20)
            except OSError:  # it has ended in this moment
                pass
        self._kill()
        self._pipe.close()
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, seconds: float, request: str, *given: Any) -> Any:
        name = self.runtime.name
        try:
            self._pipe.send((request, given))
            if not self._pipe.poll(seconds):
                self._kill()
                raise TooSlowError(f"{name}: no answer to {request!r} within {seconds:.0f} s")
            kind, answer = self._pipe.recv()
        except (EOFError, OSError) as error:
            self._process.join(5)
            raise RuntimeFailedError(
                f"{name}: the process died with status {self._process.exitcode}"
                f"{last_words(Path(self._log.name))}"
            ) from error
        if kind == "failed":
            raise RuntimeFailedError(f"{name}: {answer}")
        return answer

    def _kill(self) -> None:
        """End the process and what it has started: a browser would go on computing."""
        with suppress(psutil.Error):
            for process in psutil.Process(self._process.pid).children(recursive=True):
                with suppress(psutil.Error):
                    process.kill()
        self._process.kill()
        self._process.join()


class _Worker:
    """The other side: what a request does."""

    def __init__(self, runtime: Runtime, setting: Setting) -> None:
        self._runtime = runtime
        self._setting = setting
        self._session: Session | None = None

    def open(self) -> Opened:
        started = time.perf_counter()
        self._session = self._runtime.open(self._setting)
        return Opened(time.perf_counter() - started, self._session.dtype, self._session.facts)

    def feed(self, batch: Batch) -> None:
        self._opened().feed(batch)

    def run(self) -> float:
        return self._opened().run()

    def answer(self) -> Batch:
        return self._opened().answer()

    def engine(self) -> str | None:
        return self._opened().engine

    def peaks(self) -> tuple[int, int | None]:
        return self._opened().peak(), self._opened().device_peak()

    def close(self) -> None:
        if self._session is not None:
            self._session.close()

    def _opened(self) -> Session:
        assert self._session is not None, "open comes first"
        return self._session


def _serve(pipe: Connection, runtime: Runtime, setting: Setting, log: str) -> None:
    """Answer requests until the pipe closes; what libraries print goes to the log."""
    print_into(log)
    os.environ |= dict.fromkeys(THREAD_VARIABLES, str(setting.threads))
    hold(setting.isa)
    keep_float32()
    worker = _Worker(runtime, setting)
    while True:
        try:
            request, given = pipe.recv()
        except EOFError:
            request, given = "close", ()
        try:
            answer = ("done", getattr(worker, request)(*given))
        except Exception as error:  # whatever a runtime raises is its answer
            known = isinstance(error, EsrganError)
            answer = ("failed", str(error) if known else f"{type(error).__name__}: {error}")
        try:
            pipe.send(answer)
        except OSError:
            return  # nobody listens any more
        if request == "close":
            return


@contextmanager
def _without_interrupts() -> Generator[None]:
    """Processes started in this block never see Ctrl-C; this one sees it after the block.

    What is blocked stays blocked in a new process. To ignore the signal here would lose it.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
