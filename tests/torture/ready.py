"""Programs that import TensorFlow, forked from a process that has imported it already.

A command starts them as ever, by `sys.executable`, which is a small launcher then (`use`). What they read,
print and write, and how they end, is as in a process of their own; where the launcher is killed, they are.
"""

import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LAUNCHER = "TORTURE_LAUNCHER"  # the variable with its path
PROGRAMS = ("tensorflow_worker.py", "litert_worker.py", "tflite_converter.py", "tfjs_converter.py")
SCRIPT = """#!{python} -IS
import json, os, socket, sys
given = sys.argv[1:]
if not given or os.path.basename(given[0]) not in {programs!r}:
    os.execv({python!r}, [{python!r}, *given])
line = socket.socket(socket.AF_UNIX)
line.connect({address!r})
socket.send_fds(line, [b"!"], [0, 1, 2])
line.sendall(json.dumps([given, os.getcwd(), dict(os.environ)]).encode())
line.shutdown(socket.SHUT_WR)
os._exit(int(line.recv(16) or 1))
"""


def use() -> None:
    """Let this process start Python by the launcher."""
    sys.executable = os.environ[LAUNCHER]


@contextmanager
def tensorflow() -> "Iterator[dict[str, str]]":
    """A process that is ready; gives the variables of the commands that are to use it."""
    # its path must be short for a socket
    with tempfile.TemporaryDirectory(prefix="esrgan-torture-") as folder:
        address, launcher = Path(folder, "socket"), Path(folder, "python")
        facts = {"python": sys.executable, "programs": PROGRAMS}
        launcher.write_text(SCRIPT.format(**facts, address=str(address)), encoding="utf-8")
        launcher.chmod(0o755)
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.torture.ready", str(address)], stdout=subprocess.PIPE, text=True
        )
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            assert said == "ready\n", said
            yield {LAUNCHER: str(launcher)}
        finally:
            process.terminate()
            process.communicate()


def serve(address: str) -> None:
    from esrgan_bridge.runners.on_tensorflow import ENVIRONMENT

    os.environ.update(ENVIRONMENT)
    for name in ("tensorflow", "tensorflowjs.converters.converter"):
        import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who serve one program each
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen()
        print("ready", flush=True)
        while True:
            line, _ = server.accept()
            if not os.fork():
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                server.close()
                _answer(line)
            line.close()


def _answer(line: socket.socket) -> None:
    """Run the one program that is asked for, and say its status. Never returns."""
    _, files, _, _ = socket.recv_fds(line, 1, 3)
    text = b""
    while part := line.recv(1 << 16):
        text += part
    given, folder, environment = json.loads(text)
    process = os.fork()
    if not process:
        _be(given, folder, environment, files)
    for file in files:
        os.close(file)
    gone = select.poll()
    gone.register(line, select.POLLHUP)
    while not (ended := os.waitpid(process, os.WNOHANG))[0]:
        if any(event & select.POLLHUP for _, event in gone.poll(0)):
            with suppress(ProcessLookupError):
                os.killpg(process, signal.SIGKILL)
        time.sleep(0.005)
    with suppress(OSError):
        line.sendall(str(os.waitstatus_to_exitcode(ended[1]) & 255).encode())
    os._exit(0)


def _be(given: list[str], folder: str, environment: dict[str, str], files: list[int]) -> None:
    """Be the program. Never returns."""
    os.setsid()
    for number, file in enumerate(files):
        os.dup2(file, number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    status = 1
    try:
        sys.argv = given
        runpy.run_path(given[0], run_name="__main__")
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    serve(sys.argv[1])
