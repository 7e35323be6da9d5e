"""Tries become rows as soon as a part of them is done."""

from tests.torture.tried import Row, Tally, Tried


def tally() -> tuple[Tally, list[Row]]:
    rows: list[Row] = []
    return Tally(rows.extend), rows


def test_a_turn_that_has_ended_is_recorded_though_the_next_one_crashes() -> None:
    counted, rows = tally()
    counted.add(Tried("fuzz", "png", "", 1000, minutes=1.25, ended=True))
    assert rows == [{"fault": "fuzz", "command": "png", "tries": 1000, "lost": 0, "processor_minutes": 1.25}]
    counted.add(Tried("fuzz", "png", "it fails", 10, minutes=0.5, ended=True))
    assert [(row["tries"], row["lost"]) for row in rows] == [(1000, 0), (10, 1)]
    assert counted.lost == 1


def test_tries_one_by_one_are_recorded_at_the_end_of_their_command() -> None:
    counted, rows = tally()
    for said in ("", "gone", ""):
        counted.add(Tried("kill", "train", said, of=5))
    counted.add(Tried("kill", "convert"))
    assert rows == []
    counted.add(Tried("kill", "train", count=0, ended=True))
    assert [(row["command"], row["tries"], row["lost"], row["of"]) for row in rows] == [("train", 3, 1, 5)]
    counted.end()
    counted.end()
    assert [row["command"] for row in rows] == ["train", "convert"]
    assert all(row["minutes"] >= 0 for row in rows)
