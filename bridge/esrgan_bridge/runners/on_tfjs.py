"""TensorFlow.js: in Node on wasm, and in a headless Chromium on wasm, WebGL and WebGPU.

The scripts are in `tfjs_runner/`. The npm packages that they need are not part of a Python package:
`python -m esrgan_bridge.runners.tfjs_setup` fetches them once.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from esrgan_bridge.runners.base import Runner, Session
from esrgan_bridge.runners.tfjs_setup import PACKAGES
from esrgan_bridge.runners.worker import WorkerSession

OLDEST_NODE = (18, 0)
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
BROWSER_VARIABLE = "ESRGAN_CHROMIUM"


class TfjsNode(Runner):
    """TF.js in Node: wasm, one thread."""

    name = "tfjs-node"
    reads = "tfjs"

    def available(self) -> str | None:
        return missing_node() or PACKAGES.missing()

    def open(self, artefact: Path) -> Session:
        command = ["node", str(PACKAGES.scripts / "run-node.mjs"), str(PACKAGES.folder()), str(artefact)]
        return WorkerSession(self.name, command)


class TfjsChromium(Runner):
    """TF.js in a headless Chromium.

    Args:
        backend: "wasm", "webgl" or "webgpu".
    """

    reads = "tfjs"

    def __init__(self, backend: str) -> None:
        self.backend = backend
        self.name = f"tfjs-{backend}"

    def available(self) -> str | None:
        if missing := missing_node() or PACKAGES.missing():
            return missing
        if find_browser() is None:
            return (
                "no Chromium was found: install it (Debian: apt-get install chromium), "
                f"or give its path in ${BROWSER_VARIABLE}"
            )
        return None

    def open(self, artefact: Path) -> Session:
        script, packages = str(PACKAGES.scripts / "run-browser.mjs"), str(PACKAGES.folder())
        command = ["node", script, packages, str(artefact), self.backend, "chromium", str(find_browser())]
        return WorkerSession(self.name, command)


def missing_node(oldest: tuple[int, int] = OLDEST_NODE) -> str | None:
    """None where a Node that is new enough is on the path, else what to do."""
    path = shutil.which("node")
    needed = ".".join(str(part) for part in oldest if part)
    advice = f"install Node {needed} or newer, https://nodejs.org"
    if path is None:
        return f"node is not installed: {advice}"
    answer = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    version = re.match(r"v(\d+)\.(\d+)", answer.stdout)
    if version is None or (int(version[1]), int(version[2])) < oldest:
        return f"node is {answer.stdout.strip() or 'broken'}: {advice}"
    return None


def find_browser() -> str | None:
    """The path of a Chromium or Chrome: $ESRGAN_CHROMIUM, else the first known name on the path."""
    if given := os.environ.get(BROWSER_VARIABLE):
        return shutil.which(given)
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def tfjs_version() -> str:
    """Of the packages that the runners ask for."""
    package = json.loads((PACKAGES.scripts / "package.json").read_text(encoding="utf-8"))
    return str(package["dependencies"]["@tensorflow/tfjs-core"])
