"""A process that has imported everything and forks for each try, so that a try takes as long as its command.

    python -m tests.torture.zygote

It reads a request a line, as JSON, and answers each with an outcome: see `tests.torture.forks`.
"""

import ctypes
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
CHANGES = {
    "os.rename": 2,
    "os.remove": 1,
    "os.rmdir": 1,
    "os.mkdir": 1,
    "os.link": 2,
    "os.symlink": 2,
    "os.truncate": 1,
    "os.chmod": 1,
    "os.utime": 1,
}


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Events:
    """Counts what this process changes below some folders, and does something before the change of a number.

    Args:
        watched: the folders.
        at: the number, from 1; None: nothing is done.
        act: what is done; its own changes do not count.
        reads: whether files that are opened to be read count too.
    """

    def __init__(
        self, watched: list[str], at: int | None, act: Callable[[], object] = kill, *, reads: bool = False
    ) -> None:
        self.count = 0
        self._watched = [os.fsencode(folder) for folder in watched]
        self._at, self._act, self._reads = at, act, reads
        self._acts = False
        sys.addaudithook(self._hear)

    def _hear(self, event: str, given: tuple[Any, ...]) -> None:
        if self._acts:
            return
        if event == "open":
            if not isinstance(given[2], int) or not (self._reads or given[2] & WRITING):
                return
            paths = given[:1]
        elif event in CHANGES:
            paths = given[: CHANGES[event]]
        else:
            return
        if any(self._is_watched(path) for path in paths):
            self.count += 1
            if self.count == self._at:
                self._acts = True
                self._act()
                self._acts = False

    def _is_watched(self, path: Any) -> bool:
        if isinstance(path, int) or path is None:
            return False
        name = os.path.abspath(os.fsencode(path))  # noqa: PTH100  # bytes: names that are no text
        return any(name.startswith(folder) for folder in self._watched)


def be_humble() -> None:
    """Give up root's power to pass over permissions, by Linux's capset; others never had it."""
    library = ctypes.CDLL(None)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    sets = (ctypes.c_uint32 * 6)()
    library.capget(header, sets)
    for number in (0, 1):  # what is in force, and what may be
        sets[number] &= ~0b110  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH
    assert library.capset(header, sets) == 0


def _function(given: str) -> Callable[[], object]:
    """By "module:name"."""
    module, _, name = given.partition(":")
    return getattr(import_module(module), name)


def run(request: dict[str, Any]) -> None:
    """In the forked process: be as the request asks, and run the command. Never returns."""
    folder = Path(request["scratch"])
    for number, name in enumerate(("in", "out", "err")):
        file = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o666)
        os.dup2(file, number)
        os.close(file)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    os.setsid()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    if request["humble"]:
        be_humble()
    if request["before"]:
        _function(request["before"])()
    act = _function(request["act"]) if request["act"] else kill
    events = Events(request["watched"], request["kill_at"], act, reads=bool(request["act"]))
    from esrgan_cli.main import main

    status = 1
    try:
        status = main([os.fsdecode(bytes.fromhex(text)) for text in request["arguments"]])
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        (folder / "events").write_text(str(events.count))
        os._exit(status)


def wait(process: int, kill_after: float | None, limit: float) -> tuple[int, bool, float]:
    """Exit status (negative: the signal), whether it took too long, seconds."""
    start = time.monotonic()
    late = False
    while True:
        ended, status = os.waitpid(process, os.WNOHANG)
        seconds = time.monotonic() - start
        if ended:
            return os.waitstatus_to_exitcode(status), late, seconds
        if seconds > limit or (kill_after is not None and seconds > kill_after):
            late = seconds > limit
            os.killpg(process, signal.SIGKILL)
            kill_after, limit = None, float("inf")
        time.sleep(0.002)


def serve(modules: list[str]) -> None:
    for name in modules:
        __import__(name)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        for name in ("out", "err", "events"):
            Path(request["scratch"], name).unlink(missing_ok=True)
        process = os.fork()
        if not process:
            run(request)
        # so that the group is there before it may be killed
        while (
            os.getpgid(process) != process
            and os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        ):
            time.sleep(0.001)
        status, late, seconds = wait(process, request["kill_after"], request["limit"])
        print(json.dumps({"status": status, "late": late, "seconds": seconds}), flush=True)


if __name__ == "__main__":
    serve(sys.argv[1:])
