"""The report for people: one HTML file with a table and the worst answer of each step as pictures."""

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from esrgan_bridge.parity.distance import Row
from esrgan_bridge.parity.findings import ParityReport, Worst, format_psnr
from esrgan_torch.html_pages import render
from esrgan_torch.quantise import to_levels
from esrgan_torch.storage.atomic import atomic_path

PAGE = "parity.html"
_STEPS = {"torch": "PyTorch", "onnx": "ONNX", "tf": "TensorFlow", "tfjs": "TF.js", "tflite": "LiteRT"}


@dataclass(frozen=True)
class _Cell:
    """Of a table: the column's name, the text, a small word after it, and the number of a reason."""

    label: str
    text: str
    small: str = ""
    reason: int = 0


@dataclass(frozen=True)
class _Line:
    """Of a table: its cells, whether it is the first of its runner, and within its tolerance."""

    cells: Sequence[_Cell]
    first: bool
    passed: bool


def write_html(report: ParityReport, file: Path) -> None:
    """Write the page, whole or not at all. Its worst pictures are those of `report.worst`."""
    # green only where all is well, so never above a warning
    colour = "bad" if not report.passed else "" if report.warnings else "good"
    text = render(
        __name__,
        "report.html",
        report=report,
        titles=_STEPS,
        colour=colour,
        summary=_summary(report),
        runners=_runners(report),
        rows=_rows(report),
        reasons=_reasons(report),
        worst=[_worst(worst) for worst in report.worst.values()],
        machine=_machine(report),
    )
    with atomic_path(file) as temporary:
        temporary.write_text(text, encoding="utf-8")


def amplification(difference: float) -> int:
    """By what a difference of at most this is multiplied to be seen: 1, 2 or 5 times a power of ten.

    The brightest pixel comes to 0.4..1; a difference above 1 stays as it is.
    """
    if difference <= 0:
        return 1
    factors = (digit * 10**exponent for exponent in range(12, -1, -1) for digit in (5, 2, 1))
    return next((factor for factor in factors if factor * difference <= 1), 1)


def _summary(report: ParityReport) -> str:
    steps = " → ".join(["PyTorch", *(_STEPS[step.name] for step in report.steps)])
    kind = "" if report.quantize == "none" else f", {report.quantize} weights"
    by = "" if report.to == "onnx" else f", by the route {report.route}"
    return f"{steps}{by}{kind}.{_largest(report)}"


def _largest(report: ParityReport) -> str:
    if not report.answers:
        return ""
    largest = max(row.largest for row in report.copies)
    return (
        f" The largest difference of any value is {largest:.1e}, {largest * 255:.2g} of an 8-bit level. The "
        f"values are {_values(report.copies)}, where 0 is black and 1 white, and are compared as they are."
    )


def _runners(report: ParityReport) -> list[_Line]:
    """One line for each runner at each step: its worst."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in report.rows:
        groups.setdefault((row.step, row.runner), []).append(row)
    reasons = _reasons(report)
    lines: list[_Line] = []
    for (step, runner), rows in groups.items():
        worst = max(rows, key=lambda row: row.largest)
        lowest = min(rows, key=lambda row: math.inf if row.psnr is None else row.psnr)
        cells = (
            _Cell("Step", step),
            _Cell("Runner", runner),
            _Cell("Computes in", report.precision(runner)),
            _Cell("Largest difference", f"{worst.largest:.1e}", worst.probe),
            _Cell("Allowed", f"{worst.tolerance:.0e}", reason=reasons.index(worst.reason) + 1),
            _Cell("Lowest PSNR", format_psnr(lowest), lowest.probe),
            _Cell(
                "8-bit pixels that differ",
                str(sum(row.differing for row in rows)),
                f"of {sum(row.pixels for row in rows)}",
            ),
            _Cell("Values", _values(rows)),
            _Cell("Seconds", f"{sum(row.seconds for row in rows):.2f}"),
        )
        lines.append(_Line(cells, True, all(row.passed for row in rows)))
    return lines


def _values(rows: Sequence[Row]) -> str:
    """From where to where the answers reach: a copy whose values were cut off shows here."""
    lowest = [row.lowest for row in rows if row.lowest is not None]
    highest = [row.highest for row in rows if row.highest is not None]
    if not lowest or not highest:
        return "not recorded"
    return f"{min(lowest):.3f} to {max(highest):.3f}".replace("-", "−")


def _rows(report: ParityReport) -> list[_Line]:
    lines: list[_Line] = []
    before = None
    for row in report.rows:
        y, x, channel = row.at
        cells = (
            _Cell("Step", row.step),
            _Cell("Runner", row.runner),
            _Cell("Probe", row.probe, row.size),
            _Cell("Largest", f"{row.largest:.1e}", f"y {y}, x {x}, ch {channel}"),
            _Cell("Mean", f"{row.mean:.1e}"),
            _Cell("PSNR", format_psnr(row)),
            _Cell("8-bit pixels", str(row.differing), f"of {row.pixels}"),
            _Cell("Seconds", f"{row.seconds:.3f}"),
        )
        lines.append(_Line(cells, (row.step, row.runner) != before, row.passed))
        before = (row.step, row.runner)
    return lines


def _reasons(report: ParityReport) -> list[str]:
    """Each once; they are numbered from 1."""
    return list(dict.fromkeys(row.reason for row in report.rows))


def _worst(worst: Worst) -> dict[str, Any]:
    """The answer's row, whose it is, and the pictures: the original, the copy, their difference."""
    difference = np.abs(worst.original - worst.copy)
    factor = amplification(float(difference.max()))
    height, width = difference.shape[:2]
    y, x, _ = worst.row.at
    pictures = (
        (worst.original, "original"),
        (worst.copy, "copy"),
        (difference * factor, f"difference × {factor:,}".replace(",", "\N{NO-BREAK SPACE}")),
    )
    return {
        "row": worst.row,
        "of": "the original in float32" if worst.row.step == "torch" else worst.row.runner,
        "height": height,
        "width": width,
        "spot": f"left:{(x + 0.5) / width:.2%};top:{(y + 0.5) / height:.2%}",
        "pictures": [{"address": _picture(pixels), "caption": caption} for pixels, caption in pictures],
    }


def _picture(values: NDArray[Any]) -> str:
    """A PNG as an address; one channel is gray, two and more than three show the first one or three."""
    from PIL import Image

    pixels = to_levels(values)
    pixels = pixels[:, :, 0] if pixels.shape[2] < 3 else np.ascontiguousarray(pixels[:, :, :3])
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "png", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"


def _machine(report: ParityReport) -> dict[str, str]:
    facts = dict(report.machine)
    for runner, versions in report.runtimes.items():
        if runner != "torch":
            facts[runner] = ", ".join(f"{name} {value}" for name, value in versions.items())
    return facts
