"""Tile plans: the golden file, and the properties that hold for every plan."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esrgan_torch.errors import ConfigError
from esrgan_torch.tiling.modes import Tile, Tiling, plan_tiles

GOLDEN = Path(__file__).parents[2] / "golden" / "tile_plans.json"
CASES: list[dict[str, Any]] = json.loads(GOLDEN.read_text())["plans"]


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: "-".join(str(value) for value in case["given"].values())
)
def test_golden_plans(case: dict[str, Any]) -> None:
    assert plan_tiles(**case["given"]) == [Tile(*numbers) for numbers in case["tiles"]]


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
        covered[tile.top : tile.bottom, tile.left : tile.right] += 1
        assert max(tile.height, tile.width) <= size
        assert all(number % multiple == 0 for number in vars(tile).values())
        # a window reaches the overlap, or the border
        assert tile.window_top == max(tile.top - -(-overlap // multiple) * multiple, 0)
        assert tile.window_left + tile.window_width == min(
            tile.right + -(-overlap // multiple) * multiple, width
        )
    assert (covered == 1).all()
    heights = {tile.height for tile in tiles}
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
