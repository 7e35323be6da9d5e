from pathlib import Path

import numpy as np
import pytest

from esrgan_benchmarks.studies.training import model
from esrgan_benchmarks.studies.training_tables import models
from esrgan_torch.errors import ConfigError
from esrgan_torch.images.files import write_image
from esrgan_torch.networks.compact import CompactNet
from esrgan_weights.formats.write import save


def test_a_model_is_measured_at_its_own_scale(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (24, 24, 3), np.uint8)
    (tmp_path / "set").mkdir()
    write_image(tmp_path / "set" / "a.png", pixels)
    file = save(CompactNet(4, 1, scale=2), tmp_path / "twice.safetensors")
    row = model(str(file), tmp_path / "set", 2)
    assert (row["scale"], row["dataset"]) == (2, "set")
    assert 0 < row["psnr_y"] < 40
    assert model("bicubic", tmp_path / "set", 2)["psnr_y"] > model("bicubic", tmp_path / "set")["psnr_y"]
    with pytest.raises(ConfigError, match="enlarges 2 times, where 4 are asked for"):
        model(str(file), tmp_path / "set")


def test_a_table_holds_one_scale() -> None:
    machine = {
        "processor": "P",
        "cores": 1,
        "threads": 1,
        "gpu": None,
        "bfloat16": True,
        "torch": "2",
        "date": "",
    }
    rows = [
        {
            "network": name,
            "dataset": "Set5",
            "parameters": 1,
            "psnr_y": psnr,
            "ssim_y": 0.9,
            **scale,
            **machine,
        }
        for name, psnr, scale in (
            ("old", 31.0, {}),
            ("four", 32.0, {"scale": 4}),
            ("two", 37.0, {"scale": 2}),
        )
    ]
    assert [name in models(rows) for name in ("old", "four", "two")] == [True, True, False]
    assert [name in models(rows, scale=2) for name in ("old", "four", "two")] == [False, False, True]
