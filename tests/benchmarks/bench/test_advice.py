"""Sentences about runtimes say what the rows say; pages give no other figures of speed."""

import re
from pathlib import Path

import pytest

from esrgan_benchmarks.bench.advice import (
    below_baseline,
    choice,
    costs,
    headline,
    native_share,
    newest_choice,
    reach,
    span,
)
from esrgan_benchmarks.studies.tables import PLACE
from tests.support.rows import ceiling_rows, quality_row, runtime_row

ROOT = Path(__file__).parents[3]
FIGURES = re.compile(
    r"\d[.,]\d|\d ?%|\d times|\bhalf a\b|\b(?:thirds?|halves|fifths?|tenths|twice)\b|\d+ to \d+"
)
RRDB = {"network": "realesrgan-x4plus"}
LARGE = {**RRDB, "shape": [1, 128, 128, 3]}
ROWS = [
    runtime_row("pytorch", 1.0, 1.0, **RRDB),
    runtime_row("esrgan-torch", 0.5, 0.5, **RRDB),
    runtime_row("openvino", 0.6, 0.6, **RRDB),
    runtime_row("pytorch", 4.0, 1.0, **LARGE),
    runtime_row("esrgan-torch", 1.6, 0.4, **LARGE),
    runtime_row("esrgan-torch-eager", 3.2, 0.8, **LARGE),
    runtime_row("onnxruntime", 1.2, 0.3, **LARGE),
    runtime_row("openvino", 2.0, 0.5, **LARGE),
]


def test_what_this_library_takes_and_the_fastest_other() -> None:
    text = choice(ROWS)
    assert text.splitlines()[0] == "**A Processor, without bfloat16 arithmetic, 2 threads**, 2026-01-01:"
    assert (
        "- RRDBNet in float32 (64x64, 128x128): this library is 2.00 to 2.50 times as fast as PyTorch in "
        "published code, and 0.75 to 1.20 times as fast as the fastest other runtime (openvino, "
        "onnxruntime). With PyTorch's operators only (`esrgan-torch-eager`), it takes 2.00 of that time."
    ) in text
    assert "Compact" not in text
    assert "bfloat16 (" not in text


def test_it_is_said_while_no_row_is_of_the_native_engine() -> None:
    sentence = "No row is of the native engine yet"
    assert sentence in choice(ROWS)
    assert sentence not in choice([*ROWS, runtime_row("esrgan-torch-native", 0.2, 0.2, **RRDB)])


def test_a_runtime_is_compared_with_those_of_its_own_run() -> None:
    other = runtime_row("openvino", 0.1, 0.1, **RRDB, run="of a faster machine")
    assert choice([*ROWS[:2], other]).count("fastest other") == 0


def test_an_engine_is_not_compared_with_itself() -> None:
    engines = {"esrgan-torch": "native", "esrgan-torch-eager": "eager"}
    rows = [row | {"engine": engines.get(row["runtime"])} for row in ROWS]
    assert "With PyTorch's operators only" in choice(rows)
    same = [row | {"engine": "eager" if row["engine"] else None} for row in rows]
    assert "With PyTorch's operators only" not in choice(same)


def test_the_native_engine_beside_the_fastest_other_by_precision() -> None:
    rows = [
        *ROWS[:3],
        runtime_row("esrgan-torch-native", 0.15, 0.15, **RRDB),
        runtime_row("openvino-bfloat16", 0.1, 0.1, **RRDB, dtype="bfloat16"),
    ]
    assert native_share(rows) == (
        "- realesrgan-x4plus, 64x64, 2 threads: 0.25 of the time of openvino"
        ", 1.50 of the time of openvino-bfloat16"
    )
    assert native_share(ROWS) == ""


def test_nothing_is_said_of_rows_that_others_disturbed() -> None:
    disturbed = [row | {"disturbed": 3} for row in ROWS]
    assert choice(disturbed) == "No row is of the native engine yet (`esrgan-torch-native`)."
    assert "(not measured)" in costs(disturbed)


def test_the_newest_machine_alone() -> None:
    newer = [row | {"processor": "Another"} for row in ROWS]
    assert "Another" in newest_choice([*ROWS, *newer])
    assert "A Processor" not in newest_choice([*ROWS, *newer])
    held = [row | {"isa": "avx2", "run": "2999-01-01T00:00:00+00:00", "date": "2999-01-01"} for row in ROWS]
    assert newest_choice([*ROWS, *held]) == newest_choice(ROWS)


def test_the_one_figure_is_of_the_largest_picture_that_both_were_measured_on() -> None:
    assert headline(ROWS) == (
        "realesrgan-x4plus enlarges 128x128 pixels in 1.60 s on a processor (A Processor, 2 threads, "
        "2026-01-01); PyTorch, as published code runs the network, takes 4.00 s."
    )
    native = runtime_row("esrgan-torch-native", 0.8, 0.2, **LARGE)
    alone = runtime_row("esrgan-torch-native", 9.0, 0.2, **RRDB | {"shape": [1, 512, 512, 3]}, run="another")
    assert "in 0.80 s" in headline([*ROWS, native, alone])
    assert headline([row | {"disturbed": 1} for row in ROWS]) == headline([]) == ""


def test_what_else_a_runtime_costs() -> None:
    rows = [
        *ROWS,
        runtime_row("onnxruntime", 0.8, 0.8, **RRDB, load=0.0421, peak=100_000_000),
        runtime_row("ncnn", 2.5, 2.5, **RRDB),
        runtime_row("tfjs-wasm", 3.2, 3.2, **RRDB),
        runtime_row("pytorch-bfloat16", 5.0, 5.0, **RRDB, dtype="bfloat16"),
    ]
    text = costs(rows)
    assert "ONNX Runtime 0.042 to 1.50 s, OpenVINO 1.50 s" in text
    assert "Peak memory, divided by PyTorch's: OpenVINO 1.00, ONNX Runtime 0.25 to 1.00" in text
    assert "emulated by PyTorch, it takes 5.00 of the time of float32" in text
    assert "ncnn is for GPUs: on the processor it takes 2.50 of PyTorch's time" in text
    assert "same processor: tfjs-wasm 4.00." in text
    # a start that others disturbed says nothing
    disturbed = runtime_row("openvino", 0.6, 0.6, **RRDB, load=99.0, disturbed_start=True)
    assert "99" not in costs([*rows, disturbed])


def test_how_near_the_fastest_comes_to_the_ceiling() -> None:
    text = reach(ROWS, ceiling_rows())
    assert "esrgan-torch computes realesrgan-x4plus, 64x64, at 200 GFLOP/s of float32, 0.67 of the" in text
    assert "have 130 to 130 operations for each byte" in text


def test_networks_below_interpolation_are_named() -> None:
    rows = [quality_row("bicubic", 28, None), quality_row("sharp", 25, 1.0), quality_row("near", 31, 1.0)]
    assert below_baseline(rows) == (
        "On Set5, further from the originals than bicubic interpolation: sharp; nearer: near."
    )


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([0.311, 0.449], "0.31 to 0.45"),
        ([1.0], "1.00"),
        ([0.0421, 12.4], "0.042 to 12"),
        ([], "(not measured)"),
    ],
)
def test_ranges_have_two_digits(values: list[float], text: str) -> None:
    assert span(values) == text


@pytest.mark.parametrize(
    ("page", "first", "last"),
    [
        ("docs/benchmarks.md", "## Which runtime should I choose?", "## How it is measured"),
        ("README.md", "## Speed and memory on a CPU", "## More"),
    ],
)
def test_no_figure_of_speed_stands_outside_of_what_is_made_from_rows(
    page: str, first: str, last: str
) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    text = PLACE.sub("", text[text.index(first) : text.index(last)])
    found = [match[0] for match in FIGURES.finditer(text)]
    assert found == [], f"make it from rows, see esrgan_benchmarks.bench.advice: {found}"


def test_such_figures_would_be_found() -> None:
    words = (
        "start within half a second; half to seven tenths; in 0.31 of it; 4 to 19 % behind; 1 % ahead; twice"
    )
    assert len(FIGURES.findall(words)) == 6
