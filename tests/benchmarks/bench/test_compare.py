"""What counts as a change, and what as noise."""

import json
from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest

from esrgan_benchmarks.bench.compare import compare, compare_files
from esrgan_benchmarks.core.errors import BenchmarkError
from esrgan_benchmarks.core.record import Row
from tests.support.rows import old_row, runtime_row

OLD = [runtime_row("pytorch", 1.0, 1.0), runtime_row("onnxruntime", 0.8, 0.8)]


def test_equal_recordings_have_no_change() -> None:
    assert compare(OLD, OLD) == "2 rows compared, 0 changes beyond noise"


def test_a_machine_that_is_slower_as_a_whole_is_told_and_no_change() -> None:
    text = compare(OLD, [runtime_row("pytorch", 2.0, 1.0), runtime_row("onnxruntime", 1.6, 0.8)])
    assert "net 64x64: the machine: 2.00 times the time in all runtimes" in text
    assert "0 changes" in text


@pytest.mark.parametrize("make", [runtime_row, old_row])
def test_a_runtime_that_became_faster_is_told(make: Callable[..., Row]) -> None:
    old = [make("pytorch", 1.0, 1.0), make("onnxruntime", 0.8, 0.8)]
    text = compare(old, [old[0], make("onnxruntime", 0.4, 0.4)])
    assert "net 64x64, onnxruntime: faster: 0.8 s -> 0.4 s (-50%); beside the reference 0.8 -> 0.4" in text
    assert "1 changes" in text


def test_a_reference_that_became_slower_is_told_of_it_alone() -> None:
    # the ratio of the other halved, its own time did not
    text = compare(OLD, [runtime_row("pytorch", 2.0, 1.0), runtime_row("onnxruntime", 0.8, 0.4)])
    assert "net 64x64, pytorch: slower: 1 s -> 2 s (+100%)" in text
    assert "1 changes" in text


def test_seconds_alone_are_no_change_of_a_runtime() -> None:
    # its seconds doubled, and so did the reference's in the same rounds
    text = compare(OLD, [runtime_row("pytorch", 2.0, 1.0), runtime_row("onnxruntime", 1.6, 0.8)])
    assert "onnxruntime" not in text


def test_a_row_without_a_reference_is_judged_by_its_seconds() -> None:
    alone = {"ratio": None, "of_reference": None, "reference": None}
    old, new = (runtime_row("onnxruntime", seconds, 1.0) | alone for seconds in (0.8, 0.4))
    text = compare([old], [new])
    assert "net 64x64, onnxruntime: faster: 0.8 s -> 0.4 s (-50%)\n" in text


@pytest.mark.parametrize("kind", ["seconds", "of_reference"])
def test_a_change_within_the_spread_of_either_is_noise(kind: str) -> None:
    wide = runtime_row("onnxruntime", 0.9, 0.9)
    wide[kind] |= {"lower": 0.82, "upper": 1.1}
    assert "0 changes" in compare(OLD, [OLD[0], wide])


def test_a_change_of_three_per_cent_is_noise_however_narrow() -> None:
    near = runtime_row("onnxruntime", 0.824, 0.824)
    for kind in ("seconds", "of_reference"):
        near[kind] |= {"lower": 0.8239, "upper": 0.8241}
    assert "0 changes" in compare(OLD, [OLD[0], near])


def test_rows_of_a_busy_machine_are_told() -> None:
    text = compare(OLD, [OLD[0], runtime_row("onnxruntime", 0.8, 0.8, disturbed=3)])
    assert "1 of the rows are of a machine that other processes used too" in text


def test_memory_precision_and_distance_are_compared() -> None:
    heavier = runtime_row("onnxruntime", 0.8, 0.8, peak=800_000_000, largest=2e-3)
    text = compare(OLD, [OLD[0], heavier])
    assert "memory 400 MB -> 800 MB (+100%)" in text
    assert "further from the reference: 1.0e-06 -> 2.0e-03" in text
    text = compare(OLD, [OLD[0], runtime_row("onnxruntime", 0.8, 0.8, dtype="bfloat16")])
    assert "precision float32 -> bfloat16" in text


def test_what_only_one_of_them_has_is_told() -> None:
    text = compare(OLD, [OLD[0], runtime_row("openvino", 0.5, 0.5)])
    assert "only in the new: net 64x64, openvino" in text
    assert "only in the old: net 64x64, onnxruntime" in text


def test_files_and_folders_are_read(tmp_path: Path) -> None:
    file = tmp_path / "runtimes.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in OLD))
    assert compare_files(file, tmp_path) == "2 rows compared, 0 changes beyond noise"


@pytest.mark.parametrize(
    ("text", "words"),
    [("[1]\n", "no rows of"), ("nonsense", "JSON"), ('{"a": 1}\n', "no rows of"), (None, "cannot read")],
)
def test_other_files_are_refused(tmp_path: Path, text: str | None, words: str) -> None:
    file = tmp_path / "rows.jsonl"
    if text is not None:
        file.write_text(text)
    with pytest.raises(BenchmarkError, match=words if text != "[1]\n" else "JSON object a line"):
        compare_files(file, file)


def test_recordings_of_different_machines_are_not_compared() -> None:
    other = [{**row, "processor": "Another"} for row in OLD]
    with pytest.raises(BenchmarkError, match="in common"):
        compare(OLD, other)


RECORDINGS = 4


def recording(number: int) -> list[Row]:
    """One of four in a row, of the same code, on two cores where ten other processes wanted to compute."""
    text = Path(__file__).with_name("same_code.jsonl").read_text(encoding="utf-8")
    return [row for row in map(json.loads, text.splitlines()) if row["recording"] == number]


@pytest.mark.parametrize(("old", "new"), list(permutations(range(1, RECORDINGS + 1), 2)))
def test_the_same_code_twice_on_a_noisy_machine_shows_no_change(old: int, new: int) -> None:
    text = compare(recording(old), recording(new))
    assert "12 rows compared, 0 changes beyond noise" in text
    # it is the machine that moved: medians differ by far more than what is called a change
    before = {key_of(row): row["seconds"]["median"] for row in recording(old)}
    after = {key_of(row): row["seconds"]["median"] for row in recording(new)}
    assert max(abs(after[key] / before[key] - 1) for key in after) > 0.3


def key_of(row: Row) -> tuple[str, str]:
    return row["network"], row["runtime"]


@pytest.mark.parametrize("number", range(1, RECORDINGS + 1))
def test_a_change_beyond_that_noise_is_found(number: int) -> None:
    def faster(row: Row) -> Row:
        if row["runtime"] != "openvino":
            return row
        spreads = {
            kind: {key: value / (1 if key == "runs" else 500) for key, value in row[kind].items()}
            for kind in ("seconds", "of_reference")
        }
        return {**row, **spreads}

    text = compare(recording(number), [faster(row) for row in recording(number)])
    assert text.count("openvino: faster") == 2
    assert "2 changes beyond noise" in text


@pytest.mark.parametrize(
    ("taken", "cores", "found"), [(0.0, 2, 1), (0.5, 2, 0), (2.0, 2, 0), (6.0, 8, 1), (6.5, 8, 0)]
)
def test_a_change_that_what_others_took_explains_is_noise(taken: float, cores: int, found: int) -> None:
    new = [OLD[0], runtime_row("onnxruntime", 0.92, 0.92)]
    rows = [{**row, "others": [taken] * 7} | {"cores": cores} for row in new]
    assert f"{found} changes" in compare([row | {"cores": cores} for row in OLD], rows)
