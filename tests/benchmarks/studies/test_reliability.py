"""The table of faults."""

from esrgan_benchmarks.studies.reliability import BLIND, FUZZED, fuzzed_minutes, table

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
        {**tried(FUZZED, "png", 5_000_000, 0), "minutes": 6.6},
        {**tried(FUZZED, "png", 1000, 1), "processor_minutes": 6.0},
        {**tried(FUZZED, "png", 2000, 0), "processor_minutes": 1.5},
        {**tried("kill", "upscale", 5, 0), "minutes": 3.0, "of": 7},
        {**tried("kill", "train", 5, 0), "minutes": 3.0, "of": 5},
    ]
    lines = table(rows).splitlines()
    assert lines[2].startswith(f"| {BLIND} | png | 5,000,000 | 0 |")
    assert lines[3].startswith(f"| {FUZZED} | png, 7.5 minutes | 3,000 | 1 |")
    assert lines[4].startswith("| kill | train | 5 | 0 |")
    assert lines[5].startswith("| kill | upscale | 5 of 7 | 0 |")
    assert fuzzed_minutes(rows, "png") == 7.5
    assert fuzzed_minutes(rows, "bmp") == 0
