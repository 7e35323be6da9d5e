"""TF.js: in Node on wasm; in a headless Chromium on wasm with one thread and several, WebGL and WebGPU."""

import json
import sys
from collections.abc import Sequence

from esrgan_benchmarks.runtimes.base import Runtime, Session, Setting
from esrgan_benchmarks.runtimes.web_packages import PACKAGES
from esrgan_benchmarks.runtimes.web_session import WebSession
from esrgan_bridge.runners import on_tfjs
from esrgan_bridge.runners.on_kernels import find_kernels
from esrgan_bridge.runners.tfjs_setup import PACKAGES as TFJS


class TfjsNode(Runtime):
    """TF.js in Node: wasm, one thread, whatever number is asked for."""

    name = "tfjs-node"
    needs = "tfjs"

    def missing(self) -> str | None:
        return missing_processes() or on_tfjs.TfjsNode().available()

    def open(self, setting: Setting) -> Session:
        script = str(PACKAGES.scripts / "node.mjs")
        folders = (str(TFJS.scripts), str(TFJS.folder()))
        return WebSession(self.name, ["node", script, *folders, str(setting.artefacts / "tfjs")])


class TfjsChromium(Runtime):
    """TF.js in a headless Chromium.

    Args:
        backend: "wasm", "webgl" or "webgpu"; where there is no GPU, the last two compute on the processor.
        threaded: on wasm: with the threads asked for, in a page that may share memory between them.
        flags: of Chromium, in place of those that the backend usually needs.
    """

    needs = "tfjs"

    def __init__(self, backend: str, *, threaded: bool = False, flags: Sequence[str] | None = None) -> None:
        self.name = f"tfjs-{backend}-threads" if threaded else f"tfjs-{backend}"
        self._backend = backend
        self._threaded = threaded
        self._flags = flags

    def missing(self) -> str | None:
        return missing_processes() or on_tfjs.TfjsChromium(self._backend).available()

    def open(self, setting: Setting) -> Session:
        threads = setting.threads if self._threaded else 1
        return WebSession(self.name, browser_command(f"tfjs-{self._backend}", setting, threads, self._flags))


def missing_processes() -> str | None:
    """None where the memory of a process's descendants can be told."""
    return None if sys.platform == "linux" else "runtimes in JavaScript are measured on Linux only"


def browser_command(
    engine: str, setting: Setting, threads: int, flags: Sequence[str] | None = None
) -> list[str]:
    """The Node process that drives a browser with this engine; see `web/browser.mjs`.

    Args:
        flags: of Chromium, in place of those that the engine's backend usually needs.
    """
    folders = (TFJS.scripts, TFJS.folder(), PACKAGES.folder())
    script = PACKAGES.scripts / "browser.mjs"
    browser = on_tfjs.find_browser()
    told = "-" if flags is None else json.dumps(flags)
    given = (script, *folders, setting.artefacts, engine, threads, browser, find_kernels() or "-", told)
    return ["node", *map(str, given)]
