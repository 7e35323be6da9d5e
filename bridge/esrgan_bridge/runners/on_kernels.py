"""The kernels of `tfjs-esrgan`: in Node, and in a headless Chromium or Firefox.

They come in one file, which `npm run build` in `web/` makes, and `make wheel` puts into the package.
"""

import os
import shutil
from pathlib import Path

from esrgan_bridge.runners.base import Runner, Session
from esrgan_bridge.runners.on_tfjs import TfjsChromium, find_browser, missing_node
from esrgan_bridge.runners.tfjs_setup import PACKAGES
from esrgan_bridge.runners.worker import WorkerSession

SOCKET_NODE = (20, 10)  # the oldest that has WebSocket
FIREFOXES = ("firefox-esr", "firefox")
FIREFOX_VARIABLE = "ESRGAN_FIREFOX"
PLACES = (
    PACKAGES.scripts / "kernels.js",
    Path(__file__).parents[3] / "web" / "dist" / "kernels" / "kernels.js",
)


class KernelsNode(Runner):
    """The kernels in Node."""

    name = "kernels-node"
    reads = "tfjs"
    wants_any_size = True  # the library plans its tiles

    def available(self) -> str | None:
        return missing_node() or missing_kernels()

    def open(self, artefact: Path) -> Session:
        command = ["node", str(PACKAGES.scripts / "run-kernels.mjs"), str(find_kernels()), str(artefact)]
        return WorkerSession(self.name, command)


class KernelsChromium(Runner):
    """The kernels in a headless Chromium, in a page that may have threads."""

    name = "kernels-wasm"
    reads = "tfjs"
    wants_any_size = True  # the library plans its tiles

    def available(self) -> str | None:
        return TfjsChromium("wasm").available() or missing_kernels()

    def open(self, artefact: Path) -> Session:
        script, packages = str(PACKAGES.scripts / "run-browser.mjs"), str(PACKAGES.folder())
        browser, kernels = str(find_browser()), str(find_kernels())
        command = ["node", script, packages, str(artefact), "kernels", "chromium", browser, kernels]
        return WorkerSession(self.name, command)


class KernelsFirefox(Runner):
    """The kernels in a headless Firefox, in a page that may have threads; no npm package is needed for it."""

    name = "kernels-wasm-firefox"
    reads = "tfjs"
    wants_any_size = True  # the library plans its tiles

    def available(self) -> str | None:
        if missing := missing_node(SOCKET_NODE) or missing_kernels():
            return missing
        if find_firefox() is None:
            return (
                "no Firefox was found: install it (Debian: apt-get install firefox-esr), "
                f"or give its path in ${FIREFOX_VARIABLE}"
            )
        return None

    def open(self, artefact: Path) -> Session:
        node = ["node", "--experimental-websocket"]  # what Node has by itself from 22 on
        script, packages = str(PACKAGES.scripts / "run-browser.mjs"), str(PACKAGES.folder())
        browser, kernels = str(find_firefox()), str(find_kernels())
        command = [*node, script, packages, str(artefact), "kernels", "firefox", browser, kernels]
        return WorkerSession(self.name, command)


def find_firefox() -> str | None:
    """The path of a Firefox: $ESRGAN_FIREFOX, else the first known name on the path."""
    if given := os.environ.get(FIREFOX_VARIABLE):
        return shutil.which(given)
    return next(filter(None, map(shutil.which, FIREFOXES)), None)


def find_kernels() -> Path | None:
    """The file of the kernels, from the package or from a build in a clone."""
    return next((place for place in PLACES if place.is_file()), None)


def missing_kernels() -> str | None:
    """None where the kernels are built, else what to do."""
    if find_kernels() is None:
        return "tfjs-esrgan is not built: npm install && npm run build in web/"
    return None
