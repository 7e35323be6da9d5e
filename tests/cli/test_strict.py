"""float32 is float32 in every command, whatever the user's variables ask of oneDNN."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from esrgan_torch import CompactNet, Upscaler, read_image
from esrgan_weights import save
from tests.support.processor import needs_bfloat16

COMMAND = "import sys; from esrgan_cli.main import main; sys.exit(main(sys.argv[1:]))"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    network = CompactNet(features=64, convolutions=2)
    for parameter in network.parameters():
        parameter.data *= 2  # or the picture beneath hides what is rounded
    return save(network, tmp_path / "model.safetensors")


@needs_bfloat16
def test_upscale(
    model: Path,
    make_picture: Callable[..., Path],
    start_command: Callable[..., "subprocess.Popen[str]"],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In a process of its own: PyTorch reads the variable when it is imported."""
    source, target = make_picture(tmp_path / "photo.png", 24, 24), tmp_path / "large.png"
    monkeypatch.setenv("ONEDNN_DEFAULT_FPMATH_MODE", "BF16")
    how = ["--device", "cpu", "--dtype", "float32", "--engine", "eager"]
    process = start_command(
        COMMAND, "upscale", str(source), "--output", str(target), "--model", str(model), *how
    )
    said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    expected = Upscaler(str(model), "cpu", "float32", engine="eager")(read_image(source).pixels)
    assert np.abs(read_image(target).pixels.astype(int) - expected).max() <= 1
