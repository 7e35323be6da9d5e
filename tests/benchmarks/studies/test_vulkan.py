"""The table of ncnn on Vulkan says what its rows say, and distances are those of the parts that they name."""

import numpy as np

from esrgan_benchmarks.studies.vulkan import _distance, table  # pyright: ignore[reportPrivateUsage]
from tests.benchmarks.studies.test_conversion_tables import MACHINE


def test_a_line_a_runtime() -> None:
    row = {
        "network": "net",
        "runtime": "a",
        "package": "a 1.0",
        "device": "some (vulkan:0)",
        "shape": [48, 64, 3],
    }
    row |= {"seconds": {"median": 3.149}, "whole_psnr": 95.05, "whole_largest": 1, **MACHINE}
    row |= {"inside_psnr": None, "inside_largest": 0}
    assert "| net | 64x48 | a 1.0 | 3.1 s | 95.0 dB, 1 level at most | equal |" in table([row])


def test_the_border_is_left_out() -> None:
    expected = np.zeros((8, 10, 3), np.uint8)
    found = expected.copy()
    found[0, 0, 0] = 9
    found[4, 5, 1] = 2
    assert _distance(found, expected, 0, "whole")["whole_largest"] == 9
    assert _distance(found, expected, 2, "inside")["inside_largest"] == 2
    assert _distance(expected, expected, 2, "inside") == {"inside_psnr": None, "inside_largest": 0}
