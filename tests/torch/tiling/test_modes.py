"""Tile plans: the golden file, and the properties that hold for every plan."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esrgan_torch.errors import ConfigError
from esrgan_torch.tiling.modes import Box, Tile, Tiling, plan_tiles

GOLDEN = Path(__file__).parents[2] / "golden" / "tile_plans.json"
CASES: list[dict[str, Any]] = json.loads(GOLDEN.read_text())["plans"]


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: "-".join(str(value) for value in case["given"].values())
)
def test_golden_plans(case: dict[str, Any]) -> None:
    assert plan_tiles(**case["given"]) == [
        Tile(Box(*numbers[:4]), Box(*numbers[4:])) for numbers in case["tiles"]
    ]


@given(
    height=st.integers(1, 300),
    width=st.integers(1, 300),
    size=st.integers(4, 120),
    overlap=st.integers(0, 40),
    multiple=st.sampled_from([1, 2, 4]),
)
def test_cores_cover_the_picture_once(
    height: int, width: int, size: int, overlap: int, multiple: int
) -> None:
    height, width = height * multiple, width * multiple
    tiles = plan_tiles(height, width, size, overlap, multiple)
    covered = np.zeros((height, width), int)
    for tile in tiles:
        core, window = tile.core, tile.window
        covered[core.top : core.bottom, core.left : core.right] += 1
        assert max(core.height, core.width) <= size
        assert all(number % multiple == 0 for box in (core, window) for number in vars(box).values())
        # a window reaches the overlap, or the border
        assert window.top == max(core.top - -(-overlap // multiple) * multiple, 0)
        assert window.left + window.width == min(core.right + -(-overlap // multiple) * multiple, width)
    assert (covered == 1).all()
    heights = {tile.core.height for tile in tiles}
    assert max(heights) - min(heights) <= multiple


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ({"mode": "fast"}, "fast"),
        ({"mode": "overlap", "size": 8}, "16"),
        ({"mode": "overlap", "overlap": -1}, "-1"),
        ({"mode": "exact", "overlap": 10}, "overlapping"),
    ],
)
def test_impossible_tilings_are_refused(given_: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Tiling(**given_)


@pytest.mark.parametrize("numbers", [(0, 5, 16, 0), (5, 5, 16, -1), (5, 5, 16, 0, 2), (8, 8, 1, 0, 2)])
def test_impossible_plans_are_refused(numbers: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError):
        plan_tiles(*numbers)


def test_boxes_that_do_not_meet_have_nothing_in_common() -> None:
    box = Box(10, 20, 5, 6)
    assert box.cut_to(Box(12, 0, 100, 22)) == Box(12, 20, 3, 2)
    assert box.cut_to(Box(15, 20, 5, 6)).is_empty()
    assert box.cut_to(Box(0, 0, 10, 100)).is_empty()
    assert box.grown(12, Box(0, 0, 16, 40)) == Box(0, 8, 16, 30)
    assert box.scaled(4).moved(-40, 1) == Box(0, 81, 20, 24)
