"""Rows: what is written is what is read."""

from pathlib import Path

from esrgan_benchmarks.core.record import append, by_machine, latest, machine, newest, read


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


def test_machines_are_kept_apart_and_the_last_one_comes_first() -> None:
    def row(processor: str, value: int, bfloat16: bool = False) -> dict[str, object]:
        return {"processor": processor, "cores": 2, "gpu": None, "bfloat16": bfloat16, "v": value}

    rows = [row("a", 1), row("b", 2), row("a", 3), row("b", 4), row("c", 5), row("b", 6)]
    assert [[each["v"] for each in mine] for mine in by_machine(rows)] == [[2, 4, 6], [5], [1, 3]]
    other = [row("a", 1), row("a", 2, bfloat16=True), row("a", 3)]
    assert [[each["v"] for each in mine] for mine in by_machine(other)] == [[1, 3], [2]]
    assert [each["v"] for each in newest(rows)] == [2, 4, 6]
    assert newest([]) == []
