"""onnxruntime-web in a headless Chromium, on wasm with several threads: the other way into a page."""

from esrgan_benchmarks.runtimes.base import Runtime, Session, Setting
from esrgan_benchmarks.runtimes.on_tfjs import browser_command, missing_processes
from esrgan_benchmarks.runtimes.web_packages import PACKAGES
from esrgan_benchmarks.runtimes.web_session import WebSession
from esrgan_bridge.runners import on_tfjs


class OnnxRuntimeWeb(Runtime):
    """onnxruntime-web's wasm provider, on the ONNX file of `esrgan convert`."""

    name = "onnxruntime-web"
    needs = "onnx"

    def missing(self) -> str | None:
        browser = missing_processes() or on_tfjs.TfjsChromium("wasm").available()
        return browser or PACKAGES.missing()

    def open(self, setting: Setting) -> Session:
        return WebSession(self.name, browser_command("ort-wasm", setting, setting.threads))
