"""By rows as in `tests/golden/rows.json`, which web/test/unit/rows.test.ts reads too."""

import base64
import json
from typing import Any

import numpy as np
import pytest

from esrgan_torch import Upscaler
from esrgan_torch.tiling.modes import Tiling
from tests.support.golden_rows import GOLDEN, NAMES, SAME_PROGRAM, needs, networks, picture, planned
from tests.torch.engines.native.levels import needs_native

DOCUMENT: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))
NETWORKS = networks()


@pytest.mark.parametrize("case", DOCUMENT["plans"], ids=lambda case: f"{case['height']}x{case['width']}")
def test_plans(case: dict[str, Any]) -> None:
    assert planned(case) == case["plan"]


@needs_native
@pytest.mark.parametrize("name", SAME_PROGRAM)
def test_what_the_kernels_need(name: str) -> None:
    cases = [case for case in DOCUMENT["needs"] if case["network"] == name]
    assert len(cases) > 3
    assert [needs(NETWORKS[name], *case["sizes"]) for case in cases] == [case["bytes"] for case in cases]


@pytest.mark.parametrize("name", NAMES)
def test_pictures(name: str) -> None:
    given = picture()
    upscaler = Upscaler(NETWORKS[name], "cpu", "float32", Tiling("off"))
    bands = upscaler.upscale_rows(np.array_split(given, 5), *given.shape[:2])
    found = np.concatenate(list(bands))
    rows = DOCUMENT["pictures"][name]
    assert len(rows) == 9
    for row, text in rows.items():
        expected = np.frombuffer(base64.b64decode(text), np.uint8).reshape(-1, 3)
        assert np.abs(found[int(row)].astype(int) - expected).max() <= 1
        assert np.ptp(expected) > 20  # not of one colour
