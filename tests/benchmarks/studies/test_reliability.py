"""The table of faults."""

from esrgan_benchmarks.studies.reliability import BLIND, FUZZED, fuzzed_minutes, table

FACTS = {"processor": "x", "threads": 1, "bfloat16": True, "torch": "2.13.0", "date": "2026-11-30"}


def tried(fault: str, command: str, tries: int, lost: int) -> dict[str, object]:
    return {"fault": fault, "command": command, "tries": tries, "lost": lost, **FACTS}


def test_the_last_run_of_each_command_counts_in_a_line_for_its_fault() -> None:
    rows = [
        tried("kill", "esrgan upscale", 5, 5),
        tried("full disk", "esrgan train", 1200, 0),
        {**tried("kill", "esrgan train", 5, 0), "of": 7},
        tried("kill", "esrgan upscale", 20, 2),
        {**tried("kill", "esrgan convert", 3, 0), "of": 3, "date": "2026-12-01"},
    ]
    assert [line for line in table(rows).splitlines() if line.startswith("| ")][1:] == [
        "| full disk | train | 1,200 | 0 | 2026-11-30 |",
        "| kill | convert; train (5 of 7); upscale (2 lost) | 28 | 2 | 2026-12-01 |",
    ]


def test_what_the_fuzzer_did_adds_up() -> None:
    rows = [
        {**tried(FUZZED, "png", 5_000_000, 0), "minutes": 6.6},
        {**tried(FUZZED, "png", 1000, 0), "processor_minutes": 6.0},
        {**tried(FUZZED, "bmp", 30, 0), "processor_minutes": 1.0},
        {**tried(FUZZED, "png", 2000, 0), "processor_minutes": 1.5},
    ]
    lines = table(rows).splitlines()
    assert lines[2].startswith(f"| {BLIND} | png | 5,000,000 | 0 |")
    assert lines[3].startswith(f"| {FUZZED} | bmp (1.0 min); png (7.5 min) | 3,030 | 0 |")
    assert fuzzed_minutes(rows, "png") == 7.5
    assert fuzzed_minutes(rows, "gif") == 0


def test_what_the_fuzzer_found_is_lost_until_a_later_turn() -> None:
    turns = [{**tried(FUZZED, "png", 10, lost), "processor_minutes": 1.0} for lost in (0, 1, 0, 0)]
    assert "| png (1.0 min, 1 lost) | 10 | 1 |" not in table(turns[:1])
    assert "| png (2.0 min, 1 lost) | 20 | 1 |" in table(turns[:2])
    assert "| png (2.0 min) | 20 | 0 |" in table(turns)
    assert fuzzed_minutes(turns, "png") == 4.0
