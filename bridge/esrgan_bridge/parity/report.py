"""The report for people: one HTML file with a table and the worst answer of each hop as pictures."""

import base64
import html
import io
import math
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from esrgan_bridge.parity.distance import Row, to_levels
from esrgan_bridge.parity.record import ParityReport, Worst, format_psnr
from esrgan_torch.storage.atomic import atomic_path

PAGE = "parity.html"
_HOPS = {"torch": "PyTorch", "onnx": "ONNX", "tf": "TensorFlow", "tfjs": "TF.js"}


def write_html(report: ParityReport, file: Path) -> None:
    """Write the page, whole or not at all. Its worst pictures are those of `report.worst`."""
    template = files("esrgan_bridge.parity").joinpath("report.html").read_text(encoding="utf-8")
    for name, text in {
        "name": _text(report.name),
        "summary": _summary(report),
        "hops": _hops(report),
        "runners": _runners(report),
        "rows": _rows(report),
        "count": report.counts,
        "reasons": _reasons(report),
        "worst": "".join(_worst(worst) for worst in report.worst.values()),
        "not_run": _not_run(report),
        "machine": _machine(report),
    }.items():
        template = template.replace("{{" + name + "}}", text)
    with atomic_path(file) as temporary:
        temporary.write_text(template, encoding="utf-8")


def amplification(difference: float) -> int:
    """By what a difference of at most this is multiplied to be seen: 1, 2 or 5 times a power of ten.

    The brightest pixel comes to 0.4..1; a difference above 1 stays as it is.
    """
    if difference <= 0:
        return 1
    factors = (step * 10**exponent for exponent in range(12, -1, -1) for step in (5, 2, 1))
    return next((factor for factor in factors if factor * difference <= 1), 1)


def _text(value: object) -> str:
    return html.escape(str(value))


def _summary(report: ParityReport) -> str:
    """The verdict; green only where all is well, so never above a warning."""
    hops = " → ".join(["PyTorch", *(_HOPS[hop.name] for hop in report.hops)])
    kind = "" if report.quantize == "none" else f", {report.quantize} weights"
    by = "" if report.to == "onnx" else f", by the route {_text(report.route)}"
    warnings = report.warnings
    colour = "good" if report.passed and not warnings else "" if report.passed else "bad"
    lines = "".join(f'<p class="bad">Warning: {_text(warning)}.</p>' for warning in warnings)
    return (
        f'{lines}<p class="{colour}">{_text(report.verdict)}.</p><p>{hops}{by}{kind}.{_largest(report)}</p>'
    )


def _largest(report: ParityReport) -> str:
    if not report.answers:
        return ""
    largest = max(row.largest for row in report.copies)
    return (
        f" The largest difference of any value is {largest:.1e}, {largest * 255:.2g} of an 8-bit level. The "
        f"values are {_values(report.copies)}, where 0 is black and 1 white, and are compared as they are."
    )


def _hops(report: ParityReport) -> str:
    return "".join(
        f"<li><b>{_HOPS[hop.name]}</b> {hop.size / 1e6:.2f} MB, made in {hop.seconds:.1f} s</li>"
        for hop in report.hops
    )


def _runners(report: ParityReport) -> str:
    """One line for each runner at each hop: its worst."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in report.rows:
        groups.setdefault((row.hop, row.runner), []).append(row)
    lines: list[str] = []
    reasons = _numbered(report)
    for (hop, runner), rows in groups.items():
        worst = max(rows, key=lambda row: row.largest)
        lowest = min(rows, key=lambda row: math.inf if row.psnr is None else row.psnr)
        cells = (
            ("Hop", _text(hop)),
            ("Runner", _text(runner)),
            ("Computes in", _text(report.precision(runner))),
            ("Largest difference", f"{worst.largest:.1e} <small>{_text(worst.probe)}</small>"),
            ("Allowed", f"{worst.tolerance:.0e}<sup>{reasons[worst.reason]}</sup>"),
            ("Lowest PSNR", f"{format_psnr(lowest)} <small>{_text(lowest.probe)}</small>"),
            (
                "8-bit pixels that differ",
                f"{sum(row.differing for row in rows)} <small>of {sum(row.pixels for row in rows)}</small>",
            ),
            ("Values", _values(rows)),
            ("Seconds", f"{sum(row.seconds for row in rows):.2f}"),
        )
        lines.append(_line(cells, "first", all(row.passed for row in rows)))
    return "\n".join(lines)


def _values(rows: Sequence[Row]) -> str:
    """From where to where the answers reach: a copy whose values were cut off shows here."""
    lowest = [row.lowest for row in rows if row.lowest is not None]
    highest = [row.highest for row in rows if row.highest is not None]
    if not lowest or not highest:
        return "not recorded"
    return f"{min(lowest):.3f} to {max(highest):.3f}".replace("-", "−")


def _rows(report: ParityReport) -> str:
    lines: list[str] = []
    before = None
    for row in report.rows:
        y, x, channel = row.at
        cells = (
            ("Hop", _text(row.hop)),
            ("Runner", _text(row.runner)),
            ("Probe", f"{_text(row.probe)} <small>{row.size}</small>"),
            ("Largest", f"{row.largest:.1e} <small>y {y}, x {x}, ch {channel}</small>"),
            ("Mean", f"{row.mean:.1e}"),
            ("PSNR", format_psnr(row)),
            ("8-bit pixels", f"{row.differing} <small>of {row.pixels}</small>"),
            ("Seconds", f"{row.seconds:.3f}"),
        )
        lines.append(_line(cells, "" if (row.hop, row.runner) == before else "first", row.passed))
        before = (row.hop, row.runner)
    return "\n".join(lines)


def _line(cells: Sequence[tuple[str, str]], kind: str, passed: bool) -> str:
    columns = "".join(f'<td data-label="{label}">{text}</td>' for label, text in cells)
    return f'<tr class="{kind}"{"" if passed else " data-failed"}>{columns}</tr>'


def _numbered(report: ParityReport) -> dict[str, int]:
    return {
        reason: number for number, reason in enumerate(dict.fromkeys(row.reason for row in report.rows), 1)
    }


def _reasons(report: ParityReport) -> str:
    return "".join(f"<li>{_text(reason)}.</li>" for reason in _numbered(report))


def _worst(worst: Worst) -> str:
    row = worst.row
    named = "the original in float32" if row.hop == "torch" else row.runner
    difference = np.abs(worst.original - worst.copy)
    factor = amplification(float(difference.max()))
    height, width = difference.shape[:2]
    y, x, _ = row.at
    spot = f"left:{(x + 0.5) / width:.2%};top:{(y + 0.5) / height:.2%}"
    figures = "".join(
        f'<figure><div class="tile"><img src="{_picture(pixels)}" alt="{caption}" width="{width}" '
        f'height="{height}"><i style="{spot}"></i></div><figcaption>{caption}</figcaption></figure>'
        for pixels, caption in (
            (worst.original, "original"),
            (worst.copy, "copy"),
            (difference * factor, f"difference × {factor:,}".replace(",", "&nbsp;")),
        )
    )
    return (
        f"<h3>{_text(row.hop)}: {_text(named)}, probe {_text(row.probe)}</h3>"
        f"<p>{row.largest:.1e} at y {y}, x {x}, where the ring is.</p>"
        f'<div class="tiles">{figures}</div>'
    )


def _picture(values: NDArray[Any]) -> str:
    """A PNG as an address; one channel is gray, two and more than three show the first one or three."""
    from PIL import Image

    pixels = to_levels(values)
    pixels = pixels[:, :, 0] if pixels.shape[2] < 3 else np.ascontiguousarray(pixels[:, :, :3])
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "png", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"


def _not_run(report: ParityReport) -> str:
    if not report.not_run:
        return "<p>Nothing: every runtime that reads these copies was run on every probe.</p>"
    lines = (
        f"<li><b>{_text(entry.runner)}</b>{f' on {_text(entry.probe)}' if entry.probe else ''}: "
        f"{_text(entry.reason)}</li>"
        for entry in report.not_run
    )
    return f"<ul>{''.join(lines)}</ul>"


def _machine(report: ParityReport) -> str:
    facts = dict(report.machine)
    for runner, versions in report.runtimes.items():
        if runner != "torch":
            facts[runner] = ", ".join(f"{name} {value}" for name, value in versions.items())
    return "".join(
        f"<div><dt>{_text(name)}</dt><dd>{_text(value)}</dd></div>" for name, value in facts.items()
    )
