"""The documentation's tables are what the rows say."""

from pathlib import Path

import pytest

from esrgan_benchmarks.bench.plots import PLOTS, digest
from esrgan_benchmarks.core.record import append, read
from esrgan_benchmarks.studies.tables import PLACE, TABLES, render

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tables_are_made_from_the_rows(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert render(text) == text, "run: python -m esrgan_benchmarks tables " + page.name


@pytest.mark.parametrize("name", PLOTS)
def test_plots_are_made_from_the_rows(name: str) -> None:
    rows = [row for benchmark in PLOTS[name][0] for row in read(benchmark)]
    command = "esrgan bench --results benchmarks/results --report report.html --plots docs/images"
    plot = (ROOT / "docs" / "images" / f"{name}.svg").read_text(encoding="utf-8")
    assert digest(rows) in plot, f"run: {command}"


def test_every_kind_of_row_is_shown_somewhere() -> None:
    shown = {match["name"] for page in PAGES for match in PLACE.finditer(page.read_text(encoding="utf-8"))}
    assert shown == set(TABLES)


def test_a_changed_row_changes_the_table(tmp_path: Path) -> None:
    row = {
        "case": "exact",
        "dtype": "float32",
        "network": "net",
        "shape": [8, 8, 3],
        "peak": 2_000_000_000,
        "bytes_a_pixel": 1234,
        "seconds": 5.0,
    }
    append("memory", [row], tmp_path)
    page = "before\n<!-- rows: memory -->\nold\n<!-- end of rows -->\nafter\n"
    made = render(page, tmp_path)
    assert "2.00 GB | 1,234 | 5 s" in made
    assert "old" not in made
    assert made.startswith("before\n")
    assert made.endswith("after\n")
    append("memory", [row | {"peak": 3_000_000_000}], tmp_path)
    assert "3.00 GB" in render(page, tmp_path)
    assert "2.00 GB" not in render(page, tmp_path)
