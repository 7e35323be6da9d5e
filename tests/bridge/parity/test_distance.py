import math
from pathlib import Path

import numpy as np
import pytest

from esrgan_bridge.errors import ParityError
from esrgan_bridge.parity.distance import TOLERANCES, Measurement, Tolerance, compare, tolerance_of
from esrgan_bridge.parity.measure import require
from esrgan_torch.quantise import to_levels

ALLOWED = Tolerance(1e-3, "a reason")


def row_of(original: np.ndarray, copy: np.ndarray):
    return compare(Measurement("tf", "tensorflow", "noise", "3x4", ALLOWED, 0.5), original, copy)


@pytest.fixture
def original() -> np.ndarray:
    return np.random.default_rng(0).random((1, 6, 8, 3), np.float32)


def test_equal(original):
    row = row_of(original, original.copy())
    assert (row.largest, row.mean, row.psnr, row.differing, row.pixels) == (0, 0, None, 0, 48)
    assert row.passed
    require([row])


def test_one_value_off(original):
    copy = original.copy()
    copy[0, 2, 5, 1] += 0.25
    row = row_of(original, copy)
    assert row.largest == pytest.approx(0.25)
    assert row.at == (2, 5, 1)
    assert row.mean == pytest.approx(0.25 / original.size)
    assert row.differing == 1
    levels = to_levels(copy)[0, 2, 5, 1] - float(to_levels(original)[0, 2, 5, 1])
    assert row.psnr == pytest.approx(10 * math.log10(255**2 * original.size / levels**2))
    with pytest.raises(ParityError) as caught:
        require([row])
    where = ("step tf", "runner tensorflow", "probe noise", "3x4", "y=2, x=5, channel 1")
    for part in (*where, "2.50e-01", "a reason"):
        assert part in str(caught.value)


def test_a_pixel_counts_once_and_by_its_8_bits(original):
    copy = original.copy()
    copy[0, 0, 0] = (original[0, 0, 0] + 0.5) % 1
    copy[0, 1, 1] += 1e-6  # no level changes
    assert row_of(np.round(original, 1), np.round(copy, 1)).differing == 1


def test_levels_are_clamped():
    values = np.array([-1, 0, 0.5 / 255 - 1e-6, 0.5, 1, 7], np.float32)
    assert to_levels(values).tolist() == [0, 0, 0, 128, 255, 255]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_finite(original, bad):
    copy = original.copy()
    copy[0, 0, 0, 0] = bad
    row = row_of(original, copy)
    assert not row.passed
    with pytest.raises(ParityError, match="gave 1 values that are NaN or infinite"):
        require([row])


def test_another_shape(original):
    with pytest.raises(ParityError, match=r"gave the shape \(1, 8, 6, 3\) where \(1, 6, 8, 3\) is expected"):
        require([row_of(original, original.transpose(0, 2, 1, 3))])


def test_the_first_of_several_is_named(original):
    rows = [row_of(original, original + shift) for shift in (0, 0.5, 0.75)]
    with pytest.raises(ParityError, match=r"5\.00e-01 .* 1 more rows of this runner fail"):
        require(rows)


def test_tolerances_have_reasons():
    assert TOLERANCES["none"].largest == 1e-4
    for tolerance in TOLERANCES.values():
        assert 0 < tolerance.largest < 1
        assert len(tolerance.reason) > 20


@pytest.mark.parametrize(
    ("step", "to", "quantize", "name"),
    [
        ("onnx", "onnx", "none", "none"),
        ("onnx", "onnx", "float16", "float16 arithmetic"),
        ("onnx", "tfjs", "float16", "none"),
        ("tfjs", "tfjs", "float16", "float16"),
        ("tfjs", "tfjs", "uint8", "uint8"),
    ],
)
def test_what_is_accepted_of_which_copy(step, to, quantize, name):
    """Smaller weights are those of the last step; of ONNX the arithmetic is float16 too."""
    assert tolerance_of(step, to, quantize) is TOLERANCES[name]


def test_the_documentation_names_every_tolerance() -> None:
    page = (Path(__file__).parents[3] / "docs" / "conversion.md").read_text(encoding="utf-8")
    rows = page.partition("| weights | largest difference allowed |")[2].partition("\n\n")[0].splitlines()[2:]
    named = [float(row.split("|")[2]) for row in rows]
    assert sorted(named) == sorted(tolerance.largest for tolerance in TOLERANCES.values())
