"""Runtimes in a process of their own: their memory, log lines and crashes stay out of ours.

The process writes one JSON object a line to stdout, first {"ready": facts}, {"missing": reason} or
{"error": text}; then it answers each line from stdin. A request is {"shape", "batch", "feed", "fetch",
"result"}, where `batch` is a file of raw float32 numbers and `result` the file to write; the answer is
{"shape": [...]} or {"error": text}. It ends when its stdin does.
"""

import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import Any

import numpy as np

from esrgan_bridge.errors import MissingRuntimeError, RunnerError
from esrgan_bridge.parity.probes import Batch
from esrgan_bridge.runners.base import Session
from esrgan_torch.storage.leftovers import temporary_folder

SECONDS = 600.0  # for one batch: software GPUs take minutes for what others do in a second
START_SECONDS = 300.0  # tensorflow alone takes 10 s to import on a slow disk; a browser compiles shaders
PATIENCE = 15.0  # seconds for a process to end by itself
STDERR_LINES = 12


class WorkerSession(Session):
    """A process that has loaded a copy and computes with it.

    Attributes:
        answer: to the last batch; a process may tell more than its shape.

    Args:
        name: of the runner, for messages.
        command: the process.
        environment: variables to add to ours.

    Raises:
        MissingRuntimeError: the process says that the runtime cannot start here.
        RunnerError: it could not load the copy, died, or took too long.
    """

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        with ExitStack() as opened:  # so that it goes too where this raises
            self._folder = opened.enter_context(temporary_folder("runner"))
            self._opened = opened.pop_all()
        self._log = self._folder / "stderr"
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._count = 0
        self.answer: dict[str, Any] = {}
        try:
            with self._log.open("wb") as log:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env={**os.environ, **(environment or {}), "ESRGAN_RUNNER_FOLDER": str(self._folder)},
                    text=True,
                    encoding="utf-8",
                    # a group of its own, so that a browser's many processes end with it
                    start_new_session=True,
                )
        except OSError as error:
            self._opened.close()
            raise MissingRuntimeError(f"{name}: cannot start {command[0]}: {error}") from error
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.facts = dict(self._answer(START_SECONDS)["ready"])
        except BaseException:
            self.close()
            raise

    def run(self, batch: Batch, feed: str = "input", fetch: str = "output") -> Batch:
        source, target = (self._folder / f"{self._count}.{kind}" for kind in ("in", "out"))
        self._count += 1
        np.ascontiguousarray(batch, np.float32).tofile(source)
        request = {
            "shape": list(batch.shape),
            "batch": str(source),
            "feed": feed,
            "fetch": fetch,
            "result": str(target),
        }
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise RunnerError(f"{self.name}: the process has ended{self._last_words()}") from error
        self.answer = self._answer(SECONDS)
        shape = tuple(self.answer["shape"])
        values = np.fromfile(target, np.float32).reshape(shape)
        source.unlink()
        target.unlink()
        return values

    def close(self) -> None:
        assert self._process.stdin is not None
        with suppress(OSError, subprocess.TimeoutExpired):  # if it does not end by itself, it is ended below
            self._process.stdin.close()
            self._process.wait(PATIENCE)
        if hasattr(os, "killpg"):
            with suppress(ProcessLookupError, PermissionError):  # all have ended already
                os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self._process.kill()
        self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._opened.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def _answer(self, seconds: float) -> dict[str, Any]:
        """The next line of the process, as JSON."""
        end = time.monotonic() + seconds
        while True:
            try:
                line = self._lines.get(timeout=max(end - time.monotonic(), 0))
            except queue.Empty:
                raise RunnerError(f"{self.name}: no answer within {seconds:.0f} s") from None
            if line is None:
                raise RunnerError(f"{self.name}: the process has ended{self._last_words()}")
            if not line.startswith("{"):
                continue  # something that a library printed
            answer: dict[str, Any] = json.loads(line)
            if "missing" in answer:
                raise MissingRuntimeError(f"{self.name}: {answer['missing']}")
            if "error" in answer:
                raise RunnerError(f"{self.name}: {answer['error']}")
            return answer

    def _last_words(self) -> str:
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            return ""
        words = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return f" with status {self._process.returncode}: " + " | ".join(words[-STDERR_LINES:])
