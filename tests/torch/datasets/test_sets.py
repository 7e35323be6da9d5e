from pathlib import Path

import numpy as np
import pytest

from esrgan_torch.datasets.sets import MADE, find_set
from esrgan_torch.errors import ConfigError, PairError
from esrgan_torch.images.files import write_image

LARGE = np.random.default_rng(0).integers(0, 256, (17, 26, 3), np.uint8)
SMALL = np.full((4, 6, 3), 7, np.uint8)


def put(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, pixels)
    return path


@pytest.mark.parametrize(
    ("dataset", "original", "small"),
    [
        ("Set5", "Set5/HR/a.png", "Set5/LRbicx4/a.png"),
        ("Set5", "Set5/HR/a.png", "Set5/LR_bicubic/X4/ax4.png"),
        ("Set5", "Set5/GTmod12/a.png", "Set5/LRbicx4/a.png"),
        ("Set5", "Set5/HR/a.png", "Set5/LR/a.png"),
        ("Set5", "Set5/HR/a.png", "Set5/x4/a.png"),
        ("Set5/HR", "Set5/HR/a.png", "Set5/LRbicx4/a.png"),
        ("Set5", "Set5/gt/a.png", "Set5/lq/a.png"),
        ("Set5", "Set5/a.png", "Set5/LRx4/a.png"),
        ("valid_HR", "valid_HR/0801.png", "valid_LR_bicubic/X4/0801x4.png"),
        ("SRF_4", "SRF_4/img_001_SRF_4_HR.png", "SRF_4/img_001_SRF_4_LR.png"),
    ],
)
def test_low_resolution_pictures_are_found(tmp_path: Path, dataset: str, original: str, small: str) -> None:
    put(tmp_path / original, LARGE)
    there = put(tmp_path / small, SMALL)
    found = find_set(tmp_path / dataset, 4)
    [couple] = found.couples
    assert couple.small == there
    assert found.origin.startswith(str(there.parent))
    first, second = found.read(couple)
    assert np.array_equal(first, LARGE[:16, :24])
    assert np.array_equal(second, SMALL)


def test_without_any_they_are_made_and_that_is_said(tmp_path: Path) -> None:
    put(tmp_path / "a.png", LARGE)
    put(tmp_path / "LRbicx2" / "a.png", LARGE[:8, :13])  # of another scale
    found = find_set(tmp_path, 4)
    assert found.origin == MADE
    assert found.read(found.couples[0])[1].shape == (4, 6, 3)
    assert len(find_set(tmp_path, 2).couples) == 1
    assert find_set(tmp_path, 2).origin == str(tmp_path / "LRbicx2")


def test_results_of_an_upscaler_are_no_low_resolution_pictures(tmp_path: Path) -> None:
    put(tmp_path / "a.png", LARGE)
    put(tmp_path / "x4" / "a.png", LARGE.repeat(4, 0).repeat(4, 1))
    assert find_set(tmp_path, 4).origin == MADE


@pytest.mark.parametrize(
    ("dataset", "other"),
    [
        ("HR", "LR"),
        ("HR", "LRblurx4"),
        ("HR", "LR_unknown/X4"),
        ("HR", "lq_mild"),
        ("HR", "lowres x4"),
        ("HR", "low"),
        ("valid_HR", "valid_LR_difficult/X4"),
    ],
)
def test_what_looks_like_them_and_is_not_taken_is_named(tmp_path: Path, dataset: str, other: str) -> None:
    put(tmp_path / dataset / "a.png", LARGE)
    put(tmp_path / other / "a.png", LARGE if other == "LR" else SMALL)
    put(tmp_path / "LRblurx2" / "a.png", LARGE[:8, :13])  # of another scale
    put(tmp_path / "lowlands" / "a.png", LARGE)
    named = (tmp_path / other.partition("/")[0]).resolve()
    assert find_set(tmp_path / dataset, 4).origin == f"{MADE}, not those in {named}"


def test_given_folders_are_taken_as_they_are(tmp_path: Path) -> None:
    put(tmp_path / "sets" / "a.png", LARGE)
    put(tmp_path / "mine" / "X4" / "low-a.png", SMALL)
    found = find_set(tmp_path / "sets", 4, tmp_path / "mine", "low-{}")
    assert found.couples[0].small == tmp_path / "mine" / "X4" / "low-a.png"
    without = find_set(tmp_path / "sets", 4, tmp_path / "mine")
    with pytest.raises(
        PairError, match=r"a\.png has no low-resolution picture in .*X4: none is called a or ax4"
    ):
        without.read(without.couples[0])
    with pytest.raises(ConfigError, match="is not a folder; it must contain the low-resolution"):
        find_set(tmp_path / "sets", 4, tmp_path / "none")


def test_sizes_that_do_not_go_together_name_both_files(tmp_path: Path) -> None:
    put(tmp_path / "HR" / "a.png", LARGE)
    put(tmp_path / "LRbicx4" / "a.png", SMALL[:3])
    found = find_set(tmp_path, 4)
    with pytest.raises(
        PairError, match=r"LRbicx4/a.png has 6 x 3 pixels; for x4 .*HR/a.png it must have 6 x 4"
    ):
        found.read(found.couples[0])
