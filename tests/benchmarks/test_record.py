"""Rows: what is written is what is read."""

from pathlib import Path

from esrgan_benchmarks.record import append, latest, machine, read


def test_rows_come_back_with_the_machine(tmp_path: Path) -> None:
    append("case", [{"a": 1}], tmp_path)
    append("case", [{"a": 2}, {"a": 3}], tmp_path)
    rows = read("case", tmp_path)
    assert [row["a"] for row in rows] == [1, 2, 3]
    assert all(machine().keys() <= row.keys() for row in rows)


def test_the_last_of_like_rows_counts() -> None:
    rows = [{"case": "a", "v": 1}, {"case": "b", "v": 2}, {"case": "a", "v": 3}]
    assert latest(rows, "case") == [{"case": "a", "v": 3}, {"case": "b", "v": 2}]


def test_the_machine_is_told() -> None:
    facts = machine()
    assert facts["processor"]
    assert facts["cores"] >= 1
    assert isinstance(facts["bfloat16"], bool)
