"""The table of faults."""

from esrgan_benchmarks.studies.reliability import FUZZED, table

FACTS = {"processor": "x", "threads": 1, "bfloat16": True, "torch": "2.13.0", "date": "2026-11-30"}


def tried(fault: str, command: str, tries: int, lost: int) -> dict[str, object]:
    return {"fault": fault, "command": command, "tries": tries, "lost": lost, **FACTS}


def test_the_last_run_of_each_counts() -> None:
    rows = [
        tried("kill", "upscale", 5, 5),
        tried("full disk", "train", 1200, 0),
        tried("kill", "upscale", 20, 2),
    ]
    lines = table(rows).splitlines()
    assert lines[2].startswith("| full disk | train | 1,200 | 0 |")
    assert lines[3].startswith("| kill | upscale | 20 | 2 |")
    assert len([line for line in lines if line.startswith("| ")]) == 3


def test_what_the_fuzzer_did_adds_up() -> None:
    rows = [
        tried(FUZZED, "png", 10, 0),
        {**tried(FUZZED, "png", 1000, 1), "minutes": 6.0},
        {**tried(FUZZED, "png", 2000, 0), "minutes": 1.5},
        {**tried("kill", "upscale", 5, 0), "minutes": 3.0},
    ]
    lines = table(rows).splitlines()
    assert lines[2].startswith(f"| {FUZZED} | png, 7.5 minutes | 3,010 | 0 |")
    assert lines[3].startswith("| kill | upscale | 5 | 0 |")
