"""Memory over thousands of pictures: the table, and one short run."""

from esrgan_benchmarks.studies import endurance


def test_the_table_tells_growth() -> None:
    row = {
        "case": "native, RRDBNet",
        "largest": 96,
        "every": 500,
        "held": [100_000_000 + number * 1_000_000 for number in range(12)],
        "seconds": 1.0,
        "processor": "x",
        "threads": 1,
        "bfloat16": True,
        "torch": "2.13.0",
        "date": "2026-11-30",
    }
    line = endurance.table([row]).splitlines()[2]
    assert line == "| native, RRDBNet | 100 MB | 103 MB | 111 MB | 11.0% |"
    short = {**row, "case": "openvino, RRDBNet", "held": row["held"][:4]}
    line = endurance.table([short]).splitlines()[2]
    assert line == "| openvino, RRDBNet | 100 MB | 103 MB | – | 3.0% |"


def test_a_short_run(monkeypatch) -> None:
    monkeypatch.setattr(endurance, "MARKS", (4, 8))
    row = endurance.endured("eager, CompactNet", 8, 16)
    assert len(row["held"]) == 2
    assert all(held > 50e6 for held in row["held"])
