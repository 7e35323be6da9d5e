"""Rows of conversions: what they sum up, and what is measured while a conversion runs."""

import math
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from esrgan_benchmarks.studies.conversion import SEEDED, rows_of, seeded
from esrgan_benchmarks.studies.conversion_cost import watched
from esrgan_benchmarks.studies.lowering_speed import compare
from esrgan_benchmarks.studies.quantization import PHOTOS
from esrgan_bridge.parity.distance import TOLERANCES, Measurement
from esrgan_bridge.parity.distance import compare as difference
from esrgan_bridge.parity.findings import ParityReport, Step


def test_a_row_sums_up_a_runtime_at_a_step() -> None:
    original = np.full((1, 4, 4, 3), 0.5, np.float32)
    report = ParityReport("net", "onnx", "tf", "none", steps=[Step("onnx", 1.0, 1234)])
    for step, probe, shift in (
        ("torch", "flat", 0.0),
        ("torch", "ramp", 0.0),
        ("onnx", "flat", 0.0),
        ("onnx", "ramp", 0.5),
    ):
        copy = original + np.float32(shift)
        report.rows.append(
            difference(Measurement(step, "a", probe, "4x4", TOLERANCES["none"], 0.1), original, copy)
        )
    first, second = rows_of("name", report)
    assert (first["step"], first["psnr"], first["bytes"]) == ("torch", None, None)
    assert (second["largest"], second["differing"], second["pixels"]) == (0.5, 16, 32)
    assert (second["bytes"], second["probes"], second["of_probes"]) == (1234, 2, 7)
    assert second["psnr"] == pytest.approx(20 * math.log10(255 / 127))


@pytest.mark.parametrize("name", SEEDED)
def test_seeded_networks_are_the_same_again_and_lively(name: str) -> None:
    batch = torch.rand(1, 3, 8, 8)
    first, second = (seeded(name)(batch) for _ in range(2))
    assert torch.equal(first, second)
    assert first.shape[-1] == 8 * seeded(name).scale
    assert first.std() > 0.01


def held(size: int) -> int:
    block = bytearray(size)
    time.sleep(0.3)
    return len(block)


def test_the_peak_is_that_of_the_child() -> None:
    small, large = (watched(held, size) for size in (2**20, 2**28))
    assert (small[0], large[0]) == (2**20, 2**28)
    assert 0.9 * 2**28 < large[1] - small[1] < 1.3 * 2**28


def test_the_faster_graph_is_told() -> None:
    batch = np.zeros((1, 2, 2, 3), np.float32)

    def run(seconds: float, shift: float = 0.0):
        def slow(given):
            time.sleep(seconds)
            return given + np.float32(shift)

        return slow

    row = compare({"ours": run(0.01), "theirs": run(0.03)}, batch, 3)
    assert 2 < row["times_as_fast"] < 4
    assert row["seconds"]["ours"]["runs"] == 3
    assert row["shape"] == [2, 2, 3]
    with pytest.raises(ValueError, match="the graphs ours and theirs differ by"):
        compare({"ours": run(0), "theirs": run(0, 0.1)}, batch, 2)


def test_photos_are_there(shared_data: Path) -> None:
    folder = shared_data / "real"
    assert [photo for photo in PHOTOS if not (folder / photo).is_file()] == []
    assert len(PHOTOS) >= 8
