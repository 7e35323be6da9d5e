"""The page and its plots, from rows that are made up."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from esrgan_benchmarks.bench import plots
from esrgan_benchmarks.bench.report import write_report
from esrgan_benchmarks.core.errors import BenchmarkError
from esrgan_benchmarks.core.record import Row, append
from tests.support.rows import MACHINE, ceiling_rows, quality_row, runtime_row

pytest.importorskip("matplotlib", reason="plots need matplotlib")

ROWS: dict[str, list[Row]] = {
    "runtimes": [
        runtime_row("pytorch", 1.0, 1.0),
        runtime_row("esrgan-torch", 0.51, 0.51),
        runtime_row("tfjs-wasm", 30.0, 30.0),
    ],
    "ceiling": ceiling_rows(),
    "quality": [quality_row("bicubic", 28.4, None), quality_row("net", 26.0, 3.0)],
    "left-out": [{"case": "net, 64x64", "runtime": "<absent>", "reason": "not here", **MACHINE}],
}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    for name, rows in ROWS.items():
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def test_the_page_holds_everything_and_asks_for_nothing(results: Path) -> None:
    page, *files = write_report(results, results / "page.html", results / "plots")
    text = page.read_text()
    assert [file.name for file in files] == ["speed.svg", "roofline.svg", "quality.svg"]
    assert text.count("<svg") == 3
    # namespaces and licences are addresses too, but nothing is loaded from them
    assert not re.search(r'(src|href)="(?!#)(?!http://creativecommons)', text)
    assert "<script" not in text
    for words in ("0.51 s (0.51)", "300 GFLOP/s", "28.40 dB", "A Processor", "not here"):
        assert words in text
    assert "&lt;absent&gt;" in text
    assert "<absent>" not in text


def test_plots_are_pictures_and_know_their_rows(results: Path) -> None:
    _, speed, *_ = write_report(results, results / "page.html", results / "plots")
    assert ElementTree.fromstring(speed.read_text()).tag.endswith("svg")
    assert plots.digest(ROWS["runtimes"]) in speed.read_text()
    assert plots.speed(ROWS["runtimes"]) == speed.read_text()


def test_a_changed_row_changes_the_plot() -> None:
    rows = ROWS["runtimes"]
    assert plots.speed(rows) != plots.speed([*rows[:1], runtime_row("esrgan-torch", 0.4, 0.4), *rows[2:]])


def test_what_has_no_rows_is_left_out(results: Path) -> None:
    for name in ("ceiling", "quality", "left-out"):
        (results / f"{name}.jsonl").unlink()
    (page,) = write_report(results, results / "page.html")
    text = page.read_text()
    assert "Quality beside cost" not in text
    assert text.count("<svg") == 1


def test_a_ceiling_of_another_machine_is_no_plot_and_no_error(results: Path) -> None:
    others = [row | {"processor": "Another"} for row in ceiling_rows()]
    (results / "ceiling.jsonl").write_text("".join(json.dumps(row) + "\n" for row in others))
    _, *files = write_report(results, results / "page.html", results / "plots")
    assert [file.name for file in files] == ["speed.svg", "quality.svg"]


def test_without_rows_there_is_no_page(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="no rows"):
        write_report(tmp_path, tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []


def test_rows_that_a_run_appends_can_be_drawn(tmp_path: Path) -> None:
    append("runtimes", ROWS["runtimes"], tmp_path)
    assert write_report(tmp_path, tmp_path / "page.html") == [tmp_path / "page.html"]
