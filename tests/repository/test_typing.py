"""A client's types, as mypy --strict and pyright see them; and that a wrong one would be seen."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLIENT = Path(__file__).parent / "typed" / "client.py"
FOLDERS = [str(ROOT / folder) for folder in (".", "weights", "bridge", "benchmarks", "cli")]
# what the client does not touch of torch; reading all of it takes mypy four times as long
UNREAD = (
    "_C _decomp _dynamo _export _functorch _higher_order_ops _inductor _library "
    "_meta_registrations _ops _prims _refs _subclasses ao autograd backends compiler cuda "
    "distributed distributions export func fx jit library masked mps mtia nested nn.attention "
    "nn.intrinsic nn.parallel nn.qat nn.quantizable nn.quantized nn.utils onnx optim package "
    "profiler quantization signal sparse special testing utils xpu"
)
WRONG = """
import numpy as np
from numpy.typing import NDArray
from esrgan_torch import Upscaler

def wrong(upscaler: Upscaler, small: NDArray[np.uint8]) -> NDArray[np.uint16]:
    upscaler(small, progress="bar")
    return upscaler(small)
"""


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    file = tmp_path / "wrong.py"
    file.write_text(WRONG)
    return file


def errors_of(lines: str) -> dict[str, int]:
    """How many errors each file has."""
    named = [line.split(":")[0] for line in lines.splitlines() if ": error:" in line]
    return {Path(name).name: named.count(name) for name in named}


def test_mypy_strict(wrong: Path, tmp_path: Path) -> None:
    unread = ",".join(f"torch.{name}.*" for name in UNREAD.split())
    settings = tmp_path / "mypy.ini"
    settings.write_text(f"[mypy]\nfollow_imports = silent\n[mypy-{unread}]\nfollow_imports = skip\n")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--config-file", str(settings)),
            *(f"--cache-dir={tmp_path}", "--no-error-summary", str(CLIENT), str(wrong)),
        ],
        env={**os.environ, "MYPYPATH": os.pathsep.join(FOLDERS)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    found = errors_of(done.stdout)
    assert set(found) == {"wrong.py"}, done.stdout + done.stderr
    assert found["wrong.py"] >= 2


def test_pyright_strict(wrong: Path, tmp_path: Path) -> None:
    settings = {"include": [str(CLIENT), str(wrong)], "typeCheckingMode": "strict", "extraPaths": FOLDERS}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pyright", "--outputjson", "--project", str(tmp_path)),
            *("--pythonpath", sys.executable),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    found = [Path(one["file"]).name for one in json.loads(done.stdout)["generalDiagnostics"]]
    assert set(found) == {"wrong.py"}, done.stdout
    assert len(found) >= 2
