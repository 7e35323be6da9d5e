"""Tables of runtimes: one order, one ratio, and words where a cell is not like the others."""

from esrgan_benchmarks.bench.runtime_tables import (
    ceilings,
    costs,
    current,
    fullest,
    left_out,
    line_of,
    quality_rows,
    times,
)
from esrgan_benchmarks.core.record import Row
from tests.support.rows import MACHINE, ceiling_rows, old_row, quality_row, runtime_row

LARGE = {"shape": [1, 128, 128, 3]}


def lines_of(table: str, start: str) -> list[str]:
    return [line for line in table.splitlines() if line.startswith(f"| {start}")]


def test_rows_are_sorted_by_the_marked_column_and_the_fastest_is_bold() -> None:
    rows = [
        runtime_row("pytorch", 1.0, 1.0),
        runtime_row("openvino", 0.3, 0.3),
        runtime_row("pytorch", 4.0, 1.0, **LARGE),
        runtime_row("openvino", 2.8, 0.7, **LARGE),
        runtime_row("onnxruntime", 2.0, 0.5, **LARGE),
    ]
    head, _, *body = times(rows).splitlines()
    assert head == "| net | precision | 64x64 | 128x128 ▾ |"
    assert body[:3] == [
        "| onnxruntime | float32 |  | **2 s (0.50)** |",
        "| openvino | float32 | **0.3 s (0.30)** | 2.8 s (0.70) |",
        "| pytorch | float32 | 1 s (1.00) | 4 s (1.00) |",
    ]


def test_the_ratio_is_that_of_the_times_that_are_shown() -> None:
    # round by round it was 0.5 and 0.7 of the reference: by that the order would contradict the seconds
    rows = [
        old_row("pytorch", 1.0, 1.0),
        old_row("openvino", 0.62, 0.5),
        old_row("onnxruntime", 0.6, 0.7),
    ]
    body = times(rows).splitlines()[2:5]
    assert [line.split("|")[3].strip() for line in body] == [
        "**0.6 s (0.60)**",
        "0.62 s (0.62)",
        "1 s (1.00)",
    ]


def test_a_cell_of_another_run_is_marked_and_measured_by_its_own_reference() -> None:
    rows = [
        runtime_row("pytorch", 1.0, 1.0, run="first"),
        runtime_row("ncnn", 1.5, 1.5, run="first"),
        runtime_row("pytorch", 2.0, 1.0, run="second"),
        runtime_row("openvino", 1.6, 0.8, run="second"),
    ]
    table = times(rows)
    assert lines_of(table, "ncnn") == ["| ncnn | float32 | 1.5 s (1.50) † |"]
    assert lines_of(table, "openvino") == ["| openvino | float32 | **1.6 s (0.80)** |"]
    assert "†: of another run" in table
    assert "†" not in times(rows[2:])


def test_disturbed_rows_are_marked() -> None:
    rows = [
        runtime_row("pytorch", 1.0, 1.0),
        runtime_row("openvino", 0.5, 0.5, disturbed=2, disturbed_start=True),
    ]
    assert "| **~0.5 s (0.50)** |" in times(rows)
    assert "~: other processes used" in times(rows)
    assert "| openvino | ~1.5 s | ~1 s | 400 MB | ~200 |" in costs(rows)
    assert "~" not in times(rows[:1]) + costs(rows[:1])
    assert "disturbed: others used up to 0.01 cores" in line_of(rows[1])


def test_a_case_whose_reference_was_too_slow_has_times_without_ratios() -> None:
    alone = {"ratio": None, "of_reference": None, "reference": None}
    rows = [runtime_row(name, seconds, 1.0) | alone for name, seconds in (("slow", 2.0), ("fast", 1.0))]
    assert times(rows).splitlines()[2:4] == ["| fast | float32 | **1 s** |", "| slow | float32 | 2 s |"]
    assert "of reference" not in line_of(rows[0])


def test_a_ceiling_that_was_disturbed_is_marked() -> None:
    product, copy = ceiling_rows()
    assert "| ~300 GFLOP/s |" in ceilings([product | {"disturbed": True}, copy])
    assert "~" not in ceilings([product, copy])


def test_settings_are_kept_apart() -> None:
    rows = [
        runtime_row("pytorch", 1.0, 1.0),
        runtime_row("pytorch", 2.0, 1.0) | {"threads_asked": 1},
        runtime_row("pytorch", 3.0, 1.0, isa="avx2"),
    ]
    assert len(current(rows)) == 3
    table = times(rows)
    assert table.count("| net | precision |") == 3
    assert "A Processor held to AVX2, 2 threads" in table
    assert "A Processor, 1 thread," in table


def test_the_machine_with_most_runtimes() -> None:
    def row(processor: str, runtime: str) -> Row:
        return runtime_row(runtime, 1.0, 1.0) | {"processor": processor}

    few, many = [row("a", "one"), row("a", "one")], [row("b", "one"), row("b", "two")]
    assert fullest([*many, *few]) == many
    assert fullest([few[0], many[0]]) == [many[0]]
    held = [{**row, "isa": "avx2"} for row in many]
    assert fullest([*few, *held]) == few
    assert fullest(held) == held
    assert fullest([]) == []


def test_reasons_are_one_line_of_whole_words() -> None:
    def row(runtime: str, reason: str) -> Row:
        return {"case": "net, 64x64", "runtime": runtime, "reason": reason, **MACHINE}

    table = left_out([row("a", "no source gave it:"), row("b", "first | second\nthird")])
    assert "| net, 64x64 | a | no source gave it |" in table
    assert "| net, 64x64 | b | first / second; third |" in table


def test_a_network_whose_time_was_disturbed_comes_last() -> None:
    rows = [quality_row("slow", 25, None), quality_row("net", 26, 3.0), quality_row("bicubic", 28, None)]
    assert [row["network"] for row in quality_rows(rows)] == ["bicubic", "net", "slow"]
