"""Rows of the native engine's layers, and that the work they state is the layers' own."""

import pytest
import torch

from esrgan_benchmarks.studies import native_layers
from esrgan_torch.engines.describing import Activation
from tests.torch.engines.native.levels import needs_native


@needs_native
def test_rows_of_every_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native_layers, "SIDE", 32)
    threads = torch.get_num_threads()
    rows = native_layers.measure(8, 2)
    assert [row["layer"] for row in rows] == list(native_layers.LAYERS)
    assert all(row["of_peak"]["median"] > 0 and row["seconds"]["median"] > 0 for row in rows)
    assert torch.get_num_threads() == threads


def test_products_are_a_quarter_of_the_direct_form_s() -> None:
    made = native_layers.chain([64, 32, 3], Activation.NONE)
    assert made.multiplied == pytest.approx((64 * 32 + 32 * 3) * 9 / 4)
    assert native_layers.dense_blocks(64, 32, 2).multiplied == pytest.approx(
        2 * 9 / 4 * (32 * (64 + 96 + 128 + 160) + 192 * 64)
    )
    assert native_layers.pointwise(48, 4).multiplied == 192 * 48


def test_the_share_is_of_the_same_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A layer that took as long as the large product, with half of its products, is at half of the limit."""
    layers = native_layers.Layers(16, 16, 8.0, lambda lanes: pytest.fail("not run"))
    monkeypatch.setattr(native_layers, "SIDE", 16)
    monkeypatch.setattr(native_layers, "LAYERS", {"some": lambda: layers})
    monkeypatch.setattr(native_layers, "_run", lambda *given: None)
    times = {"some": [2.0, 4.0, 6.0], native_layers.PEAK: [2.0, 4.0, 6.0]}
    monkeypatch.setattr(native_layers, "interleave", lambda cases, runs: times)
    (row,) = native_layers.measure(16, 3)
    assert row["of_peak"]["median"] == 0.5
    assert row["gflops"] == 0.0


def test_the_table_shows_the_share() -> None:
    spread = {"median": 0.7, "lower": 0.65, "upper": 0.75, "runs": 3}
    row = {
        "layer": "last",
        "level": "avx2",
        "size": 8,
        "gflops": 35.0,
        "peak_gflops": 50.0,
        "of_peak": spread,
    }
    row |= {"processor": "some", "cores": 2, "gpu": None, "threads": 1, "bfloat16": False}
    row |= {"torch": "2.13.0", "date": "2026-01-01"}
    assert "| last | avx2 | 8x8 | 35 of 50 GFLOP/s | 0.70 | 0.65-0.75 |" in native_layers.table([row])
