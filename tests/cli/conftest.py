"""A tiny network in a file, small pictures, and how to start the command as a process."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from esrgan_cli.main import main
from esrgan_torch.images.files import write_image
from esrgan_torch.networks.compact import CompactNet

MakePicture = Callable[..., Path]


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A x4 CompactNet with random weights, in the layout of Real-ESRGAN."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    save_file(CompactNet(features=8, convolutions=1).state_dict(), path)
    return path


@pytest.fixture
def make_picture() -> MakePicture:
    """Writes a picture of noise: make_picture(path, height, width, channels, dtype)."""

    def make(
        path: Path, height: int = 10, width: int = 12, channels: int = 3, dtype: type = np.uint8
    ) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        random = np.random.default_rng(len(path.name))
        write_image(path, random.integers(0, np.iinfo(dtype).max, (height, width, channels), dtype))
        return path

    return make


@pytest.fixture
def start_command() -> Callable[..., subprocess.Popen[str]]:
    """Starts Python code in a process that imports the packages from where the tests do."""

    def start(code: str, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


@pytest.fixture
def upscale(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Runs `esrgan upscale` with the tiny network on the CPU, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, model: str = str(tiny_model)) -> int:
        return main(["upscale", "--model", model, "--device", "cpu", "--dtype", "float32", *arguments])

    return run
