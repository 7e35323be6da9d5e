"""OpenVINO without its telemetry.

`import openvino` sends an event to an analytics service through the package `openvino_telemetry`, which comes
with it, unless the user has opted out in a file of their own. Where that package cannot be imported, OpenVINO
takes a stub that sends nothing. So it cannot be imported while OpenVINO is, by this project.
"""

import sys
import threading
from importlib import import_module
from typing import Any

MODULE = "openvino"
TELEMETRY = "openvino_telemetry"

_importing = threading.Lock()


def import_openvino() -> Any:
    """The module `openvino`; nothing is sent, now or later, and no file of the user's is read or written.

    A program that imported OpenVINO before, with its telemetry, keeps it so: what the project calls of it
    sends nothing.

    Raises:
        ImportError: it is not installed, or lacks a library.
        OSError, RuntimeError: it does not start.
    """
    with _importing:
        if MODULE in sys.modules:
            return import_module(MODULE)
        found = {name: module for name, module in sys.modules.items() if name.split(".")[0] == TELEMETRY}
        for name in found:
            del sys.modules[name]
        sys.modules[TELEMETRY] = None  # pyright: ignore[reportArgumentType]  # so Python marks what is not there
        try:
            return import_module(MODULE)
        finally:
            del sys.modules[TELEMETRY]
            sys.modules.update(found)
