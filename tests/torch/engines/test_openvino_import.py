"""Nothing is sent when OpenVINO is imported by this project, whoever has imported what before."""

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from esrgan_torch.engines.openvino_import import import_openvino

pytest.importorskip("openvino_telemetry")

# the way out of the telemetry's package is watched, and the network below it
WATCH = """
import socket, sys
from openvino_telemetry.utils import sender
sent = []
sender.TelemetrySender.send = lambda self, backend, message: sent.append(message)
if not {keep}:  # what is imported a second time reaches the network, if anything
    for name in [name for name in sys.modules if name.startswith("openvino_telemetry")]:
        del sys.modules[name]
connect = socket.socket.connect
socket.socket.connect = lambda self, address: sent.append(address) or connect(self, ("127.0.0.1", 9))
"""
ENDING = """
import os, openvino
from openvino.tools.ovc import telemetry_utils
telemetry_utils.send_conversion_result("success")
files = os.listdir(os.environ["HOME"])
import openvino_telemetry  # the program's own use of it is not prevented afterwards
print("sent", len(sent), telemetry_utils.tm.__name__, files)
"""
USES = {
    "import": "from esrgan_torch.engines.openvino_import import import_openvino; import_openvino()",
    "upscaler": """
import numpy as np
from esrgan_torch import CompactNet, Upscaler
Upscaler(CompactNet(8, 1), "cpu", "float32", engine="openvino")(np.zeros((8, 9, 3), np.uint8))
""",
}


def sent(program: str, home: Path) -> str:
    """What the program prints in the end; its home folder says nothing about telemetry."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=120,
        env={"HOME": str(home), "LOCALAPPDATA": str(home), "PYTHONPATH": ":".join(sys.path)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize(("use", "keep"), [("import", False), ("upscaler", True)])
def test_nothing_is_sent(use: str, keep: bool, tmp_path: Path) -> None:
    said = sent(WATCH.format(keep=keep) + USES[use] + ENDING, tmp_path)
    # neither are the user's settings touched
    assert said == "sent 0 openvino.tools.ovc.telemetry_stub []"


def test_the_watch_sees_what_openvino_sends_by_itself(tmp_path: Path) -> None:
    """Else the test above would pass on nothing."""
    said = sent(WATCH.format(keep=True) + ENDING, tmp_path)
    assert int(said.split()[1]) > 0
    assert said.split()[2] == "openvino_telemetry"


def test_an_openvino_that_is_there_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    there = ModuleType("openvino")
    monkeypatch.setitem(sys.modules, "openvino", there)
    assert import_openvino() is there
