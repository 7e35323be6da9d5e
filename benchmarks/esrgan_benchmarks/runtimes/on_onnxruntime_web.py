"""onnxruntime-web in a headless Chromium, on wasm with several threads, or on WebGPU."""

from collections.abc import Sequence

from esrgan_benchmarks.runtimes.base import Runtime, Session, Setting
from esrgan_benchmarks.runtimes.on_tfjs import browser_command, missing_processes
from esrgan_benchmarks.runtimes.web_packages import PACKAGES
from esrgan_benchmarks.runtimes.web_session import WebSession
from esrgan_bridge.runners import on_tfjs


class OnnxRuntimeWeb(Runtime):
    """onnxruntime-web on the ONNX file of `esrgan convert`.

    Args:
        provider: "wasm" or "webgpu".
        flags: of Chromium, in place of those that the backend usually needs.
    """

    needs = "onnx"

    def __init__(self, provider: str = "wasm", flags: Sequence[str] | None = None) -> None:
        self.name = "onnxruntime-web" if provider == "wasm" else f"onnxruntime-web-{provider}"
        self._provider = provider
        self._flags = flags

    def missing(self) -> str | None:
        browser = missing_processes() or on_tfjs.TfjsChromium("wasm").available()
        return browser or PACKAGES.missing()

    def open(self, setting: Setting) -> Session:
        command = browser_command(f"ort-{self._provider}", setting, setting.threads, self._flags)
        return WebSession(self.name, command)
