"""`tfjs-esrgan` in a headless Chromium: its kernels on wasm, its shaders on WebGPU."""

from collections.abc import Sequence

from esrgan_benchmarks.runtimes.base import Runtime, Session, Setting
from esrgan_benchmarks.runtimes.on_tfjs import browser_command, missing_processes
from esrgan_benchmarks.runtimes.web_session import WebSession
from esrgan_bridge.runners.on_kernels import KernelsChromium


class Kernels(Runtime):
    """The kernels, on the files that TF.js reads.

    Args:
        threaded: with the threads asked for, in a page that may share memory between them.
    """

    needs = "tfjs"

    def __init__(self, *, threaded: bool = False) -> None:
        self.name = "kernels-wasm-threads" if threaded else "kernels-wasm"
        self._threaded = threaded

    def missing(self) -> str | None:
        return missing_processes() or KernelsChromium().available()

    def open(self, setting: Setting) -> Session:
        threads = setting.threads if self._threaded else 1
        return WebSession(self.name, browser_command("kernels-wasm", setting, threads))


class Shaders(Runtime):
    """The shaders on WebGPU, on the files that TF.js reads.

    Args:
        flags: of Chromium, in place of those that WebGPU usually needs.
    """

    name = "shaders-webgpu"
    needs = "tfjs"

    def __init__(self, flags: Sequence[str] | None = None) -> None:
        self._flags = flags

    def missing(self) -> str | None:
        return missing_processes() or KernelsChromium().available()

    def open(self, setting: Setting) -> Session:
        return WebSession(self.name, browser_command("shaders-webgpu", setting, 1, self._flags))
