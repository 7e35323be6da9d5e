"""The rows that decide something, short enough to be read from the end of a run's output."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LIMIT = 11_000  # characters: of a run's output the last 12,000 may be all that is kept
# the most important first: what does not fit is left out from the end
CASES = (
    "failed", "group", "left out", "device", "network check", "halo check", "check", "network",
    "launches", "video", "ceiling", "best", "layer", "cudnn", "refused", "ran",
)  # fmt: skip
# texts are shown as they are, numbers with their names
TEXTS = (
    "section", "sections", "name", "kernel", "kind", "what", "step", "launch", "dtype", "state",
    "weights", "error",
)  # fmt: skip
NUMBERS = (
    "height", "width", "ms", "table_ms", "tflops", "terabytes_per_second", "peak_mib", "psnr",
    "eager_psnr", "error", "rows", "columns", "outputs", "frames_per_second", "overhead", "sms",
    "device_ms", "one_by_one_ms", "with_bias_and_activation_ms", "seconds", "halo_built",
)  # fmt: skip


def summary(path: Path) -> str:
    """A line a row, grouped by case; at most `LIMIT` characters. What is wrong comes before the rest."""
    rows: list[dict[str, Any]] = []
    if path.exists():
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    lines: list[str] = []
    used = 0
    for line in _lines(rows):
        used += len(line) + 1
        if used > LIMIT:
            lines.append("... and more, in the file of rows")
            break
        lines.append(line)
    return "\n".join(lines)


def _lines(rows: list[dict[str, Any]]) -> Iterator[str]:
    wrong = [row for row in rows if row.get("right") is False]
    for row in wrong:
        yield f"WRONG {_line(row)}"
    for case in CASES:
        for row in rows:
            if row["case"] == case and row not in wrong:
                yield _line(row)


def _line(row: dict[str, Any]) -> str:
    texts = [_short(row[key]) for key in TEXTS if isinstance(row.get(key), str)]
    numbers = [
        f"{key} {_number(row[key])}" for key in NUMBERS if isinstance(row.get(key), int | float | list)
    ]
    return " | ".join((row["case"], *filter(None, texts), *numbers))


def _short(text: str) -> str:
    text = text.removeprefix("torch.").replace("\n", " ")
    return text if len(text) <= 160 else f"{text[:157]}..."


def _number(value: float | list[int]) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
