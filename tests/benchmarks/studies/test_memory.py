"""A figure of memory can be recomputed from its own row."""

from pathlib import Path

from esrgan_benchmarks.studies.memory import untiled
from esrgan_torch.networks.compact import CompactNet
from esrgan_weights import save


def test_bytes_a_pixel_follow_from_the_row(tmp_path: Path) -> None:
    path = save(CompactNet(features=8, convolutions=1), tmp_path / "tiny.safetensors")
    row = untiled(str(path), 16, "float32")
    assert row["shape"] == [16, 16, 3]
    assert 0 < row["before"] <= row["peak"]
    assert row["bytes_a_pixel"] == round((row["peak"] - row["before"]) / 16**2)
