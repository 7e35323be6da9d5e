"""The ways that are compared compute the same, and one that does not is refused."""

import pytest
import torch

from esrgan_benchmarks.studies import cpu
from esrgan_torch.engines import packed as engine_packed

pytestmark = pytest.mark.skipif(not engine_packed.is_available(), reason="needs oneDNN on x86")


@pytest.mark.parametrize("layer", cpu.LAYERS)
@pytest.mark.parametrize("dtype", cpu.TOLERANCES)
def test_rows_of_a_layer(layer: str, dtype: torch.dtype) -> None:
    if not engine_packed.is_available(dtype):
        pytest.skip("needs a processor with bfloat16 arithmetic")
    rows = cpu.measure(layer, 8, 2, dtype)
    assert len(rows) >= 2
    assert {row["dtype"] for row in rows} == {str(dtype).removeprefix("torch.")}
    assert rows[0]["of_first"] == 1
    assert {row["layer"] for row in rows} == {layer}
    assert all(row["seconds"]["median"] > 0 for row in rows)


def test_a_way_that_computes_something_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def ways(size: int, dtype: torch.dtype) -> dict[str, cpu.Way]:
        return {"right": lambda: torch.zeros(size), "wrong": lambda: torch.full((size,), float("nan"))}

    monkeypatch.setitem(cpu.LAYERS, "last convolution", ways)
    with pytest.raises(AssertionError, match="wrong"):
        cpu.measure("last convolution", 4, 2)


def test_the_table_shows_the_last_row_of_a_way() -> None:
    row = {
        "layer": "dense block",
        "way": "sums",
        "size": 8,
        "dtype": "float32",
        "of_first": 0.5,
        "processor": "some",
        "cores": 2,
        "gpu": None,
        "threads": 2,
    }
    row |= {"bfloat16": False, "torch": "2.13.0", "date": "2026-01-01"}
    rows = [row | {"seconds": {"median": value, "lower": value, "upper": value}} for value in (0.001, 0.002)]
    made = cpu.table(rows)
    assert "| dense block | float32 | sums | 8x8 | 2.0 ms | 2.0-2.0 ms | 0.50 |" in made
    assert "1.0 ms" not in made
